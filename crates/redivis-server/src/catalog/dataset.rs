//! A dataset in one of its versions, wherever it is kept.
//!
//! Two origins, one shape: the files of a data folder, and the server's own store.

use std::{path::PathBuf, time::SystemTime};

use super::access::Access;
use crate::reference::escape;

/// A version of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    /// Major and minor number.
    Released(u32, u32),
    /// The unreleased draft.
    Next,
}

impl Version {
    /// The first release.
    pub(crate) const FIRST: Version = Version::Released(1, 0);

    /// The tag in references.
    pub(crate) fn in_reference(self) -> String {
        match self {
            Version::Released(major, minor) => format!("v{major}_{minor}"),
            Version::Next => "next".to_owned(),
        }
    }

    /// The tag in resources.
    pub(crate) fn tag(self) -> String {
        match self {
            Version::Released(major, minor) => format!("v{major}.{minor}"),
            Version::Next => "next".to_owned(),
        }
    }

    pub(crate) fn is_released(self) -> bool {
        self != Version::Next
    }
}

/// What is known of a version.
#[derive(Debug, Clone)]
pub(crate) struct VersionRecord {
    pub(crate) version: Version,
    /// Its row in the store; of no meaning for a folder.
    pub(crate) key: i64,
    pub(crate) label: Option<String>,
    pub(crate) release_notes: Option<String>,
    pub(crate) is_deleted: bool,
    pub(crate) created: SystemTime,
    pub(crate) released: Option<SystemTime>,
}

/// Where a dataset is kept.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// Files in this folder.
    Folder(PathBuf),
    /// The server's own store, by its row.
    Store(i64),
}

/// A dataset, in one version.
#[derive(Debug, Clone)]
pub(crate) struct Dataset {
    pub(crate) origin: Origin,
    /// The owner's name as references carry it.
    pub(crate) owner: String,
    pub(crate) is_organization: bool,
    /// The dataset's own name.
    pub(crate) name: String,
    /// The name that references are made of.
    pub(crate) reference_name: String,
    /// The resource id.
    pub(crate) id: String,
    /// The version that is meant.
    pub(crate) version: Version,
    /// Whether the sample of the version is meant.
    pub(crate) is_sample: bool,
    /// All versions, deleted ones too, in their order; the draft is the last.
    pub(crate) versions: Vec<VersionRecord>,
    pub(crate) public: Access,
    pub(crate) description: Option<String>,
    pub(crate) methodology_markdown: Option<String>,
    pub(crate) usage_markdown: Option<String>,
    pub(crate) labels: Vec<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) created: SystemTime,
    pub(crate) updated: SystemTime,
}

impl Dataset {
    /// What somebody whose scopes allow this much may do with it. What is public of it is public of its releases, not of
    /// what is being prepared.
    pub(crate) fn granted(&self, scopes: Access) -> Access {
        let granted = match self.version {
            Version::Next => scopes,
            Version::Released(..) => scopes.max(self.public),
        };
        match granted {
            // All that there is of a sample.
            Access::Sample if self.is_sample => Access::Data,
            granted => granted,
        }
    }

    /// Whether anybody may read its rows.
    pub(crate) fn is_public(&self) -> bool {
        self.granted(Access::None) >= Access::Data
    }

    /// The same dataset in another version, if it has it.
    pub(crate) fn at(self, version: Version) -> Option<Self> {
        let exists = self.record_of(version).is_some();
        exists.then_some(Dataset { version, ..self })
    }

    fn record_of(&self, version: Version) -> Option<&VersionRecord> {
        self.versions
            .iter()
            .find(|record| record.version == version && !record.is_deleted)
    }

    /// The version that is meant.
    pub(crate) fn record(&self) -> Option<&VersionRecord> {
        self.record_of(self.version)
    }

    /// The latest release.
    pub(crate) fn current(&self) -> Option<Version> {
        let releases = self.versions.iter().rev();
        releases
            .filter(|record| record.version.is_released() && !record.is_deleted)
            .map(|record| record.version)
            .next()
    }

    pub(crate) fn has_draft(&self) -> bool {
        self.record_of(Version::Next).is_some()
    }

    /// The version when none is named: the latest release, else the draft.
    pub(crate) fn default_version(&self) -> Version {
        self.current().unwrap_or(Version::Next)
    }

    /// The versions that exist before and after this one.
    pub(crate) fn neighbours(&self) -> (Option<&VersionRecord>, Option<&VersionRecord>) {
        let exists = |record: &&VersionRecord| !record.is_deleted;
        let before = |record: &&VersionRecord| record.version < self.version;
        let after = |record: &&VersionRecord| record.version > self.version;
        let mut versions = self.versions.iter();
        (
            self.versions.iter().rev().filter(exists).find(before),
            versions.by_ref().filter(exists).find(after),
        )
    }

    pub(crate) fn reference_id(&self) -> &str {
        self.id.split('-').next().unwrap_or_default()
    }

    /// `dataset:id:version`, or `dataset:id:sample:version`.
    pub(crate) fn scoped_reference(&self) -> String {
        let sample = if self.is_sample { ":sample" } else { "" };
        format!(
            "{}:{}{sample}:{}",
            escape(&self.reference_name),
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
