//! Finds in a statement what an error names.
//!
//! The parser's own places are few, and those of quoted references are wrong, so that the text is looked through again: names
//! as tokens, whatever quotes they are written in.

use std::ops::Range;

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};
use redivis::TableReference;

use crate::statement::{offset, tokens};

/// A name with its dots: `t.a`, `redivis.'o.d.t'`, `f`.
struct Name {
    parts: Vec<String>,
    /// The place of each part.
    at: Vec<Range<usize>>,
    /// A parenthesis follows.
    called: bool,
    /// It starts with a text in single quotes, which is rarely a name.
    text: bool,
}

/// Where a column of this name is mentioned, with the table's before it where that is given.
pub(super) fn column(text: &str, table: Option<&str>, column: &str) -> Option<Range<usize>> {
    let is = |part: &String, wanted: &str| part.eq_ignore_ascii_case(wanted);
    let names = names(text);
    let mut plain = names.iter().filter(|name| !name.called && !name.text);
    if let Some(table) = table {
        let table = table.rsplit('.').next().unwrap_or(table).trim_matches('"');
        return plain.find_map(|name| match name.parts.as_slice() {
            [.., of, last] if is(of, table) && is(last, column) => {
                Some(name.at[name.at.len() - 2].start..name.at[name.at.len() - 1].end)
            }
            _ => None,
        });
    }
    let found = plain.find(|name| name.parts.last().is_some_and(|last| is(last, column)))?;
    found.at.last().cloned()
}

/// Where a function is called.
pub(super) fn function(text: &str, function: &str) -> Option<Range<usize>> {
    names(text)
        .into_iter()
        .find(|name| {
            name.called
                && name
                    .parts
                    .last()
                    .is_some_and(|part| part.eq_ignore_ascii_case(function))
        })
        .and_then(|name| name.at.last().cloned())
}

/// Where a table is named: one of Redivis by its reference, another by its name.
pub(super) fn table(text: &str, table: &str) -> Option<Range<usize>> {
    let wanted = reference(table);
    let names = names(text);
    let found = names.iter().find_map(|name| {
        if let Some(wanted) = &wanted {
            // All of it in quotes, or part by part.
            for (part, at) in name.parts.iter().zip(&name.at) {
                if reference(part).as_ref() == Some(wanted) {
                    return Some(at.clone());
                }
            }
            let from = usize::from(name.parts.len() == 4);
            let joined = name.parts.get(from..)?.join(".");
            let found = reference(&joined).as_ref() == Some(wanted);
            return Some(name.at.get(from)?.start..name.at.last()?.end).filter(|_| found);
        }
        let joined = name.parts.join(".");
        let same = joined.eq_ignore_ascii_case(table)
            || name
                .parts
                .last()
                .is_some_and(|last| last.eq_ignore_ascii_case(table));
        Some(name.at.first()?.start..name.at.last()?.end).filter(|_| same && !name.called)
    });
    found.or_else(|| shortened(&names, &table.parse().ok()?))
}

/// Where a table of Redivis is named without its owner: in the default dataset, or in one that was attached.
fn shortened(names: &[Name], table: &TableReference) -> Option<Range<usize>> {
    let is_it = |part: &String| part.eq_ignore_ascii_case(table.name());
    let name = names.iter().find(|name| {
        name.parts.len() <= 2 && !name.called && name.parts.last().is_some_and(is_it)
    })?;
    Some(name.at.first()?.start..name.at.last()?.end)
}

/// A reference as far as it has to be the same: without ids and version.
fn reference(text: &str) -> Option<String> {
    let reference: TableReference = text.parse().ok()?;
    let reference = reference.without_ids().with_version(None);
    Some(reference.to_string().to_lowercase())
}

/// Where something is named so.
pub(super) fn name(text: &str, name: &str) -> Option<Range<usize>> {
    names(text).into_iter().find_map(|found| {
        let part = found
            .parts
            .iter()
            .position(|part| part.eq_ignore_ascii_case(name))?;
        found.at.get(part).cloned()
    })
}

/// Where a text of this value is written.
pub(super) fn string(text: &str, value: &str) -> Option<Range<usize>> {
    words(text).into_iter().find_map(|(token, at)| match token {
        Token::SingleQuotedString(found) if found == value => Some(at),
        _ => None,
    })
}

/// The token that starts at a line and a column, or the last one before.
pub(super) fn token(text: &str, line: usize, column: usize) -> Option<Range<usize>> {
    let at = offset(text, line as u64, column as u64)?;
    let tokens = tokens(text);
    let found = tokens
        .iter()
        .filter_map(|token| bytes(text, token))
        .find(|range| range.start == at);
    found.or(Some(at..at))
}

/// The end of the text, where something is missing.
pub(super) fn end(text: &str) -> Range<usize> {
    let end = text.trim_end().len();
    end..end
}

/// The tokens that are no white space, with their places.
pub(super) fn words(text: &str) -> Vec<(Token, Range<usize>)> {
    tokens(text)
        .into_iter()
        .filter(|token| !matches!(token.token, Token::Whitespace(_)))
        .filter_map(|token| Some((token.token.clone(), bytes(text, &token)?)))
        .collect()
}

fn bytes(text: &str, token: &TokenWithSpan) -> Option<Range<usize>> {
    let (start, end) = (token.span.start, token.span.end);
    Some(offset(text, start.line, start.column)?..offset(text, end.line, end.column)?)
}

fn names(text: &str) -> Vec<Name> {
    let words = words(text);
    let mut names: Vec<Name> = Vec::new();
    let mut continues = false;
    for (token, at) in words {
        let (part, text) = match token {
            Token::Word(word) => (word.value, false),
            Token::SingleQuotedString(text) => (text, true),
            Token::Period => {
                continues = !names.is_empty();
                continue;
            }
            token => {
                if token == Token::LParen
                    && let Some(last) = names.last_mut()
                    && last.at.last().is_some_and(|last| last.end == at.start)
                {
                    last.called = true;
                }
                continues = false;
                continue;
            }
        };
        match names.last_mut() {
            Some(name) if continues => {
                name.parts.push(part);
                name.at.push(at);
            }
            _ => names.push(Name {
                parts: vec![part],
                at: vec![at],
                called: false,
                text,
            }),
        }
        continues = false;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_whatever_their_quotes() {
        let text =
            "SELECT t.a, b(a) -- x\nFROM redivis.'o.d:v1_0.t' t JOIN O.\"d\".u ON \"x\" = t.x";
        let at = |range: Option<Range<usize>>| range.map(|range| &text[range]);
        assert_eq!(at(column(text, None, "X")), Some("\"x\""));
        assert_eq!(at(column(text, Some("t"), "x")), Some("t.x"));
        assert_eq!(at(column(text, None, "a")), Some("a"));
        assert_eq!(at(column(text, None, "b")), None);
        assert_eq!(at(function(text, "B")), Some("b"));
        assert_eq!(at(table(text, "o.d:v1_0.t")), Some("'o.d:v1_0.t'"));
        assert_eq!(at(table(text, "o.d.u")), Some("O.\"d\".u"));
        assert_eq!(at(table(text, "o.d.v")), None);
    }
}
