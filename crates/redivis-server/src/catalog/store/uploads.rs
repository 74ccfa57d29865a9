//! Uploads of a draft's tables: taken down, read in later, done or failed.
//!
//! An upload shows rows from the transaction on that completes it. What is interrupted before that is done again.

use std::{collections::HashSet, path::Path};

use rusqlite::{OptionalExtension, Transaction, params};
use serde_json::{Map, Value};

use super::{
    ChangeError, Store, VariableChange, datasets,
    read::{self, StoredVariable},
    tables, text_of, variables, versions,
};
use crate::{
    catalog::{
        dataset::Version,
        table::{TableEntry, Upload, UploadStatus},
    },
    database::DatabaseError,
    reference::slug,
    storage::{Column, Ingested},
};

/// An upload to be created.
#[derive(Debug, Clone)]
pub(crate) struct NewUpload {
    pub(crate) name: String,
    /// How the bytes are to be read, as the API names it.
    pub(crate) options: Map<String, Value>,
    /// What is said about its variables.
    pub(crate) metadata: Map<String, Value>,
    /// The variables of an upload that rows are inserted into.
    pub(crate) schema: Option<Vec<Column>>,
}

/// The bytes of an upload that is created.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    /// The temp upload that holds them.
    pub(crate) temporary: String,
    pub(crate) size: u64,
}

/// An upload that is to be read in.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    pub(crate) key: i64,
    pub(crate) options: Map<String, Value>,
    pub(crate) temporary: String,
}

impl Store {
    /// Takes an upload down; returns the name it got. `take` makes its bytes the upload's own.
    pub(in crate::catalog) fn create_upload(
        &self,
        dataset: i64,
        entry: &TableEntry,
        new: &NewUpload,
        take: impl FnOnce(&Transaction<'_>) -> Result<Option<Sent>, ChangeError>,
    ) -> Result<String, ChangeError> {
        datasets::check_name("upload", &new.name, LONGEST_NAME)?;
        self.database.write(|change| {
            let draft = versions::at(change, dataset, Version::Next)?;
            let table = tables::key_in(change, &draft, entry)?;
            let sent = take(change)?;
            let name = free_name(change, table, &new.name)?;
            // Rows are inserted into a stream later; it is complete as it is.
            let status = match sent {
                Some(_) => UploadStatus::Queued,
                None => UploadStatus::Completed,
            };
            let now = read::now();
            let size = sent.as_ref().map(|sent| i64::try_from(sent.size).unwrap_or(i64::MAX));
            change.execute(
                "INSERT INTO upload (name, slug, status, options, metadata, temporary, size, variables, created_at, updated_at)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                params![
                    name, slug(&name), status.name(), text_of(&new.options), text_of(&new.metadata),
                    sent.map(|sent| sent.temporary), size, text_of(&stored(new.schema.as_deref().unwrap_or_default())),
                    now, now
                ],
            )?;
            let upload = change.last_insert_rowid();
            change.execute(
                "INSERT INTO table_upload (version_table, upload, is_inherited) VALUES (?, ?, 0)",
                [table, upload],
            )?;
            if status == UploadStatus::Completed {
                variables::describe(change, table, &said(&new.metadata))?;
            }
            datasets::touch(change, dataset)?;
            Ok(name)
        })
    }

    /// Queues again what was being read in when the server ended.
    pub(in crate::catalog) fn requeue_uploads(&self) -> Result<(), DatabaseError> {
        self.database.write(|change| {
            change.execute(
                "UPDATE upload SET status = 'queued' WHERE status = 'running'",
                [],
            )?;
            Ok(())
        })
    }

    /// The next upload to read in, which is running from now on.
    pub(in crate::catalog) fn next_upload(&self) -> Result<Option<Work>, DatabaseError> {
        self.database.write(|change| {
            let found = change
                .query_row(
                    "SELECT key, options, temporary FROM upload WHERE status = 'queued' ORDER BY key LIMIT 1",
                    [],
                    |row| {
                        Ok(Work {
                            key: row.get(0)?,
                            options: serde_json::from_str(&row.get::<_, String>(1)?).unwrap_or_default(),
                            temporary: row.get(2)?,
                        })
                    },
                )
                .optional()?;
            if let Some(work) = &found {
                change.execute("UPDATE upload SET status = 'running' WHERE key = ?", [work.key])?;
            }
            Ok(found)
        })
    }

