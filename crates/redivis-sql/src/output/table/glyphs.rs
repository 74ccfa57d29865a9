//! The characters that a table's lines are made of.

use crate::display::Style;

/// What stands around and between the columns. A rule is its left end, its line, its crossings and its right end.
#[derive(Debug)]
pub(super) struct Glyphs {
    pub(super) left: &'static str,
    pub(super) between: &'static str,
    pub(super) right: &'static str,
    pub(super) top: Option<[&'static str; 4]>,
    pub(super) rule: [&'static str; 4],
    pub(super) bottom: Option<[&'static str; 4]>,
}

const LIGHT: Glyphs = Glyphs {
    left: " ",
    between: " │ ",
    right: "",
    top: None,
    rule: ["", "─", "┼", ""],
    bottom: None,
};

const BOX: Glyphs = Glyphs {
    left: "│ ",
    between: " │ ",
    right: " │",
    top: Some(["┌", "─", "┬", "┐"]),
    rule: ["├", "─", "┼", "┤"],
    bottom: Some(["└", "─", "┴", "┘"]),
};

const ASCII: Glyphs = Glyphs {
    left: " ",
    between: " | ",
    right: "",
    top: None,
    rule: ["", "-", "+", ""],
    bottom: None,
};

impl Glyphs {
    pub(super) fn of(style: Style) -> &'static Self {
        match style {
            Style::Light => &LIGHT,
            Style::Box => &BOX,
            Style::Ascii => &ASCII,
        }
    }

    /// The columns of the terminal that stand outside of the table's columns.
    pub(super) fn outside(&self) -> usize {
        // Without an end a rule still is as long as if there were room on the right.
        if self.right.is_empty() { 2 } else { 4 }
    }
}
