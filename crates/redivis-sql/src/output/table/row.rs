//! One row as text.

use std::io::{self, Write};

use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::layout::{Layout, Slot};
use crate::output::cell::CellColumn;
use crate::output::sanitize::single_line;

/// The cells of a row, each as its lines.
#[derive(Debug)]
pub(super) struct Row {
    cells: Vec<Vec<String>>,
    is_header: bool,
}

impl Row {
    /// The names of the columns.
    pub(super) fn header(schema: &Schema) -> Self {
        let cells = schema
            .fields()
            .iter()
            .map(|field| vec![single_line(field.name()).into_owned()]);
        Self {
            cells: cells.collect(),
            is_header: true,
        }
    }

    /// The values of row `index`. What could not be shown on a terminal of `width` columns anyway is not kept.
    pub(super) fn read(
        columns: &mut [CellColumn<'_>],
        index: usize,
        buffer: &mut String,
        width: Option<usize>,
    ) -> Result<Self, ArrowError> {
        let cells = columns
            .iter_mut()
            .map(|column| {
                if !column.read(index, buffer)? {
                    return Ok(vec!["NULL".to_owned()]);
                }
                let lines = buffer.split('\n').map(|line| {
                    let line = match width.and_then(|width| line.char_indices().nth(width + 1)) {
                        Some((end, _)) => &line[..end],
                        None => line,
                    };
                    single_line(line).into_owned()
                });
                Ok(lines.collect())
            })
            .collect::<Result<_, ArrowError>>()?;
        Ok(Self {
            cells,
            is_header: false,
        })
    }

    /// The width of each cell: that of its widest line.
    pub(super) fn widths(&self) -> impl Iterator<Item = usize> {
        self.cells
            .iter()
            .map(|lines| lines.iter().map(|line| line.width()).max().unwrap_or(0))
    }

    /// Bytes of text held.
    pub(super) fn bytes(&self) -> usize {
        self.cells.iter().flatten().map(String::len).sum()
    }

    /// Writes the row as often as its tallest cell has lines.
    pub(super) fn write(&self, layout: &Layout, out: &mut impl Write) -> io::Result<()> {
        let height = layout
            .slots
            .iter()
            .map(|slot| match slot {
                Slot::Column { index, .. } => self.cells[*index].len(),
                Slot::Gap { .. } => 1,
            })
            .max()
            .unwrap_or(1);
        for line in 0..height {
            let mut text = String::new();
            for (position, slot) in layout.slots.iter().enumerate() {
                text.push_str(if position == 0 { " " } else { " │ " });
                match slot {
                    Slot::Column {
                        index,
                        width,
                        right,
                    } => {
                        let cell = self.cells[*index].get(line).map_or("", String::as_str);
                        push_padded(&mut text, cell, *width, *right, layout.cut);
                    }
                    Slot::Gap { hidden } => {
                        let label = match (self.is_header, line) {
                            (true, _) => Slot::gap_label(*hidden),
                            (false, 0) => "…".to_owned(),
                            (false, _) => String::new(),
                        };
                        push_padded(&mut text, &label, slot.width(), false, true);
                    }
                }
            }
            writeln!(out, "{}", text.trim_end())?;
        }
        Ok(())
    }
}

fn push_padded(text: &mut String, cell: &str, width: usize, right: bool, cut: bool) {
    let own = cell.width();
    if own > width && cut {
        let shown = prefix(cell, width.saturating_sub(1));
        text.push_str(shown);
        text.push('…');
        text.push_str(&" ".repeat(width.saturating_sub(shown.width() + 1)));
        return;
    }
    let padding = " ".repeat(width.saturating_sub(own));
    if right {
        text.push_str(&padding);
        text.push_str(cell);
    } else {
        text.push_str(cell);
        text.push_str(&padding);
    }
}

/// As much of the text as fits into `width` columns.
fn prefix(text: &str, width: usize) -> &str {
    let mut used = 0;
    let end = text
        .char_indices()
        .find(|(_, character)| {
            used += character.width().unwrap_or(0);
            used > width
        })
        .map_or(text.len(), |(position, _)| position);
    let mut shown = &text[..end];
    // Together, characters can be wider than each alone, as some emoji are.
    while shown.width() > width {
        let Some((last, _)) = shown.char_indices().next_back() else {
            break;
        };
        shown = &shown[..last];
    }
    shown
}
