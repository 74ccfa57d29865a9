//! What the store holds, as resources. One statement each; nothing here changes anything.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    time::{Duration, SystemTime},
};

use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    catalog::{
        access::Access,
        dataset::{Dataset, Origin, Version, VersionRecord},
        folder::description::ValueLabel,
        table::{Table, TableEntry, TableOrigin, Upload, UploadStatus, Variable, stack},
    },
    database::DatabaseError,
    raw_file,
    reference::Name,
    storage::{Declared, Storage, StorageError, VariableType},
};

/// A table of a version, as the store keeps it.
#[derive(Debug, Clone)]
pub(crate) struct StoreTable {
    pub(crate) key: i64,
    pub(super) description: Option<String>,
    pub(super) created: SystemTime,
    pub(super) updated: SystemTime,
}

/// A variable of an upload, as JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct StoredVariable {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
}

/// A moment as the database keeps it.
pub(super) fn time(milliseconds: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0))
}

/// This moment, as the database keeps it.
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(0))
}

fn json<T: serde::de::DeserializeOwned + Default>(text: &str) -> T {
    serde_json::from_str(text).unwrap_or_default()
}

pub(super) fn owners(connection: &Connection) -> Result<Vec<String>, DatabaseError> {
    let mut statement = connection.prepare_cached("SELECT DISTINCT owner_slug FROM dataset")?;
    let owners = statement.query_map([], |row| row.get(0))?;
    Ok(owners.collect::<Result<_, _>>()?)
}

pub(super) fn organization(
    connection: &Connection,
    slug: &str,
) -> Result<Option<String>, DatabaseError> {
    let mut statement =
        connection.prepare_cached("SELECT name FROM organization WHERE slug = ?")?;
    Ok(statement.query_row([slug], |row| row.get(0)).optional()?)
}

const DATASET: &str =
    "SELECT key, owner, is_organization, name, slug, id, public_access_level, description,
    methodology_markdown, usage_markdown, labels, tags, created_at, updated_at FROM dataset";

/// The datasets of an owner in their default version, by slug.
pub(super) fn datasets(
    connection: &Connection,
    owner: &str,
) -> Result<Vec<(String, Dataset)>, DatabaseError> {
    datasets_where(connection, "owner_slug = ? ORDER BY slug", params![owner])
}

/// Those that this name or id may mean.
pub(super) fn datasets_named(
    connection: &Connection,
    owner: &str,
    name: &Name,
) -> Result<Vec<(String, Dataset)>, DatabaseError> {
    datasets_where(
        connection,
        "owner_slug = ? AND (slug = ? OR substr(id, 1, 4) = ?)",
        params![owner, name.slug, name.id],
    )
}

fn datasets_where(
    connection: &Connection,
    condition: &str,
    parameters: &[&dyn ToSql],
) -> Result<Vec<(String, Dataset)>, DatabaseError> {
    let mut statement = connection.prepare_cached(&format!("{DATASET} WHERE {condition}"))?;
    let mut rows = statement.query(parameters)?;
    let mut datasets = Vec::new();
    while let Some(row) = rows.next()? {
        datasets.push((row.get("slug")?, dataset_of(connection, row)?));
    }
    Ok(datasets)
}

/// The key of the dataset of this id.
pub(super) fn key_of(connection: &Connection, id: &str) -> Result<Option<i64>, DatabaseError> {
    let mut statement = connection.prepare_cached("SELECT key FROM dataset WHERE id = ?")?;
    Ok(statement.query_row([id], |row| row.get(0)).optional()?)
}

/// The dataset of this key, in its default version.
pub(super) fn dataset(connection: &Connection, key: i64) -> Result<Option<Dataset>, DatabaseError> {
    let mut statement = connection.prepare_cached(&format!("{DATASET} WHERE key = ?"))?;
    let mut rows = statement.query([key])?;
    match rows.next()? {
        Some(row) => dataset_of(connection, row).map(Some),
        None => Ok(None),
    }
}

fn dataset_of(connection: &Connection, row: &Row<'_>) -> Result<Dataset, DatabaseError> {
    let key: i64 = row.get("key")?;
    let level: String = row.get("public_access_level")?;
    let name: String = row.get("name")?;
    let mut dataset = Dataset {
        origin: Origin::Store(key),
        owner: row.get("owner")?,
        is_organization: row.get("is_organization")?,
        reference_name: name.clone(),
        name,
        id: row.get("id")?,
        version: Version::Next,
        is_sample: false,
        versions: versions(connection, key)?,
        public: Access::of_public_level(&level).unwrap_or(Access::None),
        description: row.get("description")?,
        methodology_markdown: row.get("methodology_markdown")?,
        usage_markdown: row.get("usage_markdown")?,
        labels: json(&row.get::<_, String>("labels")?),
        tags: json(&row.get::<_, String>("tags")?),
        created: time(row.get("created_at")?),
        updated: time(row.get("updated_at")?),
    };
    dataset.version = dataset.default_version();
    Ok(dataset)
}

