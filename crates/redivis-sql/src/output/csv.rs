//! Comma- and tab-separated values.
//!
//! Written here rather than by a library because null and the empty string must stay apart: null is an empty field, an empty string is
//! `""`, as in PostgreSQL. A row that is a single null would be an empty line, which many readers skip: it is written as `""`, so that
//! no row is lost.

use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::json::writer::EncoderOptions;
use datafusion::error::Result;

use super::cell::{CellColumn, json_options};
use super::text::TextEncoder;

/// A header, and one line per row.
pub(crate) struct CsvEncoder {
    delimiter: char,
    schema: SchemaRef,
    options: EncoderOptions,
    /// Of a single column: whether it had a null, and whether an empty string.
    has_null: AtomicBool,
    has_empty: AtomicBool,
}

impl CsvEncoder {
    pub(crate) fn new(schema: &SchemaRef, delimiter: char) -> Self {
        Self {
            delimiter,
            schema: SchemaRef::clone(schema),
            options: json_options(),
            has_null: AtomicBool::default(),
            has_empty: AtomicBool::default(),
        }
    }
}

impl TextEncoder for CsvEncoder {
    fn header(&self) -> Vec<u8> {
        let mut line = String::new();
        for (index, field) in self.schema.fields().iter().enumerate() {
            if index > 0 {
                line.push(self.delimiter);
            }
            let start = line.len();
            line.push_str(field.name());
            quote(&mut line, start, self.delimiter);
        }
        line.push('\n');
        line.into_bytes()
    }

    fn encode(&self, batch: &RecordBatch) -> Result<Vec<u8>> {
        let fields = self.schema.fields();
        let columns = CellColumn::of_batch(batch, fields, &self.options)?;
        let alone = columns.len() == 1;
        let quotable = fields.iter().map(|field| is_quotable(field.data_type()));
        let mut columns: Vec<_> = columns.into_iter().zip(quotable).collect();
        let mut lines = String::new();
        for row in 0..batch.num_rows() {
            for (index, (column, is_quotable)) in columns.iter_mut().enumerate() {
                if index > 0 {
                    lines.push(self.delimiter);
                }
                let start = lines.len();
                let is_null = !column.append(row, &mut lines)?;
                if alone && lines.len() == start {
                    let seen = if is_null {
                        &self.has_null
                    } else {
                        &self.has_empty
                    };
                    seen.store(true, Ordering::Relaxed);
                }
                if (*is_quotable && !is_null) || (is_null && alone) {
                    quote(&mut lines, start, self.delimiter);
                }
            }
            lines.push('\n');
        }
        Ok(lines.into_bytes())
    }

    fn note(&self) -> Option<&'static str> {
        let both = self.has_null.load(Ordering::Relaxed) && self.has_empty.load(Ordering::Relaxed);
        both.then_some(
            "note: NULL and '' are written alike in a csv of one column; ndjson, or another column, tells them apart",
        )
    }
}

/// Whether values may look like something else to a reader: those of numbers, dates and times do not.
fn is_quotable(data_type: &DataType) -> bool {
    let is_plain = data_type.is_primitive() && !matches!(data_type, DataType::Interval(_));
    !is_plain && *data_type != DataType::Boolean
}

/// Quotes the field that begins at `start` where a reader would otherwise see something else.
fn quote(line: &mut String, start: usize, delimiter: char) {
    let field = &line[start..];
    // All bytes are looked at, with many of them at once, as few fields are quoted. No part of a longer character is one of these.
    let special = |byte: u8| matches!(byte, b'"' | b'\n' | b'\r') || byte == delimiter as u8;
    let is_special = field
        .bytes()
        .fold(false, |found, byte| found | special(byte));
    if field.is_empty() || is_special {
        let quoted = format!("\"{}\"", field.replace('"', "\"\""));
        line.replace_range(start.., &quoted);
    }
}
