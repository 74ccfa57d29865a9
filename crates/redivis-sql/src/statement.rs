//! Cuts text into statements and meta commands.
//!
//! A statement ends at a `;` token, never at a `;` inside a string, a quoted name or a comment, so the cutting is left to the
//! tokenizer that also parses the statement. The same rules hold at the prompt, in scripts and on standard input.

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{
    Location, Token, TokenWithSpan, Tokenizer, Whitespace,
};
use redivis::{DatasetReference, TableReference};

/// One thing to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Input {
    pub(crate) kind: Kind,
    /// The line of the source it starts on, counted from 1.
    pub(crate) line: usize,
    /// The character of that line, counted from 1.
    pub(crate) column: usize,
}

/// What there is to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// SQL without its `;`.
    Statement(String),
    /// A meta command with its backslash, such as `\d flights`.
    Command(String),
}

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

/// Length of the white space and complete comments that `text` starts with.
fn leading_blank(text: &str) -> usize {
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let comment = if rest.starts_with("--") {
            Some(line_end(rest))
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else {
            None
        };
        match comment {
            Some(length) => rest = &rest[length..],
            None => return text.len() - rest.len(),
        }
    }
}

/// Length of the block comment that `text` starts with, or `None` while it is open. Block comments nest.
fn block_comment(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0usize, 0usize);
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => {
                (depth, at) = (depth - 1, at + 2);
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => at += 1,
        }
    }
    None
}

fn line_end(text: &str) -> usize {
    text.find('\n').map_or(text.len(), |at| at + 1)
}

/// The meta command on the first line, if it is one: with a backslash, or with a point as in other shells. Words that people type
/// to leave or to get help there count too, and so does the bare name of a table or dataset, which describes itself.
fn command_line(text: &str) -> Option<String> {
    let line = text[..line_end(text)].trim();
    let line = line.strip_suffix(';').unwrap_or(line).trim_end();
    if line.starts_with('\\') {
        return Some(line.to_owned());
    }
    if let Some(name) = line.strip_prefix('.')
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '?')
    {
        return Some(format!(r"\{name}"));
    }
    match line.to_ascii_lowercase().as_str() {
        "exit" | "quit" | "q" | ":q" => Some(r"\q".to_owned()),
        "help" | "?" => Some(r"\?".to_owned()),
        "clear" => Some(r"\clear".to_owned()),
        _ => named(line),
    }
}