fn versions(connection: &Connection, dataset: i64) -> Result<Vec<VersionRecord>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT key, major, minor, label, release_notes, is_deleted, created_at, released_at
         FROM version WHERE dataset = ? ORDER BY major IS NULL, major, minor",
    )?;
    let records = statement.query_map([dataset], |row| {
        let numbers: (Option<u32>, Option<u32>) = (row.get("major")?, row.get("minor")?);
        Ok(VersionRecord {
            key: row.get("key")?,
            version: match numbers {
                (Some(major), Some(minor)) => Version::Released(major, minor),
                _ => Version::Next,
            },
            label: row.get("label")?,
            release_notes: row.get("release_notes")?,
            is_deleted: row.get("is_deleted")?,
            created: time(row.get("created_at")?),
            released: row.get::<_, Option<i64>>("released_at")?.map(time),
        })
    })?;
    Ok(records.collect::<Result<_, _>>()?)
}

/// The tables of the version of a dataset, sorted by name.
pub(super) fn tables(
    connection: &Connection,
    dataset: &Dataset,
) -> Result<Vec<TableEntry>, DatabaseError> {
    tables_where(connection, dataset, "? IS NULL AND ? IS NULL", None)
}

/// Those of them that this name or id may mean.
pub(super) fn tables_named(
    connection: &Connection,
    dataset: &Dataset,
    name: &Name,
) -> Result<Vec<TableEntry>, DatabaseError> {
    tables_where(
        connection,
        dataset,
        "(slug = ? OR substr(id, 1, 4) = ?)",
        Some(name),
    )
}

fn tables_where(
    connection: &Connection,
    dataset: &Dataset,
    condition: &str,
    name: Option<&Name>,
) -> Result<Vec<TableEntry>, DatabaseError> {
    let Some(version) = dataset.record() else {
        return Ok(Vec::new());
    };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT key, name, id, description, replaces, is_file_index, created_at, updated_at
         FROM version_table WHERE version = ? AND {condition} ORDER BY slug",
    ))?;
    let slug = name.map(|name| name.slug.as_str());
    let id = name.and_then(|name| name.id.as_deref());
    let tables = statement.query_map(params![version.key, slug, id], |row| {
        Ok(TableEntry {
            dataset: dataset.clone(),
            name: row.get("name")?,
            id: row.get("id")?,
            replaces: row.get("replaces")?,
            is_file_index: row.get("is_file_index")?,
            origin: TableOrigin::Store(StoreTable {
                key: row.get("key")?,
                description: row.get("description")?,
                created: time(row.get("created_at")?),
                updated: time(row.get("updated_at")?),
            }),
        })
    })?;
    Ok(tables.collect::<Result<_, _>>()?)
}

/// What is said about a variable, by its name in lower case.
type Descriptions = HashMap<String, (Option<String>, Option<String>, Vec<ValueLabel>)>;

/// What a table consists of, before its files are looked into.
pub(super) struct Contents {
    /// Each upload with its variables and the names of its files.
    uploads: Vec<(Upload, Vec<StoredVariable>, Vec<String>)>,
    described: Descriptions,
}

/// The contents of a table, if it is still there.
pub(super) fn contents(
    connection: &Connection,
    table: &StoreTable,
) -> Result<Option<Contents>, DatabaseError> {
    let is_there: bool = connection
        .prepare_cached("SELECT count(*) FROM version_table WHERE key = ?")?
        .query_row([table.key], |row| row.get(0))?;
    if !is_there {
        return Ok(None);
    }
    let mut statement = connection.prepare_cached(
        "SELECT upload.*, table_upload.is_inherited FROM table_upload JOIN upload ON upload.key = table_upload.upload
         WHERE table_upload.version_table = ? ORDER BY upload.key",
    )?;
    let mut files =
        connection.prepare_cached("SELECT file FROM part WHERE upload = ? ORDER BY key")?;
    let mut uploads = Vec::new();
    let mut rows = statement.query([table.key])?;
    while let Some(row) = rows.next()? {
        let files: Vec<String> = files
            .query_map([row.get::<_, i64>("key")?], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let variables = json(&row.get::<_, String>("variables")?);
        uploads.push((upload_of(row)?, variables, files));
    }
    Ok(Some(Contents {
        uploads,
        described: described(connection, table.key)?,
    }))
}

fn described(connection: &Connection, table: i64) -> Result<Descriptions, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT slug, label, description, value_labels FROM variable WHERE version_table = ?",
    )?;
    let described = statement.query_map(params![table], |row| {
        let labels: String = row.get("value_labels")?;
        let said = (row.get("label")?, row.get("description")?, json(&labels));
        Ok((row.get("slug")?, said))
    })?;
    Ok(described.collect::<Result<_, _>>()?)
}

