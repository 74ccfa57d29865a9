//! Queries that failed on Redivis: where in their text, which is a text within the statement.
//!
//! BigQuery's messages end in a place such as `at [2:7]`, counted from the query's first character. People look for it in what
//! they wrote: behind the quotes, with `''` for `'`, some lines down a script.

use std::ops::Range;

use datafusion::sql::sqlparser::tokenizer::Token;
use datafusion_redivis::QueryError;
use redivis::ErrorKind;

use super::diagnosis::Diagnosis;
use super::{locate, service};
use crate::statement::{offset, tokens};

const FUNCTION: &str = "redivis_query";

/// How wide BigQuery takes a tab to be when it counts columns.
const TAB: usize = 8;

/// A query that did not run to its end.
pub(super) fn explain(error: &QueryError, text: &str) -> Diagnosis {
    let literal = Literal::find(text, error.sql());
    if error.error().kind() != ErrorKind::Invalid {
        return service::explain(error.error()).at(literal.map(|literal| literal.call));
    }
    let message = error.error().message();
    let at = literal.map(|literal| {
        let place = place(error.sql(), message);
        place.map_or(literal.call.clone(), |place| literal.written(text, place))
    });
    Diagnosis::new(format!("the query failed on Redivis: {message}")).at(at)
}

/// The part of the query that its error is about.
fn place(sql: &str, message: &str) -> Option<Range<usize>> {
    let (_, place) = message.rsplit_once("at [")?;
    let (line, column) = place.split_once(']')?.0.split_once(':')?;
    let (line, column): (usize, usize) = (line.parse().ok()?, column.parse().ok()?);
    let start = sql
        .split_inclusive('\n')
        .map(str::len)
        .take(line.checked_sub(1)?)
        .sum::<usize>();
    let rest = sql.get(start..)?;
    let mut columns = 0;
    let within = rest.char_indices().find(|(_, c)| {
        let here = columns + 1 >= column || *c == '\n';
        columns = match c {
            '\t' => (columns / TAB + 1) * TAB,
            _ => columns + 1,
        };
        here
    });
    let start = start + within.map_or(rest.len(), |(at, _)| at);
    let rest = &sql[start..];
    let token = tokens(rest).into_iter().next();
    let token = token.filter(|token| !matches!(token.token, Token::Whitespace(_)));
    let end = token.and_then(|token| offset(rest, token.span.end.line, token.span.end.column));
    Some(start..start + end.unwrap_or(0))
}

/// A query in a statement.
struct Literal {
    /// The function's name.
    call: Range<usize>,
    /// What stands between the quotes.
    content: Range<usize>,
    /// Quotes in it are written twice.
    is_doubled: bool,
}

impl Literal {
    /// The first call with this query.
    fn find(text: &str, sql: &str) -> Option<Self> {
        let words = locate::words(text);
        let mut calls = words.windows(3).filter_map(|words| match words {
            [(Token::Word(word), call), (Token::LParen, _), (literal, at)]
                if word.value.eq_ignore_ascii_case(FUNCTION) =>
            {
                let (quote, is_doubled) = match literal {
                    Token::SingleQuotedString(_) => (1, true),
                    Token::DollarQuotedString(text) => {
                        (2 + text.tag.as_deref().map_or(0, str::len), false)
                    }
                    _ => return None,
                };
                Some(Self {
                    call: call.clone(),
                    content: at.start + quote..at.end.checked_sub(quote)?,
                    is_doubled,
                })
            }
            _ => None,
        });
        calls.find(|literal| literal.value(text).is_some_and(|value| value == sql))
    }

    fn value(&self, text: &str) -> Option<String> {
        let written = text.get(self.content.clone())?;
        Some(match self.is_doubled {
            true => written.replace("''", "'"),
            false => written.to_owned(),
        })
    }

    /// Where a part of the query is written.
    fn written(&self, text: &str, part: Range<usize>) -> Range<usize> {
        let written = &text[self.content.clone()];
        let place = |position: usize| {
            let (mut value, mut place) = (0, 0);
            while value < position && place < written.len() {
                let next = &written[place..];
                let width = next.chars().next().map_or(1, char::len_utf8);
                place += match self.is_doubled && next.starts_with("''") {
                    true => 2,
                    false => width,
                };
                value += width;
            }
            self.content.start + place
        };
        place(part.start)..place(part.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What of the statement a message is about.
    fn about<'t>(text: &'t str, sql: &str, message: &str) -> Option<&'t str> {
        let literal = Literal::find(text, sql)?;
        let place = place(sql, message)?;
        Some(&text[literal.written(text, place)])
    }

    #[test]
    fn places_are_found_behind_the_quotes() {
        let text = "SELECT * FROM redivis_query('SELECT ''é'' AS a,\r\n\tnothing FROM `o.d.t`') q";
        let sql = "SELECT 'é' AS a,\r\n\tnothing FROM `o.d.t`";
        let about = |message| about(text, sql, message);
        assert_eq!(
            about("Unrecognized name: nothing at [2:9]"),
            Some("nothing")
        );
        assert_eq!(about("No such table at [2:22]"), Some("`o.d.t`"));
        assert_eq!(about("odd at [1:8]"), Some("''é''"));
        assert_eq!(about("odd at [1:12] at [1:15]"), Some("a"));
        assert_eq!(about("Unexpected end at [2:29]"), Some(""));
        assert_eq!(about("beyond at [9:9]"), Some(""));
        for nowhere in ["no place", "at [1]", "at [x:1]", "at [0:1]"] {
            assert_eq!(about(nowhere), None, "{nowhere}");
        }
    }

    #[test]
    fn of_several_queries_it_is_the_one_of_this_text() {
        let text =
            "SELECT 'SELECT b' FROM redivis_query($$SELECT a$$), REDIVIS_QUERY ( $q$SELECT b$q$ )";
        assert_eq!(about(text, "SELECT b", "at [1:8]"), Some("b"));
        assert!(Literal::find(text, "SELECT c").is_none());
        assert!(Literal::find("SELECT 'open", "open").is_none());
    }
}
