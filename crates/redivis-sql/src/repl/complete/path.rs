//! Files and folders.

use super::{Candidate, Completion, fitting};
use crate::state;

/// How many entries of a folder are looked at.
const LISTED: usize = 10_000;

/// Completes the name of a file, and the quote behind it where the text goes on without one.
pub(super) fn complete(text: &str, start: usize, after: &str) -> Completion {
    let closing = match after.starts_with('\'') {
        true => "",
        false => "'",
    };
    within(text, start, closing)
}

/// The same with what ends the name.
pub(super) fn within(text: &str, start: usize, closing: &str) -> Completion {
    let (folder, name) = match text.rfind('/') {
        Some(at) => text.split_at(at + 1),
        None => ("", text),
    };
    let path = match folder {
        "" => ".".into(),
        folder => state::at_home(folder),
    };
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let mut candidates: Vec<Candidate> = entries
        .take(LISTED)
        .filter_map(|entry| {
            let shown = entry.file_name().into_string().ok()?;
            if shown.starts_with('.') && !name.starts_with('.') {
                return None;
            }
            // The type of what a link leads to.
            let is_folder = std::fs::metadata(entry.path()).is_ok_and(|found| found.is_dir());
            let (shown, end) = match is_folder {
                true => (format!("{shown}/"), ""),
                false => (shown, closing),
            };
            let text = format!("{shown}{end}");
            Some(Candidate::new(shown, "").inserting(text))
        })
        .collect();
    candidates.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    Completion {
        start: start + folder.len(),
        candidates: fitting(name, candidates),
        is_coming: false,
    }
}
