//! A text as it is typed, cut into tokens, of which the last may be open.
//!
//! Colours, the prompts of further lines and completion look at the same pieces.

use std::ops::Range;

use datafusion::sql::sqlparser::tokenizer::Token;

use super::margin;
use crate::statement::tokens;

/// The tokens of a text, by their bytes.
pub(super) struct Lexed<'t> {
    pub(super) text: &'t str,
    pub(super) tokens: Vec<(Range<usize>, Token)>,
    /// Where a quote or comment starts that has no end.
    pub(super) open: Option<usize>,
}

impl<'t> Lexed<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        // Margins are spaces; as there are as many characters, what is found stands in the same places.
        let spaced = text.replace(margin::SPACE, " ");
        let mut places = Places::new(text);
        let tokens: Vec<_> = tokens(&spaced)
            .into_iter()
            .map(|token| {
                let start = places.byte(token.span.start.line, token.span.start.column);
                let end = places.byte(token.span.end.line, token.span.end.column);
                (start..end, token.token)
            })
            .collect();
        let end = tokens.last().map_or(0, |(range, _)| range.end);
        let open = (!text[end..].trim().is_empty()).then_some(end);
        Self { text, tokens, open }
    }

    /// What begins the open part: a quote, `$` or `/`.
    pub(super) fn opening(&self) -> Option<char> {
        self.text[self.open?..].chars().next()
    }

    /// What the prompt says is open at the break at the end of each line but the last.
    pub(super) fn marks(&self) -> Vec<&'static str> {
        let (mut marks, mut depth, mut from) = (Vec::new(), 0usize, 0);
        for (range, token) in &self.tokens {
            let breaks = self.text[range.clone()].matches('\n').count();
            let mark = match token {
                Token::Whitespace(_) if self.text[range.clone()].starts_with("/*") => "*",
                // Nothing is open where a line ends, or a comment with it.
                Token::Whitespace(_) if depth == 0 => "",
                Token::Whitespace(_) => "(",
                _ => quote(self.text[range.clone()].chars().next()),
            };
            marks.extend(std::iter::repeat_n(mark, breaks));
            match token {
                Token::LParen => depth += 1,
                Token::RParen => depth = depth.saturating_sub(1),
                Token::SemiColon => depth = 0,
                _ => {}
            }
            from = range.end;
        }
        let mark = match self.opening() {
            Some(opening) => quote(Some(opening)),
            None if depth > 0 => "(",
            None => "",
        };
        marks.extend(std::iter::repeat_n(
            mark,
            self.text[from..].matches('\n').count(),
        ));
        marks
    }
}

fn quote(opening: Option<char>) -> &'static str {
    match opening {
        Some('"') => "\"",
        Some('`') => "`",
        Some('$') => "$$",
        Some('/') => "*",
        Some('(') => "(",
        _ => "'",
    }
}

/// Finds bytes by lines and columns that only grow.
struct Places<'t> {
    text: &'t str,
    at: (u64, u64),
    byte: usize,
}

impl<'t> Places<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            at: (1, 1),
            byte: 0,
        }
    }

    fn byte(&mut self, line: u64, column: u64) -> usize {
        while self.at < (line, column) {
            let Some(character) = self.text[self.byte..].chars().next() else {
                break;
            };
            self.byte += character.len_utf8();
            self.at = match character {
                '\n' => (self.at.0 + 1, 1),
                _ => (self.at.0, self.at.1 + 1),
            };
        }
        self.byte
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prompt_says_what_is_open() {
        for (text, marks) in [
            ("SELECT 1\n", vec![""]),
            ("SELECT 'a\nb'\n", vec!["'", ""]),
            ("SELECT \"a\n", vec!["\""]),
            ("SELECT `a\n\n", vec!["`", "`"]),
            ("SELECT (\n1, (2\n)\n)\n", vec!["(", "(", "(", ""]),
            ("SELECT $$a\nb$$\n", vec!["$$", ""]),
            ("SELECT $$a\n", vec!["$$"]),
            ("SELECT /* a\n*/ 1 -- (it's\n", vec!["*", ""]),
            ("SELECT /* a\n", vec!["*"]),
            ("SELECT (1;\n", vec![""]),
        ] {
            assert_eq!(Lexed::new(text).marks(), marks, "{text:?}");
        }
    }

    #[test]
    fn tokens_stand_where_they_are_shown() {
        let text = "SELECT 'ü'\n\u{205f}\u{205f}FROM t";
        let lexed = Lexed::new(text);
        let words: Vec<_> = lexed
            .tokens
            .iter()
            .map(|(range, _)| text[range.clone()].trim_matches(['\n', '\u{205f}', ' ']))
            .filter(|word| !word.is_empty())
            .collect();
        assert_eq!(words, ["SELECT", "'ü'", "FROM", "t"]);
        assert_eq!(lexed.open, None);
    }
}
