//! The line at the bottom of a terminal that says how far something has come, and what is printed while it is there.
//!
//! There is one at most. Whatever else goes to standard error goes above it: notes, warnings, the log.

use std::io::{Write, stderr};
use std::sync::{Mutex, PoisonError};

use indicatif::ProgressBar;

static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// This line is there from now on, until it is finished.
pub(crate) fn show(line: &ProgressBar) {
    *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(line.clone());
}

/// Prints something where the line is not: it is drawn again below.
pub(crate) fn above<T>(print: impl FnOnce() -> T) -> T {
    let shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match shown.filter(|line| !line.is_finished()) {
        Some(line) => line.suspend(print),
        None => print(),
    }
}

/// Standard error above the line, for what is written whole, as the log is.
#[derive(Debug)]
pub(crate) struct Above;

impl Write for Above {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        above(|| stderr().write_all(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        stderr().flush()
    }
}
