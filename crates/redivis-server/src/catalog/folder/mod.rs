//! Datasets of files: `DIR/<owner>/<dataset>/<table>.…` is released as `v1_0`, `next/` in it is the draft.
//!
//! Folders are looked at for every request, so that files which come, change or go are seen at once.

pub(super) mod description;
mod entries;
mod table;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::{
    access::Access,
    dataset::{Dataset, Origin, Version, VersionRecord},
    identifier,
};
use crate::{
    reference::{escape, slug},
    storage::SourceFormat,
};
use description::DatasetDescription;
use entries::{Entry, entries};
pub(super) use table::{FileTable, open, tables};

/// Several data folders; earlier ones hide datasets of later ones with the same name.
#[derive(Debug)]
pub(super) struct Folders(pub(super) Vec<PathBuf>);

impl Folders {
    /// The owners, by name; each with its folders.
    fn owner_folders(&self) -> impl Iterator<Item = Entry> {
        let all = self.0.iter().flat_map(|root| entries(root));
        all.filter(|entry| entry.is_folder)
    }

    /// The slugs of owners.
    pub(super) fn owners(&self) -> impl Iterator<Item = String> {
        self.owner_folders().map(|folder| slug(&folder.name))
    }

    /// The wanted datasets (by slug and reference id) of an owner in their default version, by slug.
    pub(super) fn datasets(
        &self,
        owner: &str,
        wanted: impl Fn(&str, &str) -> bool,
    ) -> BTreeMap<String, Dataset> {
        let mut found = BTreeMap::new();
        for folder in self.owner_folders() {
            if slug(&folder.name) != owner {
                continue;
            }
            for entry in entries(&folder.path) {
                let slug = slug(&entry.name);
                let id = identifier::resource_id(&[owner, &slug]);
                let reference_id = id.split('-').next().unwrap_or_default();
                if entry.is_folder && wanted(&slug, reference_id) {
                    found
                        .entry(slug)
                        .or_insert_with(|| dataset(&folder, &entry, id));
                }
            }
        }
        found
    }
}

/// The dataset in a folder.
fn dataset(owner: &Entry, entry: &Entry, id: String) -> Dataset {
    let found = description::read::<DatasetDescription>(&entry.path.join("dataset.json"));
    let described = found.unwrap_or_else(|error| {
        // Nothing is made public by a description that cannot be read.
        tracing::warn!("{error}; the dataset is treated as not public");
        DatasetDescription::default()
    });
    let public = match described.public_access_level.as_deref() {
        None => Access::None,
        Some(level) => Access::of_public_level(level).unwrap_or_else(|| {
            tracing::warn!(
                "`{level}` in `{}` is not a public access level; the dataset is treated as not public",
                crate::storage::shown(&entry.path.join("dataset.json"))
            );
            Access::None
        }),
    };
    let (created, updated) = times(&entry.path);
    let record = |version: Version| VersionRecord {
        version,
        key: 0,
        label: None,
        release_notes: None,
        is_deleted: false,
        created,
        released: version.is_released().then_some(updated),
    };
    let has_draft = entry.path.join("next").is_dir();
    let mut versions = Vec::new();
    if !has_draft || holds_data(&entry.path) {
        versions.push(record(Version::FIRST));
    }
    if has_draft {
        versions.push(record(Version::Next));
    }
    let mut dataset = Dataset {
        origin: Origin::Folder(entry.path.clone()),
        owner: escape(&owner.name),
        is_organization: false,
        name: described.name.unwrap_or_else(|| entry.name.clone()),
        reference_name: entry.name.clone(),
        id,
        version: Version::Next,
        is_sample: false,
        versions,
        public,
        description: described.description,
        methodology_markdown: None,
        usage_markdown: None,
        labels: Vec::new(),
        tags: Vec::new(),
        created,
        updated,
    };
    dataset.version = dataset.default_version();
    dataset
}

fn holds_data(folder: &Path) -> bool {
    data_files(folder).next().is_some()
}

fn data_files(folder: &Path) -> impl Iterator<Item = Entry> {
    let files = entries(folder).into_iter();
    files.filter(|entry| !entry.is_folder && SourceFormat::of(&entry.path).is_some())
}

/// When a file or folder was made and last changed; 1970 where the file system does not tell.
fn times(path: &Path) -> (SystemTime, SystemTime) {
    let metadata = std::fs::metadata(path).ok();
    let updated = metadata
        .as_ref()
        .and_then(|metadata| metadata.modified().ok())
        .unwrap_or(SystemTime::UNIX_EPOCH);
    let created = metadata.and_then(|metadata| metadata.created().ok());
    (
        created.map_or(updated, |created| created.min(updated)),
        updated,
    )
}
