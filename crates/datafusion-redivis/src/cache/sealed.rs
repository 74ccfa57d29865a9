//! Small things on disk: JSON with a checksum at its end, there whole or not at all.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// What a value is as the contents of a file.
fn seal(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(value)?;
    let sum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(format!("\n{sum:08x}\n").as_bytes());
    Ok(bytes)
}

/// The value in these bytes; an error of kind `InvalidData` for those of no file that was written here.
pub(super) fn unseal<T: DeserializeOwned>(bytes: &[u8]) -> io::Result<T> {
    let damaged = || io::Error::new(ErrorKind::InvalidData, "the checksum does not fit");
    let (json, sum) = bytes.split_last_chunk::<10>().ok_or_else(damaged)?;
    if *sum != *format!("\n{:08x}\n", crc32fast::hash(json)).as_bytes() {
        return Err(damaged());
    }
    serde_json::from_slice(json).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}

/// Writes a new file, and waits until the disk has it.
pub(super) fn create(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(&seal(value)?)?;
    file.sync_all()
}

/// Writes a file that may be there already, which others may read meanwhile.
pub(super) fn replace(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let aside = path.with_extension(format!("{:016x}", fastrand::u64(..)));
    create(&aside, value)
        .and_then(|()| fs::rename(&aside, path))
        .inspect_err(|_| {
            let _ = fs::remove_file(&aside);
        })
}

/// What a file says.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> io::Result<T> {
    unseal(&fs::read(path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_change_is_noticed() {
        let sealed = seal(&vec![1, 22, 333]).unwrap();
        assert_eq!(unseal::<Vec<u32>>(&sealed).unwrap(), [1, 22, 333]);
        for place in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[place] ^= 1;
            unseal::<Vec<u32>>(&damaged).unwrap_err();
            unseal::<Vec<u32>>(&sealed[..place]).unwrap_err();
        }
    }
}
