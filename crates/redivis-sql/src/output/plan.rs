//! The text of a query plan.
//!
//! In a table, its indentation would be cut by the terminal's width; it is what the reader came for.

use std::io::Write;

use arrow::array::{Array, RecordBatch, cast::AsArray};
use datafusion::error::{DataFusionError, Result};

use super::ResultWriter;
use super::sanitize::single_line;

/// Writes each plan below its kind.
pub(crate) struct PlanWriter<W> {
    out: W,
}

impl<W: Write> PlanWriter<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out }
    }
}

impl<W: Write> ResultWriter for PlanWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let text = |index: usize| {
            batch
                .columns()
                .get(index)
                .and_then(|column| column.as_string_opt::<i32>())
                .ok_or_else(|| DataFusionError::Internal("EXPLAIN gave no text".to_owned()))
        };
        let (kinds, plans) = (text(0)?, text(1)?);
        for row in 0..kinds.len() {
            writeln!(self.out, "{}", single_line(kinds.value(row)))?;
            for line in plans.value(row).trim_end().split('\n') {
                writeln!(self.out, "  {}", single_line(line))?;
            }
        }
        Ok(self.out.flush()?)
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        Ok(self.out.flush()?)
    }
}
