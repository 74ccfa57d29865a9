//! A table: the files it is made of, and the variables they have together.
//!
//! A released table is one file. A table of the next version is what the release has, if anything, and one file per
//! upload, stacked by variable names; its stored types may differ from upload to upload.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::Arc,
    time::SystemTime,
};

use sha2::{Digest, Sha256};

use super::{
    ValueLabel,
    dataset::{Dataset, Version, times},
    description::{self, TableDescription},
    folder::{Entry, entries},
    identifier,
};
use crate::{
    reference::{escape, slug},
    storage::{Declared, SourceFormat, Storage, StorageError, Stored, VariableType},
    token::hex,
};

/// A table as its files' names show it.
#[derive(Debug, Clone)]
pub(crate) struct TableEntry {
    pub(crate) dataset: Dataset,
    pub(crate) name: String,
    /// The file of the release.
    released: Vec<PathBuf>,
    /// The files of the next version's uploads.
    uploads: Vec<Entry>,
    /// Where its description may be, best first.
    descriptions: Vec<PathBuf>,
}

impl TableEntry {
    /// The tables of a version.
    pub(crate) fn all(dataset: &Dataset) -> Vec<Self> {
        let mut tables: BTreeMap<String, TableEntry> = BTreeMap::new();
        let entry = |name: &str| TableEntry {
            dataset: dataset.clone(),
            name: name.to_owned(),
            released: Vec::new(),
            uploads: Vec::new(),
            descriptions: Vec::new(),
        };
        for file in data_files(&dataset.folder) {
            let table = tables
                .entry(slug(&file.name))
                .or_insert_with(|| entry(&file.name));
            let description = format!("{}.json", file.name);
            table.released.push(file.path);
            table.descriptions.push(dataset.folder.join(description));
        }
        if dataset.version == Version::Next {
            let next = dataset.folder.join("next");
            for folder in entries(&next).into_iter().filter(|entry| entry.is_folder) {
                let table = tables
                    .entry(slug(&folder.name))
                    .or_insert_with(|| entry(&folder.name));
                table.uploads.extend(data_files(&folder.path));
                let description = format!("{}.json", folder.name);
                table.descriptions.insert(0, next.join(description));
            }
        }
        tables.into_values().collect()
    }

    fn names(&self) -> [String; 3] {
        let [owner, dataset] = self.dataset.names();
        [owner, dataset, slug(&self.name)]
    }

    pub(crate) fn reference_id(&self) -> String {
        let [owner, dataset, table] = self.names();
        identifier::reference_id(&[&owner, &dataset, &table])
    }

    pub(crate) fn id(&self) -> String {
        let [owner, dataset, table] = self.names();
        identifier::resource_id(&[&owner, &dataset, &table])
    }

    /// `table:id`.
    pub(crate) fn scoped_reference(&self) -> String {
        format!("{}:{}", escape(&self.name), self.reference_id())
    }

    /// `owner.dataset:id:version.table:id`.
    pub(crate) fn qualified_reference(&self) -> String {
        let dataset = self.dataset.qualified_reference();
        format!("{dataset}.{}", self.scoped_reference())
    }

    pub(crate) fn uri(&self) -> String {
        format!("/tables/{}", self.qualified_reference())
    }
}

fn data_files(folder: &std::path::Path) -> impl Iterator<Item = Entry> {
    entries(folder)
        .into_iter()
        .filter(|entry| !entry.is_folder && SourceFormat::of(&entry.path).is_some())
}

/// A variable of a table.
#[derive(Debug, Clone)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) kind: VariableType,
    pub(crate) label: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) value_labels: Vec<ValueLabel>,
}

/// A file of a table.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    pub(crate) name: String,
    /// The extension of its file, in lower case.
    pub(crate) format: String,
    /// The size of its file in bytes.
    pub(crate) size: u64,
    pub(crate) created: SystemTime,
    pub(crate) stored: Arc<Stored>,
    pub(crate) variables: Vec<Variable>,
}

