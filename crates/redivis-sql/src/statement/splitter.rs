//! Text that comes line by line, cut as soon as something is complete.

use datafusion::sql::sqlparser::tokenizer::{Location, Token};

use super::blank::{leading_blank, line_end};
use super::ending::Ending;
use super::input::{Input, Kind};
use super::shorthand::command_line;
use super::tokens::{offset, tokens};

/// Text that arrives line by line, cut as soon as something is complete.
#[derive(Debug)]
pub(crate) struct Splitter {
    pending: String,
    line: usize,
    column: usize,
}

impl Default for Splitter {
    fn default() -> Self {
        Self {
            pending: String::new(),
            line: 1,
            column: 1,
        }
    }
}

impl Splitter {
    /// Adds text that ends where a line ends.
    pub(crate) fn push(&mut self, text: &str) {
        self.pending.push_str(text);
        if !text.ends_with('\n') {
            self.pending.push('\n');
        }
    }

    /// The next complete statement or command, or `None` until more text comes.
    pub(crate) fn next(&mut self) -> Option<Input> {
        loop {
            // Most lines of a long statement cannot end it; looking for the byte first spares the tokenizer.
            if self.skip_blank() {
                return None;
            }
            if let Some(command) = command_line(&self.pending) {
                let input = self.input(Kind::Command(command));
                let end = line_end(&self.pending);
                self.consume(end);
                return Some(input);
            }
            if !self.pending.contains([';', '\\']) {
                return None;
            }
            let (end, next) = terminator(&self.pending)?;
            let sql = self.pending[..end].trim_end().to_owned();
            let input = self.input(Kind::Statement(sql));
            self.consume(next);
            if input.kind != Kind::Statement(String::new()) {
                return Some(input);
            }
        }
    }

    /// What is left when the text has ended: a last statement needs no `;`.
    pub(crate) fn finish(mut self) -> Option<Input> {
        if self.skip_blank() {
            return None;
        }
        Some(self.input(Kind::Statement(self.pending.trim_end().to_owned())))
    }

    /// What stands at the front.
    fn input(&self, kind: Kind) -> Input {
        Input {
            kind,
            line: self.line,
            column: self.column,
        }
    }

    /// Whether nothing but white space and comments waits for its end.
    pub(crate) fn is_blank(&mut self) -> bool {
        self.skip_blank()
    }

    /// Drops white space and comments in front, so that a statement's line is the one where it really starts. True if nothing is left.
    fn skip_blank(&mut self) -> bool {
        let end = leading_blank(&self.pending);
        self.consume(end);
        self.pending.is_empty()
    }

    fn consume(&mut self, end: usize) {
        let gone = &self.pending[..end];
        self.line += gone.matches('\n').count();
        self.column = match gone.rsplit_once('\n') {
            Some((_, last)) => 1 + last.chars().count(),
            None => self.column + gone.chars().count(),
        };
        self.pending.drain(..end);
    }
}

/// Where the statement ends that `text` starts with, and where what follows it begins: at a `;` token, or after `\g` and its like
/// with their arguments, which belong to the statement.
fn terminator(text: &str) -> Option<(usize, usize)> {
    for token in tokens(text) {
        let at = |place: Location| offset(text, place.line, place.column);
        match token.token {
            Token::SemiColon => {
                let end = at(token.span.start)?;
                return Some((end, end + 1));
            }
            Token::Backslash => {
                let start = at(token.span.start)?;
                if Ending::of(&text[start..]).is_some() {
                    let next = start + line_end(&text[start..]);
                    return Some((next, next));
                }
            }
            _ => {}
        }
    }
    None
}
