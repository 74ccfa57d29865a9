//! Which columns are shown, and how wide.
//!
//! Text can be cut and still tells something; a number or a time with a digit missing is another one. So text columns give way
//! first, then whole columns in the middle, and what is missing is counted in the header.

use arrow::datatypes::DataType;

use super::glyphs::Glyphs;

/// Text columns are cut down to this before columns are left out.
const NARROW: usize = 16;
/// Between two columns: space, bar, space.
const SEPARATOR: usize = 3;

/// How wide a column wants to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    header: usize,
    values: usize,
    /// Whether its values stand on the right, as numbers do.
    right: bool,
    /// Whether its values are shown whole or not at all.
    whole: bool,
}

impl Shape {
    pub(super) fn new(header: usize, data_type: &DataType) -> Self {
        let right = data_type.is_numeric();
        Self {
            header,
            values: 0,
            right,
            whole: right || data_type.is_temporal() || *data_type == DataType::Boolean,
        }
    }

    /// A column of text with a header of so many columns.
    pub(super) fn text(header: usize) -> Self {
        Self::new(header, &DataType::Utf8)
    }

    /// Takes the width of one more value into account.
    pub(super) fn include(&mut self, width: usize) {
        self.values = self.values.max(width);
    }

    fn natural(&self) -> usize {
        self.header.max(self.values).max(1)
    }

    fn narrowest(&self) -> usize {
        let values = if self.whole {
            self.values
        } else {
            self.values.min(NARROW)
        };
        self.header.min(NARROW).max(values).max(1)
    }
}

/// One column of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    /// A column of the result.
    Column {
        index: usize,
        width: usize,
        right: bool,
    },
    /// In the place of this many columns.
    Gap { hidden: usize },
}

/// The columns of the screen, from left to right.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) slots: Vec<Slot>,
    /// Whether what is wider than its column is cut.
    pub(super) cut: bool,
}

impl Slot {
    /// The header of a gap.
    pub(super) fn gap_label(hidden: usize) -> String {
        format!("… {hidden} more …")
    }

    pub(super) fn width(&self) -> usize {
        match self {
            Slot::Column { width, .. } => *width,
            Slot::Gap { hidden } => Slot::gap_label(*hidden).chars().count(),
        }
    }
}

impl Layout {
    /// Lays columns out, within `limit` if there is one.
    pub(super) fn new(shapes: &[Shape], glyphs: &Glyphs, limit: Option<usize>) -> Self {
        let total = |slots: &[Slot]| total(slots) + glyphs.outside();
        let Some(limit) = limit else {
            return Self {
                slots: (0..shapes.len())
                    .map(|index| slot(shapes, index, Shape::natural(&shapes[index])))
                    .collect(),
                cut: false,
            };
        };
        let kept = (0..=shapes.len())
            .rev()
            .find(|&kept| total(&chosen(shapes, kept, 0)) <= limit)
            .unwrap_or(0);
        if kept == 0 && !shapes.is_empty() {
            // Not even one column and a gap have room: show the first column, cut unless its values are whole.
            let width = if shapes[0].whole {
                shapes[0].values.max(1)
            } else {
                limit.saturating_sub(glyphs.outside()).max(1)
            };
            return Self {
                slots: vec![slot(shapes, 0, width.min(shapes[0].natural()))],
                cut: true,
            };
        }
        // The most generous width for text at which everything still fits.
        let widest = shapes.iter().map(Shape::natural).max().unwrap_or(0);
        let (mut fits, mut too_wide) = (0, widest + 1);
        while fits + 1 < too_wide {
            let middle = (fits + too_wide) / 2;
            if total(&chosen(shapes, kept, middle)) <= limit {
                fits = middle;
            } else {
                too_wide = middle;
            }
        }
        Self {
            slots: chosen(shapes, kept, fits),
            cut: true,
        }
    }

    /// How many columns of the result are shown.
    pub(super) fn columns(&self) -> usize {
        let is_column = |slot: &&Slot| matches!(slot, Slot::Column { .. });
        self.slots.iter().filter(is_column).count()
    }

    /// The width of its columns with what is between them.
    pub(super) fn width(&self) -> usize {
        total(&self.slots)
    }

    /// A line of this layout, with these ends and crossings.
    pub(super) fn rule(&self, [left, dash, crossing, right]: [&str; 4]) -> String {
        let parts: Vec<String> = self
            .slots
            .iter()
            .map(|slot| dash.repeat(slot.width() + 2))
            .collect();
        format!("{left}{}{right}", parts.join(crossing))
    }
}

/// The first and last of `kept` columns, each at most `generous` wide unless it can't be so narrow.
fn chosen(shapes: &[Shape], kept: usize, generous: usize) -> Vec<Slot> {
    let fitted = |index: usize| {
        let shape = &shapes[index];
        slot(
            shapes,
            index,
            shape.natural().min(generous).max(shape.narrowest()),
        )
    };
    let left = kept.div_ceil(2);
    let right = shapes.len() - (kept - left);
    let mut slots: Vec<Slot> = (0..left).map(fitted).collect();
    if left < right {
        slots.push(Slot::Gap {
            hidden: right - left,
        });
    }
    slots.extend((right..shapes.len()).map(fitted));
    slots
}

fn slot(shapes: &[Shape], index: usize, width: usize) -> Slot {
    Slot::Column {
        index,
        width,
        right: shapes[index].right,
    }
}

fn total(slots: &[Slot]) -> usize {
    let widths: usize = slots.iter().map(Slot::width).sum();
    widths + SEPARATOR * slots.len().saturating_sub(1)
}
