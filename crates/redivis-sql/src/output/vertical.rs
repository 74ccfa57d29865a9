//! One line per value.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::json::writer::EncoderOptions;
use datafusion::error::Result;
use unicode_width::UnicodeWidthStr;

use super::ResultWriter;
use super::cell::{CellColumn, json_options};
use super::look::{Look, label};
use super::sanitize::single_line;
use crate::amounts;
use crate::display::Style;

/// Writes rows below each other, numbered from 1.
pub(crate) struct VerticalWriter<W> {
    out: W,
    schema: SchemaRef,
    /// The names, padded to one width.
    labels: Vec<String>,
    width: usize,
    rows: u64,
    look: Look,
    options: EncoderOptions,
}

impl<W: Write> VerticalWriter<W> {
    pub(crate) fn new(schema: &SchemaRef, out: W, look: Look) -> Self {
        let names: Vec<String> = schema
            .fields()
            .iter()
            .map(|field| match label(field).filter(|_| look.labels) {
                Some(label) => single_line(&format!("{} ({label})", field.name())).into_owned(),
                None => single_line(field.name()).into_owned(),
            })
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
            look,
            options: json_options(),
        }
    }
}

impl<W: Write> VerticalWriter<W> {
    /// Says how many rows are left out here, and goes on with the number of the next.
    pub(super) fn elide(&mut self, rows: u64) -> Result<()> {
        let text = format!("⋮ {} more", amounts::rows(rows));
        writeln!(self.out, "{}", self.look.dim(&text))?;
        self.rows += rows;
        Ok(())
    }
}

impl<W: Write> ResultWriter for VerticalWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut columns = CellColumn::of_batch(batch, self.schema.fields(), &self.options)?;
        let mut cell = String::new();
        let continued = " ".repeat(self.width);
        let (bar, dash) = match self.look.style {
            Style::Ascii => ("|", "-"),
            Style::Light | Style::Box => ("│", "─"),
        };
        for row in 0..batch.num_rows() {
            self.rows += 1;
            let title = format!("{dash}{dash} row {} ", self.rows);
            let rest = (self.width + 12).saturating_sub(title.width());
            writeln!(self.out, "{title}{}", dash.repeat(rest))?;
            for (at, (label, column)) in self.labels.iter().zip(&mut columns).enumerate() {
                if !column.read(row, &mut cell)? {
                    let null = self.look.dim(&single_line(&self.look.null));
                    writeln!(self.out, "{label} {bar} {null}")?;
                    continue;
                }
                let labels = self.look.value_labels_of(at);
                let text = labels.and_then(|labels| labels.get(&cell)).unwrap_or(&cell);
                for (index, line) in text.split('\n').enumerate() {
                    let label = if index == 0 { label } else { &continued };
                    writeln!(self.out, "{label} {bar} {}", single_line(line))?;
                }
            }
        }
        Ok(self.out.flush()?)
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        Ok(self.out.flush()?)
    }
}
