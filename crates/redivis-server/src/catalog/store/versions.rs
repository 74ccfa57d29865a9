//! Drafts and releases. A release is one transaction: what was the draft gets a number, and no row is touched.

use std::collections::HashMap;

use rusqlite::{Connection, Transaction, params};

use super::{ChangeError, Store, datasets, read, uploads};
use crate::{
    catalog::dataset::{Dataset, Version},
    database::DatabaseError,
};

/// What is to be changed of a version; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct VersionChange {
    pub(crate) label: Option<Option<String>>,
    pub(crate) release_notes: Option<Option<String>>,
}

impl Store {
    /// Opens the next version, which begins with what the latest release has.
    pub(in crate::catalog) fn create_version(&self, key: i64) -> Result<Dataset, ChangeError> {
        self.database.write(|change| {
            let dataset = datasets::existing(change, key)?;
            if dataset.has_draft() {
                return Err(ChangeError::conflict(
                    "The next version exists already; release it, or delete it, before another is created",
                ));
            }
            let release = dataset.current().and_then(|version| dataset.clone().at(version));
            let draft = add_draft(change, key)?;
            if let Some(record) = release.as_ref().and_then(Dataset::record) {
                inherit(change, record.key, draft)?;
            }
            datasets::touch(change, key)?;
            at(change, key, Version::Next)
        })
    }

    /// Releases the draft.
    pub(in crate::catalog) fn release(
        &self,
        key: i64,
        notes: Option<&str>,
    ) -> Result<Dataset, ChangeError> {
        self.database.write(|change| {
            let draft = at(change, key, Version::Next)?;
            let record = draft
                .record()
                .ok_or_else(|| ChangeError::gone("version", "next"))?;
            refuse_unfinished(change, record.key)?;
            let version = next_version(change, &draft, record.key)?;
            let Version::Released(major, minor) = version else {
                return Err(ChangeError::gone("version", "next"));
            };
            change.execute(
                "UPDATE version SET major = ?, minor = ?, released_at = ?, release_notes = coalesce(?, release_notes)
                 WHERE key = ?",
                params![major, minor, read::now(), notes, record.key],
            )?;
            datasets::touch(change, key)?;
            at(change, key, version)
        })
    }

    /// Takes the latest release back: it is the draft again.
    pub(in crate::catalog) fn unrelease(&self, key: i64) -> Result<Dataset, ChangeError> {
        self.database.write(|change| {
            let dataset = datasets::existing(change, key)?;
            if dataset.has_draft() {
                return Err(ChangeError::conflict(
                    "The next version exists already; delete it before the current one is unreleased",
                ));
            }
            let current = dataset
                .current()
                .ok_or_else(|| ChangeError::conflict("No version of this dataset is released"))?;
            let record = at(change, key, current)?;
            let record = record
                .record()
                .ok_or_else(|| ChangeError::gone("version", &current.tag()))?;
            change.execute(
                "UPDATE version SET major = NULL, minor = NULL, released_at = NULL WHERE key = ?",
                [record.key],
            )?;
            datasets::touch(change, key)?;
            at(change, key, Version::Next)
        })
    }

    /// Changes what is said about a version.
    pub(in crate::catalog) fn update_version(
        &self,
        key: i64,
        version: Version,
        wanted: &VersionChange,
    ) -> Result<Dataset, ChangeError> {
        self.database.write(|change| {
            let dataset = at(change, key, version)?;
            let record = dataset
                .record()
                .ok_or_else(|| ChangeError::gone("version", &version.tag()))?;
            if let Some(label) = &wanted.label {
                change.execute(
                    "UPDATE version SET label = ? WHERE key = ?",
                    params![label, record.key],
                )?;
            }
            if let Some(notes) = &wanted.release_notes {
                change.execute(
                    "UPDATE version SET release_notes = ? WHERE key = ?",
                    params![notes, record.key],
                )?;
            }
            at(change, key, version)
        })
    }

