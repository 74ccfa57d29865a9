//! Makes text safe to show.
//!
//! A cell is somebody else's data. On a terminal, control characters in it could move the cursor, change colours or hide other cells,
//! so they are shown, not obeyed. The formats that programs read are exact instead.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text with every control and direction-changing character spelled out, line breaks too.
pub(crate) fn single_line(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            c if is_unsafe(c) => {
                let _ = write!(safe, "\\u{{{:x}}}", u32::from(c));
            }
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escape_codes_are_shown() {
        assert_eq!(single_line("a\x1b[31mb\u{9b}\t"), "a\\u{1b}[31mb\\u{9b}\\t");
        assert!(matches!(single_line("plain ü"), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn nothing_unsafe_comes_through(text in any::<String>()) {
            prop_assert!(!single_line(&text).contains(is_unsafe));
        }
    }
}
