//! Variables of a script: `:name`, `:'name'` and `:"name"` stand for what `-v` and `\set` gave them.
//!
//! They are put in on the tokens of a statement, so that strings, comments and casts such as `a::type` stay as they are. What
//! is reported of the statement is reported of what was written.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::failure::Refusal;
use crate::statement::{offset, tokens};

/// The variables of a session, cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Variables(Arc<Mutex<BTreeMap<String, String>>>);

/// A statement with its variables put in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Expanded {
    /// As it is run.
    pub(crate) text: String,
    /// As it was written.
    pub(crate) written: String,
    /// What stands for what: places in `text`, and in `written`.
    edits: Vec<(Range<usize>, Range<usize>)>,
}

impl Variables {
    pub(crate) fn set(&self, name: &str, value: &str) {
        self.with(|variables| variables.insert(name.to_owned(), value.to_owned()));
    }

    /// Forgets a variable; false if there is none of this name.
    pub(crate) fn unset(&self, name: &str) -> bool {
        self.with(|variables| variables.remove(name).is_some())
    }

    /// All of them by name.
    pub(crate) fn list(&self) -> Vec<(String, String)> {
        self.with(|variables| variables.clone().into_iter().collect())
    }

    fn get(&self, name: &str) -> Option<String> {
        self.with(|variables| variables.get(name).cloned())
    }

