//! An Arrow IPC file.
//!
//! The file form, not the stream form: it starts with the stream's own messages, and more programs open it by its name.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::ipc::writer::FileWriter;
use datafusion::error::Result;

use super::ResultWriter;

/// Writes batches as they come.
pub(crate) struct ArrowFileWriter<W: Write> {
    writer: FileWriter<W>,
}

impl<W: Write> ArrowFileWriter<W> {
    pub(crate) fn new(schema: &SchemaRef, out: W) -> Result<Self> {
        Ok(Self {
            writer: FileWriter::try_new(out, schema)?,
        })
    }
}

impl<W: Write> ResultWriter for ArrowFileWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        Ok(self.writer.write(batch)?)
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.writer.finish()?;
        let mut out = self.writer.into_inner()?;
        Ok(out.flush()?)
    }
}
