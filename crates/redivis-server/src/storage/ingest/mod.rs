//! A file somebody has, once, to one Parquet file with Redivis' types: the one way in for uploads and for folders.
//!
//! Everything streams: what is in memory is one batch and the row group that is being written. The file is written
//! aside and renamed, so that one that is broken or given up on leaves nothing.

mod avro;
mod columnar;
mod delimited;
mod dialect;
mod error;
mod geometry;
mod json;
mod merge;
mod options;
mod orc;
mod parquet;
mod record;
mod table;
mod text;

use std::path::{Path, PathBuf};

pub(crate) use error::IngestError;
pub(crate) use merge::merge;
pub(crate) use options::{UploadOptions, UploadType};
use table::Table;

use super::{
    Column, Declared, SourceFormat, Stored, VariableType,
    error::{DAMAGED, guarded},
};
use crate::token::random_name;

/// Asks whether the work is to be given up.
pub(crate) type Stop<'a> = &'a dyn Fn() -> bool;

/// What a file became.
#[derive(Debug)]
pub(crate) struct Ingested {
    /// The Parquet file, on the disk under a name of its own.
    pub(crate) file: PathBuf,
    /// Its variables, in their order.
    pub(crate) columns: Vec<Column>,
    /// The number of its rows.
    pub(crate) rows: u64,
    /// The size of its values in bytes, as the server counts them.
    pub(crate) bytes: u64,
    /// Records that were left out because they could not be read.
    pub(crate) bad_records: u64,
}

/// Reads the file of an upload and stores its rows in `rows_folder`. Blocks, for long with large files.
pub(crate) fn ingest(
    source: &Path,
    options: &UploadOptions,
    rows_folder: &Path,
    stop: Stop<'_>,
) -> Result<Ingested, IngestError> {
    let target = new_file(rows_folder)?;
    let (bad_records, declared) = match (options.kind.format(), &options.schema) {
        (Some(format), _) => {
            let bad = convert(source, format, options, &Declared::new(), &target, stop)?;
            (bad, Declared::new())
        }
        (None, Some(schema)) if options.kind == UploadType::Stream => {
            return ingest_records(&[], schema, rows_folder);
        }
        (None, None) if options.kind == UploadType::Stream => {
            return Err(IngestError::rejected("a stream needs a `schema`"));
        }
        (None, _) => return Err(IngestError::Unsupported(options.kind)),
    };
    ingested(target, &declared, bad_records)
}

/// Stores records that came as JSON objects, by a schema that was given before.
pub(crate) fn ingest_records(
    records: &[record::Record],
    schema: &[(String, VariableType)],
    rows_folder: &Path,
) -> Result<Ingested, IngestError> {
    let target = new_file(rows_folder)?;
    record::write(records, schema, &target)?;
    let declared = schema
        .iter()
        .map(|(name, kind)| (name.to_lowercase(), *kind));
    ingested(target, &declared.collect(), 0)
}

/// Converts `source` to a Parquet file at `target`; declared types (by lower-case name) win over found ones.
///
/// Returns how many records were left out.
pub(crate) fn convert(
    source: &Path,
    format: SourceFormat,
    options: &UploadOptions,
    declared: &Declared,
    target: &Path,
    stop: Stop<'_>,
) -> Result<u64, IngestError> {
    guarded(
        || IngestError::rejected(DAMAGED),
        || match format {
            SourceFormat::Delimited | SourceFormat::Ndjson | SourceFormat::Json => {
                text::convert(source, format, options, declared, target, stop)
            }
            SourceFormat::Parquet
            | SourceFormat::Avro
            | SourceFormat::Orc
            | SourceFormat::Arrow => {
                columnar::convert(source, format, declared, target, stop).map(|()| 0)
            }
        },
    )
}

/// A name that no other file has.
fn new_file(folder: &Path) -> Result<PathBuf, IngestError> {
    let name = random_name().map_err(|error| IngestError::Io(std::io::Error::other(error)))?;
    Ok(folder.join(format!("{name}.parquet")))
}

fn ingested(file: PathBuf, declared: &Declared, bad_records: u64) -> Result<Ingested, IngestError> {
    let mut stored = Stored::open(file.clone())
        .map_err(|error| IngestError::Io(std::io::Error::other(error)))?;
    stored.declare(declared);
    Ok(Ingested {
        file,
        rows: stored.rows(),
        bytes: stored.bytes(),
        columns: stored.columns,
        bad_records,
    })
}

#[cfg(test)]
mod tests;
