//! One row as text.

use std::io::{self, Write};

use arrow::error::ArrowError;
use unicode_width::UnicodeWidthStr;

use super::glyphs::Glyphs;
use super::layout::{Layout, Slot};
use crate::output::cell::CellColumn;
use crate::output::look::Look;
use crate::output::sanitize::single_line;
use crate::output::screen::prefix;

/// The cells of a row.
#[derive(Debug)]
pub(super) struct Row {
    cells: Vec<Cell>,
    kind: Kind,
}

/// A value as its lines.
#[derive(Debug)]
struct Cell {
    lines: Vec<String>,
    is_null: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The names of the columns.
    Names,
    /// Something about the columns, which may be cut.
    Note,
    Values,
}

impl Row {
    /// The names of the columns.
    pub(super) fn names<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        Self::of_lines(names, Kind::Names)
    }

    /// Something about each column.
    pub(super) fn note<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        Self::of_lines(texts, Kind::Note)
    }

    fn of_lines<'a>(texts: impl Iterator<Item = &'a str>, kind: Kind) -> Self {
        let cells = texts.map(|text| Cell {
            lines: vec![single_line(text).into_owned()],
            is_null: false,
        });
        Self {
            cells: cells.collect(),
            kind,
        }
    }

    /// The values of row `index`. What could not be shown on a terminal of `width` columns anyway is not kept.
    pub(super) fn read(
        columns: &mut [CellColumn<'_>],
        index: usize,
        buffer: &mut String,
        look: &Look,
    ) -> Result<Self, ArrowError> {
        let cells = columns
            .iter_mut()
            .enumerate()
            .map(|(at, column)| {
                if !column.read(index, buffer)? {
                    return Ok(Cell {
                        lines: vec![single_line(&look.null).into_owned()],
                        is_null: true,
                    });
                }
                let labels = look.value_labels_of(at);
                let label = labels.and_then(|labels| labels.get(buffer.as_str()));
                let text = label.unwrap_or(buffer);
                let lines = text.split('\n').map(|line| {
                    let most = look
                        .width
                        .and_then(|width| line.char_indices().nth(width + 1));
                    let line = most.map_or(line, |(end, _)| &line[..end]);
                    single_line(line).into_owned()
                });
                Ok(Cell {
                    lines: lines.collect(),
                    is_null: false,
                })
            })
            .collect::<Result<_, ArrowError>>()?;
        Ok(Self {
            cells,
            kind: Kind::Values,
        })
    }

    /// The width of each cell: that of its widest line.
    pub(super) fn widths(&self) -> impl Iterator<Item = usize> {
        self.cells.iter().map(|cell| {
            let widths = cell.lines.iter().map(|line| line.width());
            widths.max().unwrap_or(0)
        })
    }

    /// Bytes of text held.
    pub(super) fn bytes(&self) -> usize {
        let lines = self.cells.iter().flat_map(|cell| &cell.lines);
        lines.map(String::len).sum()
    }

    /// Writes the row as often as its tallest cell has lines.
    pub(super) fn write(
        &self,
        layout: &Layout,
        glyphs: &Glyphs,
        look: &Look,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let height = layout
            .slots
            .iter()
            .map(|slot| match slot {
                Slot::Column { index, .. } => self.cells[*index].lines.len(),
                Slot::Gap { .. } => 1,
            })
            .max()
            .unwrap_or(1);
        for line in 0..height {
            let mut text = String::from(glyphs.left);
            for (position, slot) in layout.slots.iter().enumerate() {
                if position > 0 {
                    text.push_str(glyphs.between);
                }
                self.push_slot(&mut text, slot, line, layout.cut, look);
            }
            text.push_str(glyphs.right);
            writeln!(out, "{}", text.trim_end())?;
        }
        Ok(())
    }

    fn push_slot(&self, text: &mut String, slot: &Slot, line: usize, cut: bool, look: &Look) {
        match slot {
            Slot::Column {
                index,
                width,
                right,
            } => {
                let cell = &self.cells[*index];
                let shown = cell.lines.get(line).map_or("", String::as_str);
                let cut = cut || self.kind == Kind::Note;
                let padded = Padded::new(shown, *width, *right, cut);
                padded.push(text, look, cell.is_null || self.kind == Kind::Note);
            }
            Slot::Gap { hidden } => {
                let label = match (self.kind, line) {
                    (Kind::Names, _) => Slot::gap_label(*hidden),
                    (Kind::Values, 0) => "…".to_owned(),
                    _ => String::new(),
                };
                Padded::new(&label, slot.width(), false, true).push(text, look, true);
            }
        }
    }
}

/// What is shown of a cell, and the blanks around it.
struct Padded {
    before: usize,
    shown: String,
    after: usize,
}

impl Padded {
    fn new(cell: &str, width: usize, right: bool, cut: bool) -> Self {
        let own = cell.width();
        if own > width && cut {
            let shown = prefix(cell, width.saturating_sub(1));
            return Self {
                before: 0,
                after: width.saturating_sub(shown.width() + 1),
                shown: format!("{shown}…"),
            };
        }
        let padding = width.saturating_sub(own);
        let (before, after) = if right { (padding, 0) } else { (0, padding) };
        Self {
            before,
            shown: cell.to_owned(),
            after,
        }
    }

    fn push(&self, text: &mut String, look: &Look, is_dim: bool) {
        text.push_str(&" ".repeat(self.before));
        match is_dim && !self.shown.is_empty() {
            true => text.push_str(&look.dim(&self.shown)),
            false => text.push_str(&self.shown),
        }
        text.push_str(&" ".repeat(self.after));
    }
}
