//! Meta commands and what they take.
//!
//! A command's usage, which the help shows, says what its arguments are: `TABLE`, `FILE`, words to choose from.

use super::reference::Remote;
use super::{Candidate, Completion, fitting, names, path};
use crate::command::{self, Command};

/// Completes the name of a command.
pub(super) fn names(typed: &str) -> Completion {
    // In other shells they start with a point.
    let (sign, name) = typed.split_at(1);
    let candidates = command::all().map(|command| {
        let shown = format!("{sign}{}", &command.name[1..]);
        Candidate::new(shown, command.summary)
    });
    let mut candidates = fitting(&format!("{sign}{name}"), candidates);
    candidates.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    Completion {
        start: 0,
        candidates,
        is_coming: false,
    }
}

/// Completes the arguments of a command.
pub(super) fn arguments(name: &str, typed: &str, start: usize, remote: &Remote<'_>) -> Completion {
    let found = |command: &&Command| command.name[1..] == name[1..];
    let Some(command) = command::all().find(found) else {
        return Completion::default();
    };
    let usage = command.arguments;
    let last = typed.rsplit(char::is_whitespace).next().unwrap_or_default();
    let start = start + typed.len() - last.len();
    let usage = match usage.contains("TABLE") && usage.contains("FILE") {
        // One after the other.
        true => {
            let before = typed.split_whitespace().count() - usize::from(!last.is_empty());
            let words = usage.split_whitespace();
            words.clone().nth(before).or(words.last()).unwrap_or(usage)
        }
        false => usage,
    };
    if usage.contains("FILE") {
        return path::within(last, start, "");
    }
    let is_table = usage.contains("TABLE") || usage.contains("REFERENCE");
    let is_parent = usage.contains("DATASET");
    let mut completion = Completion {
        start,
        ..Completion::default()
    };
    if is_table || is_parent || usage.contains("OWNER") {
        let quote = last
            .chars()
            .next()
            .filter(|first| ['\'', '"', '`'].contains(first));
        let text = &last[quote.map_or(0, char::len_utf8)..];
        let (parents, part) = text.rsplit_once('.').unwrap_or(("", text));
        let parts: Vec<&str> = parents.split('.').filter(|part| !part.is_empty()).collect();
        let most = if is_table { 3 } else { 2 };
        if parts.len() >= most {
            return completion;
        }
        completion = remote.step(
            &parts,
            part,
            start + last.len() - part.len(),
            |name, is_whole| {
                let is_end = is_whole || (is_parent && !is_table && parts.len() == 1);
                match is_end {
                    true => format!("{name}{}", quote.map(String::from).unwrap_or_default()),
                    false => format!("{name}."),
                }
            },
        );
        if !parts.is_empty() || quote.is_some() {
            return completion;
        }
        if is_table {
            let local = names::local(remote.session);
            completion.candidates.splice(0..0, fitting(last, local));
        }
    }
    let words = usage.split(|character: char| !character.is_lowercase());
    let words = words.filter(|word| word.len() > 1);
    completion
        .candidates
        .extend(fitting(last, words.map(|word| Candidate::new(word, ""))));
    if usage.contains("STATEMENT") {
        let statements = command::statements().map(|name| Candidate::new(name, ""));
        completion.start = start + last.len() - typed.len();
        completion.candidates = fitting(typed, statements);
    }
    completion
}
