//! Changes of the catalog. Each is made in the store; a dataset of files is taken into it first.

use std::sync::PoisonError;

use rusqlite::Transaction;

use super::{
    Catalog, ChangeError, Dataset, DatasetChange, MergeError, NewDataset, NewTable, NewUpload,
    Owner, Sent, TableChange, TableEntry, Upload, VariableChange, Version, VersionChange, Work,
    dataset::Origin,
};
use crate::{database::DatabaseError, reference::slug, storage::Ingested};

impl Catalog {
    /// The store's key of a dataset.
    fn stored(&self, dataset: &Dataset) -> Result<i64, ChangeError> {
        let folder = match &dataset.origin {
            Origin::Store(key) => return Ok(*key),
            Origin::Folder(folder) => folder,
        };
        let _alone = self.adopting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = self.store.key_of(&dataset.id)? {
            return Ok(key);
        }
        tracing::info!(
            "taking `{}` into the server's store, to change it; its files are not looked at any more",
            crate::storage::shown(folder)
        );
        let mut tables = Vec::new();
        for record in &dataset.versions {
            let all = Dataset {
                is_sample: false,
                ..dataset.clone()
            };
            let Some(version) = all.at(record.version) else {
                continue;
            };
            let entries = self.tables(&version)?;
            let opened = entries.into_iter().map(|entry| self.look_into(entry));
            tables.push((record.version, opened.collect::<Result<_, _>>()?));
        }
        self.store.adopt(dataset, tables)
    }

    /// The table as it is after a change, which may have taken its dataset into the store.
    pub(crate) fn changed(&self, entry: &TableEntry) -> Result<TableEntry, ChangeError> {
        let key = self.stored(&entry.dataset)?;
        self.store.table(key, entry)
    }

    /// Creates a dataset with an empty draft.
    pub(crate) fn create_dataset(
        &self,
        owner: &Owner,
        new: &NewDataset,
    ) -> Result<Dataset, ChangeError> {
        if self.is_folder(&owner.name, &new.name) {
            return Err(ChangeError::conflict(format!(
                "A dataset named `{}` exists already, as a folder",
                new.name
            )));
        }
        self.store.create_dataset(owner, new)
    }

    /// Whether a folder is a dataset of this name.
    fn is_folder(&self, owner: &str, name: &str) -> bool {
        let name = slug(name);
        let same = self.folders.datasets(&slug(owner), |slug, _| slug == name);
        !same.is_empty()
    }

    /// Changes what is said about a dataset.
    pub(crate) fn update_dataset(
        &self,
        dataset: &Dataset,
        wanted: &DatasetChange,
    ) -> Result<Dataset, ChangeError> {
        let key = self.stored(dataset)?;
        let changed = self.store.update_dataset(key, wanted)?;
        Ok(changed.clone().at(dataset.version).unwrap_or(changed))
    }

    /// Deletes a dataset.
    pub(crate) fn delete_dataset(&self, dataset: &Dataset) -> Result<(), ChangeError> {
        match &dataset.origin {
            Origin::Store(key) if !self.is_folder(&dataset.owner, &dataset.name) => {
                self.store.delete_dataset(*key)
            }
            // It would be back at once.
            _ => Err(ChangeError::conflict(
                "This dataset is also a folder of files; remove the folder first",
            )),
        }
    }

    /// Opens the next version.
    pub(crate) fn create_version(&self, dataset: &Dataset) -> Result<Dataset, ChangeError> {
        self.store.create_version(self.stored(dataset)?)
    }

    /// Releases the draft.
    pub(crate) fn release(
        &self,
        dataset: &Dataset,
        notes: Option<&str>,
    ) -> Result<Dataset, ChangeError> {
        self.store.release(self.stored(dataset)?, notes)
    }

    /// Makes the latest release the draft again.
    pub(crate) fn unrelease(&self, dataset: &Dataset) -> Result<Dataset, ChangeError> {
        self.store.unrelease(self.stored(dataset)?)
    }

    /// Changes what is said about a version.
    pub(crate) fn update_version(
        &self,
        dataset: &Dataset,
        wanted: &VersionChange,
    ) -> Result<Dataset, ChangeError> {
        let key = self.stored(dataset)?;
        self.store.update_version(key, dataset.version, wanted)
    }

    /// Deletes a version.
    pub(crate) fn delete_version(&self, dataset: &Dataset) -> Result<Dataset, ChangeError> {
        let key = self.stored(dataset)?;
        self.store.delete_version(key, dataset.version)
    }

    /// Brings a deleted release back.
    pub(crate) fn undelete_version(
        &self,
        dataset: &Dataset,
        version: Version,
    ) -> Result<Dataset, ChangeError> {
        self.store.undelete_version(self.stored(dataset)?, version)
    }

    /// Creates a table in the draft.
    pub(crate) fn create_table(
        &self,
        dataset: &Dataset,
        new: &NewTable,
    ) -> Result<TableEntry, ChangeError> {
        if dataset.version.is_released() {
            return Err(ChangeError::invalid(format!(
                "Tables are created in the next version, and {} is released; create the next version of the dataset, \
                 and name it as in `{}.{}:next`",
                dataset.version.tag(),
                dataset.owner,
                crate::reference::escape(&dataset.reference_name)
            )));
        }
        self.store.create_table(self.stored(dataset)?, new)
    }

