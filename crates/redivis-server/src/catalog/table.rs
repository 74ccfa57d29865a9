//! A table: the uploads it is stacked from, and the variables they have together.
//!
//! Rows of uploads follow one another; variables are matched by name. The stored types may differ from upload to
//! upload, above all while a version is not released (redivis-api §5.1, §8.2).

use std::{collections::HashMap, sync::Arc, time::SystemTime};

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{ValueLabel, dataset::Dataset, folder::FileTable, store::StoreTable};
use crate::{
    reference::{escape, slug},
    storage::{Stored, VariableType},
    token::hex,
};

/// Where a table is kept.
#[derive(Debug, Clone)]
pub(super) enum TableOrigin {
    Files(FileTable),
    Store(StoreTable),
}

/// A table, without a look at its rows.
#[derive(Debug, Clone)]
pub(crate) struct TableEntry {
    pub(crate) dataset: Dataset,
    pub(crate) name: String,
    /// The resource id.
    pub(crate) id: String,
    /// Whether uploads replace the rows of the version before, rather than being appended to them.
    pub(crate) replaces: bool,
    /// Whether its rows are the list of its raw files.
    pub(crate) is_file_index: bool,
    pub(super) origin: TableOrigin,
}

impl TableEntry {
    pub(crate) fn reference_id(&self) -> &str {
        self.id.split('-').next().unwrap_or_default()
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

/// A variable of a table.
#[derive(Debug, Clone)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) kind: VariableType,
    pub(crate) label: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) value_labels: Vec<ValueLabel>,
}

/// How far an upload has come (redivis-api §3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UploadStatus {
    Queued,
    Running,
    Completed,
    Failed,
}

impl UploadStatus {
    /// The name in the API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            UploadStatus::Queued => "queued",
            UploadStatus::Running => "running",
            UploadStatus::Completed => "completed",
            UploadStatus::Failed => "failed",
        }
    }

    /// The status of this name.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        [
            UploadStatus::Queued,
            UploadStatus::Running,
            UploadStatus::Completed,
            UploadStatus::Failed,
        ]
        .into_iter()
        .find(|status| status.name() == name)
    }
}

/// Some bytes that somebody gave to a table, and the rows they became.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    pub(crate) name: String,
    /// The type in the API, such as `delimited`.
    pub(crate) kind: String,
    /// The extension of its file, in lower case; empty where there is none.
    pub(crate) extension: String,
    pub(crate) status: UploadStatus,
    pub(crate) error_message: Option<String>,
    /// Whether it belongs to an earlier version, whose rows this one took over.
    pub(crate) is_inherited: bool,
    /// The size of its file in bytes.
    pub(crate) size: Option<u64>,
    /// The MD5 of its file in hexadecimal digits.
    pub(crate) hash: Option<String>,
    pub(crate) bad_records: u64,
    /// How its bytes were to be read, as the API names it.
    pub(crate) options: Map<String, Value>,
    pub(crate) created: SystemTime,
    pub(crate) updated: SystemTime,
    /// Its rows, in order; none unless it is completed.
    pub(crate) parts: Vec<Arc<Stored>>,
    pub(crate) variables: Vec<Variable>,
}

impl Upload {
    pub(crate) fn rows(&self) -> u64 {
        self.parts.iter().map(|part| part.rows()).sum()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.parts.iter().map(|part| part.bytes()).sum()
    }
}

/// A table whose rows were looked into.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) entry: TableEntry,
    pub(crate) description: Option<String>,
    pub(crate) variables: Vec<Variable>,
    /// Its uploads in the order of their rows, inherited ones and such without rows included.
    pub(crate) uploads: Vec<Upload>,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// 32 hexadecimal digits that change with the content.
    pub(crate) hash: String,
    pub(crate) created: SystemTime,
    pub(crate) updated: SystemTime,
}

impl Table {
    pub(super) fn new(
        entry: TableEntry,
        description: Option<String>,
        variables: Vec<Variable>,
        uploads: Vec<Upload>,
        mut created: SystemTime,
        mut updated: SystemTime,
    ) -> Self {
        let mut hash = Sha256::new();
        for upload in &uploads {
            hash.update(&upload.name);
            for part in &upload.parts {
                let identity = part.identity();
                hash.update(identity.length.to_le_bytes());
                hash.update(identity.modified_nanos().to_le_bytes());
            }
            created = created.min(upload.created);
            updated = updated.max(upload.updated);
        }
        let hash = hash.finalize();
        Table {
            description,
            rows: uploads.iter().map(Upload::rows).sum(),
            bytes: uploads.iter().map(Upload::bytes).sum(),
            hash: hex(&hash[..16]),
            variables,
            uploads,
            created,
            updated,
            entry,
        }
    }

    /// The table with the rows of its sample alone.
    pub(super) fn sample(self) -> Self {
        let mut uploads = self.uploads;
        for part in uploads.iter_mut().flat_map(|upload| &mut upload.parts) {
            *part = Arc::new(part.sample());
        }
        let (entry, variables) = (self.entry, self.variables);
        let (created, updated) = (self.created, self.updated);
        Table::new(
            entry,
            self.description,
            variables,
            uploads,
            created,
            updated,
        )
    }

    /// The upload of this name, written as it is or escaped, if it is one of this version.
    pub(crate) fn upload(&self, name: &str) -> Option<&Upload> {
        let wanted = slug(name);
        let own = || self.uploads.iter().filter(|upload| !upload.is_inherited);
        let with_extension =
            |upload: &&Upload| slug(&format!("{}.{}", upload.name, upload.extension)) == wanted;
        own()
            .find(|upload| slug(&upload.name) == wanted)
            .or_else(|| own().find(with_extension))
    }
}

/// The variables of all uploads in the order of their first appearance, with types that hold the values of each.
pub(super) fn stack(
    uploads: &[Upload],
    describe: impl Fn(&str, VariableType) -> Variable,
) -> Vec<Variable> {
    let mut variables: Vec<Variable> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for column in uploads.iter().flat_map(|upload| &upload.variables) {
        let lower = column.name.to_lowercase();
        match places.get(&lower) {
            Some(&place) => {
                let variable = &mut variables[place];
                variable.kind = variable.kind.stacked(column.kind);
            }
            None => {
                places.insert(lower, variables.len());
                variables.push(describe(&column.name, column.kind));
            }
        }
    }
    variables
}
