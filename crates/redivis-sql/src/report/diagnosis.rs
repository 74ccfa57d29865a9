//! What a failure comes to, before it is put in words for people or programs.

use std::ops::Range;

/// What a failure comes to.
#[derive(Debug, Default)]
pub(super) struct Diagnosis {
    pub(super) message: String,
    pub(super) hint: Option<String>,
    /// The part of the statement, as it was run.
    pub(super) at: Option<Range<usize>>,
}

impl Diagnosis {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            ..Self::default()
        }
    }

    pub(super) fn hint(self, hint: impl Into<Option<String>>) -> Self {
        Self {
            hint: hint.into(),
            ..self
        }
    }

    pub(super) fn at(self, at: Option<Range<usize>>) -> Self {
        Self { at, ..self }
    }
}
