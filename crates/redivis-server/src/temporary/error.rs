//! Why a temp upload did not take bytes, or could not be used.
//!
//! No id is in a message: whoever has one can write to the upload.

use std::io;

use crate::database::DatabaseError;

/// Why nothing was done with a temp upload.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TempUploadError {
    /// No such id, or another user's.
    #[error("The temp upload does not exist, or it has expired")]
    Unknown,
    /// No such session, or one that another replaced.
    #[error("The upload session does not exist, or it has expired")]
    UnknownSession,
    /// Its time is over.
    #[error("The temp upload has expired; create a new one")]
    Expired,
    /// An upload or a raw file was made of it already.
    #[error("The temp upload was used already; create a new one")]
    Taken,
    /// Bytes are missing.
    #[error(
        "Only {received} of {size} bytes of the temp upload were received; send all of them first"
    )]
    Incomplete {
        /// Bytes that are there.
        received: u64,
        /// Bytes that were announced.
        size: u64,
    },
    /// Nothing can be made of it.
    #[error("{0}")]
    Unusable(Box<TempUploadError>),
    /// What was sent does not go together with what was announced, or with what is there.
    #[error("{0}")]
    Mismatch(String),
    /// A newer request sends to the same session.
    #[error("A newer request sends to this upload session")]
    Superseded,
    /// There is more than may be sent.
    #[error("The body has more than {limit} bytes")]
    TooLarge {
        /// Bytes that are allowed.
        limit: u64,
    },
    /// The connection broke; what arrived of a resumable upload is kept.
    #[error("The body ended early: {0}")]
    Cut(io::Error),
    /// The disk.
    #[error("The bytes cannot be stored: {0}")]
    Io(io::Error),
    /// The records.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// No random bytes for a name.
    #[error("cannot make an id: {0}")]
    Random(#[from] getrandom::Error),
}

impl From<rusqlite::Error> for TempUploadError {
    fn from(error: rusqlite::Error) -> Self {
        TempUploadError::Database(error.into())
    }
}
