//! Why rows could not be read.
//!
//! Cloned, because the answer to a broken file is remembered until the file changes.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
};

use crate::database::DatabaseError;

/// Why a file could not be read. Paths are shown without the folders above the owner.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum StorageError {
    /// The file is not what its name says, or holds what Redivis has no type for.
    #[error("the file `{file}` cannot be read: {reason}")]
    Invalid { file: String, reason: String },
    /// Two files claim one name.
    #[error("several files stand for `{name}`: {}; keep one of them", files.join(", "))]
    Ambiguous { name: String, files: Vec<String> },
    /// The file is another than the one that was looked at before.
    #[error("the file `{file}` changed while it was read; ask again")]
    Changed { file: String },
    /// The table was deleted before it was looked into.
    #[error("the table `{0}` does not exist any more")]
    Gone(String),
    /// What is stored could not be looked up.
    #[error("the catalog cannot be read: {0}")]
    Catalog(String),
    /// The operating system failed.
    #[error("the file `{file}` cannot be read: {reason}")]
    Io { file: String, reason: String },
}

impl StorageError {
    pub(crate) fn invalid(file: &str, reason: impl ToString) -> Self {
        StorageError::Invalid {
            file: file.to_owned(),
            reason: reason.to_string(),
        }
    }

    pub(crate) fn io(file: &str, error: &std::io::Error) -> Self {
        StorageError::Io {
            file: file.to_owned(),
            reason: error.to_string(),
        }
    }
}

impl From<DatabaseError> for StorageError {
    fn from(error: DatabaseError) -> Self {
        StorageError::Catalog(error.to_string())
    }
}

/// Reads a file, and takes a panic for what it says of the file: that it is damaged in a way its reader did not expect.
pub(super) fn guarded<T, E>(
    damaged: impl FnOnce() -> E,
    read: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(damaged()))
}

/// What is said of a file whose reader panicked.
pub(super) const DAMAGED: &str = "it is damaged: its parts contradict each other";

/// The last three parts of a path, which is what an answer may show of it.
pub(crate) fn shown(path: &std::path::Path) -> String {
    let parts: Vec<_> = path.components().rev().take(3).collect();
    let shown: PathBuf = parts.into_iter().rev().collect();
    shown.display().to_string()
}
