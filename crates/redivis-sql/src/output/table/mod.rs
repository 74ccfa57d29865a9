//! Aligned columns, for reading.
//!
//! Widths come from the first rows; then rows stream with these widths, so that a large result needs no more memory than a small one.
//! On a terminal the table fits its width; elsewhere every value is written in full and a later, wider one moves its neighbours.

mod glyphs;
mod layout;
mod row;

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::json::writer::EncoderOptions;
use datafusion::error::Result;
use unicode_width::UnicodeWidthStr;

use self::glyphs::Glyphs;
use self::layout::{Layout, Shape};
use self::row::Row;
use super::ResultWriter;
use super::cell::{CellColumn, json_options};
use super::look::{Look, label};
use super::types;
use crate::amounts;

/// Rows that decide the widths.
const SAMPLE_ROWS: usize = 1_000;
/// Bytes of text after which fewer rows must do.
const SAMPLE_BYTES: usize = 8 * 1024 * 1024;
/// What a note makes a column wide at most.
const NOTE_WIDTH: usize = 20;

/// Writes a header, a rule and one line per row (more where values have line breaks).
pub(crate) struct TableWriter<W> {
    out: W,
    schema: SchemaRef,
    options: EncoderOptions,
    look: Look,
    glyphs: &'static Glyphs,
    state: State,
}

enum State {
    Sampling { lines: Vec<Line>, bytes: usize },
    Streaming(Layout),
}

/// What stands below the header.
enum Line {
    Row(Row),
    /// So many rows that are not shown.
    Elided(u64),
}

impl<W: Write> TableWriter<W> {
    pub(crate) fn new(schema: &SchemaRef, out: W, look: Look) -> Self {
        Self {
            out,
            schema: SchemaRef::clone(schema),
            options: json_options(),
            glyphs: Glyphs::of(look.style),
            look,
            state: State::Sampling {
                lines: Vec::new(),
                bytes: 0,
            },
        }
    }

    /// Says how many rows are left out here.
    pub(super) fn elide(&mut self, rows: u64) -> Result<()> {
        let line = Line::Elided(rows);
        match &mut self.state {
            State::Sampling { lines, .. } => lines.push(line),
            State::Streaming(layout) => {
                line.write(layout, self.glyphs, &self.look, &mut self.out)?;
            }
        }
        Ok(())
    }

    /// How many columns of the result there is room for, by what has been written so far.
    pub(super) fn columns(&self) -> usize {
        match &self.state {
            State::Sampling { lines, .. } => {
                let header = header(&self.schema, &self.look);
                lay_out(&self.schema, &header, lines, self.glyphs, &self.look).columns()
            }
            State::Streaming(layout) => layout.columns(),
        }
    }

    /// Chooses the widths and writes the header and the rows that were waiting.
    fn start(&mut self) -> Result<()> {
        let State::Sampling { lines, .. } = &mut self.state else {
            return Ok(());
        };
        let lines = std::mem::take(lines);
        let header = header(&self.schema, &self.look);
        let layout = lay_out(&self.schema, &header, &lines, self.glyphs, &self.look);
        let glyphs = self.glyphs;
        if let Some(top) = glyphs.top {
            writeln!(self.out, "{}", layout.rule(top))?;
        }
        for row in &header {
            row.write(&layout, glyphs, &self.look, &mut self.out)?;
        }
        writeln!(self.out, "{}", layout.rule(glyphs.rule))?;
        for line in &lines {
            line.write(&layout, glyphs, &self.look, &mut self.out)?;
        }
        self.state = State::Streaming(layout);
        Ok(())
    }
}

