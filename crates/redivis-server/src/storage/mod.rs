//! The rows: every file as Parquet, read by row ranges, cast to exactly the types of the wire, encoded as asked.
//!
//! Parquet is the one representation. Other files are converted once, so that any row can be reached cheaply, and
//! types are known from every value rather than from a sample.

mod arrow_file;
mod cast;
mod encode;
mod error;
mod format;
mod infer;
mod ingest;
mod kind;
mod names;
mod sample;
mod scan;
mod split;
mod statistics;
mod store;
mod stored;

pub(crate) use encode::{Encoder, Format};
pub(crate) use error::{StorageError, shown};
pub(crate) use format::SourceFormat;
pub(crate) use ingest::{
    IngestError, Ingested, UploadOptions, UploadType, ingest, ingest_records, merge,
};
pub(crate) use kind::VariableType;
pub(crate) use names::{variable_name, variable_names};
pub(crate) use scan::{RowScan, Segment, Selection, schema_of, slice};
pub(crate) use split::split;
pub(crate) use statistics::statistics_of;
pub(crate) use store::{Declared, Storage};
pub(crate) use stored::{Column, Stored};
