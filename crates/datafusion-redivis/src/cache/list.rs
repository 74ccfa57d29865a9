//! What there is, for people: lists entries, and forgets them.

use std::io;
use std::path::Path;
use std::time::SystemTime;

use redivis::TableReference;
use redivis::resource::{Table, Variable};
use serde::{Deserialize, Serialize};

use super::entry::Manifest;
use super::evict::used;
use super::fill::Keep;
use super::folder::folders_in;
use super::{Cache, sealed};

const TABLE: &str = "table.json";

/// What is kept of a table: some of its variables, with all rows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CachedTable {
    /// The table's reference as people write it, with its version.
    pub table: String,
    /// Its version, such as `v1_0`.
    pub version: String,
    /// The variables.
    pub variables: Vec<String>,
    /// The rows.
    pub rows: u64,
    /// The size on disk, in bytes.
    pub bytes: u64,
    /// When they were read last; when they were written, if never since.
    pub last_used: SystemTime,
}

/// What the service said of a table, and to whom.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Described {
    /// The endpoint and account, as in the table's key.
    pub(super) owner: String,
    /// The reference as people write it.
    pub(super) name: String,
    pub(super) table: Table,
    pub(super) variables: Vec<Variable>,
}

impl Described {
    pub(super) fn read(folder: &Path) -> Option<Self> {
        sealed::read(&folder.join(TABLE)).ok()
    }
}

impl Keep {
    /// Writes beside the entries what the service says of their table.
    pub(super) fn describe(&self, folder: &Path) -> io::Result<()> {
        let described = Described {
            owner: self.key.owner.clone(),
            name: self.key.name.clone(),
            table: self.table.clone(),
            variables: self.variables.clone(),
        };
        sealed::replace(&folder.join(TABLE), &described)
    }
}

impl Cache {
    /// Everything that is kept, by name. Reads the disk.
    pub(crate) fn list(&self) -> Vec<CachedTable> {
        let mut list: Vec<CachedTable> = folders_in(&self.tables())
            .filter_map(|table| Some((Described::read(&table)?, table)))
            .flat_map(|(described, table)| {
                let of = move |entry: std::path::PathBuf| described.entry(&entry);
                folders_in(&table).filter_map(of).collect::<Vec<_>>()
            })
            .collect();
        list.sort_by(|a, b| (&a.table, &a.variables).cmp(&(&b.table, &b.variables)));
        list
    }

    /// Forgets a table, in the version that is named or else in all, or everything; how many entries are gone, and how many
    /// are not because they are being read. Waits for the disk.
    pub(crate) fn forget(&self, reference: Option<&TableReference>) -> io::Result<(usize, usize)> {
        let (mut gone, mut used) = (0, 0);
        if !self.tables().exists() {
            return Ok((gone, used));
        }
        let _lock = self.lock()?;
        for table in folders_in(&self.tables()) {
            let described = Described::read(&table);
            let is_meant = reference.is_none_or(|reference| {
                let described = described.as_ref();
                described.is_some_and(|described| described.is_meant_by(reference))
            });
            if !is_meant {
                continue;
            }
            for entry in folders_in(&table) {
                match self.remove_unused(&entry) {
                    true => gone += 1,
                    false => used += 1,
                }
            }
        }
        if reference.is_none() {
            self.forget_notes();
        }
        Ok((gone, used))
    }
}

impl Described {
    fn entry(&self, folder: &Path) -> Option<CachedTable> {
        let manifest = Manifest::read(folder).ok()?;
        let version = self.table.reference().and_then(|table| table.version());
        Some(CachedTable {
            table: self.name.clone(),
            version: version
                .map(|version| version.to_string())
                .unwrap_or_default(),
            variables: manifest
                .variables
                .iter()
                .map(|variable| variable.name.clone())
                .collect(),
            rows: manifest.rows,
            bytes: manifest.bytes(),
            last_used: used(folder)?,
        })
    }

    pub(super) fn is_meant_by(&self, reference: &TableReference) -> bool {
        let Some(this) = self.table.reference() else {
            return false;
        };
        let by_name = |reference: &TableReference| {
            reference
                .clone()
                .without_ids()
                .with_version(None)
                .to_string()
                .to_lowercase()
        };
        by_name(&this) == by_name(reference)
            && reference
                .version()
                .is_none_or(|version| this.version() == Some(version))
    }
}
