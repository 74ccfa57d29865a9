//! JSON: one array per result, or one object per line.
//!
//! Nulls are explicit, so that every object has every name. JSON has no NaN and no infinity: they are null too.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::json::writer::{JsonArray, LineDelimited, Writer, WriterBuilder};
use datafusion::error::Result;

use super::ResultWriter;
use super::cell::{TIMESTAMP, TIMESTAMP_TZ};
use super::text::TextEncoder;

/// Writes one array, which an empty result has too, and a line end.
pub(crate) struct ArrayWriter<W: Write>(Writer<W, JsonArray>);

impl<W: Write> ArrayWriter<W> {
    pub(crate) fn new(out: W) -> Self {
        Self(builder().build(out))
    }
}

/// One object per line; an empty result is nothing.
pub(crate) struct LinesEncoder;

impl TextEncoder for LinesEncoder {
    fn header(&self) -> Vec<u8> {
        vec![]
    }

    fn encode(&self, batch: &RecordBatch) -> Result<Vec<u8>> {
        let mut writer = builder().build::<_, LineDelimited>(vec![]);
        writer.write(batch)?;
        writer.finish()?;
        Ok(writer.into_inner())
    }
}

fn builder() -> WriterBuilder {
    WriterBuilder::new()
        .with_explicit_nulls(true)
        .with_timestamp_format(TIMESTAMP.to_owned())
        .with_timestamp_tz_format(TIMESTAMP_TZ.to_owned())
}

impl<W: Write> ResultWriter for ArrayWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.0.write(batch)?;
        Ok(self.0.get_mut().flush()?)
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.0.finish()?;
        let mut out = self.0.into_inner();
        out.write_all(b"\n")?;
        Ok(out.flush()?)
    }
}
