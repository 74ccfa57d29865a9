//! Formats in which every batch is a text by itself, so that several of them can be made at once.

use std::io::Write;

use arrow::array::RecordBatch;
use datafusion::error::Result;

use super::ResultWriter;

/// Makes the text of rows.
pub(crate) trait TextEncoder: Send + Sync {
    /// What comes before all rows, also where there are none.
    fn header(&self) -> Vec<u8>;

    /// The rows of a batch.
    fn encode(&self, batch: &RecordBatch) -> Result<Vec<u8>>;
}

/// Writes texts as they come.
pub(crate) struct TextWriter<W>(W);

impl<W: Write> TextWriter<W> {
    pub(crate) fn new(encoder: &dyn TextEncoder, mut out: W) -> Result<Self> {
        out.write_all(&encoder.header())?;
        Ok(Self(out))
    }
}

impl<W: Write> ResultWriter<Vec<u8>> for TextWriter<W> {
    fn write(&mut self, text: &Vec<u8>) -> Result<()> {
        self.0.write_all(text)?;
        Ok(self.0.flush()?)
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        Ok(self.0.flush()?)
    }
}