    /// Deletes a version: a release can be brought back, a draft cannot. Returns the dataset with what is left.
    pub(in crate::catalog) fn delete_version(
        &self,
        key: i64,
        version: Version,
    ) -> Result<Dataset, ChangeError> {
        let (dataset, unused) = self.database.write(|change| {
            let dataset = at(change, key, version)?;
            let record = dataset
                .record()
                .ok_or_else(|| ChangeError::gone("version", &version.tag()))?;
            if dataset
                .versions
                .iter()
                .filter(|record| !record.is_deleted)
                .count()
                == 1
            {
                return Err(ChangeError::conflict(
                    "This is the dataset's only version; delete the dataset instead",
                ));
            }
            if version.is_released() {
                change.execute(
                    "UPDATE version SET is_deleted = 1 WHERE key = ?",
                    [record.key],
                )?;
            } else {
                change.execute("DELETE FROM version WHERE key = ?", [record.key])?;
            }
            datasets::touch(change, key)?;
            let unused = uploads::forget_unused(change)?;
            Ok((datasets::existing(change, key)?, unused))
        })?;
        self.remove(&unused);
        Ok(dataset)
    }

    /// Brings a deleted release back.
    pub(in crate::catalog) fn undelete_version(
        &self,
        key: i64,
        version: Version,
    ) -> Result<Dataset, ChangeError> {
        let Version::Released(major, minor) = version else {
            return Err(ChangeError::conflict(
                "A draft that was deleted cannot be brought back",
            ));
        };
        self.database.write(|change| {
            let found = change.execute(
                "UPDATE version SET is_deleted = 0 WHERE dataset = ? AND major = ? AND minor = ?",
                params![key, major, minor],
            )?;
            match found {
                0 => Err(ChangeError::NotFound(format!(
                    "There is no version `{}`",
                    version.tag()
                ))),
                _ => at(change, key, version),
            }
        })
    }
}

/// The dataset in this version, which must still be there.
pub(super) fn at(
    change: &Transaction<'_>,
    key: i64,
    version: Version,
) -> Result<Dataset, ChangeError> {
    datasets::existing(change, key)?
        .at(version)
        .ok_or_else(|| match version {
            Version::Next => ChangeError::conflict(
                "The dataset has no next version; create it first, as with `create_next_version()`",
            ),
            released => ChangeError::gone("version", &released.tag()),
        })
}

/// Adds an empty draft; its key.
pub(super) fn add_draft(change: &Transaction<'_>, dataset: i64) -> Result<i64, rusqlite::Error> {
    change.execute(
        "INSERT INTO version (dataset, created_at) VALUES (?, ?)",
        params![dataset, read::now()],
    )?;
    Ok(change.last_insert_rowid())
}

/// Takes over the tables of a version, with what is said about them and the rows that they show.
fn inherit(change: &Transaction<'_>, from: i64, to: i64) -> Result<(), rusqlite::Error> {
    change.execute(
        "INSERT INTO version_table (version, name, slug, id, description, replaces, is_file_index, created_at, updated_at)
         SELECT ?, name, slug, id, description, replaces, is_file_index, created_at, updated_at
         FROM version_table WHERE version = ? ORDER BY key",
        params![to, from],
    )?;
    const SAME: &str = "version_table AS old JOIN version_table AS new ON new.id = old.id AND old.version = ? AND new.version = ?";
    change.execute(
        &format!(
            "INSERT INTO variable (version_table, slug, label, description, value_labels)
             SELECT new.key, v.slug, v.label, v.description, v.value_labels
             FROM {SAME} JOIN variable AS v ON v.version_table = old.key"
        ),
        params![from, to],
    )?;
    // Where uploads replaced what was inherited, only they go on.
    change.execute(
        &format!(
            "INSERT INTO table_upload (version_table, upload, is_inherited)
             SELECT new.key, link.upload, 1
             FROM {SAME} JOIN table_upload AS link ON link.version_table = old.key
             JOIN upload ON upload.key = link.upload AND upload.status = 'completed'
             WHERE NOT (old.replaces AND link.is_inherited AND EXISTS (
                 SELECT 1 FROM table_upload AS own JOIN upload AS u ON u.key = own.upload
                 WHERE own.version_table = old.key AND NOT own.is_inherited AND u.status = 'completed'))"
        ),
        params![from, to],
    )?;
    Ok(())
}

