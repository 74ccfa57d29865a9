//! The names of uploads: given by people, or made up so that no other upload has them.

use chrono::Utc;

/// The name of an upload that is to be made.
#[derive(Debug, Clone)]
pub(crate) struct UploadName {
    pub(crate) text: String,
    /// Whether an upload of this name must be this statement's.
    pub(crate) is_unique: bool,
}

impl UploadName {
    /// A name that was given, which another writer may use too.
    pub(crate) fn given(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            is_unique: false,
        }
    }

    /// A name that no other upload has.
    pub(crate) fn unique(what: &str) -> Self {
        Self {
            text: unique(what),
            is_unique: true,
        }
    }
}

/// A name that says when and what, and that nothing else has: `insert-2026-11-21T07-12-03Z-ab12cd34`.
pub(crate) fn unique(what: &str) -> String {
    let id: String = (0..8)
        .map(|_| fastrand::alphanumeric().to_ascii_lowercase())
        .collect();
    format!("{what}-{}-{id}", Utc::now().format("%Y-%m-%dT%H-%M-%SZ"))
}
