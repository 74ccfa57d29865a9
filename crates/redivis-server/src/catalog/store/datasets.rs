//! Creating, changing and deleting datasets.

use rusqlite::{Transaction, params};

use super::{ChangeError, Store, read, text_of, uploads, versions};
use crate::{
    catalog::{access::Access, dataset::Dataset, identifier},
    reference::{escape, slug},
};

/// Characters that a dataset's description may have (redivis-api §4).
const DESCRIPTION: usize = 256;

/// Who a dataset belongs to.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    pub(crate) name: String,
    pub(crate) is_organization: bool,
}

/// A dataset to be created.
#[derive(Debug, Clone)]
pub(crate) struct NewDataset {
    pub(crate) name: String,
    pub(crate) public: Access,
    pub(crate) description: Option<String>,
}

/// What is to be changed of a dataset; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct DatasetChange {
    pub(crate) name: Option<String>,
    pub(crate) public: Option<Access>,
    pub(crate) description: Option<Option<String>>,
    pub(crate) methodology_markdown: Option<Option<String>>,
    pub(crate) usage_markdown: Option<Option<String>>,
    pub(crate) labels: Option<Vec<String>>,
    pub(crate) tags: Option<Vec<String>>,
}

impl Store {
    /// Creates a dataset with an empty draft.
    pub(in crate::catalog) fn create_dataset(
        &self,
        owner: &Owner,
        new: &NewDataset,
    ) -> Result<Dataset, ChangeError> {
        check_name("dataset", &new.name, LONGEST_NAME)?;
        check_description(new.description.as_deref(), DESCRIPTION)?;
        let owner_slug = slug(&owner.name);
        if owner_slug.is_empty() {
            return Err(ChangeError::invalid("the owner has no name"));
        }
        self.database.write(|change| {
            let now = read::now();
            if owner.is_organization {
                change.execute(
                    "INSERT OR IGNORE INTO organization (slug, name) VALUES (?, ?)",
                    params![owner_slug, escape(&owner.name)],
                )?;
            }
            let slug = slug(&new.name);
            free_name(change, &owner_slug, &slug, &new.name)?;
            let id = identifier::random_id(|reference_id| {
                change.query_row(
                    "SELECT count(*) = 0 FROM dataset WHERE substr(id, 1, 4) = ?",
                    [reference_id],
                    |row| row.get(0),
                )
            })?;
            change.execute(
                "INSERT INTO dataset (owner, owner_slug, is_organization, name, slug, id, public_access_level,
                    description, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                params![
                    escape(&owner.name), owner_slug, owner.is_organization, new.name.trim(), slug, id,
                    new.public.name(), new.description, now, now
                ],
            )?;
            let key = change.last_insert_rowid();
            versions::add_draft(change, key)?;
            existing(change, key)
        })
    }

    /// Changes what is said about a dataset, and returns it in its default version.
    pub(in crate::catalog) fn update_dataset(
        &self,
        key: i64,
        wanted: &DatasetChange,
    ) -> Result<Dataset, ChangeError> {
        if let Some(name) = &wanted.name {
            check_name("dataset", name, LONGEST_NAME)?;
        }
        if let Some(description) = &wanted.description {
            check_description(description.as_deref(), DESCRIPTION)?;
        }
        self.database.write(|change| {
            let dataset = existing(change, key)?;
            if let Some(name) = &wanted.name {
                let new = slug(name);
                if new != slug(&dataset.name) {
                    free_name(change, &slug(&dataset.owner), &new, name)?;
                }
                change.execute(
                    "UPDATE dataset SET name = ?, slug = ? WHERE key = ?",
                    params![name.trim(), new, key],
                )?;
            }
            let set = |column: &str, value: Option<String>| {
                change.execute(
                    &format!("UPDATE dataset SET {column} = ? WHERE key = ?"),
                    params![value, key],
                )
            };
            if let Some(public) = wanted.public {
                set("public_access_level", Some(public.name().to_owned()))?;
            }
            for (column, text) in [
                ("description", &wanted.description),
                ("methodology_markdown", &wanted.methodology_markdown),
                ("usage_markdown", &wanted.usage_markdown),
            ] {
                if let Some(text) = text {
                    set(column, text.clone())?;
                }
            }
            for (column, names) in [("labels", &wanted.labels), ("tags", &wanted.tags)] {
                if let Some(names) = names {
                    set(column, Some(text_of(names)))?;
                }
            }
            touch(change, key)?;
            existing(change, key)
        })
    }

    /// Deletes a dataset with all its versions.
    pub(in crate::catalog) fn delete_dataset(&self, key: i64) -> Result<(), ChangeError> {
        let unused = self.database.write(|change| {
            let deleted = change.execute("DELETE FROM dataset WHERE key = ?", [key])?;
            if deleted == 0 {
                return Err(ChangeError::NotFound(
                    "The dataset does not exist any more".into(),
                ));
            }
            Ok(uploads::forget_unused(change)?)
        })?;
        self.remove(&unused);
        Ok(())
    }
}

/// The dataset of this key, which must still be there.
pub(super) fn existing(change: &Transaction<'_>, key: i64) -> Result<Dataset, ChangeError> {
    read::dataset(change, key)?
        .ok_or_else(|| ChangeError::NotFound("The dataset does not exist any more".into()))
}

pub(super) fn touch(change: &Transaction<'_>, key: i64) -> Result<(), rusqlite::Error> {
    change.execute(
        "UPDATE dataset SET updated_at = ? WHERE key = ?",
        params![read::now(), key],
    )?;
    Ok(())
}

fn free_name(
    change: &Transaction<'_>,
    owner: &str,
    slug: &str,
    name: &str,
) -> Result<(), ChangeError> {
    let taken: bool = change.query_row(
        "SELECT count(*) > 0 FROM dataset WHERE owner_slug = ? AND slug = ?",
        [owner, slug],
        |row| row.get(0),
    )?;
    match taken {
        true => Err(ChangeError::conflict(format!(
            "A dataset named `{name}` exists already, if characters other than letters, digits and _ are ignored"
        ))),
        false => Ok(()),
    }
}

/// Characters that the names of datasets and tables have at most.
pub(super) const LONGEST_NAME: usize = 80;

/// Refuses a name that no reference could mean.
pub(super) fn check_name(what: &str, name: &str, longest: usize) -> Result<(), ChangeError> {
    if slug(name).is_empty() {
        return Err(ChangeError::invalid(format!(
            "the {what}'s `name` must have a letter or digit"
        )));
    }
    if name.chars().count() > longest {
        return Err(ChangeError::invalid(format!(
            "the {what}'s `name` has more than {longest} characters"
        )));
    }
    if name.chars().any(char::is_control) {
        return Err(ChangeError::invalid(format!(
            "the {what}'s `name` has control characters"
        )));
    }
    Ok(())
}

pub(super) fn check_description(text: Option<&str>, most: usize) -> Result<(), ChangeError> {
    match text {
        Some(text) if text.chars().count() > most => Err(ChangeError::invalid(format!(
            "`description` has more than {most} characters"
        ))),
        _ => Ok(()),
    }
}