/// A table whose files were looked into.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) entry: TableEntry,
    pub(crate) description: Option<String>,
    pub(crate) variables: Vec<Variable>,
    /// Its files in the order of their rows.
    pub(crate) uploads: Vec<Upload>,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// 32 hexadecimal digits that change with the content.
    pub(crate) hash: String,
    pub(crate) created: SystemTime,
    pub(crate) updated: SystemTime,
}

impl Table {
    pub(crate) fn open(entry: TableEntry, storage: &Storage) -> Result<Self, StorageError> {
        if entry.released.len() > 1 {
            let names = entry
                .released
                .iter()
                .map(|path| crate::storage::shown(path));
            return Err(StorageError::Ambiguous {
                name: entry.qualified_reference(),
                files: names.collect(),
            });
        }
        let mut described = TableDescription::default();
        for path in entry.descriptions.iter().rev() {
            if path.exists() {
                described = description::read(path)?;
            }
        }
        let table_types = declared_types(&described)?;

        let mut uploads = Vec::new();
        for path in &entry.released {
            let name = entry.name.clone();
            uploads.push(open_file(name, path, &table_types, &described, storage)?);
        }
        for file in &entry.uploads {
            // A stem that several uploads share would name none of them.
            let slug = slug(&file.name);
            let shared = |other: &&Entry| crate::reference::slug(&other.name) == slug;
            let name = if entry.uploads.iter().filter(shared).count() > 1 {
                let name = file.path.file_name().unwrap_or_default();
                name.to_string_lossy().into_owned()
            } else {
                file.name.clone()
            };
            // The table's types are what its uploads are to become; an upload keeps the types of its own file.
            let own: TableDescription = description::read(&file.path.with_extension("json"))?;
            let types = declared_types(&own)?;
            uploads.push(open_file(name, &file.path, &types, &own, storage)?);
        }

        let variables = stack(&uploads, &described, &table_types);
        let (mut created, mut updated) = times(&entry.dataset.folder);
        let mut hash = Sha256::new();
        for upload in &uploads {
            let changed = upload.stored.identity();
            hash.update(&upload.name);
            hash.update(changed.length.to_le_bytes());
            hash.update(changed.modified_nanos().to_le_bytes());
            created = created.min(upload.created);
            updated = updated.max(changed.modified);
        }
        let hash = hash.finalize();
        Ok(Table {
            description: described.description,
            rows: uploads.iter().map(|upload| upload.stored.rows()).sum(),
            bytes: uploads.iter().map(|upload| upload.stored.bytes()).sum(),
            hash: hex(&hash[..16]),
            variables,
            uploads,
            created,
            updated,
            entry,
        })
    }

    /// The upload of this name, written as it is or escaped.
    pub(crate) fn upload(&self, name: &str) -> Option<&Upload> {
        let wanted = slug(name);
        let with_extension =
            |upload: &&Upload| slug(&format!("{}.{}", upload.name, upload.format)) == wanted;
        self.uploads
            .iter()
            .find(|upload| slug(&upload.name) == wanted)
            .or_else(|| self.uploads.iter().find(with_extension))
    }
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

fn open_file(
    name: String,
    path: &std::path::Path,
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
    Ok(Upload {
        name,
        format: extension.to_lowercase(),
        size: std::fs::metadata(path).map_or(0, |metadata| metadata.len()),
        created: times(path).0,
        stored,
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

/// The variables of all uploads in the order of their first appearance, with types that hold the values of each.
fn stack(uploads: &[Upload], described: &TableDescription, types: &Declared) -> Vec<Variable> {
    let mut variables: Vec<Variable> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for column in uploads.iter().flat_map(|upload| &upload.stored.columns) {
        let lower = column.name.to_lowercase();
        match places.get(&lower) {
            Some(&place) => {
                let variable = &mut variables[place];
                variable.kind = variable.kind.stacked(column.kind);
            }
            None => {
                places.insert(lower, variables.len());
                variables.push(describe(&column.name, column.kind, described));
            }
        }
    }
    for variable in &mut variables {
        if let Some(&kind) = types.get(&variable.name.to_lowercase()) {
            variable.kind = kind;
        }
    }
    variables
}
