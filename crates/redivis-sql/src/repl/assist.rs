//! What the editor asks while a person types: colours, hints, completion.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;

use rustyline::completion::{Completer, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::SearchDirection;
use rustyline::{CompletionType, Context, Helper, Validator};

use super::complete::{self, Completion};
use super::highlight::highlight;
use super::margin;
use crate::directory::owners_in;
use crate::session::Session;

/// How many entries of the history are looked through for owners.
const REMEMBERED: usize = 1000;

/// Answers the editor. Nothing here waits for the network.
#[derive(Clone, Helper, Validator)]
pub(super) struct Assist {
    session: Session,
    colours: bool,
    /// The text before the cursor for which something was asked, and had not come.
    asked: RefCell<Option<String>>,
}

impl Assist {
    pub(super) fn new(session: Session, colours: bool) -> Self {
        Self {
            session,
            colours,
            asked: RefCell::default(),
        }
    }
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

    fn highlight_char(&self, line: &str, _position: usize, kind: CmdKind) -> bool {
        kind != CmdKind::MoveCursor && (self.colours || line.contains('\n'))
    }
}

impl Hinter for Assist {
    type Hint = Hint;

    fn hint(&self, text: &str, position: usize, _: &Context<'_>) -> Option<Hint> {
        if position < text.len() {
            return None;
        }
        if self.asked.borrow().as_deref() == Some(text) {
            return Some(Hint("  …loading".to_owned()));
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

    fn complete(
        &self,
        text: &str,
        position: usize,
        context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (before, after) = text.split_at(position);
        let typed_before = || owners_before(context);
        let Completion {
            start,
            candidates,
            is_coming,
        } = complete::complete(&self.session, before, after, &typed_before);
        *self.asked.borrow_mut() = is_coming.then(|| before.to_owned());
        if candidates.is_empty() && is_coming {
            // The text as it is: then the editor shows the hint.
            let same = Pair {
                display: String::new(),
                replacement: before[start..].to_owned(),
            };
            return Ok((start, vec![same]));
        }
        let names = candidates
            .iter()
            .map(|candidate| candidate.name.chars().count());
        let width = names.max().unwrap_or_default().min(40);
        let pairs = candidates
            .into_iter()
            .map(|candidate| candidate.pair(width));
        Ok((start, pairs.collect()))
    }
}

/// The owners of tables in the history.
fn owners_before(context: &Context<'_>) -> BTreeSet<String> {
    let history = context.history();
    let entries = (0..history.len()).rev().take(REMEMBERED);
    let mut owners = BTreeSet::new();
    for at in entries {
        if let Ok(Some(found)) = history.get(at, SearchDirection::Reverse) {
            owners.extend(owners_in(&found.entry));
        }
    }
    owners
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
