//! What was run last, for the commands that come back to it.

use std::sync::{Arc, Mutex, PoisonError};

/// The last statement and the last error of a session; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recent(Arc<Mutex<Last>>);

#[derive(Debug, Default)]
struct Last {
    statement: Option<String>,
    error: Vec<String>,
}

impl Recent {
    pub(crate) fn ran(&self, statement: &str) {
        self.with(|last| last.statement = Some(statement.to_owned()));
    }

    pub(crate) fn statement(&self) -> Option<String> {
        self.with(|last| last.statement.clone())
    }

    /// Keeps an error with all its causes.
    pub(crate) fn failed(&self, chain: Vec<String>) {
        self.with(|last| last.error = chain);
    }

    pub(crate) fn error(&self) -> Vec<String> {
        self.with(|last| last.error.clone())
    }

    fn with<T>(&self, work: impl FnOnce(&mut Last) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
