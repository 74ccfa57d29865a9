//! Datasets in the server's own store: what they are is in the database, their rows are Parquet files beside it.
//!
//! Files never change once they are named; versions and uploads only point at them. So a release is one transaction,
//! and a draft takes over the rows of the version before it without copying any.

mod adopt;
mod change;
mod datasets;
mod files;
mod merges;
mod read;
mod tables;
mod uploads;
mod variables;
mod versions;

use std::{ffi::OsStr, path::PathBuf, sync::Arc};

use serde_json::Value;

pub(crate) use change::ChangeError;
pub(crate) use datasets::{DatasetChange, NewDataset, Owner};
pub(crate) use merges::{FILES as MERGED_FILES, MergeError};
pub(crate) use read::StoreTable;
pub(crate) use tables::{NewTable, TableChange};
pub(crate) use uploads::{NewUpload, Sent, Work};
pub(crate) use variables::VariableChange;
pub(crate) use versions::VersionChange;

use super::{
    dataset::Dataset,
    table::{Table, TableEntry},
};
use crate::{
    database::{Database, DatabaseError},
    reference::Name,
    storage::{Storage, StorageError},
    temporary::TempUploads,
};
use uploads::Unused;

/// How often a table is looked into again because it changed meanwhile.
const TRIES: u32 = 10;

/// The store.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) database: Arc<Database>,
    /// The folder of the rows.
    pub(super) rows: PathBuf,
    pub(super) storage: Arc<Storage>,
    /// The bytes of uploads that are not read in yet.
    pub(super) temporary: TempUploads,
}

impl Store {
    /// The datasets of an owner in their default version, by slug.
    pub(super) fn datasets(&self, owner: &str) -> Result<Vec<(String, Dataset)>, DatabaseError> {
        self.database
            .read(|connection| read::datasets(connection, owner))
    }

    /// Those that this name or id may mean.
    pub(super) fn datasets_named(
        &self,
        owner: &str,
        name: &Name,
    ) -> Result<Vec<(String, Dataset)>, DatabaseError> {
        self.database
            .read(|connection| read::datasets_named(connection, owner, name))
    }

    /// The slugs of owners.
    pub(super) fn owners(&self) -> Result<Vec<String>, DatabaseError> {
        self.database.read(read::owners)
    }

    /// The organization of this slug, if there is one, by its name.
    pub(super) fn organization(&self, slug: &str) -> Result<Option<String>, DatabaseError> {
        self.database
            .read(|connection| read::organization(connection, slug))
    }

    /// The tables of a version, sorted by name.
    pub(super) fn tables(&self, dataset: &Dataset) -> Result<Vec<TableEntry>, DatabaseError> {
        self.database
            .read(|connection| read::tables(connection, dataset))
    }

    /// Those of them that this name or id may mean.
    pub(super) fn tables_named(
        &self,
        dataset: &Dataset,
        name: &Name,
    ) -> Result<Vec<TableEntry>, DatabaseError> {
        self.database
            .read(|connection| read::tables_named(connection, dataset, name))
    }

    /// The key of the dataset of this id.
    pub(super) fn key_of(&self, id: &str) -> Result<Option<i64>, DatabaseError> {
        self.database
            .read(|connection| read::key_of(connection, id))
    }

    /// The same table of a dataset as it is now.
    pub(super) fn table(
        &self,
        dataset: i64,
        entry: &TableEntry,
    ) -> Result<TableEntry, ChangeError> {
        let gone = || ChangeError::gone("table", &entry.name);
        self.database.read(|connection| {
            let dataset = read::dataset(connection, dataset)?.ok_or_else(gone)?;
            let dataset = dataset.at(entry.dataset.version).ok_or_else(gone)?;
            let tables = read::tables(connection, &dataset)?;
            tables
                .into_iter()
                .find(|table| table.id == entry.id)
                .ok_or_else(gone)
        })
    }

    /// Looks into the rows of a table.
    pub(super) fn open(
        &self,
        entry: TableEntry,
        table: &StoreTable,
    ) -> Result<Table, StorageError> {
        let mut tries = 0;
        loop {
            let contents = self
                .database
                .read(|connection| read::contents(connection, table))
                .map_err(StorageError::from)?;
            let contents = contents.ok_or_else(|| StorageError::Gone(entry.name.clone()))?;
            match read::open(entry.clone(), table, contents, &self.rows, &self.storage) {
                // A file was given up after the look at the database, which names another one now, or none.
                Err(StorageError::Changed { .. }) if tries < TRIES => tries += 1,
                outcome => return outcome,
            }
        }
    }

    /// Removes what nothing points at any more, of changes that were cut short. Only before anything is changed.
    pub(super) fn remove_garbage(&self) -> Result<(), DatabaseError> {
        let (named, unused) = self.database.read(|connection| {
            let unused = Unused {
                files: Vec::new(),
                temporaries: read::forgotten_temporaries(connection)?,
            };
            Ok::<_, DatabaseError>((read::files(connection)?, unused))
        })?;
        self.remove(&unused);
        let Ok(listing) = std::fs::read_dir(&self.rows) else {
            return Ok(());
        };
        for file in listing.flatten() {
            let name = file.file_name();
            if !name.to_str().is_some_and(|name| named.contains(name)) {
                self.remove_file(&name);
            }
        }
        Ok(())
    }

    /// Removes what a change left without use. What cannot be removed now goes at the next start.
    fn remove(&self, unused: &Unused) {
        for name in &unused.files {
            self.remove_file(name.as_ref());
        }
        for id in &unused.temporaries {
            self.temporary.remove(id);
        }
    }

    fn remove_file(&self, name: &OsStr) {
        self.storage.give_up(&self.rows.join(name));
    }
}

/// JSON as the database keeps it.
fn text_of(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).map_or_else(|_| "null".to_owned(), |value: Value| value.to_string())
}
