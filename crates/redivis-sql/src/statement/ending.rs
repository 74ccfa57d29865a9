//! `\g`, `\gx` and `\G`, which end a statement as `;` does.

use datafusion::sql::sqlparser::tokenizer::Token;

use super::blank::line_end;
use super::tokens::{offset, tokens};

/// What a statement ends in besides `;`: where its rows go, and how they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ending<'a> {
    /// A file, a command behind a `|`, or nothing.
    pub(crate) arguments: &'a str,
    pub(crate) is_vertical: bool,
}

impl<'a> Ending<'a> {
    /// The line `\g …`, `\gx …` or `\G` that `text` starts with.
    pub(super) fn of(text: &'a str) -> Option<Self> {
        let line = text[..line_end(text)].trim_end();
        let (name, arguments) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let arguments = arguments.trim();
        let is_vertical = match name.trim_end_matches(';') {
            r"\g" => false,
            r"\gx" => true,
            r"\G" if arguments.is_empty() => true,
            _ => return None,
        };
        Some(Self {
            arguments: arguments.strip_suffix(';').unwrap_or(arguments),
            is_vertical,
        })
    }

    /// The statement without its ending, if it has one.
    pub(crate) fn split(statement: &'a str) -> (&'a str, Option<Self>) {
        if !statement.contains('\\') {
            return (statement, None);
        }
        let mut endings = tokens(statement).into_iter().filter_map(|token| {
            let start = token.span.start;
            let start = offset(statement, start.line, start.column)?;
            let ending = Self::of(&statement[start..])?;
            (token.token == Token::Backslash).then_some((start, ending))
        });
        match endings.next_back() {
            Some((start, ending)) => (statement[..start].trim_end(), Some(ending)),
            None => (statement, None),
        }
    }
}
