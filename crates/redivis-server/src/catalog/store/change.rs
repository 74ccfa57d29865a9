//! Why a change was not made. Nothing was changed then.

use crate::{database::DatabaseError, storage::StorageError, temporary::TempUploadError};

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeError {
    /// What was asked for makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// What was asked for does not go with what is there.
    #[error("{0}")]
    Conflict(String),
    /// What was to be changed is gone.
    #[error("{0}")]
    NotFound(String),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// Rows could not be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The disk failed.
    #[error("the disk failed: {0}")]
    Io(#[from] std::io::Error),
}

impl From<rusqlite::Error> for ChangeError {
    fn from(error: rusqlite::Error) -> Self {
        ChangeError::Database(error.into())
    }
}

impl From<TempUploadError> for ChangeError {
    fn from(error: TempUploadError) -> Self {
        match error {
            TempUploadError::Database(error) => ChangeError::Database(error),
            TempUploadError::Io(error) => ChangeError::Io(error),
            error => ChangeError::Invalid(error.to_string()),
        }
    }
}

impl ChangeError {
    pub(crate) fn invalid(reason: impl Into<String>) -> Self {
        ChangeError::Invalid(reason.into())
    }

    pub(crate) fn conflict(reason: impl Into<String>) -> Self {
        ChangeError::Conflict(reason.into())
    }

    pub(super) fn gone(what: &str, name: &str) -> Self {
        ChangeError::NotFound(format!("The {what} `{name}` does not exist any more"))
    }
}
