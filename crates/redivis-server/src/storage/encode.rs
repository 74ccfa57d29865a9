//! Batches as the bytes of a format: Arrow IPC stream, JSON lines or CSV (redivis-api §5.2, §8.1).
//!
//! Arrow buffers are handed to the connection as they are, without a copy.

use std::sync::Arc;

use arrow::{
    array::RecordBatch,
    buffer::Buffer,
    csv::WriterBuilder as CsvWriter,
    datatypes::SchemaRef,
    error::ArrowError,
    ipc::writer::StreamEncoder,
    json::writer::{LineDelimited, WriterBuilder as JsonWriter},
    util::display::FormatOptions,
};
use bytes::Bytes;

const DATE: &str = "%Y-%m-%d";
const DATE_TIME: &str = "%Y-%m-%d %H:%M:%S%.f";
const TIME: &str = "%H:%M:%S%.f";

/// Smaller buffers are copied together, larger ones are shared.
const SHARED_FROM: usize = 16 * 1024;

/// How text carries dates and times.
pub(crate) fn text_options() -> FormatOptions<'static> {
    FormatOptions::new()
        .with_date_format(Some(DATE))
        .with_timestamp_format(Some(DATE_TIME))
        .with_time_format(Some(TIME))
}

/// A format of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Arrow,
    Jsonl,
    Csv,
}

impl Format {
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "arrow" => Some(Format::Arrow),
            // Older pages of the documentation say ndjson.
            "jsonl" | "ndjson" => Some(Format::Jsonl),
            "csv" => Some(Format::Csv),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Format::Arrow => "arrow",
            Format::Jsonl => "jsonl",
            Format::Csv => "csv",
        }
    }

    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Format::Arrow => "application/vnd.apache.arrow.stream",
            Format::Jsonl => "application/x-ndjson; charset=utf-8",
            Format::Csv => "text/csv; charset=utf-8",
        }
    }
}

/// Encodes the batches of one answer.
pub(crate) enum Encoder {
    Arrow {
        encoder: Box<StreamEncoder>,
        /// Whether a batch without rows tells that all rows were sent.
        sentinel: bool,
        schema: SchemaRef,
    },
    Jsonl,
    Csv {
        schema: SchemaRef,
        /// Whether the line of names is still to be written.
        header: bool,
    },
}

impl Encoder {
    /// An encoder for an answer that starts at row `offset`; a CSV that is resumed has no second header.
    pub(crate) fn new(
        format: Format,
        schema: SchemaRef,
        offset: u64,
        sentinel: bool,
    ) -> Result<Self, ArrowError> {
        Ok(match format {
            Format::Arrow => Encoder::Arrow {
                encoder: Box::new(StreamEncoder::try_new(&schema)?),
                sentinel,
                schema,
            },
            Format::Jsonl => Encoder::Jsonl,
            Format::Csv => Encoder::Csv {
                schema,
                header: offset == 0,
            },
        })
    }

    pub(crate) fn encode(&mut self, batch: &RecordBatch) -> Result<Vec<Bytes>, ArrowError> {
        match self {
            Encoder::Arrow { encoder, .. } => Ok(pieces(encoder.encode(batch)?)),
            Encoder::Jsonl => {
                let mut lines = JsonWriter::new()
                    .with_explicit_nulls(true)
                    .with_date_format(DATE.to_owned())
                    .with_timestamp_format(DATE_TIME.to_owned())
                    .with_time_format(TIME.to_owned())
                    .build::<_, LineDelimited>(Vec::new());
                lines.write(batch)?;
                lines.finish()?;
                Ok(vec![lines.into_inner().into()])
            }
            Encoder::Csv { header, .. } => {
                let header = std::mem::take(header);
                let mut lines = CsvWriter::new()
                    .with_header(header)
                    .with_date_format(DATE.to_owned())
                    .with_timestamp_format(DATE_TIME.to_owned())
                    .with_time_format(TIME.to_owned())
                    .build(Vec::new());
                lines.write(batch)?;
                Ok(vec![lines.into_inner().into()])
            }
        }
    }

    /// What ends the answer when all rows were sent.
    pub(crate) fn finish(self) -> Result<Vec<Bytes>, ArrowError> {
        match self {
            Encoder::Arrow {
                mut encoder,
                sentinel,
                schema,
            } => {
                let mut end = Vec::new();
                if sentinel {
                    end = encoder.encode(&RecordBatch::new_empty(schema))?;
                }
                end.extend(encoder.finish()?);
                Ok(pieces(end))
            }
            Encoder::Jsonl => Ok(Vec::new()),
            Encoder::Csv {
                ref schema,
                header: true,
            } => {
                let empty = RecordBatch::new_empty(Arc::clone(schema));
                let mut this = self;
                this.encode(&empty)
            }
            Encoder::Csv { .. } => Ok(Vec::new()),
        }
    }
}

/// Arrow buffers as few pieces of bytes.
fn pieces(buffers: Vec<Buffer>) -> Vec<Bytes> {
    struct Shared(Buffer);
    impl AsRef<[u8]> for Shared {
        fn as_ref(&self) -> &[u8] {
            self.0.as_slice()
        }
    }
    let mut pieces = Vec::new();
    let mut small = Vec::new();
    for buffer in buffers {
        if buffer.len() < SHARED_FROM {
            small.extend_from_slice(buffer.as_slice());
        } else {
            if !small.is_empty() {
                pieces.push(Bytes::from(std::mem::take(&mut small)));
            }
            pieces.push(Bytes::from_owner(Shared(buffer)));
        }
    }
    if !small.is_empty() {
        pieces.push(Bytes::from(small));
    }
    pieces
}