/// What describes the table or dataset that a line consists of.
fn named(line: &str) -> Option<String> {
    let first = line.chars().next()?;
    if !(first.is_alphabetic() || first == '`') || line.contains([' ', '\t', '(', ',']) {
        return None;
    }
    let name = line.strip_prefix("redivis.").unwrap_or(line);
    let name = ['\'', '"', '`']
        .into_iter()
        .find_map(|quote| name.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(name);
    if name.parse::<TableReference>().is_ok() {
        return Some(format!(r"\d {name}"));
    }
    let dataset = name.parse::<DatasetReference>().is_ok();
    dataset.then(|| format!(r"\ls {name}"))
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

/// What a statement ends in besides `;`: where its rows go, and how they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ending<'a> {
    /// A file, a command behind a `|`, or nothing.
    pub(crate) arguments: &'a str,
    pub(crate) is_vertical: bool,
}

impl<'a> Ending<'a> {
    /// The line `\g …`, `\gx …` or `\G` that `text` starts with.
    fn of(text: &'a str) -> Option<Self> {
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

/// The tokens up to the first one that is incomplete.
pub(crate) fn tokens(text: &str) -> Vec<TokenWithSpan> {
    let mut tokens = Vec::new();
    // An error is an open quote or comment: what came before it still counts, and the parser words the error later.
    let _ = Tokenizer::new(&GenericDialect {}, text)
        .with_unescape(false)
        .tokenize_with_location_into_buf(&mut tokens);
    tokens
}

/// Byte position of the tokenizer's line and column, both counted from 1, columns in characters.
pub(crate) fn offset(text: &str, line: u64, column: u64) -> Option<usize> {
    let (mut at_line, mut at_column) = (1, 1);
    for (position, character) in text.char_indices() {
        if (at_line, at_column) == (line, column) {
            return Some(position);
        }
        if character == '\n' {
            (at_line, at_column) = (at_line + 1, 1);
        } else {
            at_column += 1;
        }
    }
    ((at_line, at_column) == (line, column)).then_some(text.len())
}

/// Whether a token is white space or a comment.
pub(crate) fn is_comment(token: &Token) -> bool {
    matches!(
        token,
        Token::Whitespace(Whitespace::SingleLineComment { .. } | Whitespace::MultiLineComment(_))
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(text: &str) -> Vec<(String, usize)> {
        let mut splitter = Splitter::default();
        let mut found = Vec::new();
        for line in text.split_inclusive('\n') {
            splitter.push(line);
            while let Some(input) = splitter.next() {
                found.push(input);
            }
        }
        found.extend(splitter.finish());
        found
            .into_iter()
            .map(|input| match input.kind {
                Kind::Statement(text) | Kind::Command(text) => (text, input.line),
            })
            .collect()
    }

    fn texts(text: &str) -> Vec<String> {
        split(text).into_iter().map(|(text, _)| text).collect()
    }

    #[test]
    fn a_semicolon_ends_a_statement_only_as_a_token() {
        assert_eq!(
            texts("SELECT ';', \"a;b\", `c;d` -- e;\n /* f; /* g; */ */ , $$h;$$; SELECT 2"),
            [
                "SELECT ';', \"a;b\", `c;d` -- e;\n /* f; /* g; */ */ , $$h;$$",
                "SELECT 2"
            ]
        );
    }

    #[test]
    fn comments_with_quotes_do_not_open_strings() {
        assert_eq!(
            texts("SELECT 1; -- it's\nSELECT 2; -- done"),
            ["SELECT 1", "SELECT 2"]
        );
    }

    #[test]
    fn lines_are_those_where_statements_start() {
        let found = split("-- first\n\nSELECT\n1;\n/* two\nlines */ SELECT 2;;\n\\dt\nSELECT 3");
        assert_eq!(
            found,
            [
                ("SELECT\n1".to_owned(), 3),
                ("SELECT 2".to_owned(), 6),
                ("\\dt".to_owned(), 7),
                ("SELECT 3".to_owned(), 8),
            ]
        );
    }

    #[test]
    fn commands_start_where_statements_start() {
        assert_eq!(
            texts("SELECT 1; \\d flights;\n  \\?\nexit\n"),
            ["SELECT 1", "\\d flights", "\\?", "\\q"]
        );
        // Inside a statement the same text is part of it.
        assert_eq!(texts("SELECT 1 AS\nexit\n;"), ["SELECT 1 AS\nexit"]);
    }

    #[test]
    fn a_statement_ends_in_where_its_rows_go() {
        let script = "SELECT 1 \\g a;b.csv\nSELECT 'a\\g' \\gx\nSELECT\n2\\G\nSELECT 3 \\g | sort; x\nSELECT 4;";
        let found = texts(script);
        assert_eq!(
            found,
            [
                r"SELECT 1 \g a;b.csv",
                r"SELECT 'a\g' \gx",
                "SELECT\n2\\G",
                r"SELECT 3 \g | sort; x",
                "SELECT 4"
            ]
        );
        let endings: Vec<_> = found.iter().map(|text| Ending::split(text)).collect();
        let ending = |arguments, is_vertical| {
            Some(Ending {
                arguments,
                is_vertical,
            })
        };
        assert_eq!(
            endings,
            [
                ("SELECT 1", ending("a;b.csv", false)),
                (r"SELECT 'a\g'", ending("", true)),
                ("SELECT\n2", ending("", true)),
                ("SELECT 3", ending("| sort; x", false)),
                ("SELECT 4", None)
            ]
        );
        // Elsewhere a backslash is what it was.
        assert_eq!(texts(r"SELECT \d; SELECT 1"), [r"SELECT \d", "SELECT 1"]);
    }

    #[test]
    fn commands_of_other_shells_and_names_alone_are_commands() {
        assert_eq!(
            texts(".tables;\n.d flights\nq\n:q\nclear\n"),
            [r"\tables", r"\d flights", r"\q", r"\q", r"\clear"]
        );
        for name in [
            "me.zoo.animals",
            "`me.zoo:v1_0.animals`",
            "redivis.'me.zoo.animals';",
            "redivis.me.zoo.animals",
        ] {
            let found = texts(name).concat();
            assert!(found.starts_with(r"\d me.zoo"), "{found}");
        }
        assert_eq!(texts("me.zoo\n"), [r"\ls me.zoo"]);
        for statement in [
            "me.zoo.animals, x",
            ".5",
            "SELECT\nme.zoo.animals",
            "'a.b.c'",
        ] {
            assert_eq!(texts(statement), [statement], "{statement}");
        }
    }

    #[test]
    fn open_quotes_wait_for_their_end() {
        let mut splitter = Splitter::default();
        splitter.push("SELECT 'a;\n");
        assert_eq!(splitter.next(), None);
        assert!(!splitter.is_blank());
        splitter.push("b';\n");
        assert!(splitter.next().is_some());
        assert!(splitter.is_blank());
    }

    #[test]
    fn non_ascii_text_is_cut_at_the_right_byte() {
        assert_eq!(
            texts("SELECT 'Zürich 🏔'; SELECT 'é'"),
            ["SELECT 'Zürich 🏔'", "SELECT 'é'"]
        );
    }

    fn piece() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z0-9_ ,()*=]{1,8}".prop_map(|text| format!("x{text}")),
            "[a-z; \n\"`-]{0,6}".prop_map(|text| format!(" '{text}' ")),
            "[a-z; \n'`-]{0,6}".prop_map(|text| format!(" \"{text}\" ")),
            "[a-z; \n'\"-]{0,6}".prop_map(|text| format!(" `{text}` ")),
            "[a-z;'\"` -]{0,6}".prop_map(|text| format!("--{text}\n")),
            "[a-z;'\"` \n-]{0,6}".prop_map(|text| format!("/*{text}*/")),
        ]
    }

    proptest! {
        #[test]
        fn joining_statements_and_cutting_them_again_changes_nothing(
            statements in prop::collection::vec(prop::collection::vec(piece(), 1..6), 1..6)
        ) {
            let statements: Vec<String> = statements
                .into_iter()
                .map(|pieces| format!("SELECT {}\n.", pieces.concat()))
                .collect();
            let script = statements.iter().map(|sql| format!("{sql};\n")).collect::<String>();
            prop_assert_eq!(texts(&script), statements);
        }

        #[test]
        fn any_text_is_cut_without_panic_and_nothing_but_blank_and_semicolons_is_lost(text in "\\PC*") {
            let kept: String = texts(&text).concat().split_whitespace().collect();
            // `\\ls` and its like come before a name that stands alone.
            prop_assert!(kept.len() <= text.len() + 3);
        }
    }
}
