//! Checksums of a file's blocks, by which damage is found in what is read of it, and only there.
//!
//! A checksum of the whole file would have to read it whole, and Parquet's own of its pages are not written by its library.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::ops::Range;

use bytes::Bytes;

/// What is read and checked at once.
const BLOCK: usize = 64 << 10;

/// Takes note of all that is written.
pub(super) struct Summing<W> {
    inner: W,
    hasher: crc32fast::Hasher,
    in_block: usize,
    sums: Vec<u32>,
    bytes: u64,
}

impl<W: Write> Summing<W> {
    pub(super) fn new(inner: W) -> Self {
        Self {
            inner,
            hasher: crc32fast::Hasher::new(),
            in_block: 0,
            sums: vec![],
            bytes: 0,
        }
    }

    /// What was written to, how many bytes, and their checksums.
    pub(super) fn finish(mut self) -> (W, u64, Vec<u32>) {
        if self.in_block > 0 {
            self.end_block();
        }
        (self.inner, self.bytes, self.sums)
    }

    fn end_block(&mut self) {
        let hasher = std::mem::take(&mut self.hasher);
        self.sums.push(hasher.finalize());
        self.in_block = 0;
    }
}

impl<W: Write> Write for Summing<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(buffer)?;
        self.bytes += written as u64;
        let mut rest = &buffer[..written];
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(BLOCK - self.in_block));
            self.hasher.update(now);
            self.in_block += now.len();
            if self.in_block == BLOCK {
                self.end_block();
            }
            rest = later;
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// A file of which every byte that is read has been checked.
#[derive(Debug)]
pub(super) struct CheckedFile {
    file: File,
    bytes: u64,
    sums: Vec<u32>,
}

impl CheckedFile {
    /// An error of kind `InvalidData` where the file has another size.
    pub(super) fn new(file: File, bytes: u64, sums: Vec<u32>) -> io::Result<Self> {
        if file.metadata()?.len() != bytes || sums.len() as u64 != bytes.div_ceil(BLOCK as u64) {
            return Err(damaged());
        }
        Ok(Self { file, bytes, sums })
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// These bytes. An error of kind `InvalidData` where they are others than were written.
    pub(super) fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        let block = BLOCK as u64;
        if range.start > range.end || range.end > self.bytes {
            return Err(damaged());
        }
        let first = range.start / block;
        let start = first * block;
        let end = range.end.next_multiple_of(block).min(self.bytes);
        let mut buffer = vec![0; length(end - start)?];
        read_at(&self.file, &mut buffer, start).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => damaged(),
            _ => error,
        })?;
        let sums = self.sums.iter().skip(length(first)?);
        for (block, sum) in buffer.chunks(BLOCK).zip(sums) {
            if crc32fast::hash(block) != *sum {
                return Err(damaged());
            }
        }
        let wanted = length(range.start - start)?..length(range.end - start)?;
        Ok(Bytes::from(buffer).slice(wanted))
    }
}

fn length(bytes: u64) -> io::Result<usize> {
    usize::try_from(bytes).map_err(|_| damaged())
}

fn damaged() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "a checksum does not fit")
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, buffer, offset)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            read => {
                buffer = &mut buffer[read..];
                offset += read as u64;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, SeekFrom};

    use super::*;

    #[test]
    fn what_is_read_is_what_was_written_or_an_error() {
        let data: Vec<u8> = (0..BLOCK * 2 + 100).map(|i| (i * 7 % 251) as u8).collect();
        let mut writer = Summing::new(tempfile::tempfile().unwrap());
        for piece in data.chunks(1000) {
            writer.write_all(piece).unwrap();
        }
        let (mut file, bytes, sums) = writer.finish();
        assert_eq!((bytes, sums.len()), (data.len() as u64, 3));
        let whole = CheckedFile::new(file.try_clone().unwrap(), bytes, sums.clone()).unwrap();
        let block = BLOCK as u64;
        for range in [
            0..10,
            block - 1..block + 1,
            0..bytes,
            bytes - 5..bytes,
            7..7,
        ] {
            let expected = &data[range.start as usize..range.end as usize];
            assert_eq!(whole.read(range).unwrap(), expected);
        }
        assert_eq!(
            whole.read(bytes..bytes + 1).unwrap_err().kind(),
            ErrorKind::InvalidData
        );

        file.seek(SeekFrom::Start(block + 5)).unwrap();
        file.write_all(&[!data[BLOCK + 5]]).unwrap();
        whole.read(0..block).unwrap();
        assert_eq!(
            whole.read(block + 9..block + 10).unwrap_err().kind(),
            ErrorKind::InvalidData
        );

        file.set_len(bytes - 1).unwrap();
        assert_eq!(
            whole.read(bytes - 1..bytes).unwrap_err().kind(),
            ErrorKind::InvalidData
        );
        CheckedFile::new(file, bytes, sums).unwrap_err();
    }
}
