//! Avro container files that are to become tables.
//!
//! The frame of the file is read here, block by block, and each block decoded by a reader of its own: a reader of the
//! whole file takes a cut-off one for complete, checks no sync marker, and believes every length.

use std::{
    fs::File,
    io::{BufRead, BufReader, Cursor, Read, Seek, SeekFrom},
    path::Path,
};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use arrow_avro::reader::{ReaderBuilder, read_header_info};
use flate2::read::DeflateDecoder;

use super::{IngestError, columnar::Batches};

/// Bytes that a block may have, and have decompressed.
const MAX_BLOCK: u64 = 256 << 20;
/// Rows that a block may have, which is what memory is set aside for.
const MAX_ROWS: u64 = 1 << 24;

const SYNC: usize = 16;

/// How a block is compressed: the documented ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Codec {
    None,
    Deflate,
    Snappy,
}

pub(super) fn open(source: &Path) -> Result<(SchemaRef, Batches), IngestError> {
    let mut file = BufReader::new(File::open(source).map_err(IngestError::Io)?);
    let info = read_header_info(&mut file).map_err(IngestError::rejected)?;
    let mut header = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.by_ref()
        .take(info.header_len())
        .read_to_end(&mut header)?;
    let codec = match info.compression().map_err(IngestError::rejected)? {
        None => Codec::None,
        Some(arrow_avro::compression::CompressionCodec::Deflate) => Codec::Deflate,
        Some(arrow_avro::compression::CompressionCodec::Snappy) => Codec::Snappy,
        Some(other) => {
            return Err(IngestError::Rejected(format!(
                "its blocks are compressed with {other:?}; only deflate and snappy can be read"
            )));
        }
    };
    let schema = ReaderBuilder::new()
        .build(Cursor::new(header.clone()))
        .map_err(IngestError::rejected)?
        .schema();
    let mut blocks = Blocks {
        file,
        header,
        sync: info.sync(),
        codec,
        failed: false,
    };
    Ok((schema, Box::new(std::iter::from_fn(move || blocks.next()))))
}

struct Blocks {
    file: BufReader<File>,
    header: Vec<u8>,
    sync: [u8; SYNC],
    codec: Codec,
    failed: bool,
}

impl Blocks {
    fn next(&mut self) -> Option<Result<RecordBatch, IngestError>> {
        if self.failed {
            return None;
        }
        loop {
            let batch = match self.file.fill_buf() {
                Ok([]) => return None,
                Ok(_) => self.read(),
                Err(error) => Err(error.into()),
            };
            self.failed = batch.is_err();
            match batch.transpose() {
                // A block without records.
                None => {}
                some => return some,
            }
        }
    }

    /// Reads a block; `None` when nothing is in it.
    fn read(&mut self) -> Result<Option<RecordBatch>, IngestError> {
        // The block as it stands in the file, behind the header: a file of one block.
        let mut bytes = self.header.clone();
        let rows = self.long(&mut bytes)?;
        let length = self.long(&mut bytes)?;
        if rows > MAX_ROWS || length > MAX_BLOCK {
            return Err(IngestError::Rejected(format!(
                "a block of {rows} records and {length} bytes is too large, or damaged"
            )));
        }
        let start = bytes.len();
        let wanted = length + SYNC as u64;
        let read = self.file.by_ref().take(wanted).read_to_end(&mut bytes)?;
        if read as u64 != wanted {
            return Err(IngestError::rejected("the file is cut off within a block"));
        }
        let (block, sync) = bytes[start..].split_at(read - SYNC);
        if sync != self.sync {
            return Err(IngestError::rejected(
                "a block does not end with the file's sync marker",
            ));
        }
        let length = self.decompressed(block)?;
        if length > MAX_BLOCK {
            return Err(IngestError::rejected(
                "a block is too large when decompressed",
            ));
        }
        if rows == 0 && length == 0 {
            return Ok(None);
        }
        // A record without bytes would be lost by the reader, and bytes without a record would hang it.
        if rows == 0 || length == 0 {
            return Err(IngestError::rejected(
                "a block has records or bytes, but not both",
            ));
        }
        let rows = usize::try_from(rows).map_err(IngestError::rejected)?;
        let mut reader = ReaderBuilder::new()
            .with_batch_size(rows)
            .build(Cursor::new(bytes))
            .map_err(IngestError::rejected)?;
        let batch = reader.next().transpose().map_err(IngestError::rejected)?;
        match batch {
            Some(batch) if batch.num_rows() == rows => Ok(Some(batch)),
            _ => Err(IngestError::rejected(
                "a block has another number of records than it says",
            )),
        }
    }

    /// Reads a count in Avro's variable-length code, keeping its bytes.
    fn long(&mut self, bytes: &mut Vec<u8>) -> Result<u64, IngestError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let mut byte = [0];
            self.file.read_exact(&mut byte)?;
            bytes.push(byte[0]);
            value |= u64::from(byte[0] & 0x7f) << shift;
            if byte[0] & 0x80 == 0 {
                // Zigzag: odd ones are negative.
                return match value & 1 {
                    0 => Ok(value >> 1),
                    _ => Err(IngestError::rejected("a block has a negative size")),
                };
            }
        }
        Err(IngestError::rejected("a block's size is damaged"))
    }

    /// How many bytes a block has when it is decompressed, counted up to a bound without keeping them.
    fn decompressed(&self, block: &[u8]) -> Result<u64, IngestError> {
        match self.codec {
            Codec::None => Ok(block.len() as u64),
            Codec::Deflate => {
                let mut bytes = DeflateDecoder::new(block).take(MAX_BLOCK + 1);
                Ok(std::io::copy(&mut bytes, &mut std::io::sink())?)
            }
            Codec::Snappy => {
                // The length stands in front, the checksum behind.
                let mut length = 0u64;
                for (place, byte) in block.iter().take(5).enumerate() {
                    length |= u64::from(byte & 0x7f) << (7 * place);
                    if byte & 0x80 == 0 && block.len() > 4 {
                        return Ok(length);
                    }
                }
                Err(IngestError::rejected("a compressed block is damaged"))
            }
        }
    }
}
