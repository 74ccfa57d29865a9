//! Merging the files of uploads that rows were inserted into, so that many small inserts make few files.
//!
//! Only in drafts: the files of a release stay as they are.

use rusqlite::params;

use super::{
    Store,
    read::{self, StoredVariable},
};
use crate::{
    database::DatabaseError,
    storage::{IngestError, Ingested, VariableType, merge},
};

/// Files that are merged at least; so many inserts cost about one merge.
pub(crate) const FILES: i64 = 32;
/// Bytes from which on a file is not merged any more.
const BYTES: i64 = 16 << 20;

/// Why files were not merged. They are as they were.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MergeError {
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error(transparent)]
    Ingest(#[from] IngestError),
    #[error(transparent)]
    Storage(#[from] crate::storage::StorageError),
}

/// Consecutive small files of an upload.
struct Small {
    upload: i64,
    variables: Vec<StoredVariable>,
    /// Their keys and names.
    files: Vec<(i64, String)>,
}

impl Store {
    /// Merges small files of one upload; whether there were enough of them.
    pub(in crate::catalog) fn merge(&self, stop: &dyn Fn() -> bool) -> Result<bool, MergeError> {
        let Some(small) = self.small_files()? else {
            return Ok(false);
        };
        let variables: Vec<(String, VariableType)> = small
            .variables
            .into_iter()
            .filter_map(|variable| Some((variable.name, VariableType::of_name(&variable.kind)?)))
            .collect();
        let types = variables
            .iter()
            .map(|(name, kind)| (name.to_lowercase(), *kind))
            .collect();
        let opened = small
            .files
            .iter()
            .map(|(_, name)| self.storage.open(&self.rows.join(name), &types));
        let opened = match opened.collect::<Result<Vec<_>, _>>() {
            Ok(opened) => opened,
            // The upload was deleted just now.
            Err(crate::storage::StorageError::Changed { .. }) => return Ok(true),
            Err(error) => return Err(error.into()),
        };
        let merged = merge(&opened, &variables, &self.rows, stop)?;
        drop(opened);
        if self.replace(small.upload, &small.files, &merged)? {
            for (_, name) in &small.files {
                self.remove_file(name.as_ref());
            }
        } else {
            self.remove_file(merged.file.file_name().unwrap_or_default());
        }
        Ok(true)
    }

    /// The longest run of small files that should be one.
    fn small_files(&self) -> Result<Option<Small>, DatabaseError> {
        self.database.read(|rows| {
            let found: Vec<(i64, String)> = rows
                .prepare_cached(&format!(
                    "SELECT upload.key, upload.variables FROM upload JOIN part ON part.upload = upload.key
                     WHERE part.bytes < ?1 AND NOT {RELEASED} GROUP BY upload.key HAVING count(*) >= ?2"
                ))?
                .query_map(params![BYTES, FILES], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<_, _>>()?;
            for (upload, variables) in found {
                let parts: Vec<(i64, String, i64)> = rows
                    .prepare_cached("SELECT key, file, bytes FROM part WHERE upload = ? ORDER BY key")?
                    .query_map([upload], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                    .collect::<Result<_, _>>()?;
                let runs = parts.split(|(_, _, bytes)| *bytes >= BYTES);
                let longest = runs.max_by_key(|run| run.len()).unwrap_or_default();
                let files: Vec<(i64, String)> =
                    longest.iter().map(|(key, file, _)| (*key, file.clone())).collect();
                if i64::try_from(files.len()).is_ok_and(|count| count >= FILES) {
                    return Ok(Some(Small {
                        upload,
                        variables: read::variables_of(&variables),
                        files,
                    }));
                }
            }
            Ok(None)
        })
    }

    /// Puts the merged file in the place of the first; whether all were still there, and in drafts only.
    fn replace(
        &self,
        upload: i64,
        files: &[(i64, String)],
        merged: &Ingested,
    ) -> Result<bool, DatabaseError> {
        let [(first, _), rest @ ..] = files else {
            return Ok(false);
        };
        self.database.write(|change| {
            let count = |rows: u64| i64::try_from(rows).unwrap_or(i64::MAX);
            let mut find = change.prepare_cached(&format!(
                "SELECT count(*) FROM part JOIN upload ON upload.key = part.upload
                 WHERE part.key = ? AND part.file = ? AND upload.key = ? AND NOT {RELEASED}"
            ))?;
            for (key, file) in files {
                let is_there: bool =
                    find.query_row(params![key, file, upload], |row| row.get(0))?;
                if !is_there {
                    return Ok(false);
                }
            }
            for (key, _) in rest {
                change.execute("DELETE FROM part WHERE key = ?", [key])?;
            }
            let name = merged
                .file
                .file_name()
                .unwrap_or_default()
                .to_string_lossy();
            change.execute(
                "UPDATE part SET file = ?, rows = ?, bytes = ? WHERE key = ?",
                params![name, count(merged.rows), count(merged.bytes), first],
            )?;
            Ok(true)
        })
    }
}

/// Whether a release shows an upload.
const RELEASED: &str = "EXISTS (SELECT 1 FROM table_upload
    JOIN version_table ON version_table.key = table_upload.version_table
    JOIN version ON version.key = version_table.version
    WHERE table_upload.upload = upload.key AND version.major IS NOT NULL)";
