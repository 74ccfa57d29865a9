//! A Markdown table.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::json::writer::EncoderOptions;
use datafusion::error::Result;

use super::ResultWriter;
use super::cell::{CellColumn, json_options};
use super::sanitize::single_line;

/// Writes one table row per row, unpadded: renderers align them.
pub(crate) struct MarkdownWriter<W> {
    out: W,
    schema: SchemaRef,
    options: EncoderOptions,
}

impl<W: Write> MarkdownWriter<W> {
    /// Writes the header.
    pub(crate) fn new(schema: &SchemaRef, mut out: W) -> Result<Self> {
        for field in schema.fields() {
            write!(out, "| {} ", escape(field.name()))?;
        }
        writeln!(out, "|")?;
        for field in schema.fields() {
            let numeric = field.data_type().is_numeric();
            write!(out, "{}", if numeric { "| ---: " } else { "| --- " })?;
        }
        writeln!(out, "|")?;
        Ok(Self {
            out,
            schema: SchemaRef::clone(schema),
            options: json_options(),
        })
    }
}

impl<W: Write> ResultWriter for MarkdownWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut columns = CellColumn::of_batch(batch, self.schema.fields(), &self.options)?;
        let mut cell = String::new();
        for row in 0..batch.num_rows() {
            for column in &mut columns {
                let present = column.read(row, &mut cell)?;
                let text = if present {
                    escape(&cell)
                } else {
                    "NULL".to_owned()
                };
                write!(self.out, "| {text} ")?;
            }
            writeln!(self.out, "|")?;
        }
        Ok(self.out.flush()?)
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        Ok(self.out.flush()?)
    }
}

fn escape(text: &str) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| single_line(line.trim_end_matches('\r')).replace('|', "\\|"))
        .collect();
    lines.join("<br>")
}
