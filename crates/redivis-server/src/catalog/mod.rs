//! What exists: owners, datasets, versions, tables and uploads, in data folders and in the server's own store.
//!
//! References are compared with the names found and never turned into paths. All methods block on the disk.

mod access;
mod change;
mod dataset;
mod folder;
mod identifier;
mod store;
mod table;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, Mutex},
};

pub(crate) use access::Access;
pub(crate) use dataset::{Dataset, Version, VersionRecord};
pub(crate) use folder::description::ValueLabel;
pub(crate) use identifier::resource_id;
pub(crate) use store::{
    ChangeError, DatasetChange, MERGED_FILES, MergeError, NewDataset, NewTable, NewUpload, Owner,
    Sent, TableChange, VariableChange, VersionChange, Work,
};
pub(crate) use table::{Table, TableEntry, Upload, UploadStatus, Variable};

use crate::{
    database::{Database, DatabaseError},
    reference::{DatasetReference, TableReference, VersionTag, slug},
    storage::{Storage, StorageError},
    temporary::TempUploads,
};
use dataset::Origin;
use folder::Folders;
use store::Store;
use table::TableOrigin;

/// Everything that is served.
#[derive(Debug)]
pub(crate) struct Catalog {
    folders: Folders,
    store: Store,
    storage: Arc<Storage>,
    /// Held while a dataset of files is taken into the store, which happens once.
    adopting: Mutex<()>,
}

impl Catalog {
    /// A catalog of data folders, and of the database with its folder of rows.
    ///
    /// The store's datasets hide those of folders with the same name, and earlier folders those of later ones. Nothing
    /// of a change that was cut short is left.
    pub(crate) fn new(
        folders: Vec<PathBuf>,
        database: Arc<Database>,
        rows: PathBuf,
        temporary: TempUploads,
        storage: Storage,
    ) -> Result<Self, DatabaseError> {
        let storage = Arc::new(storage);
        let store = Store {
            storage: Arc::clone(&storage),
            database,
            rows,
            temporary,
        };
        store.remove_garbage()?;
        store.requeue_uploads()?;
        Ok(Catalog {
            folders: Folders(folders),
            store,
            storage,
            adopting: Mutex::default(),
        })
    }

    /// The datasets of an owner in their default version, sorted by name.
    pub(crate) fn datasets(&self, owner: &str) -> Result<Vec<Dataset>, DatabaseError> {
        Ok(self.datasets_of(&slug(owner))?.into_values().collect())
    }

    fn datasets_of(&self, owner: &str) -> Result<BTreeMap<String, Dataset>, DatabaseError> {
        let mut found = self.of_folders(owner, |_, _| true)?;
        found.extend(self.store.datasets(owner)?);
        Ok(found)
    }

    /// The wanted datasets (by slug and reference id) of files, but those that the store took over.
    fn of_folders(
        &self,
        owner: &str,
        wanted: impl Fn(&str, &str) -> bool,
    ) -> Result<BTreeMap<String, Dataset>, DatabaseError> {
        let mut found = BTreeMap::new();
        for (slug, dataset) in self.folders.datasets(owner, wanted) {
            if self.store.key_of(&dataset.id)?.is_none() {
                found.insert(slug, dataset);
            }
        }
        Ok(found)
    }

    /// The organization of this name.
    pub(crate) fn organization(&self, name: &str) -> Result<Option<String>, DatabaseError> {
        self.store.organization(&slug(name))
    }

    /// Whether datasets of this owner are those of a user.
    pub(crate) fn is_user(&self, name: &str) -> Result<bool, DatabaseError> {
        let datasets = self.datasets_of(&slug(name))?;
        Ok(datasets.values().any(|dataset| !dataset.is_organization))
    }

    /// The dataset a reference means, in the version it means.
    pub(crate) fn dataset(
        &self,
        reference: &DatasetReference,
    ) -> Result<Option<Dataset>, DatabaseError> {
        let owner = slug(&reference.owner);
        let name = &reference.dataset;
        // The store's hide those of folders, by name and by id.
        let mut found = self
            .folders
            .datasets(&owner, |slug, id| name.fits(slug, id).is_some());
        found.extend(self.store.datasets_named(&owner, name)?);
        let fitting = found.into_iter().filter_map(|(slug, dataset)| {
            let fit = name.fits(&slug, dataset.reference_id())?;
            Some((fit, dataset))
        });
        let Some((_, dataset)) = fitting.max_by_key(|(fit, _)| *fit) else {
            return Ok(None);
        };
        let version = match reference.version {
            None => Some(dataset.default_version()),
            Some(VersionTag::Current) => dataset.current(),
            Some(VersionTag::Released(major, minor)) => Some(Version::Released(major, minor)),
            Some(VersionTag::Next) => Some(Version::Next),
        };
        let dataset = version.and_then(|version| dataset.at(version));
        Ok(match reference.sample {
            // Samples are made of what is released.
            true => dataset
                .filter(|dataset| dataset.version.is_released())
                .map(|dataset| Dataset {
                    is_sample: true,
                    ..dataset
                }),
            false => dataset,
        })
    }

    /// The tables of a version, sorted by name, without looking into their rows.
    pub(crate) fn tables(&self, dataset: &Dataset) -> Result<Vec<TableEntry>, DatabaseError> {
        match &dataset.origin {
            Origin::Folder(folder) => Ok(folder::tables(dataset, folder)),
            Origin::Store(_) => self.store.tables(dataset),
        }
    }

    /// The table a reference means, if its dataset is the given one.
    pub(crate) fn table_of(
        &self,
        dataset: &Dataset,
        reference: &TableReference,
    ) -> Result<Option<TableEntry>, DatabaseError> {
        let name = &reference.table;
        let tables = match &dataset.origin {
            Origin::Folder(folder) => folder::tables(dataset, folder),
            Origin::Store(_) => self.store.tables_named(dataset, name)?,
        };
        let fitting = tables.into_iter().filter_map(|table| {
            let fit = name.fits(&slug(&table.name), table.reference_id())?;
            Some((fit, table))
        });
        Ok(fitting.max_by_key(|(fit, _)| *fit).map(|(_, table)| table))
    }

    /// Looks into a table's rows: its variables, its row count.
    pub(crate) fn open(&self, entry: TableEntry) -> Result<Arc<Table>, StorageError> {
        self.look_into(entry).map(Arc::new)
    }

    fn look_into(&self, entry: TableEntry) -> Result<Table, StorageError> {
        let table = match entry.origin.clone() {
            TableOrigin::Files(files) => folder::open(entry, &files, &self.storage),
            TableOrigin::Store(table) => self.store.open(entry, &table),
        }?;
        Ok(match table.entry.dataset.is_sample {
            true => table.sample(),
            false => table,
        })
    }

    /// Looks into every file once, so that conversions are made and broken files told of.
    pub(crate) fn check(&self, stop: &dyn Fn() -> bool) -> Result<(), DatabaseError> {
        let mut owners: BTreeSet<String> = self.folders.owners().collect();
        owners.extend(self.store.owners()?);
        for owner in owners {
            for dataset in self.datasets(&owner)? {
                let versions: Vec<Version> = dataset.versions.iter().map(|v| v.version).collect();
                for version in versions {
                    let Some(dataset) = dataset.clone().at(version) else {
                        continue;
                    };
                    for table in self.tables(&dataset)? {
                        if stop() {
                            return Ok(());
                        }
                        let reference = table.qualified_reference();
                        if let Err(error) = self.open(table) {
                            tracing::warn!("{reference} cannot be served: {error}");
                        }
                    }
                }
            }
        }
        Ok(())
    }
}