    /// Makes an upload's rows its table's, if it is still there.
    pub(in crate::catalog) fn complete_upload(
        &self,
        work: &Work,
        ingested: &Ingested,
        hash: &str,
    ) -> Result<(), DatabaseError> {
        let is_completed: bool = self.database.write(|change| {
            let done = change.execute(
                "UPDATE upload SET status = 'completed', error_message = NULL, temporary = NULL, hash = ?, bad_records = ?,
                 variables = ?, updated_at = ? WHERE key = ? AND status = 'running'",
                params![
                    hash, integer(ingested.bad_records), text_of(&stored(&ingested.columns)), read::now(), work.key
                ],
            )?;
            if done == 0 {
                return Ok::<_, DatabaseError>(false);
            }
            add_part(change, work.key, ingested)?;
            let metadata: String =
                change.query_row("SELECT metadata FROM upload WHERE key = ?", [work.key], |row| row.get(0))?;
            let metadata: Map<String, Value> = serde_json::from_str(&metadata).unwrap_or_default();
            let mut tables = change
                .prepare_cached("SELECT version_table FROM table_upload WHERE upload = ? AND NOT is_inherited")?;
            let tables: Vec<i64> = tables.query_map([work.key], |row| row.get(0))?.collect::<Result<_, _>>()?;
            for table in tables {
                variables::describe(change, table, &said(&metadata))?;
            }
            Ok(true)
        })?;
        // Otherwise it was deleted meanwhile.
        if !is_completed {
            self.remove_file(ingested.file.file_name().unwrap_or_default());
        }
        self.temporary.remove(&work.temporary);
        Ok(())
    }

    /// Notes why an upload has failed. It has no rows.
    pub(in crate::catalog) fn fail_upload(
        &self,
        work: &Work,
        message: &str,
    ) -> Result<(), DatabaseError> {
        self.database.write(|change| {
            change.execute(
                "UPDATE upload SET status = 'failed', error_message = ?, temporary = NULL, updated_at = ?
                 WHERE key = ? AND status = 'running'",
                params![message, read::now(), work.key],
            )?;
            Ok::<_, DatabaseError>(())
        })?;
        self.temporary.remove(&work.temporary);
        Ok(())
    }

    /// Adds rows to an upload of type stream; how many files it has then.
    pub(in crate::catalog) fn insert_rows(
        &self,
        dataset: i64,
        entry: &TableEntry,
        upload: &Upload,
        ingested: &Ingested,
    ) -> Result<i64, ChangeError> {
        let variables = upload.variables.iter().map(|variable| StoredVariable {
            name: variable.name.clone(),
            kind: variable.kind.name().to_owned(),
        });
        let variables: Vec<StoredVariable> = variables.collect();
        let inserted = self.database.write(|change| {
            let draft = versions::at(change, dataset, Version::Next)?;
            let table = tables::key_in(change, &draft, entry)?;
            let key = key_of(change, table, &upload.name)?;
            // The rows were made for the variables that it had a moment ago.
            let done = change.execute(
                "UPDATE upload SET updated_at = ? WHERE key = ? AND variables = ?",
                params![read::now(), key, text_of(&variables)],
            )?;
            if done == 0 {
                return Err(ChangeError::conflict(format!(
                    "The upload `{}` was replaced by another one",
                    upload.name
                )));
            }
            add_part(change, key, ingested)?;
            let files = "SELECT count(*) FROM part WHERE upload = ?";
            Ok(change
                .prepare_cached(files)?
                .query_row([key], |row| row.get(0))?)
        });
        if inserted
            .as_ref()
            .is_err_and(|error| !matches!(error, ChangeError::Database(_)))
        {
            self.remove_file(ingested.file.file_name().unwrap_or_default());
        }
        inserted
    }

    /// Deletes an upload with its rows.
    pub(in crate::catalog) fn delete_upload(
        &self,
        dataset: i64,
        entry: &TableEntry,
        upload: &str,
    ) -> Result<(), ChangeError> {
        let unused = self.database.write(|change| {
            let draft = versions::at(change, dataset, Version::Next)?;
            let table = tables::key_in(change, &draft, entry)?;
            let key = key_of(change, table, upload)?;
            change.execute(
                "DELETE FROM table_upload WHERE version_table = ? AND upload = ?",
                [table, key],
            )?;
            datasets::touch(change, dataset)?;
            Ok::<_, ChangeError>(forget_unused(change)?)
        })?;
        self.remove(&unused);
        Ok(())
    }

