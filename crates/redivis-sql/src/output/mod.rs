//! Results on standard output or in a file, in the format that was asked for.
//!
//! Rows stream: a batch is written when it arrives and forgotten. Writing is blocking work, so each result has a thread that it is
//! handed to through a short queue; a slow reader of the output slows the query, it doesn't fill the memory. Text is made of several
//! batches at once, on as many threads as there are processors.

mod arrow_file;
mod calendar;
mod capped;
mod cell;
mod columns;
mod csv;
mod deliver;
mod format;
mod json;
mod markdown;
mod parquet;
mod plan;
mod sanitize;
mod table;
mod target;
mod text;
mod vertical;

pub(crate) use deliver::Delivered;
pub(crate) use format::Format;
pub(crate) use sanitize::single_line;
pub(crate) use target::Output;

use arrow::array::RecordBatch;
use datafusion::error::Result;

/// Writes one result.
pub(crate) trait ResultWriter<Rows = RecordBatch> {
    /// Writes the next rows, through to the reader of the output.
    fn write(&mut self, rows: &Rows) -> Result<()>;

    /// Ends the result. An empty one is complete too: a header, `[]`, or a file with a schema.
    fn finish(self: Box<Self>) -> Result<()>;
}
