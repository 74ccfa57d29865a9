//! What is being typed at the cursor: a keyword, a column, a reference, a file, …
//!
//! Looks at tokens and not at a parsed statement: what is being typed is rarely a statement yet.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::Token;

use crate::repl::lexed::Lexed;

/// What can stand at the cursor. Starts are bytes of the text before it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Position<'t> {
    Nothing,
    /// The name of a meta command, as far as it is typed.
    Command(&'t str),
    Argument {
        command: &'t str,
        start: usize,
    },
    /// Part of a reference in quotes.
    Reference {
        start: usize,
        /// The quote that ends it, if it is not there.
        closing: Option<char>,
    },
    File {
        start: usize,
    },
    /// The first word of a statement.
    Start {
        start: usize,
    },
    Setting {
        start: usize,
    },
    /// The name of a table, with the parts before its points.
    Table {
        start: usize,
        parts: Vec<String>,
    },
    /// A column, a function, a keyword.
    Value {
        start: usize,
        parts: Vec<String>,
    },
}

/// The text around the cursor.
pub(super) struct Typed<'t> {
    pub(super) before: &'t str,
    pub(super) after: &'t str,
    lexed: Lexed<'t>,
}

impl<'t> Typed<'t> {
    pub(super) fn new(before: &'t str, after: &'t str) -> Self {
        Self {
            before,
            after,
            lexed: Lexed::new(before),
        }
    }