    fn with<T>(&self, work: impl FnOnce(&mut BTreeMap<String, String>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts the variables in. One that is not set is refused.
    pub(crate) fn expand(&self, written: &str) -> Result<Expanded, Refusal> {
        let mut expanded = Expanded {
            written: written.to_owned(),
            ..Expanded::default()
        };
        let mut copied = 0;
        if written.contains(':') {
            for Mention { name, quote, at } in mentions(written) {
                let Some(value) = self.get(&name) else {
                    return Err(Refusal {
                        message: format!("no variable {name}"),
                        hint: Some(format!(
                            r"\set {name} VALUE sets it, as -v {name}=VALUE does"
                        )),
                        at: Some(at),
                    });
                };
                expanded.text.push_str(&written[copied..at.start]);
                let start = expanded.text.len();
                expanded.text.push_str(&quote.around(&value));
                expanded
                    .edits
                    .push((start..expanded.text.len(), at.clone()));
                copied = at.end;
            }
        }
        expanded.text.push_str(&written[copied..]);
        Ok(expanded)
    }
}

impl Expanded {
    /// A statement without variables.
    pub(crate) fn plain(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            written: text.to_owned(),
            edits: Vec::new(),
        }
    }

    /// Where a part of what is run was written.
    pub(crate) fn place(&self, run: Range<usize>) -> Range<usize> {
        let at = |position: usize, is_end: bool| {
            let mut moved = (0, 0);
            for (text, written) in &self.edits {
                let within = match is_end {
                    true => text.start < position && position <= text.end,
                    false => text.start <= position && position < text.end,
                };
                if within {
                    return if is_end { written.end } else { written.start };
                }
                if text.end <= position {
                    moved = (text.end, written.end);
                }
            }
            moved.1 + position.saturating_sub(moved.0)
        };
        let start = at(run.start, false).min(self.written.len());
        let end = at(run.end, true).min(self.written.len());
        start..end.max(start)
    }
}

/// Whether a variable may be called so.
pub(crate) fn is_name(name: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(first) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A variable in a statement.
struct Mention {
    name: String,
    quote: Quote,
    at: Range<usize>,
}

/// What is made of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quote {
    /// SQL as it is.
    None,
    /// A string.
    String,
    /// A name.
    Name,
}

impl Quote {
    fn around(self, value: &str) -> String {
        match self {
            Self::None => value.to_owned(),
            Self::String => format!("'{}'", value.replace('\'', "''")),
            Self::Name => format!("\"{}\"", value.replace('"', "\"\"")),
        }
    }
}

fn mentions(text: &str) -> Vec<Mention> {
    let tokens = tokens(text);
    let mention = |index: usize| {
        let (colon, next) = (&tokens[index], tokens.get(index + 1)?);
        if colon.token != Token::Colon || next.span.start != colon.span.end {
            return None;
        }
        // After a value, it is the colon of a slice, a map or a path.
        let before = tokens[..index].iter().rev();
        let before = before.map(|token| &token.token);
        let mut before = before.filter(|token| !matches!(token, Token::Whitespace(_)));
        if before.next().is_some_and(is_operand) {
            return None;
        }
        let (name, quote) = match &next.token {
            Token::Word(word) => match word.quote_style {
                None => (&word.value, Quote::None),
                Some('"') => (&word.value, Quote::Name),
                Some(_) => return None,
            },
            Token::SingleQuotedString(name) => (name, Quote::String),
            _ => return None,
        };
        let at = bytes(text, colon)?.start..bytes(text, next)?.end;
        is_name(name).then(|| Mention {
            name: name.clone(),
            quote,
            at,
        })
    };
    (0..tokens.len()).filter_map(mention).collect()
}

fn bytes(text: &str, token: &TokenWithSpan) -> Option<Range<usize>> {
    let (start, end) = (token.span.start, token.span.end);
    Some(offset(text, start.line, start.column)?..offset(text, end.line, end.column)?)
}

fn is_operand(token: &Token) -> bool {
    match token {
        Token::Word(word) => word.keyword == Keyword::NoKeyword,
        Token::Number(..)
        | Token::SingleQuotedString(_)
        | Token::RParen
        | Token::RBracket
        | Token::RBrace => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Variables {
        let variables = Variables::default();
        variables.set("n", "42");
        variables.set("name", "O'Hare");
        variables.set("t", "my \"t\"");
        variables
    }

    fn expanded(text: &str) -> String {
        variables().expand(text).unwrap().text
    }

    #[test]
    fn a_variable_is_a_value_a_string_or_a_name() {
        assert_eq!(
            expanded("SELECT :n, :'name', x > :n FROM :\"t\" LIMIT :n"),
            "SELECT 42, 'O''Hare', x > 42 FROM \"my \"\"t\"\"\" LIMIT 42"
        );
        assert_eq!(expanded("SELECT ARRAY[:n,:n]"), "SELECT ARRAY[42,42]");
    }

    #[test]
    fn what_only_looks_like_one_stays() {
        for text in [
            "SELECT ':n', \":n\", `o.d:n.t` -- :n\n/* :n */",
            "SELECT a::n, (a)::n, 'a'::n",
            "SELECT a[1:n], a[b:n], {'a':n}, x :n",
            "SELECT $$ :n $$, :1, : n, a := 1",
            "SELECT * FROM redivis.'o.d:v1_0.t'",
        ] {
            assert_eq!(expanded(text), text);
        }
    }

    #[test]
    fn one_that_is_not_set_is_refused_where_it_stands() {
        let refusal = variables().expand("SELECT :n, :nn").unwrap_err();
        assert_eq!(refusal.message, "no variable nn");
        assert_eq!(refusal.at, Some(11..14));
    }

    #[test]
    fn places_are_those_of_what_was_written() {
        let expanded = variables().expand("SELECT :'name', xyz, :n").unwrap();
        let at = expanded.text.find("xyz").unwrap();
        let written = expanded.place(at..at + 3);
        assert_eq!(&expanded.written[written], "xyz");
        let at = expanded.text.find("Hare").unwrap();
        assert_eq!(&expanded.written[expanded.place(at..at + 4)], ":'name'");
        let at = expanded.text.find("42").unwrap();
        assert_eq!(&expanded.written[expanded.place(at..at + 2)], ":n");
        let all = expanded.place(0..expanded.text.len());
        assert_eq!(all, 0..expanded.written.len());
    }
}