impl Line {
    fn write(
        &self,
        layout: &Layout,
        glyphs: &Glyphs,
        look: &Look,
        out: &mut impl Write,
    ) -> Result<()> {
        match self {
            Line::Row(row) => row.write(layout, glyphs, look, out)?,
            Line::Elided(rows) => {
                let words = [
                    format!("⋮ {} more", amounts::rows(*rows)),
                    format!("⋮ {}", amounts::number(*rows)),
                ];
                let text = words
                    .into_iter()
                    .find(|text| text.width() <= layout.width());
                let text = text.unwrap_or_else(|| "⋮".to_owned());
                let room = layout.width().saturating_sub(text.width());
                let line = format!(
                    "{}{}{}{}",
                    glyphs.left,
                    look.dim(&text),
                    " ".repeat(room),
                    glyphs.right
                );
                writeln!(out, "{}", line.trim_end())?;
            }
        }
        Ok(())
    }
}

/// The names, and what is to be said of the columns.
fn header(schema: &Schema, look: &Look) -> Vec<Row> {
    let fields = || schema.fields().iter();
    let mut rows = vec![Row::names(fields().map(|field| field.name().as_str()))];
    if look.types {
        let names: Vec<String> = fields()
            .map(|field| types::name(field.data_type()))
            .collect();
        rows.push(Row::note(names.iter().map(String::as_str)));
    }
    if look.has_labels(schema) {
        let labels = fields().map(|field| label(field).unwrap_or_default());
        rows.push(Row::note(labels));
    }
    rows
}

fn lay_out(
    schema: &Schema,
    header: &[Row],
    lines: &[Line],
    glyphs: &Glyphs,
    look: &Look,
) -> Layout {
    let mut widths = vec![0; schema.fields().len()];
    for (index, row) in header.iter().enumerate() {
        let most = if index == 0 { usize::MAX } else { NOTE_WIDTH };
        for (width, own) in widths.iter_mut().zip(row.widths()) {
            *width = (*width).max(own.min(most));
        }
    }
    let fields = schema.fields().iter().zip(widths).enumerate();
    let mut shapes: Vec<Shape> = fields
        .map(|(index, (field, width))| match look.is_labelled(index) {
            true => Shape::text(width),
            false => Shape::new(width, field.data_type()),
        })
        .collect();
    for line in lines {
        if let Line::Row(row) = line {
            for (shape, width) in shapes.iter_mut().zip(row.widths()) {
                shape.include(width);
            }
        }
    }
    Layout::new(&shapes, glyphs, look.width)
}

