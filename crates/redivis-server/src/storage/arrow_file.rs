//! Whether the parts of an Arrow file or stream lie within it, and stay small when they are decompressed.
//!
//! The reader sets memory aside for as many bytes as the file claims, so a damaged length must be found before it is believed.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
};

use arrow::ipc::{Block, RecordBatch, reader::read_footer_length, root_as_footer, root_as_message};

const MAGIC: &[u8; 6] = b"ARROW1";
/// The footer's length and the magic bytes again.
const TRAILER: usize = 10;
/// What stands before the length of a message in today's format.
const CONTINUED: u32 = u32::MAX;
/// Bytes that a batch may have when it is decompressed.
const MAX_BATCH: u64 = 1 << 30;

const OUTSIDE: &str = "it is damaged: a part of it lies outside of the file";

/// Checks a file or a stream.
pub(super) fn check(file: &File) -> Result<(), String> {
    let length = file.metadata().map_err(|error| error.to_string())?.len();
    let parts = Parts { file, length };
    let is_file = length >= (MAGIC.len() + TRAILER) as u64
        && parts.read(0, MAGIC.len() as u64)? == MAGIC.as_slice();
    if is_file {
        parts.check_file()
    } else {
        parts.check_stream()
    }
}

struct Parts<'a> {
    file: &'a File,
    length: u64,
}

impl Parts<'_> {
    /// Bytes that lie within the file.
    fn read(&self, start: u64, length: u64) -> Result<Vec<u8>, String> {
        let end = start.checked_add(length);
        if end.is_none_or(|end| end > self.length) {
            return Err(OUTSIDE.to_owned());
        }
        let mut file = self.file;
        let mut bytes = vec![0; usize::try_from(length).map_err(|error| error.to_string())?];
        file.seek(SeekFrom::Start(start))
            .and_then(|_| file.read_exact(&mut bytes))
            .map_err(|error| error.to_string())?;
        Ok(bytes)
    }

    fn check_file(&self) -> Result<(), String> {
        let trailer = self.read(self.length - TRAILER as u64, TRAILER as u64)?;
        let trailer = <[u8; TRAILER]>::try_from(trailer).map_err(|_| OUTSIDE)?;
        let footer = read_footer_length(trailer).map_err(|error| error.to_string())?;
        let start = self.length.checked_sub((TRAILER + footer) as u64);
        let start = start.ok_or("its footer is longer than the file")?;
        let bytes = self.read(start, footer as u64)?;
        let footer =
            root_as_footer(&bytes).map_err(|error| format!("its footer is damaged: {error}"))?;
        let blocks = [footer.dictionaries(), footer.recordBatches()];
        for block in blocks.into_iter().flatten().flatten() {
            self.check_block(block)?;
        }
        Ok(())
    }

    fn check_block(&self, block: &Block) -> Result<(), String> {
        let start = u64::try_from(block.offset()).map_err(|_| OUTSIDE)?;
        let claimed = u64::try_from(block.metaDataLength()).map_err(|_| OUTSIDE)?;
        let body = u64::try_from(block.bodyLength()).map_err(|_| OUTSIDE)?;
        let end = [start, claimed, body]
            .into_iter()
            .try_fold(0, u64::checked_add);
        if end.is_none_or(|end| end > self.length) {
            return Err(OUTSIDE.to_owned());
        }
        self.check_message(start).map(drop)
    }

    fn check_stream(&self) -> Result<(), String> {
        let mut start = 0;
        while start < self.length {
            match self.check_message(start)? {
                Some(end) => start = end,
                None => break,
            }
        }
        Ok(())
    }

    /// Checks the message that starts here; where it ends, `None` for the mark of the end.
    fn check_message(&self, start: u64) -> Result<Option<u64>, String> {
        let word = |at: u64| -> Result<u32, String> {
            let bytes = <[u8; 4]>::try_from(self.read(at, 4)?).map_err(|_| OUTSIDE)?;
            Ok(u32::from_le_bytes(bytes))
        };
        let (first, mut at) = (word(start)?, start + 4);
        let mut length = first;
        if first == CONTINUED {
            length = word(at)?;
            at += 4;
        }
        if length == 0 {
            return Ok(None);
        }
        let bytes = self.read(at, u64::from(length))?;
        let message =
            root_as_message(&bytes).map_err(|error| format!("a message is damaged: {error}"))?;
        let body = at + u64::from(length);
        let end = u64::try_from(message.bodyLength())
            .ok()
            .and_then(|length| body.checked_add(length))
            .filter(|end| *end <= self.length)
            .ok_or(OUTSIDE)?;
        let batch = message
            .header_as_record_batch()
            .or_else(|| message.header_as_dictionary_batch()?.data());
        if let Some(batch) = batch {
            self.check_batch(batch, body)?;
        }
        Ok(Some(end))
    }

    /// Compressed buffers say in front what they become.
    fn check_batch(&self, batch: RecordBatch<'_>, body: u64) -> Result<(), String> {
        let Some(buffers) = batch.buffers().filter(|_| batch.compression().is_some()) else {
            return Ok(());
        };
        let mut total = 0u64;
        for buffer in buffers.iter().filter(|buffer| buffer.length() > 0) {
            let offset = u64::try_from(buffer.offset()).map_err(|_| OUTSIDE)?;
            let start = body.checked_add(offset).ok_or(OUTSIDE)?;
            let length = <[u8; 8]>::try_from(self.read(start, 8)?).map_err(|_| OUTSIDE)?;
            // What did not get shorter says -1, and is as long as it is.
            let length = match i64::from_le_bytes(length) {
                -1 => 0,
                length => u64::try_from(length).map_err(|_| "a buffer's length is negative")?,
            };
            total = total.saturating_add(length);
        }
        match total > MAX_BATCH {
            true => Err(format!(
                "a batch of {total} bytes when decompressed is too large, or damaged"
            )),
            false => Ok(()),
        }
    }
}
