//! One line per value.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::json::writer::EncoderOptions;
use datafusion::error::Result;
use unicode_width::UnicodeWidthStr;

use super::ResultWriter;
use super::cell::{CellColumn, json_options};
use super::sanitize::single_line;

/// Writes rows below each other, numbered from 1.
pub(crate) struct VerticalWriter<W> {
    out: W,
    schema: SchemaRef,
    /// The names, padded to one width.
    labels: Vec<String>,
    width: usize,
    rows: u64,
    options: EncoderOptions,
}

impl<W: Write> VerticalWriter<W> {
    pub(crate) fn new(schema: &SchemaRef, out: W) -> Self {
        let names: Vec<_> = schema
            .fields()
            .iter()
            .map(|f| single_line(f.name()))
            .collect();
        let width = names.iter().map(|name| name.width()).max().unwrap_or(0);
        let labels = names
            .iter()
            .map(|name| format!("{name}{}", " ".repeat(width - name.width())))
            .collect();
        Self {
            out,
            schema: SchemaRef::clone(schema),
            labels,
            width,
            rows: 0,
            options: json_options(),
        }
    }
}

impl<W: Write> ResultWriter for VerticalWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut columns = CellColumn::of_batch(batch, self.schema.fields(), &self.options)?;
        let mut cell = String::new();
        let continued = " ".repeat(self.width);
        for row in 0..batch.num_rows() {
            self.rows += 1;
            let title = format!("── row {} ", self.rows);
            let rest = (self.width + 12).saturating_sub(title.width());
            writeln!(self.out, "{title}{}", "─".repeat(rest))?;
            for (label, column) in self.labels.iter().zip(&mut columns) {
                if !column.read(row, &mut cell)? {
                    cell.push_str("NULL");
                }
                for (index, line) in cell.split('\n').enumerate() {
                    let label = if index == 0 { label } else { &continued };
                    writeln!(self.out, "{label} │ {}", single_line(line))?;
                }
            }
        }
        Ok(self.out.flush()?)
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        Ok(self.out.flush()?)
    }
}
