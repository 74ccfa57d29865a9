//! JSON: one array per result, or one object per line.
//!
//! Nulls are explicit, so that every object has every name. JSON has no NaN and no infinity: they are null too.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::json::writer::{JsonArray, JsonFormat, LineDelimited, Writer, WriterBuilder};
use datafusion::error::Result;

use super::ResultWriter;
use super::cell::{TIMESTAMP, TIMESTAMP_TZ};

/// Writes objects through Arrow's JSON encoder.
pub(crate) struct JsonWriter<W: Write, F: JsonFormat> {
    writer: Writer<W, F>,
    end: &'static str,
}

/// One array, which an empty result has too, and a line end.
pub(crate) fn array<W: Write>(out: W) -> JsonWriter<W, JsonArray> {
    JsonWriter {
        writer: builder().build(out),
        end: "\n",
    }
}

/// One object per line; an empty result is nothing.
pub(crate) fn lines<W: Write>(out: W) -> JsonWriter<W, LineDelimited> {
    JsonWriter {
        writer: builder().build(out),
        end: "",
    }
}

fn builder() -> WriterBuilder {
    WriterBuilder::new()
        .with_explicit_nulls(true)
        .with_timestamp_format(TIMESTAMP.to_owned())
        .with_timestamp_tz_format(TIMESTAMP_TZ.to_owned())
}

impl<W: Write, F: JsonFormat> ResultWriter for JsonWriter<W, F> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.writer.write(batch)?;
        Ok(self.writer.get_mut().flush()?)
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.writer.finish()?;
        let mut out = self.writer.into_inner();
        out.write_all(self.end.as_bytes())?;
        Ok(out.flush()?)
    }
}