    /// Changes what is said about a table.
    pub(crate) fn update_table(
        &self,
        entry: &TableEntry,
        wanted: &TableChange,
    ) -> Result<TableEntry, ChangeError> {
        if wanted.name.is_some() || wanted.replaces.is_some() {
            in_draft(entry, "changed")?;
        }
        let key = self.stored(&entry.dataset)?;
        self.store.update_table(key, entry, wanted)
    }

    /// Deletes a table from the draft.
    pub(crate) fn delete_table(&self, entry: &TableEntry) -> Result<(), ChangeError> {
        in_draft(entry, "deleted")?;
        let key = self.stored(&entry.dataset)?;
        self.store.delete_table(key, entry)
    }

    /// Changes what is said about variables of tables of a dataset.
    pub(crate) fn update_variables(
        &self,
        dataset: &Dataset,
        wanted: &[(TableEntry, Vec<VariableChange>)],
    ) -> Result<(), ChangeError> {
        let key = self.stored(dataset)?;
        self.store.update_variables(key, dataset.version, wanted)
    }

    /// Takes an upload down; returns its name. `take` makes the bytes its own.
    pub(crate) fn create_upload(
        &self,
        entry: &TableEntry,
        new: &NewUpload,
        take: impl FnOnce(&Transaction<'_>) -> Result<Option<Sent>, ChangeError>,
    ) -> Result<String, ChangeError> {
        in_draft(entry, "uploaded to")?;
        if entry.is_file_index {
            return Err(ChangeError::invalid(format!(
                "The table `{}` lists files, and takes no uploads; add files to it",
                entry.name
            )));
        }
        let key = self.stored(&entry.dataset)?;
        self.store.create_upload(key, entry, new, take)
    }

    /// Refuses tables that files cannot be added to.
    pub(crate) fn takes_files(entry: &TableEntry) -> Result<(), ChangeError> {
        if !entry.is_file_index {
            return Err(ChangeError::invalid(format!(
                "The table `{}` lists no files; add them to one that was created with `isFileIndex`",
                entry.name
            )));
        }
        in_draft(entry, "given files")
    }

    /// Changes the list of a file index table: `work` is given the upload that is the list, and returns its new rows.
    pub(crate) fn change_files<T>(
        &self,
        entry: &TableEntry,
        work: impl FnOnce(&Transaction<'_>, i64) -> Result<(T, Ingested), ChangeError>,
    ) -> Result<T, ChangeError> {
        Self::takes_files(entry)?;
        let key = self.stored(&entry.dataset)?;
        self.store.change_files(key, entry, work)
    }

    /// The datasets that list a raw file, in each version that does.
    pub(crate) fn listing(&self, file: &str) -> Result<Vec<Dataset>, DatabaseError> {
        self.store.listing(file)
    }

    /// Adds rows to an upload of type stream; how many files it has then.
    pub(crate) fn insert_rows(
        &self,
        entry: &TableEntry,
        upload: &Upload,
        ingested: &Ingested,
    ) -> Result<i64, ChangeError> {
        in_draft(entry, "inserted into")?;
        let key = self.stored(&entry.dataset)?;
        self.store.insert_rows(key, entry, upload, ingested)
    }

    /// Merges small files of one upload that rows were inserted into; whether there were enough of them.
    pub(crate) fn merge(&self, stop: &dyn Fn() -> bool) -> Result<bool, MergeError> {
        self.store.merge(stop)
    }

    /// Deletes an upload with its rows.
    pub(crate) fn delete_upload(
        &self,
        entry: &TableEntry,
        upload: &str,
    ) -> Result<(), ChangeError> {
        in_draft(entry, "deleted from")?;
        let key = self.stored(&entry.dataset)?;
        self.store.delete_upload(key, entry, upload)
    }

    /// The next upload to read in, which is running from now on.
    pub(crate) fn next_upload(&self) -> Result<Option<Work>, DatabaseError> {
        self.store.next_upload()
    }

    /// Makes an upload's rows its table's, if it is still there.
    pub(crate) fn complete_upload(
        &self,
        work: &Work,
        ingested: &Ingested,
        hash: &str,
    ) -> Result<(), DatabaseError> {
        self.store.complete_upload(work, ingested, hash)
    }

    /// Notes why an upload has failed.
    pub(crate) fn fail_upload(&self, work: &Work, message: &str) -> Result<(), DatabaseError> {
        self.store.fail_upload(work, message)
    }

    /// The folder that rows are written to.
    pub(crate) fn rows_folder(&self) -> &std::path::Path {
        self.store.rows_folder()
    }
}

/// Refuses to change what is released. Asked before anything else, so that a refusal leaves a folder as it is.
fn in_draft(entry: &TableEntry, what: &str) -> Result<(), ChangeError> {
    let version = entry.dataset.version;
    if !version.is_released() {
        return Ok(());
    }
    let reference = entry.qualified_reference();
    let next = reference.replace(&format!(":{}.", version.in_reference()), ":next.");
    Err(ChangeError::invalid(format!(
        "The table `{}` cannot be {what} in the released version {}; create the next version of the dataset, and name \
         it as in `{next}`",
        entry.name,
        version.tag(),
    )))
}
