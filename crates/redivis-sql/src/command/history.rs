//! `\s`: what was typed before, in this shell and others.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use rustyline::history::{DefaultHistory, History, SearchDirection};

use super::{Command, Next};
use crate::blocking::blocking;
use crate::failure::Failure;
use crate::state;

pub(super) const COMMAND: Command = Command {
    name: r"\s",
    arguments: "[TEXT]",
    summary: "list what was typed before, or what of it has this text (Ctrl-R searches)",
    run: |_, output, arguments| {
        Box::pin(async move {
            let text = arguments.to_lowercase();
            let mut typed = blocking(read).await?;
            typed.retain(|statement| statement.to_lowercase().contains(&text));
            let typed: StringArray = typed.into_iter().map(Some).collect();
            let column = ("statement", Arc::new(typed) as ArrayRef);
            output
                .deliver_batch(RecordBatch::try_from_iter([column])?)
                .await?;
            Ok(Next::Continue)
        })
    },
};

fn read() -> Result<Vec<String>, Failure> {
    let refused = |error: String| Failure::Usage(format!("can't read the history: {error}"));
    let path = state::history().map_err(|error| refused(error.to_string()))?;
    let mut history = DefaultHistory::new();
    if history.set_max_len(usize::MAX).is_ok()
        && let Some(path) = path.filter(|path| path.exists())
    {
        history
            .load(&path)
            .map_err(|error| refused(error.to_string()))?;
    }
    let entries = (0..history.len())
        .filter_map(|at| history.get(at, SearchDirection::Forward).ok().flatten());
    Ok(entries.map(|found| found.entry.into_owned()).collect())
}