    /// The folder that rows are written to.
    pub(in crate::catalog) fn rows_folder(&self) -> &Path {
        &self.rows
    }
}

/// Characters that the name of an upload has at most: as many as that of a file.
const LONGEST_NAME: usize = 255;

/// What a change left without use, to be removed after its commit.
#[derive(Debug, Default)]
pub(super) struct Unused {
    /// Names of files of rows.
    pub(super) files: Vec<String>,
    /// Ids of temp uploads.
    pub(super) temporaries: Vec<String>,
}

/// Forgets uploads that no table has any more.
pub(super) fn forget_unused(change: &Transaction<'_>) -> Result<Unused, rusqlite::Error> {
    const UNUSED: &str =
        "NOT EXISTS (SELECT 1 FROM table_upload WHERE table_upload.upload = upload.key)";
    let names = |query: &str| {
        let mut statement = change.prepare_cached(query)?;
        let names = statement.query_map([], |row| row.get(0))?;
        names.collect::<Result<Vec<String>, rusqlite::Error>>()
    };
    let unused = Unused {
        files: names(&format!(
            "SELECT part.file FROM part JOIN upload ON upload.key = part.upload WHERE {UNUSED}"
        ))?,
        temporaries: names(&format!(
            "SELECT temporary FROM upload WHERE temporary IS NOT NULL AND {UNUSED}"
        ))?,
    };
    change.execute(&format!("DELETE FROM upload WHERE {UNUSED}"), [])?;
    Ok(unused)
}

/// Adds a file of rows to an upload.
pub(super) fn add_part(
    change: &Transaction<'_>,
    upload: i64,
    ingested: &Ingested,
) -> Result<(), rusqlite::Error> {
    change.execute(
        "INSERT INTO part (upload, file, rows, bytes) VALUES (?, ?, ?, ?)",
        params![
            upload,
            file_name(&ingested.file),
            integer(ingested.rows),
            integer(ingested.bytes)
        ],
    )?;
    Ok(())
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn integer(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(super) fn stored(columns: &[Column]) -> Vec<StoredVariable> {
    let variable = |column: &Column| StoredVariable {
        name: column.name.clone(),
        kind: column.kind.name().to_owned(),
    };
    columns.iter().map(variable).collect()
}

/// What an upload's `metadata` says: `{"<variable>": {"label", "description", "valueLabels": {value: label}}}`.
fn said(metadata: &Map<String, Value>) -> Vec<VariableChange> {
    let changes = metadata
        .iter()
        .map(|(name, said)| VariableChange::of_json(name, said));
    // It was checked when the upload was created.
    changes.filter_map(Result::ok).collect()
}

fn key_of(change: &Transaction<'_>, table: i64, name: &str) -> Result<i64, ChangeError> {
    let found = change
        .query_row(
            "SELECT upload.key FROM upload JOIN table_upload AS link ON link.upload = upload.key
             WHERE link.version_table = ? AND NOT link.is_inherited AND upload.slug = ?",
            params![table, slug(name)],
            |row| row.get(0),
        )
        .optional()?;
    found.ok_or_else(|| ChangeError::gone("upload", name))
}

/// The name, or one like it that no other upload of the table has: clients that refuse or replace look before.
fn free_name(change: &Transaction<'_>, table: i64, name: &str) -> Result<String, rusqlite::Error> {
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => (stem, format!(".{extension}")),
        _ => (name, String::new()),
    };
    // Looked at once, as there may be many of the same name.
    let mut statement = change.prepare_cached(
        "SELECT upload.slug FROM table_upload AS link JOIN upload ON upload.key = link.upload
         WHERE link.version_table = ? AND NOT link.is_inherited",
    )?;
    let taken = statement.query_map([table], |row| row.get(0))?;
    let taken: HashSet<String> = taken.collect::<Result<_, _>>()?;
    let mut candidate = name.to_owned();
    let mut number = 2;
    while taken.contains(&slug(&candidate)) {
        candidate = format!("{stem} ({number}){extension}");
        number += 1;
    }
    Ok(candidate)
}
