//! Aligned columns, for reading.
//!
//! Widths come from the first rows; then rows stream with these widths, so that a large result needs no more memory than a small one.
//! On a terminal the table fits its width; elsewhere every value is written in full and a later, wider one moves its neighbours.

mod layout;
mod row;

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::json::writer::EncoderOptions;
use datafusion::error::Result;

use self::layout::{Layout, Shape};
use self::row::Row;
use super::ResultWriter;
use super::cell::{CellColumn, json_options};

/// Rows that decide the widths.
const SAMPLE_ROWS: usize = 1_000;
/// Bytes of text after which fewer rows must do.
const SAMPLE_BYTES: usize = 8 * 1024 * 1024;

/// Writes a header, a rule and one line per row (more where values have line breaks).
pub(crate) struct TableWriter<W> {
    out: W,
    schema: SchemaRef,
    options: EncoderOptions,
    terminal_width: Option<usize>,
    state: State,
}

enum State {
    Sampling { rows: Vec<Row>, bytes: usize },
    Streaming(Layout),
}

impl<W: Write> TableWriter<W> {
    /// With a terminal's width, the table fits it.
    pub(crate) fn new(schema: &SchemaRef, out: W, terminal_width: Option<usize>) -> Self {
        Self {
            out,
            schema: SchemaRef::clone(schema),
            options: json_options(),
            terminal_width,
            state: State::Sampling {
                rows: Vec::new(),
                bytes: 0,
            },
        }
    }

    /// Chooses the widths and writes the header and the rows that were waiting.
    fn start(&mut self) -> Result<()> {
        let State::Sampling { rows, .. } = &mut self.state else {
            return Ok(());
        };
        let rows = std::mem::take(rows);
        let header = Row::header(&self.schema);
        let mut shapes: Vec<Shape> = self
            .schema
            .fields()
            .iter()
            .zip(header.widths())
            .map(|(field, width)| Shape::new(width, field.data_type()))
            .collect();
        for row in &rows {
            for (shape, width) in shapes.iter_mut().zip(row.widths()) {
                shape.include(width);
            }
        }
        let layout = Layout::new(&shapes, self.terminal_width);
        header.write(&layout, &mut self.out)?;
        layout.write_rule(&mut self.out)?;
        for row in &rows {
            row.write(&layout, &mut self.out)?;
        }
        self.state = State::Streaming(layout);
        Ok(())
    }
}

impl<W: Write> ResultWriter for TableWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let schema = SchemaRef::clone(&self.schema);
        let options = self.options.clone();
        let mut columns = CellColumn::of_batch(batch, schema.fields(), &options)?;
        let mut cell = String::new();
        for index in 0..batch.num_rows() {
            let row = Row::read(&mut columns, index, &mut cell, self.terminal_width)?;
            match &mut self.state {
                State::Sampling { rows, bytes } => {
                    *bytes += row.bytes();
                    rows.push(row);
                    if rows.len() >= SAMPLE_ROWS || *bytes >= SAMPLE_BYTES {
                        self.start()?;
                    }
                }
                State::Streaming(layout) => row.write(layout, &mut self.out)?,
            }
        }
        Ok(self.out.flush()?)
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.start()?;
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
    use unicode_width::UnicodeWidthStr;

    fn render(columns: Vec<(&str, ArrayRef)>, width: Option<usize>) -> String {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let mut out = Vec::new();
        let mut writer = Box::new(TableWriter::new(batch.schema_ref(), &mut out, width));
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
