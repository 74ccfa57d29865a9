//! What an author knows to be in a dataset, and what each operation makes of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

/// A dataset as its author left it; `None` where there is none.
pub(crate) type State = Option<Dataset>;

#[derive(Debug, Clone)]
pub(crate) struct Dataset {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) releases: Vec<Tables>,
    pub(crate) draft: Option<Tables>,
}

pub(crate) type Tables = BTreeMap<String, Table>;

#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    pub(crate) replaces: bool,
    /// The ids of rows of earlier versions.
    pub(crate) inherited: Vec<Range<i64>>,
    /// In the order in which they were created.
    pub(crate) uploads: Vec<Upload>,
}

#[derive(Debug, Clone)]
pub(crate) struct Upload {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) rows: Vec<Range<i64>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Bytes that are read in.
    Bytes,
    /// Bytes that cannot be read in.
    Broken,
    /// Rows that are inserted.
    Stream,
}

/// A change that one request makes.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    CreateDataset(String),
    Describe(String),
    CreateTable(String, bool),
    AddUpload(String, Upload),
    Insert(String, String, Range<i64>),
    DeleteUpload(String, String),
    DeleteTable(String),
    Release,
    OpenNext,
    DeleteDraft,
    DeleteDataset,
}

/// A dataset as it can be seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) description: Option<String>,
    /// From the first release to the last, then the draft.
    pub(crate) versions: Vec<(bool, BTreeMap<String, SeenTable>)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeenTable {
    /// The ids of its rows in their order, as ranges that do not follow each other.
    pub(crate) rows: Vec<Range<i64>>,
    /// Names of own uploads of a draft, how many rows they have, and whether they have failed.
    pub(crate) uploads: BTreeSet<(String, i64, bool)>,
}

impl Table {
    fn rows(&self) -> Vec<Range<i64>> {
        let replaced = self.replaces && self.uploads.iter().any(|u| u.kind != Kind::Broken);
        let inherited = self.inherited.iter().filter(|_| !replaced);
        let own = self.uploads.iter().flat_map(|upload| &upload.rows);
        joined(inherited.chain(own).cloned())
    }
}

/// Ranges with those that follow each other made one.
pub(crate) fn joined(ranges: impl Iterator<Item = Range<i64>>) -> Vec<Range<i64>> {
    let mut joined: Vec<Range<i64>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => joined.push(range),
        }
    }
    joined
}

impl Dataset {
    pub(crate) fn seen(&self) -> Seen {
        let drafts = self.draft.iter().map(|tables| (false, tables));
        let versions = self.releases.iter().map(|tables| (true, tables));
        Seen {
            description: self.description.clone(),
            versions: versions
                .chain(drafts)
                .map(|(released, tables)| (released, seen_tables(tables, released)))
                .collect(),
        }
    }

    /// The tables of the draft, which must be there.
    pub(crate) fn draft(&mut self) -> &mut Tables {
        self.draft.as_mut().unwrap()
    }
}

fn seen_tables(tables: &Tables, released: bool) -> BTreeMap<String, SeenTable> {
    let seen = tables.iter().map(|(name, table)| {
        let own = table.uploads.iter().filter(|_| !released);
        let uploads = own.map(|upload| {
            let rows = upload.rows.iter().map(|range| range.end - range.start);
            (upload.name.clone(), rows.sum(), upload.kind == Kind::Broken)
        });
        let table = SeenTable {
            rows: table.rows(),
            uploads: uploads.collect(),
        };
        (name.clone(), table)
    });
    seen.collect()
}

impl Operation {
    pub(crate) fn apply(self, state: &mut State) {
        if let Operation::CreateDataset(name) = self {
            *state = Some(Dataset {
                name,
                description: None,
                releases: Vec::new(),
                draft: Some(Tables::new()),
            });
            return;
        }
        if let Operation::DeleteDataset = self {
            *state = None;
            return;
        }
        let dataset = state.as_mut().unwrap();
        match self {
            Operation::CreateDataset(_) | Operation::DeleteDataset => unreachable!(),
            Operation::Describe(text) => dataset.description = Some(text),
            Operation::CreateTable(name, replaces) => {
                let table = Table {
                    replaces,
                    ..Table::default()
                };
                dataset.draft().insert(name, table);
            }
            Operation::AddUpload(table, upload) => {
                dataset
                    .draft()
                    .get_mut(&table)
                    .unwrap()
                    .uploads
                    .push(upload);
            }
            Operation::Insert(table, name, rows) => {
                let uploads = &mut dataset.draft().get_mut(&table).unwrap().uploads;
                let upload = uploads.iter_mut().find(|upload| upload.name == name);
                upload.unwrap().rows.push(rows);
            }
            Operation::DeleteUpload(table, name) => {
                let table = dataset.draft().get_mut(&table).unwrap();
                table.uploads.retain(|upload| upload.name != name);
            }
            Operation::DeleteTable(name) => {
                dataset.draft().remove(&name);
            }
            Operation::Release => dataset.releases.push(dataset.draft.take().unwrap()),
            Operation::OpenNext => {
                let inherit = |(name, table): (&String, &Table)| {
                    let inherited = Table {
                        replaces: table.replaces,
                        inherited: table.rows(),
                        uploads: Vec::new(),
                    };
                    (name.clone(), inherited)
                };
                let latest = dataset.releases.last().unwrap();
                dataset.draft = Some(latest.iter().map(inherit).collect());
            }
            Operation::DeleteDraft => dataset.draft = None,
        }
    }
}
