//! Completion: what can stand at the cursor, from what is known without asking anybody.
//!
//! In: the text on both sides of the cursor. Out: where the word starts that is being typed, and what it may become. What is on
//! Redivis comes from the session's [`Directory`](crate::directory::Directory), which asks in the background.

mod command;
mod names;
mod path;
mod position;
mod reference;
mod tables;
mod words;

use std::collections::BTreeSet;
use std::time::Duration;

use rustyline::completion::Pair;

use self::position::{Position, Typed};
use crate::output::single_line;
use crate::session::Session;

/// How long a key may wait for an answer that is on its way: shorter than anybody notices.
const WAIT: Duration = Duration::from_millis(120);
/// Columns of the screen that a candidate and its label may take.
const WIDTH: usize = 78;

/// What a text may become.
#[derive(Debug, Default)]
pub(super) struct Completion {
    /// The byte that the word being typed starts at.
    pub(super) start: usize,
    pub(super) candidates: Vec<Candidate>,
    /// There may be more, which was asked for.
    pub(super) is_coming: bool,
}

/// What may stand in the place of the word that is being typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) name: String,
    pub(super) label: String,
    /// What is inserted.
    pub(super) text: String,
}

impl Candidate {
    fn new(name: impl Into<String>, label: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            text: name.clone(),
            label: label.into(),
            name,
        }
    }

    /// The same, with more to insert than is shown.
    fn inserting(self, text: String) -> Self {
        Self { text, ..self }
    }

    /// As the editor takes it.
    pub(super) fn pair(self, width: usize) -> Pair {
        let shown = match self.label.is_empty() {
            true => self.name,
            false => format!("{:width$}  {}", self.name, self.label),
        };
        let shown = single_line(&shown);
        let display = match shown.char_indices().nth(WIDTH) {
            Some((end, _)) => format!("{}…", &shown[..end]),
            None => shown.to_string(),
        };
        Pair {
            display,
            replacement: self.text,
        }
    }
}

/// Completes the text before the cursor.
pub(super) fn complete(
    session: &Session,
    before: &str,
    after: &str,
    typed_before: &dyn Fn() -> BTreeSet<String>,
) -> Completion {
    let typed = Typed::new(before, after);
    let known = reference::Remote {
        session,
        typed_before,
    };
    match typed.position() {
        Position::Nothing => Completion::default(),
        Position::Command(name) => command::names(name),
        Position::Argument { command, start } => {
            command::arguments(command, &before[start..], start, &known)
        }
        Position::Reference { start, closing } => known.complete(&before[start..], start, closing),
        Position::File { start } => path::complete(&before[start..], start, after),
        Position::Start { start } => words::starters(&before[start..], start),
        Position::Setting { start } => names::settings(session, &before[start..], start),
        Position::Table { start, parts } => names::tables(&known, &typed, start, &parts),
        Position::Value { start, parts } => names::values(&known, &typed, start, &parts),
    }
}

/// The candidates that go on with what was typed, or have it in them where none does; those that come first are more likely.
fn fitting(typed: &str, candidates: impl IntoIterator<Item = Candidate>) -> Vec<Candidate> {
    let typed = typed.to_lowercase();
    let (mut beginning, mut having) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for candidate in candidates {
        let name = candidate.name.to_lowercase();
        if name.starts_with(&typed) {
            if seen.insert(candidate.text.clone()) {
                beginning.push(candidate);
            }
        } else if typed.len() > 1 && name.contains(&typed) && !having.contains(&candidate) {
            having.push(candidate);
        }
    }
    match beginning.is_empty() {
        true => having,
        false => beginning,
    }
}
