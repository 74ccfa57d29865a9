//! The terminal's size, and what fits on it.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Lines of the screen that are not the result's: the footer and the next prompt.
const OTHER_LINES: usize = 2;

/// A screen of so many columns and lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Screen {
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Screen {
    /// That of standard output, where it says how large it is.
    pub(super) fn of_terminal() -> Option<Self> {
        let (width, height) = terminal_size::terminal_size()?;
        let (width, height) = (usize::from(width.0), usize::from(height.0));
        (width > 0 && height > 0).then_some(Self { width, height })
    }

    /// Lines of a text that are wider end at its edge.
    pub(super) fn cut_lines(self, text: &str) -> String {
        let mut cut = String::with_capacity(text.len());
        for line in text.lines() {
            match line.width() > self.width {
                true => {
                    cut.push_str(prefix(line, self.width - 1));
                    cut.push('…');
                }
                false => cut.push_str(line),
            }
            cut.push('\n');
        }
        cut
    }

    /// How what was measured fits on it.
    pub(super) fn fit(self, measured: Measured) -> Fit {
        Fit {
            is_tall: measured.lines + OTHER_LINES > self.height,
            is_wide: measured.width > self.width,
        }
    }
}

/// The size of a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Measured {
    lines: usize,
    width: usize,
}

impl Measured {
    /// That of a whole text.
    pub(super) fn of(text: &str) -> Self {
        let mut measured = Self::default();
        text.lines().for_each(|line| measured.add(line));
        measured
    }

    pub(super) fn add(&mut self, line: &str) {
        self.lines += 1;
        self.width = self.width.max(width(line));
    }
}

/// How a text fits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Fit {
    pub(super) is_tall: bool,
    pub(super) is_wide: bool,
}

/// The width of a line, without the codes that make parts of it dim. All others have been made visible before.
fn width(line: &str) -> usize {
    if !line.contains('\x1b') {
        return line.width();
    }
    let mut width = 0;
    for (index, part) in line.split('\x1b').enumerate() {
        let text = match index {
            0 => part,
            _ => part.split_once('m').map_or("", |(_, text)| text),
        };
        width += text.width();
    }
    width
}

/// As much of the text as fits into `width` columns.
pub(super) fn prefix(text: &str, width: usize) -> &str {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_take_no_room() {
        assert_eq!(width("a\x1b[2mNULL\x1b[0m│日"), 8);
        let screen = Screen {
            width: 8,
            height: 4,
        };
        let fits = |text| screen.fit(Measured::of(text));
        assert_eq!(fits("12345678\n1\n"), Fit::default());
        assert!(fits("123456789\n").is_wide);
        assert!(fits("1\n2\n3\n").is_tall);
    }
}
