//! Colours for SQL while it is typed: keywords, strings and comments.
//!
//! Of the sixteen colours that every terminal theme makes readable. The editor leaves them out under `NO_COLOR` and on dumb terminals.

use std::borrow::Cow;

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::Token;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::{Completer, Helper, Hinter, Validator};

use crate::statement::{is_comment, offset, tokens};

const KEYWORD: &str = "\x1b[1m";
const STRING: &str = "\x1b[32m";
const COMMENT: &str = "\x1b[2m";
const RESET: &str = "\x1b[0m";

/// The editor's helper: it highlights.
#[derive(Completer, Helper, Hinter, Validator)]
pub(super) struct Highlight;

impl Highlighter for Highlight {
    fn highlight<'l>(&self, line: &'l str, _position: usize) -> Cow<'l, str> {
        let mut coloured = String::with_capacity(line.len() * 2);
        let mut written = 0;
        for token in tokens(line) {
            let Some(style) = style(&token.token) else {
                continue;
            };
            let (start, end) = (token.span.start, token.span.end);
            let (Some(start), Some(end)) = (
                offset(line, start.line, start.column),
                offset(line, end.line, end.column),
            ) else {
                continue;
            };
            if start < written || end < start {
                continue;
            }
            coloured.push_str(&line[written..start]);
            coloured.push_str(style);
            coloured.push_str(&line[start..end]);
            coloured.push_str(RESET);
            written = end;
        }
        if written == 0 {
            return Cow::Borrowed(line);
        }
        coloured.push_str(&line[written..]);
        Cow::Owned(coloured)
    }

    fn highlight_char(&self, _line: &str, _position: usize, kind: CmdKind) -> bool {
        kind != CmdKind::MoveCursor
    }
}

fn style(token: &Token) -> Option<&'static str> {
    match token {
        Token::Word(word) if word.quote_style.is_some() => Some(STRING),
        Token::Word(word) if word.keyword != Keyword::NoKeyword => Some(KEYWORD),
        Token::SingleQuotedString(_) | Token::DollarQuotedString(_) => Some(STRING),
        token if is_comment(token) => Some(COMMENT),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_change_nothing_but_colours() {
        let line = "SELECT 'ü', \"a b\" -- done\nFROM t; SELECT 'open";
        let coloured = Highlight.highlight(line, 0).into_owned();
        assert!(coloured.starts_with("\x1b[1mSELECT\x1b[0m \x1b[32m'ü'\x1b[0m"));
        let plain = [KEYWORD, STRING, COMMENT, RESET]
            .iter()
            .fold(coloured, |text, style| text.replace(style, ""));
        assert_eq!(plain, line);
    }
}
