//! The tables of a dataset of files: one file a released table, one file an upload in `next/<table>/`.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    data_files,
    description::{self, TableDescription},
    entries::{Entry, entries},
    times,
};
use crate::{
    catalog::{
        dataset::{Dataset, Version},
        identifier,
        table::{Table, TableEntry, TableOrigin, Upload, UploadStatus, Variable, stack},
    },
    reference::slug,
    storage::{Declared, Storage, StorageError, VariableType},
};

/// The files of a table.
#[derive(Debug, Clone, Default)]
pub(in crate::catalog) struct FileTable {
    /// The file of the release.
    released: Vec<PathBuf>,
    /// The files of the next version's uploads.
    uploads: Vec<Entry>,
    /// Where its description may be, best first.
    descriptions: Vec<PathBuf>,
}

/// The tables of a version of a dataset in this folder, sorted by name.
pub(in crate::catalog) fn tables(dataset: &Dataset, folder: &Path) -> Vec<TableEntry> {
    let mut tables: BTreeMap<String, (String, FileTable)> = BTreeMap::new();
    let mut table = |name: &str, add: &mut dyn FnMut(&mut FileTable)| {
        let new = || (name.to_owned(), FileTable::default());
        add(&mut tables.entry(slug(name)).or_insert_with(new).1);
    };
    for file in data_files(folder) {
        table(&file.name, &mut |table| {
            table.released.push(file.path.clone());
            let description = format!("{}.json", file.name);
            table.descriptions.push(folder.join(description));
        });
    }
    if dataset.version == Version::Next {
        let next = folder.join("next");
        for entry in entries(&next).into_iter().filter(|entry| entry.is_folder) {
            table(&entry.name, &mut |table| {
                table.uploads.extend(data_files(&entry.path));
                let description = format!("{}.json", entry.name);
                table.descriptions.insert(0, next.join(description));
            });
        }
    }
    let dataset_slug = slug(&dataset.reference_name);
    let owner = slug(&dataset.owner);
    tables
        .into_iter()
        .map(|(slug, (name, files))| TableEntry {
            dataset: dataset.clone(),
            name,
            id: identifier::resource_id(&[&owner, &dataset_slug, &slug]),
            replaces: false,
            is_file_index: false,
            origin: TableOrigin::Files(files),
        })
        .collect()
}

/// Looks into the files of a table.
pub(in crate::catalog) fn open(
    entry: TableEntry,
    files: &FileTable,
    storage: &Storage,
) -> Result<Table, StorageError> {
    if files.released.len() > 1 {
        let names = files.released.iter();
        return Err(StorageError::Ambiguous {
            name: entry.qualified_reference(),
            files: names.map(|path| crate::storage::shown(path)).collect(),
        });
    }
    let mut described = TableDescription::default();
    for path in files.descriptions.iter().rev() {
        if path.exists() {
            described = description::read(path)?;
        }
    }
    let table_types = declared_types(&described)?;

    let mut uploads = Vec::new();
    for path in &files.released {
        let name = entry.name.clone();
        uploads.push(upload(name, path, &table_types, &described, storage)?);
    }
    for file in &files.uploads {
        // A stem that several uploads share would name none of them.
        let slug = slug(&file.name);
        let shared = |other: &&Entry| crate::reference::slug(&other.name) == slug;
        let name = if files.uploads.iter().filter(shared).count() > 1 {
            let name = file.path.file_name().unwrap_or_default();
            name.to_string_lossy().into_owned()
        } else {
            file.name.clone()
        };
        // The table's types are what its uploads are to become; an upload keeps the types of its own file.
        let own: TableDescription = description::read(&file.path.with_extension("json"))?;
        let types = declared_types(&own)?;
        uploads.push(upload(name, &file.path, &types, &own, storage)?);
    }

    let mut variables = stack(&uploads, |name, kind| describe(name, kind, &described));
    for variable in &mut variables {
        if let Some(&kind) = table_types.get(&variable.name.to_lowercase()) {
            variable.kind = kind;
        }
    }
    let (created, updated) = (entry.dataset.created, entry.dataset.updated);
    let description = described.description;
    Ok(Table::new(
        entry,
        description,
        variables,
        uploads,
        created,
        updated,
    ))
}

fn declared_types(described: &TableDescription) -> Result<Declared, StorageError> {
    let mut types = HashMap::new();
    for variable in &described.variables {
        if let Some(kind) = &variable.kind {
            let kind = VariableType::of_name(kind).ok_or_else(|| {
                StorageError::invalid(
                    "the table's description",
                    format!("`{kind}` of `{}` is not a variable type", variable.name),
                )
            })?;
            types.insert(variable.name.to_lowercase(), kind);
        }
    }
    Ok(types)
}

fn upload(
    name: String,
    path: &Path,
    types: &Declared,
    described: &TableDescription,
    storage: &Storage,
) -> Result<Upload, StorageError> {
    let stored = storage.open(path, types)?;
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    let variables = stored
        .columns
        .iter()
        .map(|column| describe(&column.name, column.kind, described))
        .collect();
    let (created, _) = times(path);
    Ok(Upload {
        name,
        kind: match extension.to_lowercase().as_str() {
            "csv" => "delimited".to_owned(),
            // Redivis takes Arrow as a stream of rows.
            "arrow" => "stream".to_owned(),
            other => other.to_owned(),
        },
        extension: extension.to_lowercase(),
        status: UploadStatus::Completed,
        error_message: None,
        is_inherited: false,
        size: std::fs::metadata(path).ok().map(|metadata| metadata.len()),
        hash: None,
        bad_records: 0,
        options: serde_json::Map::new(),
        created,
        updated: stored.identity().modified,
        parts: vec![Arc::clone(&stored)],
        variables,
    })
}

fn describe(name: &str, kind: VariableType, described: &TableDescription) -> Variable {
    let lower = name.to_lowercase();
    let found = described
        .variables
        .iter()
        .find(|variable| variable.name.to_lowercase() == lower);
    Variable {
        name: name.to_owned(),
        kind,
        label: found.and_then(|variable| variable.label.clone()),
        description: found.and_then(|variable| variable.description.clone()),
        value_labels: found.map_or_else(Vec::new, |variable| variable.value_labels.clone()),
    }
}
