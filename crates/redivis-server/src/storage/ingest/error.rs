//! Why a file did not become rows.

use std::io;

use super::UploadType;

/// Why a file did not become rows. Nothing is left of it in the folder of rows.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IngestError {
    /// The file is not what it is said to be, or holds what Redivis has no place for; says where and what.
    #[error("{0}")]
    Rejected(String),
    /// Redivis takes files of this type, this server does not.
    #[error("files of type `{}` cannot be read by this server", .0.name())]
    Unsupported(UploadType),
    /// The operating system failed.
    #[error("the file cannot be read or its rows cannot be stored: {0}")]
    Io(#[source] io::Error),
    /// It was asked to stop.
    #[error("reading the file was stopped")]
    Stopped,
}

impl IngestError {
    pub(crate) fn rejected(reason: impl ToString) -> Self {
        IngestError::Rejected(reason.to_string())
    }
}

impl From<io::Error> for IngestError {
    /// What a decompressor says of damaged bytes is said of the file; the rest is said of the disk.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::InvalidData
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::UnexpectedEof => {
                IngestError::Rejected(format!("it is damaged or cut off: {error}"))
            }
            _ => IngestError::Io(error),
        }
    }
}
