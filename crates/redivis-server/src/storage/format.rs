//! The formats of files that rows are read from.

use std::path::Path;

/// How a file's rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SourceFormat {
    Parquet,
    Delimited,
    Ndjson,
    Json,
    Arrow,
    Avro,
    Orc,
}

impl SourceFormat {
    /// What a file of a data folder is, by its extension; `None` for a file that is no table.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "parquet" => Some(SourceFormat::Parquet),
            "csv" => Some(SourceFormat::Delimited),
            "ndjson" => Some(SourceFormat::Ndjson),
            "arrow" => Some(SourceFormat::Arrow),
            _ => None,
        }
    }
}
