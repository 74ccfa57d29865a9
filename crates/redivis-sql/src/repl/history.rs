//! What was typed before, whole statements at a time.
//!
//! In the file as it was written; in the editor with margins, as if it were typed there.

use std::borrow::Cow;
use std::path::Path;

use rustyline::history::{DefaultHistory, History, SearchDirection, SearchResult};
use rustyline::{Config, Result};

use super::margin::{self, Margin};

/// The history that the editor goes through.
pub(super) struct Recalled {
    entries: DefaultHistory,
    margin: Margin,
}

impl Recalled {
    pub(super) fn new(config: &Config, margin: Margin) -> Self {
        Self {
            entries: DefaultHistory::with_config(config),
            margin,
        }
    }

    fn shown<'a>(&self, found: SearchResult<'a>) -> SearchResult<'a> {
        if !found.entry.contains('\n') {
            return found;
        }
        let before = &found.entry[..found.pos];
        SearchResult {
            idx: found.idx,
            pos: self.margin.with(before).len(),
            entry: Cow::Owned(self.margin.with(&found.entry)),
        }
    }
}

impl History for Recalled {
    fn get(&self, index: usize, direction: SearchDirection) -> Result<Option<SearchResult<'_>>> {
        let found = self.entries.get(index, direction)?;
        Ok(found.map(|found| self.shown(found)))
    }

    fn add(&mut self, text: &str) -> Result<bool> {
        self.entries.add(text)
    }

    fn add_owned(&mut self, text: String) -> Result<bool> {
        self.entries.add_owned(text)
    }

    fn len(&self) -> usize {
        self.entries.len()
    }

    fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn set_max_len(&mut self, entries: usize) -> Result<()> {
        self.entries.set_max_len(entries)
    }

    fn ignore_dups(&mut self, yes: bool) -> Result<()> {
        self.entries.ignore_dups(yes)
    }

    fn ignore_space(&mut self, yes: bool) {
        self.entries.ignore_space(yes);
    }

    fn save(&mut self, path: &Path) -> Result<()> {
        self.entries.save(path)
    }

    fn append(&mut self, path: &Path) -> Result<()> {
        self.entries.append(path)
    }

    fn load(&mut self, path: &Path) -> Result<()> {
        self.entries.load(path)
    }

    fn clear(&mut self) -> Result<()> {
        self.entries.clear()
    }

    fn search(
        &self,
        term: &str,
        start: usize,
        direction: SearchDirection,
    ) -> Result<Option<SearchResult<'_>>> {
        let found = self
            .entries
            .search(&margin::without(term), start, direction)?;
        Ok(found.map(|found| self.shown(found)))
    }

    fn starts_with(
        &self,
        term: &str,
        start: usize,
        direction: SearchDirection,
    ) -> Result<Option<SearchResult<'_>>> {
        let term = margin::without(term);
        let found = self.entries.starts_with(&term, start, direction)?;
        Ok(found.map(|found| self.shown(found)))
    }
}
