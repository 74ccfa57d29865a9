//! Colours for SQL while it is typed, and the prompts of its further lines.
//!
//! Of the sixteen colours that every terminal theme makes readable. A quote or comment that is open yet has its colour already.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::Token;
use redivis::TableReference;

use super::lexed::Lexed;
use super::margin;
use crate::statement::is_comment;

const KEYWORD: &str = "\x1b[1m";
const STRING: &str = "\x1b[32m";
const REFERENCE: &str = "\x1b[36m";
const NUMBER: &str = "\x1b[35m";
const COMMENT: &str = "\x1b[2m";
const RESET: &str = "\x1b[0m";

/// The text with its colours, if it may have any, and what stands in its margins.
pub(super) fn highlight(text: &str, colours: bool) -> String {
    let lexed = Lexed::new(text);
    let mut shown = Shown {
        text: String::with_capacity(text.len() * 2),
        marks: lexed.marks().into_iter(),
    };
    let mut written = 0;
    if colours {
        for (at, (range, _)) in lexed.tokens.iter().enumerate() {
            if let Some(style) = style(&lexed, at) {
                shown.push(&text[written..range.start], None);
                shown.push(&text[range.clone()], Some(style));
                written = range.end;
            }
        }
        if let Some(open) = lexed.open.filter(|open| *open >= written) {
            shown.push(&text[written..open], None);
            let style = match lexed.opening() {
                Some('/') => COMMENT,
                _ => STRING,
            };
            shown.push(&text[open..], Some(style));
            written = text.len();
        }
    }
    shown.push(&text[written..], None);
    shown.text
}

struct Shown<M> {
    text: String,
    marks: M,
}

impl<M: Iterator<Item = &'static str>> Shown<M> {
    fn push(&mut self, text: &str, style: Option<&str>) {
        for (at, line) in text.split('\n').enumerate() {
            let rest = line.trim_start_matches(margin::SPACE);
            if at > 0 {
                let width = (line.len() - rest.len()) / margin::SPACE.len_utf8();
                let mark = self.marks.next().unwrap_or_default();
                self.text.push('\n');
                self.text.push_str(&continuation(mark, width));
            }
            match style {
                Some(style) if !rest.is_empty() => {
                    self.text.push_str(style);
                    self.text.push_str(rest);
                    self.text.push_str(RESET);
                }
                _ => self.text.push_str(rest),
            }
        }
    }
}

/// The prompt of a further line, as wide as the first one; nothing where a pasted line has no room for it.
fn continuation(mark: &str, width: usize) -> String {
    let prompt = format!("{mark}-> ");
    match width {
        0 => String::new(),
        _ => format!("{prompt:>width$}"),
    }
}

fn style(lexed: &Lexed<'_>, at: usize) -> Option<&'static str> {
    let (range, token) = &lexed.tokens[at];
    let neighbour = |at: Option<usize>| at.and_then(|at| Some(&lexed.tokens.get(at)?.1));
    let is_part_of_a_name = neighbour(at.checked_sub(1)) == Some(&Token::Period)
        || neighbour(at.checked_add(1)) == Some(&Token::Period);
    match token {
        Token::Word(word) if word.quote_style.is_some() => Some(REFERENCE),
        Token::Word(word) if word.keyword != Keyword::NoKeyword && !is_part_of_a_name => {
            Some(KEYWORD)
        }
        Token::SingleQuotedString(text) if text.parse::<TableReference>().is_ok() => {
            Some(REFERENCE)
        }
        Token::Number(..) => Some(NUMBER),
        token if is_comment(token) => Some(COMMENT),
        _ if lexed.text[range.clone()].contains(['\'', '$']) => Some(STRING),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repl::margin::Margin;

    fn plain(coloured: &str) -> String {
        [KEYWORD, STRING, REFERENCE, NUMBER, COMMENT, RESET]
            .iter()
            .fold(coloured.to_owned(), |text, style| text.replace(style, ""))
    }

    #[test]
    fn colours_change_nothing_but_colours() {
        let line = "SELECT 'ü', \"a b\" -- done\nFROM t; SELECT 1, 'open";
        let coloured = highlight(line, true);
        assert!(coloured.starts_with("\x1b[1mSELECT\x1b[0m \x1b[32m'ü'\x1b[0m"));
        assert!(coloured.ends_with("\x1b[35m1\x1b[0m, \x1b[32m'open\x1b[0m"));
        assert_eq!(plain(&coloured), line);
        assert_eq!(highlight(line, false), line);
    }

    #[test]
    fn a_column_that_is_called_like_a_keyword_is_no_keyword() {
        assert_eq!(highlight("a.year", true), "a.year");
        let reference = highlight("FROM redivis.'demo.zoo.animals'", true);
        assert!(
            reference.ends_with("redivis.\x1b[36m'demo.zoo.animals'\x1b[0m"),
            "{reference}"
        );
    }

    #[test]
    fn further_lines_have_prompts_as_wide_as_the_first() {
        let margin = Margin::default();
        margin.set("redivis=> ".len());
        for (text, shown) in [
            ("SELECT 1,\n2", "SELECT 1,\n       -> 2"),
            (
                "SELECT 'a\nb'\n, 2",
                "SELECT 'a\n      '-> b'\n       -> , 2",
            ),
            ("SELECT (\n1", "SELECT (\n      (-> 1"),
            ("/* a\nb", "/* a\n      *-> b"),
        ] {
            for colours in [true, false] {
                assert_eq!(plain(&highlight(&margin.with(text), colours)), shown);
            }
        }
        assert_eq!(highlight("pasted,\n\tlines", false), "pasted,\n\tlines");
    }
}
