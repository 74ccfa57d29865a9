//! What stands before the second and further lines of a statement: room for the prompt that says what is open.
//!
//! The editor has one text and one prompt. So each line break in its text is followed by as many odd spaces as the prompt is
//! wide, which are shown as the prompt of that line, and left out of what is run and remembered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A space that nobody types: a medium mathematical one.
pub(super) const SPACE: char = '\u{205f}';

/// The width of the margin: that of the prompt, which changes with the default dataset. Clones have it in common.
#[derive(Debug, Clone, Default)]
pub(super) struct Margin(Arc<AtomicUsize>);

impl Margin {
    pub(super) fn set(&self, width: usize) {
        self.0.store(width, Ordering::Relaxed);
    }

    /// A line break with what follows it.
    pub(super) fn line_break(&self) -> String {
        let mut text = String::from("\n");
        text.extend(std::iter::repeat_n(SPACE, self.0.load(Ordering::Relaxed)));
        text
    }

    /// The text with margins.
    pub(super) fn with(&self, text: &str) -> String {
        text.replace('\n', &self.line_break())
    }
}

/// The text as the person wrote it.
pub(super) fn without(text: &str) -> String {
    let mut lines = text.split('\n');
    let mut clean = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        clean.push('\n');
        clean.push_str(line.trim_start_matches(SPACE));
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_come_and_go() {
        let margin = Margin::default();
        margin.set(3);
        let text = "SELECT 'a\n  b'\n\nFROM t";
        assert_eq!(without(&margin.with(text)), text);
        assert_eq!(margin.with("a\nb").chars().count(), 6);
        assert_eq!(without("pasted\n\tas it is"), "pasted\n\tas it is");
    }
}
