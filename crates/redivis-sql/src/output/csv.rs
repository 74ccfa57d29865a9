//! Comma- and tab-separated values.
//!
//! Written here rather than by a library because null and the empty string must stay apart: null is an empty field, an empty string is
//! `""`, as in PostgreSQL. A row that is a single null would be an empty line, which many readers skip: it is written as `""`, so that
//! no row is lost.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::json::writer::EncoderOptions;
use datafusion::error::Result;

use super::ResultWriter;
use super::cell::{CellColumn, json_options};
use crate::report::narrate;

/// Writes a header and one line per row.
pub(crate) struct CsvWriter<W> {
    out: W,
    delimiter: char,
    schema: SchemaRef,
    options: EncoderOptions,
    buffer: String,
    /// Of a single column: whether it had a null, and whether an empty string.
    alike: (bool, bool),
}

impl<W: Write> CsvWriter<W> {
    /// Writes the header, so that an empty result has one.
    pub(crate) fn new(schema: &SchemaRef, mut out: W, delimiter: char) -> Result<Self> {
        let mut line = String::new();
        for (index, field) in schema.fields().iter().enumerate() {
            if index > 0 {
                line.push(delimiter);
            }
            push_field(&mut line, field.name(), delimiter);
        }
        line.push('\n');
        out.write_all(line.as_bytes())?;
        Ok(Self {
            out,
            delimiter,
            schema: SchemaRef::clone(schema),
            options: json_options(),
            buffer: line,
            alike: (false, false),
        })
    }
}

impl<W: Write> ResultWriter for CsvWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut columns = CellColumn::of_batch(batch, self.schema.fields(), &self.options)?;
        let alone = columns.len() == 1;
        let mut cell = String::new();
        for row in 0..batch.num_rows() {
            self.buffer.clear();
            for (index, column) in columns.iter_mut().enumerate() {
                if index > 0 {
                    self.buffer.push(self.delimiter);
                }
                let is_null = !column.read(row, &mut cell)?;
                if alone && cell.is_empty() {
                    self.alike.0 |= is_null;
                    self.alike.1 |= !is_null;
                }
                if !is_null || alone {
                    push_field(&mut self.buffer, &cell, self.delimiter);
                }
            }
            self.buffer.push('\n');
            self.out.write_all(self.buffer.as_bytes())?;
        }
        Ok(self.out.flush()?)
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        if self.alike == (true, true) {
            narrate(
                "note: NULL and '' are written alike in a csv of one column; ndjson, or another column, tells them apart",
            );
        }
        Ok(self.out.flush()?)
    }
}

/// Appends a field that is not null, quoted where a reader would otherwise see something else.
fn push_field(line: &mut String, text: &str, delimiter: char) {
    let special = |c: char| c == delimiter || matches!(c, '"' | '\n' | '\r');
    if text.is_empty() || text.contains(special) {
        line.push('"');
        line.push_str(&text.replace('"', "\"\""));
        line.push('"');
    } else {
        line.push_str(text);
    }
}
