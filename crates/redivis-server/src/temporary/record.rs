//! What the database knows of a temp upload.

use rusqlite::{Connection, OptionalExtension, Row};

use super::{TempUploadError, now};

/// A row.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) id: String,
    pub(super) user: String,
    pub(super) size: u64,
    pub(super) is_resumable: bool,
    pub(super) is_taken: bool,
    pub(super) expires_at: i64,
    pub(super) session_file: Option<String>,
    pub(super) file: Option<String>,
}

impl Record {
    pub(super) fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Record {
            id: row.get("id")?,
            user: row.get("user")?,
            size: row.get::<_, i64>("size")?.cast_unsigned(),
            is_resumable: row.get("is_resumable")?,
            is_taken: row.get("is_taken")?,
            expires_at: row.get("expires_at")?,
            session_file: row.get("session_file")?,
            file: row.get("file")?,
        })
    }

    pub(super) fn find(connection: &Connection, id: &str) -> Result<Self, TempUploadError> {
        let found = connection
            .prepare_cached("SELECT * FROM temporary_upload WHERE id = ?")?
            .query_row([id], Record::of)
            .optional()?;
        found.ok_or(TempUploadError::Unknown)
    }

    /// Whether it takes bytes.
    pub(super) fn is_open(&self) -> Result<(), TempUploadError> {
        if self.is_taken {
            Err(TempUploadError::Taken)
        } else if self.expires_at <= now() {
            Err(TempUploadError::Expired)
        } else {
            Ok(())
        }
    }
}