impl<W: Write> ResultWriter for TableWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let schema = SchemaRef::clone(&self.schema);
        let options = self.options.clone();
        let mut columns = CellColumn::of_batch(batch, schema.fields(), &options)?;
        let mut cell = String::new();
        for index in 0..batch.num_rows() {
            let row = Row::read(&mut columns, index, &mut cell, &self.look)?;
            match &mut self.state {
                State::Sampling { lines, bytes } => {
                    *bytes += row.bytes();
                    lines.push(Line::Row(row));
                    if lines.len() >= SAMPLE_ROWS || *bytes >= SAMPLE_BYTES {
                        self.start()?;
                    }
                }
                State::Streaming(layout) => {
                    row.write(layout, self.glyphs, &self.look, &mut self.out)?;
                }
            }
        }
        Ok(self.out.flush()?)
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.start()?;
        if let (State::Streaming(layout), Some(bottom)) = (&self.state, self.glyphs.bottom) {
            writeln!(self.out, "{}", layout.rule(bottom))?;
        }
        Ok(self.out.flush()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{
        ArrayRef, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray,
    };
    use proptest::prelude::*;
    use std::sync::Arc;

    fn render(columns: Vec<(&str, ArrayRef)>, width: Option<usize>) -> String {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let mut out = Vec::new();
        let look = Look {
            width,
            ..Look::plain()
        };
        let mut writer = Box::new(TableWriter::new(batch.schema_ref(), &mut out, look));
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    fn text(values: &[Option<&str>]) -> ArrayRef {
        Arc::new(StringArray::from(values.to_vec()))
    }

    #[test]
    fn numbers_are_right_aligned_and_nulls_shown() {
        let delays: ArrayRef = Arc::new(Float64Array::from(vec![Some(21.92), None]));
        let table = render(
            vec![
                ("name", text(&[Some("Frontier"), None])),
                ("mean_delay", delays),
            ],
            None,
        );
        assert_eq!(
            table,
            " name     │ mean_delay\n──────────┼────────────\n Frontier │      21.92\n NULL     │       NULL\n"
        );
    }

    #[test]
    fn line_breaks_make_lines_and_escape_codes_are_shown() {
        let table = render(
            vec![
                ("a", text(&[Some("x\ny"), Some("\x1b[2J")])),
                ("b", text(&[Some("1"), Some("2")])),
            ],
            None,
        );
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(
            lines[2..],
            [" x         │ 1", " y         │", " \\u{1b}[2J │ 2"]
        );
    }

    #[test]
    fn wide_tables_leave_out_the_middle_and_say_how_much() {
        let columns: Vec<(String, ArrayRef)> = (0..30)
            .map(|n| {
                (
                    format!("column{n}"),
                    Arc::new(Int64Array::from(vec![n])) as ArrayRef,
                )
            })
            .collect();
        let table = render(
            columns
                .iter()
                .map(|(n, c)| (n.as_str(), Arc::clone(c)))
                .collect(),
            Some(60),
        );
        let header = table.lines().next().unwrap();
        assert!(
            header.contains("column0") && header.contains("column29"),
            "{table}"
        );
        assert!(header.contains("more …"), "{table}");
        assert!(table.lines().all(|line| line.width() <= 60), "{table}");
    }

    #[test]
    fn times_are_left_out_rather_than_cut() {
        let times: ArrayRef =
            Arc::new(TimestampMicrosecondArray::from(vec![1_357_034_400_000_000]));
        let columns = (0..3).map(|n| (["a", "b", "c"][n], Arc::clone(&times)));
        let table = render(columns.collect(), Some(42));
        assert!(table.contains("… 2 more …"), "{table}");
        assert!(table.contains("2013-01-01 10:00:00"), "{table}");
    }

    #[test]
    fn double_width_characters_align() {
        let table = render(
            vec![
                ("a", text(&[Some("日本"), Some("ab")])),
                ("b", text(&[Some("1"), Some("2")])),
            ],
            None,
        );
        let bars: Vec<usize> = table
            .lines()
            .filter_map(|line| {
                line.split_once(['│', '┼'])
                    .map(|(before, _)| before.width())
            })
            .collect();
        assert_eq!(bars, [6, 6, 6, 6]);
    }

    proptest! {
        #[test]
        fn a_fitted_table_never_exceeds_the_terminal_nor_clips_a_number(
            strings in prop::collection::vec(prop::option::of("\\PC{0,60}"), 1..5),
            numbers in prop::collection::vec(any::<i64>(), 1..6),
            width in 30usize..200,
        ) {
            let mut columns: Vec<(String, ArrayRef)> = Vec::new();
            for (index, value) in strings.iter().enumerate() {
                columns.push((format!("s{index}"), text(&[value.as_deref()])));
            }
            for (index, value) in numbers.iter().enumerate() {
                columns.push((format!("n{index}"), Arc::new(Int64Array::from(vec![*value]))));
            }
            let table = render(columns.iter().map(|(n, c)| (n.as_str(), Arc::clone(c))).collect(), Some(width));
            for line in table.lines() {
                prop_assert!(line.width() <= width, "{} > {}:\n{}", line.width(), width, table);
            }
            let header: Vec<&str> = table.lines().next().unwrap_or_default().split('│').map(str::trim).collect();
            for (index, value) in numbers.iter().enumerate() {
                if header.contains(&format!("n{index}").as_str()) {
                    prop_assert!(table.contains(&value.to_string()), "{} missing:\n{}", value, table);
                }
            }
        }
    }
}
