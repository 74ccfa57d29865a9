//! What exists: owners, datasets, versions, tables and uploads, as the data folder shows them.
//!
//! The folder is looked at for every request, so that files which come, change or go are seen at once; only what they
//! hold is remembered (see `storage`). References are compared with the names found and never turned into paths.

mod access;
mod dataset;
mod description;
mod folder;
mod identifier;
mod table;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

pub(crate) use access::Access;
pub(crate) use dataset::{Dataset, Version};
pub(crate) use description::ValueLabel;
pub(crate) use table::{Table, TableEntry, Upload, Variable};

use crate::{
    reference::{DatasetReference, TableReference, VersionTag, slug},
    storage::{Storage, StorageError},
};
use folder::{Entry, entries};

/// The data folders and what is known of their files. Its methods block on the disk.
#[derive(Debug)]
pub(crate) struct Catalog {
    roots: Vec<PathBuf>,
    storage: Storage,
}

impl Catalog {
    /// A catalog of several data folders; earlier ones hide datasets of later ones with the same name.
    pub(crate) fn new(roots: Vec<PathBuf>, storage: Storage) -> Self {
        Catalog { roots, storage }
    }

    /// The owners, by name; each with its folders.
    fn owners(&self) -> Vec<Entry> {
        self.roots
            .iter()
            .flat_map(|root| entries(root))
            .filter(|entry| entry.is_folder)
            .collect()
    }

    /// The folders of an owner's datasets, sorted by name; each after its owner's.
    fn dataset_folders(&self, owner: &str) -> Vec<(Entry, Entry)> {
        let owner = slug(owner);
        let mut found: BTreeMap<String, (Entry, Entry)> = BTreeMap::new();
        for folder in self.owners() {
            if slug(&folder.name) != owner {
                continue;
            }
            for entry in entries(&folder.path) {
                if entry.is_folder {
                    found
                        .entry(slug(&entry.name))
                        .or_insert_with(|| (folder.clone(), entry));
                }
            }
        }
        found.into_values().collect()
    }

    /// The datasets of an owner in their default version, sorted by name.
    pub(crate) fn datasets(&self, owner: &str) -> Vec<Dataset> {
        self.dataset_folders(owner)
            .iter()
            .map(|(owner, folder)| Dataset::of(owner, folder))
            .collect()
    }

    /// The dataset a reference means, in the version it means.
    pub(crate) fn dataset(&self, reference: &DatasetReference) -> Option<Dataset> {
        // There are no samples in a data folder.
        if reference.sample {
            return None;
        }
        let (owner, folder) = self
            .dataset_folders(&reference.owner)
            .into_iter()
            .filter_map(|(owner, folder)| {
                let slug = slug(&folder.name);
                let id = identifier::reference_id(&[&reference.owner, &slug]);
                let fit = reference.dataset.fits(&slug, &id)?;
                Some((fit, (owner, folder)))
            })
            .max_by_key(|(fit, _)| *fit)?
            .1;
        let dataset = Dataset::of(&owner, &folder);
        let version = match reference.version {
            None => dataset.version,
            Some(VersionTag::Current | VersionTag::Released(1, 0)) => Version::Released,
            Some(VersionTag::Next) => Version::Next,
            Some(VersionTag::Released(..)) => return None,
        };
        dataset.at(version)
    }

    /// The tables of a version, sorted by name, without looking into their files.
    pub(crate) fn tables(&self, dataset: &Dataset) -> Vec<TableEntry> {
        TableEntry::all(dataset)
    }

    /// The table a reference means, if its dataset is the given one.
    pub(crate) fn table_of(
        &self,
        dataset: &Dataset,
        reference: &TableReference,
    ) -> Option<TableEntry> {
        self.tables(dataset)
            .into_iter()
            .filter_map(|table| {
                let fit = reference
                    .table
                    .fits(&slug(&table.name), &table.reference_id())?;
                Some((fit, table))
            })
            .max_by_key(|(fit, _)| *fit)
            .map(|(_, table)| table)
    }

    /// Looks into a table's files: its variables, its row count.
    pub(crate) fn open(&self, entry: TableEntry) -> Result<Arc<Table>, StorageError> {
        Table::open(entry, &self.storage).map(Arc::new)
    }

    /// Looks into every file once, so that conversions are made and broken files told of.
    pub(crate) fn check(&self, stop: &dyn Fn() -> bool) {
        let mut owners: Vec<String> = self.owners().into_iter().map(|o| slug(&o.name)).collect();
        owners.sort();
        owners.dedup();
        for owner in owners {
            for dataset in self.datasets(&owner) {
                for version in [Version::Released, Version::Next] {
                    let Some(dataset) = dataset.clone().at(version) else {
                        continue;
                    };
                    for table in self.tables(&dataset) {
                        if stop() {
                            return;
                        }
                        let reference = table.qualified_reference();
                        if let Err(error) = self.open(table) {
                            tracing::warn!("{reference} cannot be served: {error}");
                        }
                    }
                }
            }
        }
    }
}
