//! Whether an Arrow file's parts lie within it.
//!
//! The reader sets memory aside for as many bytes as the file claims, so a damaged length must be found before it is believed.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
};

use arrow::ipc::{Block, reader::read_footer_length, root_as_footer};

const MAGIC: &[u8; 6] = b"ARROW1";
/// The footer's length and the magic bytes again.
const TRAILER: usize = 10;

/// Checks the file; what is not of the file format (an Arrow stream, say) passes.
pub(super) fn check(mut file: &File) -> Result<(), String> {
    let length = file.metadata().map_err(|e| e.to_string())?.len();
    let mut read_at = |from: SeekFrom, bytes: &mut [u8]| {
        file.seek(from)
            .and_then(|_| file.read_exact(bytes))
            .map_err(|error| error.to_string())
    };
    let mut magic = [0; MAGIC.len()];
    if length < (MAGIC.len() + TRAILER) as u64 {
        return Ok(());
    }
    read_at(SeekFrom::Start(0), &mut magic)?;
    if magic != *MAGIC {
        return Ok(());
    }
    let mut trailer = [0; TRAILER];
    read_at(SeekFrom::End(-(TRAILER as i64)), &mut trailer)?;
    let footer = read_footer_length(trailer).map_err(|error| error.to_string())?;
    let start = length.checked_sub((TRAILER + footer) as u64);
    let start = start.ok_or("its footer is longer than the file")?;
    let mut bytes = vec![0; footer];
    read_at(SeekFrom::Start(start), &mut bytes)?;
    let footer =
        root_as_footer(&bytes).map_err(|error| format!("its footer is damaged: {error}"))?;
    let within = |block: &Block| {
        let parts = [
            u64::try_from(block.offset()).ok()?,
            u64::try_from(block.metaDataLength()).ok()?,
            u64::try_from(block.bodyLength()).ok()?,
        ];
        let end = parts.into_iter().try_fold(0, u64::checked_add)?;
        (end <= length).then_some(())
    };
    let mut blocks = [footer.dictionaries(), footer.recordBatches()]
        .into_iter()
        .flatten()
        .flatten();
    match blocks.all(|block| within(block).is_some()) {
        true => Ok(()),
        false => Err("it is damaged: a part of it lies outside of the file".to_owned()),
    }
}