/// An upload without its rows.
fn upload_of(row: &Row<'_>) -> Result<Upload, DatabaseError> {
    let options: Map<String, Value> = json(&row.get::<_, String>("options")?);
    let kind = options.get("type").and_then(Value::as_str);
    let name: String = row.get("name")?;
    let status: String = row.get("status")?;
    Ok(Upload {
        kind: kind.unwrap_or("delimited").to_owned(),
        extension: Path::new(&name)
            .extension()
            .map_or_else(String::new, |e| e.to_string_lossy().to_lowercase()),
        name,
        status: UploadStatus::of_name(&status).unwrap_or(UploadStatus::Failed),
        error_message: row.get("error_message")?,
        is_inherited: row.get("is_inherited")?,
        size: row
            .get::<_, Option<i64>>("size")?
            .and_then(|size| u64::try_from(size).ok()),
        hash: row.get("hash")?,
        bad_records: u64::try_from(row.get::<_, i64>("bad_records")?).unwrap_or(0),
        options,
        created: time(row.get("created_at")?),
        updated: time(row.get("updated_at")?),
        parts: Vec::new(),
        variables: Vec::new(),
    })
}

/// Looks into the files.
pub(super) fn open(
    entry: TableEntry,
    table: &StoreTable,
    contents: Contents,
    folder: &Path,
    storage: &Storage,
) -> Result<Table, StorageError> {
    let Contents { uploads, described } = contents;
    let describe = |name: &str, kind: VariableType| {
        let said = described.get(&name.to_lowercase()).cloned();
        let (label, description, value_labels) = said.unwrap_or_default();
        Variable {
            name: name.to_owned(),
            kind,
            label,
            description,
            value_labels,
        }
    };
    let own = |upload: &Upload| !upload.is_inherited && upload.status == UploadStatus::Completed;
    let replaced = entry.replaces && uploads.iter().any(|(upload, ..)| own(upload));
    let mut opened = Vec::with_capacity(uploads.len());
    for (mut upload, variables, files) in uploads {
        if replaced && upload.is_inherited {
            continue;
        }
        let mut types = Declared::new();
        for StoredVariable { name, kind } in &variables {
            let kind = VariableType::of_name(kind)
                .ok_or_else(|| StorageError::invalid(name, format!("`{kind}` is no type")))?;
            types.insert(name.to_lowercase(), kind);
            upload.variables.push(describe(name, kind));
        }
        if upload.status == UploadStatus::Completed {
            for file in &files {
                upload.parts.push(storage.open(&folder.join(file), &types)?);
            }
        }
        opened.push(upload);
    }
    let mut variables = stack(&opened, describe);
    if entry.is_file_index && variables.is_empty() {
        let listed = raw_file::VARIABLES.map(|(name, kind)| describe(name, kind));
        variables.extend(listed);
    }
    Ok(Table::new(
        entry,
        table.description.clone(),
        variables,
        opened,
        table.created,
        table.updated,
    ))
}

/// Temp uploads that were taken by uploads that are gone or done.
pub(super) fn forgotten_temporaries(connection: &Connection) -> Result<Vec<String>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT id FROM temporary_upload WHERE is_taken
         AND NOT EXISTS (SELECT 1 FROM upload WHERE upload.temporary = temporary_upload.id)",
    )?;
    let ids = statement.query_map([], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// The files of all rows.
pub(super) fn files(connection: &Connection) -> Result<HashSet<String>, DatabaseError> {
    let mut statement = connection.prepare_cached("SELECT file FROM part")?;
    let files = statement.query_map([], |row| row.get(0))?;
    Ok(files.collect::<Result<_, _>>()?)
}

/// The variables of an upload, as the database keeps them.
pub(super) fn variables_of(text: &str) -> Vec<StoredVariable> {
    json(text)
}

/// The type that holds the values of both.
pub(super) fn stacked(one: &str, other: &str) -> String {
    let kind = VariableType::of_name(one).zip(VariableType::of_name(other));
    let kind = kind.map_or(VariableType::String, |(one, other)| one.stacked(other));
    kind.name().to_owned()
}
