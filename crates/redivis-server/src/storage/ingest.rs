//! A file that somebody gave, as one Parquet file of Redivis' types.

use std::path::PathBuf;

use super::Column;

/// What became of a file.
#[derive(Debug)]
pub(crate) struct Ingested {
    /// The Parquet file.
    pub(crate) file: PathBuf,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: u64,
    /// Uncompressed size in bytes.
    pub(crate) bytes: u64,
    /// Records that were skipped.
    pub(crate) bad_records: u64,
}
