//! Results on standard output or in a file, in the format that was asked for.
//!
//! Rows stream: a batch is written when it arrives and forgotten. Writing is blocking work, so each result has a thread that it is
//! handed to through a short queue; a slow reader of the output slows the query, it doesn't fill the memory. Text is made of several
//! batches at once, on as many threads as there are processors.

mod arrow_file;
mod calendar;
mod cell;
mod columns;
mod csv;
mod deliver;
mod format;
mod gather;
mod json;
mod look;
mod markdown;
mod paged;
mod pager;
mod parquet;
mod plan;
mod sanitize;
mod screen;
mod show;
mod switch;
mod table;
mod target;
mod text;
mod types;
mod vertical;

pub(crate) use columns::unique_names;
pub(crate) use format::Format;
pub(crate) use gather::gather;
pub(crate) use look::ValueLabels;
pub(crate) use pager::{is_open as pager_is_open, may_have_keys as pager_may_have_keys};
pub(crate) use sanitize::single_line;
pub(crate) use switch::Output;
pub(crate) use target::Target;

use arrow::array::RecordBatch;
use datafusion::error::Result;

/// Writes one result.
pub(crate) trait ResultWriter<Rows = RecordBatch> {
    /// Writes the next rows, through to the reader of the output.
    fn write(&mut self, rows: &Rows) -> Result<()>;

    /// Ends the result. An empty one is complete too: a header, `[]`, or a file with a schema.
    fn finish(self: Box<Self>) -> Result<()>;
}
