//! Why a part of a plan is not said in Redivis's SQL.

use std::fmt;

/// What cannot be said, in words that end "not pushed: …".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal(String);

/// What was said, or why it can't be.
pub(crate) type Said<T> = std::result::Result<T, Refusal>;

impl Refusal {
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

/// A refusal as the outcome of saying something.
pub(super) fn refuse<T>(why: impl Into<String>) -> Said<T> {
    Err(Refusal::new(why))
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
