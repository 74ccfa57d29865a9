//! What the editor asks while a person types: colours, hints, completion.

use std::borrow::Cow;

use rustyline::completion::{Completer, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::{CompletionType, Context, Helper, Validator};

use super::highlight::highlight;
use super::margin;

/// Answers the editor. Nothing here waits for the network.
#[derive(Clone, Helper, Validator)]
pub(super) struct Assist {
    pub(super) colours: bool,
}

impl Highlighter for Assist {
    fn highlight<'l>(&self, text: &'l str, _position: usize) -> Cow<'l, str> {
        Cow::Owned(highlight(text, self.colours))
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        match self.colours {
            true => Cow::Owned(format!("\x1b[2m{hint}\x1b[0m")),
            false => Cow::Borrowed(hint),
        }
    }

    fn highlight_candidate<'c>(
        &self,
        candidate: &'c str,
        _completion: CompletionType,
    ) -> Cow<'c, str> {
        match candidate.split_once("  ") {
            Some((name, label)) if self.colours => {
                Cow::Owned(format!("{name}  \x1b[2m{label}\x1b[0m"))
            }
            _ => Cow::Borrowed(candidate),
        }
    }

    fn highlight_char(&self, _line: &str, _position: usize, kind: CmdKind) -> bool {
        kind != CmdKind::MoveCursor && (self.colours || kind == CmdKind::Other)
    }
}

impl Hinter for Assist {
    type Hint = Hint;

    fn hint(&self, text: &str, position: usize, _: &Context<'_>) -> Option<Hint> {
        if position < text.len() {
            return None;
        }
        leaving(&margin::without(text)).map(|text| Hint(text.to_owned()))
    }
}

/// What to say to a person who wants to leave in the middle of a statement.
fn leaving(text: &str) -> Option<&'static str> {
    let (_, last) = text.rsplit_once('\n')?;
    match last
        .trim()
        .trim_end_matches(';')
        .to_ascii_lowercase()
        .as_str()
    {
        "exit" | "quit" | r"\q" | ".exit" | ".quit" | ":q" => {
            Some(r"   Ctrl-C drops the statement, \q leaves then")
        }
        "help" | r"\?" | ".help" => Some(r"   Ctrl-C drops the statement, \? helps then"),
        _ => None,
    }
}

/// Words behind the cursor, which are no part of the text.
pub(super) struct Hint(String);

impl rustyline::hint::Hint for Hint {
    fn display(&self) -> &str {
        &self.0
    }

    fn completion(&self) -> Option<&str> {
        None
    }
}

impl Completer for Assist {
    type Candidate = Pair;
}

#[cfg(test)]
mod tests {
    use super::leaving;

    #[test]
    fn leaving_a_statement_is_explained() {
        assert!(leaving("SELECT 1\nexit").is_some());
        assert!(leaving("SELECT 1\n  QUIT;").is_some());
        assert_eq!(leaving("exit"), None);
        assert_eq!(leaving("SELECT\nexit_code"), None);
    }
}
