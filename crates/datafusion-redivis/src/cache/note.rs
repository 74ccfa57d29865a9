//! What is needed where the service cannot be asked: who asked it last, and what names led to.

use std::fs;
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};
use redivis::TableReference;
use redivis::resource::{Table, Variable};
use serde::{Deserialize, Serialize};

use super::fill::Keep;
use super::folder::{folders_in, private};
use super::key::digest;
use super::list::Described;
use super::{Cache, sealed};

/// What stays the same for so long need not be written again.
const FRESH_SECONDS: u64 = 60;

/// Who used an endpoint last.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Account {
    endpoint: String,
    account: String,
}

/// The table that a name led to, and when.
#[derive(Debug, Serialize, Deserialize)]
struct Resolved {
    reference: String,
    table: String,
    /// In seconds since 1970.
    at: u64,
}

/// A table as it was when the service was asked last.
#[derive(Debug)]
pub(crate) struct Remembered {
    pub(crate) table: Table,
    pub(crate) variables: Vec<Variable>,
    /// When the name led to this version; `None` where the name says the version itself.
    pub(crate) resolved: Option<DateTime<Utc>>,
}

impl Keep {
    /// Notes whose table this is and what name led to it, if that is not known.
    pub(crate) fn note(&self) {
        let noted = self.note_account().and_then(|()| self.note_reference());
        if let Err(error) = noted {
            tracing::warn!(
                "the cache cannot note what {} leads to: {error}",
                self.reference
            );
        }
    }

    fn note_account(&self) -> io::Result<()> {
        let account = Account {
            endpoint: self.key.endpoint.clone(),
            account: self.key.account.clone(),
        };
        let folder = self.cache.accounts();
        let file = folder.join(format!("{}.json", digest(&[&account.endpoint])));
        if sealed::read::<Account>(&file).is_ok_and(|known| known == account) {
            return Ok(());
        }
        private(&folder)?;
        sealed::replace(&file, &account)
    }

    fn note_reference(&self) -> io::Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let resolved = Resolved {
            reference: self.reference.to_string(),
            table: self.key.folder(),
            at: now.map_or(0, |now| now.as_secs()),
        };
        let folder = self.cache.references();
        let file = folder.join(file_of(&self.key.owner, &self.reference));
        let is_known = |known: Resolved| {
            known.table == resolved.table && resolved.at.abs_diff(known.at) < FRESH_SECONDS
        };
        if sealed::read(&file).is_ok_and(is_known) {
            return Ok(());
        }
        private(&folder)?;
        sealed::replace(&file, &resolved)
    }
}

impl Cache {
    /// The account that used an endpoint last; `None` where none has.
    pub(crate) fn last_account(&self, endpoint: &str) -> Option<String> {
        let file = self
            .accounts()
            .join(format!("{}.json", digest(&[endpoint])));
        Some(sealed::read::<Account>(&file).ok()?.account)
    }

    /// The table that a reference led an account to when it was asked for last; else the versions of it that there are. Reads
    /// the disk.
    pub(crate) fn remembered(
        &self,
        endpoint: &str,
        account: &str,
        reference: &TableReference,
    ) -> Result<Remembered, Vec<String>> {
        let owner = digest(&[endpoint, account]);
        let file = self.references().join(file_of(&owner, reference));
        let remembered = |described: Described, resolved| Remembered {
            table: described.table,
            variables: described.variables,
            resolved,
        };
        if let Ok(resolved) = sealed::read::<Resolved>(&file)
            && let Some(described) = Described::read(&self.tables().join(resolved.table))
        {
            let at = i64::try_from(resolved.at).ok();
            let at = at.and_then(|at| DateTime::from_timestamp(at, 0));
            let says_version =
                matches!(reference.version(), Some(redivis::Version::Numbered { .. }));
            return Ok(remembered(described, at.filter(|_| !says_version)));
        }
        let described = folders_in(&self.tables()).filter_map(|table| Described::read(&table));
        let versions: Vec<Described> = described
            .filter(|described| described.owner == owner && described.is_meant_by(reference))
            .collect();
        match reference.version() {
            Some(_) => versions
                .into_iter()
                .next()
                .map(|one| remembered(one, None))
                .ok_or_else(Vec::new),
            None => Err(versions
                .into_iter()
                .map(|described| described.name)
                .collect()),
        }
    }

    /// Forgets all of this.
    pub(super) fn forget_notes(&self) {
        let _ = fs::remove_dir_all(self.references());
        let _ = fs::remove_dir_all(self.accounts());
    }
}

fn file_of(owner: &str, reference: &TableReference) -> String {
    let reference = reference.to_string().to_lowercase();
    format!("{}.json", digest(&[owner, &reference]))
}
