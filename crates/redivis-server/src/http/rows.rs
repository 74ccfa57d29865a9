//! Rows in one answer: `GET <table, upload or query>/rows` (redivis-api §5.3).
//!
//! One schema for the whole answer, the table's own; uploads of other types are cast to it, strictly.

use axum::response::Response;

use super::{
    body::Rows,
    error::ApiError,
    parameters::Parameters,
    readable::{Readable, all_rows},
};
use crate::{
    catalog::Access,
    storage::{Encoder, Format, RowScan, Segment, schema_of, slice},
};

/// Bytes up to which a public table may be read without credentials.
const ANONYMOUS_BYTES: u64 = 100_000_000;

pub(super) async fn read(parameters: Parameters, target: Readable) -> Result<Response, ApiError> {
    target.require(Access::Data)?;
    if target.caller.user.is_none() && target.bytes() >= ANONYMOUS_BYTES {
        return Err(ApiError::no_credentials());
    }
    let format = match parameters.get("format") {
        None | Some("") => Format::Jsonl,
        Some(name) => format_of(name)?,
    };
    let limit = parameters.count("maxResults")?.unwrap_or(u64::MAX);
    let names = parameters.names("selectedVariables");
    let variables = target.select(names.as_deref())?;
    let uploads = target.uploads().iter();
    let segments: Vec<Segment> = uploads
        .flat_map(|upload| all_rows(upload, &variables))
        .collect();
    let segments = slice(&segments, 0..limit);
    let schema = schema_of(variables.iter().map(|v| (v.name.as_str(), v.kind)));
    let encoder = Encoder::new(format, schema, 0, false).map_err(|e| ApiError::internal(&e))?;
    let rows = Rows {
        scan: RowScan::new(segments, 0),
        shown: None,
        encoder,
        format,
        offset: 0,
        stream: None,
    };
    rows.respond().await
}

/// The format of this name.
pub(super) fn format_of(name: &str) -> Result<Format, ApiError> {
    Format::of_name(name).ok_or_else(|| {
        ApiError::invalid(format!(
            "`format` must be arrow, jsonl or csv, and is `{name}`"
        ))
    })
}
