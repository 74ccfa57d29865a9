//! Creating, changing and deleting tables, in a draft only.

use rusqlite::{Transaction, params};

use super::{
    ChangeError, Store,
    datasets::{self, LONGEST_NAME, check_description, check_name},
    read, uploads, versions,
};
use crate::{
    catalog::{
        dataset::{Dataset, Version},
        identifier,
        table::{TableEntry, TableOrigin},
    },
    reference::slug,
};

/// Characters that a table's description may have (redivis-api §3.1).
const DESCRIPTION: usize = 5000;
/// Tables that a dataset may have (redivis-api §6.4).
const TABLES: i64 = 1000;

/// A table to be created.
#[derive(Debug, Clone)]
pub(crate) struct NewTable {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) replaces: bool,
    pub(crate) is_file_index: bool,
}

/// What is to be changed of a table; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct TableChange {
    pub(crate) name: Option<String>,
    pub(crate) description: Option<Option<String>>,
    pub(crate) replaces: Option<bool>,
}

impl Store {
    /// Creates a table in the draft.
    pub(in crate::catalog) fn create_table(
        &self,
        dataset: i64,
        new: &NewTable,
    ) -> Result<TableEntry, ChangeError> {
        check_name("table", &new.name, LONGEST_NAME)?;
        check_description(new.description.as_deref(), DESCRIPTION)?;
        self.database.write(|change| {
            let draft = versions::at(change, dataset, Version::Next)?;
            let version = draft_key(&draft)?;
            let count: i64 = change.query_row(
                "SELECT count(*) FROM version_table WHERE version = ?",
                [version],
                |row| row.get(0),
            )?;
            if count >= TABLES {
                return Err(ChangeError::conflict(format!("A dataset has at most {TABLES} tables")));
            }
            free_name(change, version, &new.name)?;
            let id = identifier::random_id(|reference_id| {
                change.query_row(
                    "SELECT count(*) = 0 FROM version_table JOIN version ON version.key = version_table.version
                     WHERE version.dataset = ? AND substr(version_table.id, 1, 4) = ?",
                    params![dataset, reference_id],
                    |row| row.get(0),
                )
            })?;
            let now = read::now();
            change.execute(
                "INSERT INTO version_table (version, name, slug, id, description, replaces, is_file_index, created_at, updated_at)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                params![
                    version, new.name.trim(), slug(&new.name), id, new.description, new.replaces, new.is_file_index, now, now
                ],
            )?;
            datasets::touch(change, dataset)?;
            existing(change, &draft, change.last_insert_rowid())
        })
    }

    /// Changes what is said about a table. Its name and the way uploads are merged change in a draft only.
    pub(in crate::catalog) fn update_table(
        &self,
        dataset: i64,
        entry: &TableEntry,
        wanted: &TableChange,
    ) -> Result<TableEntry, ChangeError> {
        if let Some(name) = &wanted.name {
            check_name("table", name, LONGEST_NAME)?;
        }
        if let Some(description) = &wanted.description {
            check_description(description.as_deref(), DESCRIPTION)?;
        }
        self.database.write(|change| {
            let parent = versions::at(change, dataset, entry.dataset.version)?;
            let key = key_in(change, &parent, entry)?;
            if let Some(name) = &wanted.name {
                if slug(name) != slug(&entry.name) {
                    free_name(change, draft_key(&parent)?, name)?;
                }
                change.execute(
                    "UPDATE version_table SET name = ?, slug = ? WHERE key = ?",
                    params![name.trim(), slug(name), key],
                )?;
            }
            if let Some(description) = &wanted.description {
                change.execute(
                    "UPDATE version_table SET description = ? WHERE key = ?",
                    params![description, key],
                )?;
            }
            if let Some(replaces) = wanted.replaces {
                change.execute(
                    "UPDATE version_table SET replaces = ? WHERE key = ?",
                    params![replaces, key],
                )?;
            }
            change.execute(
                "UPDATE version_table SET updated_at = ? WHERE key = ?",
                params![read::now(), key],
            )?;
            existing(change, &parent, key)
        })
    }

    /// Deletes a table from the draft; releases keep theirs.
    pub(in crate::catalog) fn delete_table(
        &self,
        dataset: i64,
        entry: &TableEntry,
    ) -> Result<(), ChangeError> {
        let unused = self.database.write(|change| {
            let parent = versions::at(change, dataset, Version::Next)?;
            let key = key_in(change, &parent, entry)?;
            change.execute("DELETE FROM version_table WHERE key = ?", [key])?;
            datasets::touch(change, dataset)?;
            Ok::<_, ChangeError>(uploads::forget_unused(change)?)
        })?;
        self.remove(&unused);
        Ok(())
    }
}

fn draft_key(draft: &Dataset) -> Result<i64, ChangeError> {
    let record = draft
        .record()
        .filter(|record| !record.version.is_released());
    let gone = || ChangeError::gone("version", "next");
    record.map(|record| record.key).ok_or_else(gone)
}

/// The row of a table in this version; by its id, since the key may be of before an adoption.
pub(super) fn key_in(
    change: &Transaction<'_>,
    parent: &Dataset,
    entry: &TableEntry,
) -> Result<i64, ChangeError> {
    let found = read::tables(change, parent)?
        .into_iter()
        .find(|table| table.id == entry.id);
    match found.map(|table| table.origin) {
        Some(TableOrigin::Store(table)) => Ok(table.key),
        _ => Err(ChangeError::gone("table", &entry.name)),
    }
}

fn existing(
    change: &Transaction<'_>,
    parent: &Dataset,
    key: i64,
) -> Result<TableEntry, ChangeError> {
    let is_it =
        |table: &TableEntry| matches!(&table.origin, TableOrigin::Store(table) if table.key == key);
    let found = read::tables(change, parent)?.into_iter().find(is_it);
    found.ok_or_else(|| ChangeError::gone("table", ""))
}

fn free_name(change: &Transaction<'_>, version: i64, name: &str) -> Result<(), ChangeError> {
    let taken: bool = change.query_row(
        "SELECT count(*) > 0 FROM version_table WHERE version = ? AND slug = ?",
        params![version, slug(name)],
        |row| row.get(0),
    )?;
    match taken {
        true => Err(ChangeError::conflict(format!(
            "A table named `{name}` exists already, if characters other than letters, digits and _ are ignored"
        ))),
        false => Ok(()),
    }
}
