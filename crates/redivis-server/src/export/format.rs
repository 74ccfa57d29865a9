//! Files of exports: rows written as Parquet, CSV or lines of JSON, into as many files as their size asks for.

use std::{
    fs::File,
    io::{self, Write},
    path::PathBuf,
    sync::Arc,
};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use parquet::{arrow::ArrowWriter, basic::Compression, file::properties::WriterProperties};
use tempfile::NamedTempFile;

use crate::{
    durable,
    storage::{Encoder, Format},
};

/// Bytes after which a file is followed by another.
const PART_BYTES: u64 = 128 << 20;

/// A row group is closed when it has this many bytes.
const ROW_GROUP_BYTES: usize = 64 << 20;

/// What files are written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileFormat {
    Parquet,
    Csv,
    Ndjson,
}

impl FileFormat {
    pub(crate) fn name(self) -> &'static str {
        match self {
            FileFormat::Parquet => "parquet",
            FileFormat::Csv => "csv",
            FileFormat::Ndjson => "ndjson",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        [FileFormat::Parquet, FileFormat::Csv, FileFormat::Ndjson]
            .into_iter()
            .find(|format| format.name() == name)
    }
}

/// The files of one export, in its folder.
pub(super) struct Files {
    folder: PathBuf,
    format: FileFormat,
    schema: SchemaRef,
    writing: Option<Part>,
    pub(super) count: u64,
    pub(super) size: u64,
}

/// A file that is being written.
struct Part {
    aside: NamedTempFile,
    writer: Writer,
}

enum Writer {
    Parquet(Box<ArrowWriter<File>>),
    Text {
        file: File,
        encoder: Encoder,
        bytes: u64,
    },
}

impl Files {
    pub(super) fn new(folder: PathBuf, format: FileFormat, schema: SchemaRef) -> Self {
        Files {
            folder,
            format,
            schema,
            writing: None,
            count: 0,
            size: 0,
        }
    }

    /// The name of a file of an export.
    pub(super) fn name(part: u64, format: FileFormat) -> String {
        format!("{part}.{}", format.name())
    }

    fn start(&self) -> io::Result<Part> {
        let aside = durable::aside_in(&self.folder)?;
        let file = aside.as_file().try_clone()?;
        let schema = &self.schema;
        let text =
            |format| Encoder::new(format, Arc::clone(schema), 0, false).map_err(io::Error::other);
        let writer = match self.format {
            FileFormat::Parquet => {
                let properties = WriterProperties::builder()
                    .set_compression(Compression::SNAPPY)
                    .build();
                let writer = ArrowWriter::try_new(file, Arc::clone(schema), Some(properties))?;
                Writer::Parquet(Box::new(writer))
            }
            FileFormat::Csv => Writer::Text {
                file,
                encoder: text(Format::Csv)?,
                bytes: 0,
            },
            FileFormat::Ndjson => Writer::Text {
                file,
                encoder: text(Format::Jsonl)?,
                bytes: 0,
            },
        };
        Ok(Part { aside, writer })
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> io::Result<()> {
        let mut part = match self.writing.take() {
            Some(part) => part,
            None => self.start()?,
        };
        let written = match &mut part.writer {
            Writer::Parquet(writer) => {
                writer.write(batch)?;
                if writer.in_progress_size() > ROW_GROUP_BYTES {
                    writer.flush()?;
                }
                writer.bytes_written() as u64
            }
            Writer::Text {
                file,
                encoder,
                bytes,
            } => {
                for piece in encoder.encode(batch).map_err(io::Error::other)? {
                    file.write_all(&piece)?;
                    *bytes += piece.len() as u64;
                }
                *bytes
            }
        };
        self.writing = Some(part);
        if written >= PART_BYTES {
            self.close()?;
        }
        Ok(())
    }

    fn close(&mut self) -> io::Result<()> {
        let Some(Part { aside, writer }) = self.writing.take() else {
            return Ok(());
        };
        match writer {
            Writer::Parquet(writer) => {
                writer.close()?;
            }
            Writer::Text {
                mut file, encoder, ..
            } => {
                for piece in encoder.finish().map_err(io::Error::other)? {
                    file.write_all(&piece)?;
                }
            }
        }
        self.size += aside.as_file().metadata()?.len();
        let name = Files::name(self.count, self.format);
        durable::publish(aside, &self.folder.join(name))?;
        self.count += 1;
        Ok(())
    }

    /// Completes the last file. There is one at least, as clients know the columns from it.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        if self.count == 0 && self.writing.is_none() {
            self.writing = Some(self.start()?);
        }
        self.close()
    }
}
