//! What is deleted: temp uploads whose time is over, and files that no row names.
//!
//! The row goes first, then the file. What a crash leaves between is found at the next start.

use std::{collections::HashSet, fs, time::Duration};

use rusqlite::{Connection, params};
use tokio_util::sync::CancellationToken;

use super::{Record, TempUploads, error::TempUploadError, growing::blocking, now};
use crate::database::DatabaseError;

/// How often expired ones are looked for, at most; as often as they expire, if they live shorter.
const PAUSE: Duration = Duration::from_secs(10 * 60);

impl TempUploads {
    /// Deletes expired ones now and then.
    pub(crate) async fn keep_purging(self, stop: CancellationToken) {
        let pause = PAUSE.min(self.lifetime).max(Duration::from_millis(100));
        while stop
            .run_until_cancelled(tokio::time::sleep(pause))
            .await
            .is_some()
        {
            let uploads = self.clone();
            if let Err(error) = blocking(move || uploads.purge()).await {
                tracing::warn!("expired temp uploads cannot be deleted: {error}");
            }
        }
    }

    /// Deletes the expired ones, with their bytes. Blocks.
    pub(super) fn purge(&self) -> Result<(), TempUploadError> {
        let now = now();
        let expired: Vec<Record> = self.database.write(|change| {
            let condition = "NOT is_taken AND expires_at <= ?";
            let expired = change
                .prepare_cached(&format!("SELECT * FROM temporary_upload WHERE {condition}"))?
                .query_map(params![now], Record::of)?
                .collect::<Result<_, _>>()?;
            change
                .prepare_cached(&format!("DELETE FROM temporary_upload WHERE {condition}"))?
                .execute(params![now])?;
            Ok::<_, DatabaseError>(expired)
        })?;
        for record in &expired {
            self.unlink_all(record);
        }
        Ok(())
    }

    /// Deletes files that no row names; only while nothing is being received. Blocks.
    pub(super) fn sweep(&self) -> Result<(), TempUploadError> {
        let named: HashSet<String> = self.database.read(|rows: &Connection| {
            rows.prepare(
                "SELECT file FROM temporary_upload WHERE file IS NOT NULL
                 UNION SELECT session_file FROM temporary_upload WHERE session_file IS NOT NULL",
            )?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()
            .map_err(DatabaseError::from)
        })?;
        for entry in fs::read_dir(&self.folder).map_err(TempUploadError::Io)? {
            let name = entry.map_err(TempUploadError::Io)?.file_name();
            let name = name.to_string_lossy();
            if !named.contains(name.as_ref()) {
                self.unlink(&name);
            }
        }
        Ok(())
    }
}