    pub(super) fn position(&self) -> Position<'t> {
        let line = self.before.trim_start();
        let is_command = line.starts_with('\\')
            || line
                .strip_prefix('.')
                .is_some_and(|name| name.is_empty() || name.starts_with(char::is_alphabetic));
        if is_command && !line.contains('\n') {
            return match line.split_once(char::is_whitespace) {
                None => Position::Command(line),
                Some((command, arguments)) => {
                    let arguments = arguments.trim_start();
                    Position::Argument {
                        command,
                        start: self.before.len() - arguments.len(),
                    }
                }
            };
        }
        if let Some(open) = self.lexed.open {
            return self.quoted(open);
        }
        self.word()
    }

    /// What stands in the quotes that open there.
    fn quoted(&self, open: usize) -> Position<'t> {
        let Some(quote) = self.lexed.opening() else {
            return Position::Nothing;
        };
        let start = open + quote.len_utf8();
        let closing = (!self.after.starts_with(quote)).then_some(quote);
        let reference = Position::Reference { start, closing };
        let before = self.significant(self.lexed.tokens.len());
        let word = |at: usize| match before.get(at) {
            Some(Token::Word(word)) => word.value.to_lowercase(),
            _ => String::new(),
        };
        let is_of_redivis = match before.first() {
            Some(Token::Period) => word(1) == "redivis",
            Some(Token::LParen) => word(1) == "redivis" || before.get(2) == Some(&&Token::Period),
            _ => false,
        };
        match quote {
            '\'' | '"' if is_of_redivis => reference,
            '`' => reference,
            '"' => self.word(),
            '\'' if matches!(
                word(0).as_str(),
                "from" | "join" | "to" | "location" | "into" | "attach"
            ) =>
            {
                Position::File { start }
            }
            '\'' if before.first() == Some(&&Token::Comma) => Position::File { start },
            _ => Position::Nothing,
        }
    }

    /// What is typed without quotes, or in those of a name.
    fn word(&self) -> Position<'t> {
        let tokens = &self.lexed.tokens;
        let (mut parts, mut first) = (vec![String::new()], tokens.len());
        let mut start = self.lexed.open.unwrap_or(self.before.len());
        let mut is_last = self.lexed.open.is_none();
        while let Some((range, token)) = first.checked_sub(1).and_then(|at| tokens.get(at)) {
            match token {
                Token::Word(word) => {
                    if is_last {
                        start = range.start;
                    } else if let Some(part) = parts.first_mut() {
                        part.clone_from(&word.value);
                    }
                }
                Token::Period => parts.insert(0, String::new()),
                _ => break,
            }
            is_last = false;
            first -= 1;
        }
        parts.pop();
        let before = self.significant(first);
        let keyword = |at: usize| match before.get(at) {
            Some(Token::Word(word)) if word.quote_style.is_none() => word.keyword,
            _ => Keyword::NoKeyword,
        };
        let whole = tokens.get(first).map_or(start, |(range, _)| range.start);
        match keyword(0) {
            _ if parts.is_empty() && matches!(before.first(), None | Some(Token::SemiColon)) => {
                Position::Start { start }
            }
            Keyword::SET | Keyword::RESET | Keyword::SHOW => Position::Setting {
                start: whole.min(start),
            },
            Keyword::FROM
            | Keyword::JOIN
            | Keyword::INTO
            | Keyword::TABLE
            | Keyword::UPDATE
            | Keyword::DESCRIBE
            | Keyword::DESC
                if keyword(1) != Keyword::BY =>
            {
                Position::Table { start, parts }
            }
            _ if matches!(before.first(), Some(Token::Word(word)) if word.value.eq_ignore_ascii_case("summarize")) => {
                Position::Table { start, parts }
            }
            _ if matches!(before.first(), Some(Token::Comma)) && self.is_in_from(first) => {
                Position::Table { start, parts }
            }
            _ => Position::Value { start, parts },
        }
    }

    /// The tokens before one that say something, the last first.
    fn significant(&self, end: usize) -> Vec<&Token> {
        let tokens = self.lexed.tokens[..end].iter().rev();
        tokens
            .map(|(_, token)| token)
            .filter(|token| !matches!(token, Token::Whitespace(_)))
            .collect()
    }

    /// Whether a list of tables goes on there.
    fn is_in_from(&self, end: usize) -> bool {
        let mut depth = 0usize;
        for token in self.significant(end) {
            match token {
                Token::RParen => depth += 1,
                Token::LParen if depth == 0 => return false,
                Token::LParen => depth -= 1,
                Token::Word(word) if depth == 0 => match word.keyword {
                    Keyword::FROM => return true,
                    Keyword::SELECT
                    | Keyword::WHERE
                    | Keyword::ON
                    | Keyword::USING
                    | Keyword::BY
                    | Keyword::HAVING
                    | Keyword::SET => return false,
                    _ => {}
                },
                _ => {}
            }
        }
        false
    }

    /// The text from there to the cursor.
    pub(super) fn from(&self, start: usize) -> &'t str {
        self.before[start..].trim_start_matches('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> String {
        let (before, after) = text.split_once('|').unwrap_or((text, ""));
        format!("{:?}", Typed::new(before, after).position())
    }

    #[test]
    fn positions_are_told_apart() {
        for (text, expected) in [
            ("", "Start { start: 0 }"),
            ("sel", "Start { start: 0 }"),
            ("SELECT 1; se", "Start { start: 10 }"),
            (r"\d", r#"Command("\\d")"#),
            (r".d", r#"Command(".d")"#),
            (r"\d fli", r#"Argument { command: "\\d", start: 3 }"#),
            ("SELECT ca| FROM t", r#"Value { start: 7, parts: [] }"#),
            (
                "SELECT f.ca| FROM t f",
                r#"Value { start: 9, parts: ["f"] }"#,
            ),
            ("SELECT f.| FROM t f", r#"Value { start: 9, parts: ["f"] }"#),
            ("SELECT * FROM fl", "Table { start: 14, parts: [] }"),
            ("SELECT * FROM ", "Table { start: 14, parts: [] }"),
            (
                "SELECT * FROM demo.ny",
                r#"Table { start: 19, parts: ["demo"] }"#,
            ),
            (
                "SELECT * FROM redivis.demo.",
                r#"Table { start: 27, parts: ["redivis", "demo"] }"#,
            ),
            ("SELECT * FROM a, b", "Table { start: 17, parts: [] }"),
            ("SELECT a, b", "Value { start: 10, parts: [] }"),
            (
                "SELECT * FROM t ORDER BY a, b",
                "Value { start: 28, parts: [] }",
            ),
            (
                "SELECT * FROM redivis.'demo.",
                "Reference { start: 23, closing: Some('\\'') }",
            ),
            (
                "SELECT * FROM redivis.'demo.|'",
                "Reference { start: 23, closing: None }",
            ),
            (
                "SELECT * FROM redivis.\"de",
                "Reference { start: 23, closing: Some('\"') }",
            ),
            (
                "SELECT * FROM `demo.zoo:v1_0.a",
                "Reference { start: 15, closing: Some('`') }",
            ),
            (
                "SELECT * FROM redivis('de",
                "Reference { start: 23, closing: Some('\\'') }",
            ),
            ("SELECT * FROM 'da", "File { start: 15 }"),
            ("COPY t TO 'da", "File { start: 11 }"),
            ("SELECT 'da", "Nothing"),
            ("SELECT 1 -- da", "Value { start: 14, parts: [] }"),
            ("SELECT /* da", "Nothing"),
            ("SET datafusion.exec", "Setting { start: 4 }"),
            ("SET redivis.", "Setting { start: 4 }"),
        ] {
            assert_eq!(at(text), expected, "{text}");
        }
    }
}
