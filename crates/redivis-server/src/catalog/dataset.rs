//! A dataset in one of its versions: the release `v1_0`, or the unreleased `next`.
//!
//! A data folder has at most these two: files directly in the dataset's folder are released, `next/` is the draft.

use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::{
    access::Access,
    description::{self, DatasetDescription},
    folder::{Entry, entries},
    identifier,
};
use crate::{
    reference::{escape, slug},
    storage::SourceFormat,
};

/// A version of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    Released,
    Next,
}

impl Version {
    /// The tag in references.
    pub(crate) fn in_reference(self) -> &'static str {
        match self {
            Version::Released => "v1_0",
            Version::Next => "next",
        }
    }

    /// The tag in resources.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Version::Released => "v1.0",
            Version::Next => "next",
        }
    }
}

/// A dataset, in one version.
#[derive(Debug, Clone)]
pub(crate) struct Dataset {
    /// The owner's name as references carry it.
    pub(crate) owner: String,
    /// The dataset's own name.
    pub(crate) name: String,
    /// The name of its folder, which references are made of.
    folder_name: String,
    pub(crate) folder: PathBuf,
    pub(crate) version: Version,
    pub(crate) description: Option<String>,
    pub(crate) public: Access,
    pub(crate) has_release: bool,
    pub(crate) has_draft: bool,
    pub(crate) created: SystemTime,
    pub(crate) updated: SystemTime,
}

impl Dataset {
    /// The dataset in a folder, in the version that is meant when none is named: the release, if there is one.
    pub(crate) fn of(owner: &Entry, entry: &Entry) -> Self {
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
        let has_draft = entry.path.join("next").is_dir();
        let has_release = !has_draft || holds_data(&entry.path);
        let (created, updated) = times(&entry.path);
        Dataset {
            owner: escape(&owner.name),
            name: described.name.unwrap_or_else(|| entry.name.clone()),
            folder_name: entry.name.clone(),
            folder: entry.path.clone(),
            version: if has_release {
                Version::Released
            } else {
                Version::Next
            },
            description: described.description,
            public,
            has_release,
            has_draft,
            created,
            updated,
        }
    }

    /// The same dataset in another version, if it has it.
    pub(crate) fn at(self, version: Version) -> Option<Self> {
        let exists = match version {
            Version::Released => self.has_release,
            Version::Next => self.has_draft,
        };
        exists.then_some(Dataset { version, ..self })
    }

    pub(crate) fn slug(&self) -> String {
        slug(&self.folder_name)
    }

    /// The names that its ids are made of.
    pub(crate) fn names(&self) -> [String; 2] {
        [slug(&self.owner), self.slug()]
    }

    pub(crate) fn reference_id(&self) -> String {
        let [owner, dataset] = self.names();
        identifier::reference_id(&[&owner, &dataset])
    }

    pub(crate) fn id(&self) -> String {
        let [owner, dataset] = self.names();
        identifier::resource_id(&[&owner, &dataset])
    }

    /// `dataset:id:version`.
    pub(crate) fn scoped_reference(&self) -> String {
        format!(
            "{}:{}:{}",
            escape(&self.folder_name),
            self.reference_id(),
            self.version.in_reference()
        )
    }

    /// `owner.dataset:id:version`.
    pub(crate) fn qualified_reference(&self) -> String {
        format!("{}.{}", self.owner, self.scoped_reference())
    }

    pub(crate) fn uri(&self) -> String {
        format!("/datasets/{}", self.qualified_reference())
    }
}

fn holds_data(folder: &Path) -> bool {
    entries(folder)
        .iter()
        .any(|entry| !entry.is_folder && SourceFormat::of(&entry.path).is_some())
}

/// When a file or folder was made and last changed; 1970 where the file system does not tell.
pub(crate) fn times(path: &Path) -> (SystemTime, SystemTime) {
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
