//! Formats in which every batch is a text by itself, so that several of them can be made at once.

use std::io::Write;
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::error::Result;

use super::ResultWriter;
use crate::report::narrate;

/// Makes the text of rows.
pub(crate) trait TextEncoder: Send + Sync {
    /// What comes before all rows, also where there are none.
    fn header(&self) -> Vec<u8>;

    /// The rows of a batch.
    fn encode(&self, batch: &RecordBatch) -> Result<Vec<u8>>;

    /// What there is to say of the rows when all of them are written.
    fn note(&self) -> Option<&'static str> {
        None
    }
}

/// Writes texts as they come.
pub(crate) struct TextWriter<W> {
    encoder: Arc<dyn TextEncoder>,
    out: W,
}

impl<W: Write> TextWriter<W> {
    pub(crate) fn new(encoder: Arc<dyn TextEncoder>, mut out: W) -> Result<Self> {
        out.write_all(&encoder.header())?;
        Ok(Self { encoder, out })
    }
}

impl<W: Write> ResultWriter<Vec<u8>> for TextWriter<W> {
    fn write(&mut self, text: &Vec<u8>) -> Result<()> {
        self.out.write_all(text)?;
        Ok(self.out.flush()?)
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        if let Some(note) = self.encoder.note() {
            narrate(note);
        }
        Ok(self.out.flush()?)
    }
}