/// A draft is released when all that was given to it is in it.
fn refuse_unfinished(change: &Transaction<'_>, version: i64) -> Result<(), ChangeError> {
    let mut statement = change.prepare_cached(
        "SELECT upload.name, version_table.name, upload.status FROM version_table
         JOIN table_upload AS link ON link.version_table = version_table.key AND NOT link.is_inherited
         JOIN upload ON upload.key = link.upload
         WHERE version_table.version = ? AND upload.status <> 'completed' LIMIT 1",
    )?;
    let mut rows = statement.query([version])?;
    let Some(row) = rows.next()? else {
        return Ok(());
    };
    let (upload, table, status): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    Err(ChangeError::conflict(match status.as_str() {
        "failed" => format!(
            "The upload `{upload}` of the table `{table}` has failed; delete it before the version is released"
        ),
        _ => format!("The upload `{upload}` of the table `{table}` is not finished; wait for it"),
    }))
}

/// The number of the draft: a major one where tables or variables are gone or of another type (Redivis' documentation
/// of versions), else a minor one.
fn next_version(
    connection: &Connection,
    draft: &Dataset,
    key: i64,
) -> Result<Version, DatabaseError> {
    let released = draft
        .versions
        .iter()
        .filter(|record| record.version.is_released());
    let Some(latest) = released.max_by_key(|record| record.version) else {
        return Ok(Version::FIRST);
    };
    let before = schemas(connection, latest.key)?;
    let after = schemas(connection, key)?;
    let kept = before.iter().all(|(table, variables)| {
        after.get(table).is_some_and(|new| {
            variables
                .iter()
                .all(|(name, kind)| new.get(name) == Some(kind))
        })
    });
    Ok(match latest.version {
        Version::Released(major, minor) if kept => Version::Released(major, minor + 1),
        Version::Released(major, _) => Version::Released(major + 1, 0),
        Version::Next => Version::FIRST,
    })
}

/// The types of all variables of a version, by table id and lower-case name.
fn schemas(
    connection: &Connection,
    version: i64,
) -> Result<HashMap<String, HashMap<String, String>>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT t.id, t.replaces, link.is_inherited, upload.variables FROM version_table AS t
         LEFT JOIN table_upload AS link ON link.version_table = t.key
         LEFT JOIN upload ON upload.key = link.upload AND upload.status = 'completed'
         WHERE t.version = ? ORDER BY t.key, link.is_inherited, upload.key",
    )?;
    let mut schemas: HashMap<String, HashMap<String, String>> = HashMap::new();
    let mut rows = statement.query([version])?;
    while let Some(row) = rows.next()? {
        let (id, replaces): (String, bool) = (row.get(0)?, row.get(1)?);
        let (inherited, variables): (Option<bool>, Option<String>) = (row.get(2)?, row.get(3)?);
        let schema = schemas.entry(id).or_default();
        // Own uploads come first; they hide what is inherited where they replace it.
        if replaces && inherited == Some(true) && !schema.is_empty() {
            continue;
        }
        for variable in read::variables_of(variables.as_deref().unwrap_or("[]")) {
            let lower = variable.name.to_lowercase();
            let kind = match schema.get(&lower) {
                Some(known) if *known != variable.kind => read::stacked(known, &variable.kind),
                _ => variable.kind,
            };
            schema.insert(lower, kind);
        }
    }
    Ok(schemas)
}
