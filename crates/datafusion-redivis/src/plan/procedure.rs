//! `CALL redivis.…`: steps of a dataset's life that SQL has no statements for.
//!
//! A call is a plan like any other, so that a shell plans and executes it as it does a query; it is carried out when it is
//! executed, and its result is one row that says what there is now.

use std::fmt;

use datafusion::common::{Result, exec_err, plan_err};
use datafusion::sql::sqlparser::ast::{
    self, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Value,
};
use redivis::resource::{Dataset, NewDataset, NewTable};
use redivis::{Client, DatasetReference, TableReference};

use crate::catalog::{MetadataCache, SCHEMA};
use crate::error::{failed, refused};
use crate::write::draft;

/// What can be called: name, arguments, and what it does.
const PROCEDURES: [(&str, &str); 6] = [
    ("create_dataset", "'owner.dataset'"),
    ("create_table", "'owner.dataset:next.table'"),
    ("create_file_index", "'owner.dataset:next.table'"),
    ("next_version", "'owner.dataset'"),
    ("release", "'owner.dataset'[, 'notes']"),
    ("delete_upload", "'owner.dataset:next.table', 'upload'"),
];

/// A call that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Call {
    CreateDataset(DatasetReference),
    CreateTable {
        table: TableReference,
        is_file_index: bool,
    },
    NextVersion(DatasetReference),
    Release(DatasetReference, Option<String>),
    DeleteUpload(TableReference, String),
}

impl Call {
    /// The call that a statement makes. Fails for what is not called so, before anything is sent.
    pub(super) fn parse(function: &Function, schema: &str) -> Result<Self> {
        let parts: Vec<String> = function
            .name
            .0
            .iter()
            .filter_map(|part| Some(part.as_ident()?.value.to_lowercase()))
            .collect();
        let name = match parts.as_slice() {
            [first, name] if first == schema => name.as_str(),
            _ => {
                return plan_err!(
                    "there is no procedure {}; there are {}",
                    function.name,
                    known()
                );
            }
        };
        let texts = texts(function)?;
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        Ok(match (name, texts.as_slice()) {
            ("create_dataset", [dataset]) => Call::CreateDataset(dataset.parse().map_err(refused)?),
            ("create_table" | "create_file_index", [table]) => Call::CreateTable {
                table: table.parse().map_err(refused)?,
                is_file_index: name == "create_file_index",
            },
            ("next_version", [dataset]) => Call::NextVersion(dataset.parse().map_err(refused)?),
            ("release", [dataset]) => Call::Release(dataset.parse().map_err(refused)?, None),
            ("release", [dataset, notes]) => {
                Call::Release(dataset.parse().map_err(refused)?, Some((*notes).to_owned()))
            }
            ("delete_upload", [table, upload]) => {
                Call::DeleteUpload(table.parse().map_err(refused)?, (*upload).to_owned())
            }
            _ => match PROCEDURES.iter().find(|(known, _)| *known == name) {
                Some((name, arguments)) => {
                    return plan_err!("write CALL {SCHEMA}.{name}({arguments})");
                }
                None => {
                    return plan_err!(
                        "there is no procedure {}; there are {}",
                        function.name,
                        known()
                    );
                }
            },
        })
    }

    /// The name of the result's column.
    pub(super) fn result(&self) -> &'static str {
        match self {
            Self::CreateDataset(_) | Self::NextVersion(_) | Self::Release(..) => "dataset",
            Self::CreateTable { .. } => "table",
            Self::DeleteUpload(..) => "deleted",
        }
    }

    /// Whether it changes what there is rather than the rows of it.
    pub(super) fn defines(&self) -> bool {
        !matches!(self, Self::DeleteUpload(..))
    }

    /// Carries it out, and says what there is now.
    pub(super) async fn run(&self, metadata: &MetadataCache) -> Result<String> {
        let result = self.call(&metadata.client()).await?;
        metadata.writes().changed();
        Ok(result)
    }

    async fn call(&self, client: &Client) -> Result<String> {
        match self {
            Self::CreateDataset(dataset) => {
                let new = NewDataset {
                    name: dataset.name().to_owned(),
                    ..NewDataset::default()
                };
                let made = client
                    .create_dataset(dataset.owner(), &new)
                    .await
                    .map_err(failed)?;
                Ok(without_ids(&made))
            }
            Self::CreateTable {
                table,
                is_file_index,
            } => {
                let dataset = draft::dataset(client, table.parent()).await?;
                let new = NewTable {
                    name: table.name().to_owned(),
                    is_file_index: *is_file_index,
                    ..NewTable::default()
                };
                let made = client.create_table(&dataset.uri, &new);
                made.await.map_err(failed)?;
                Ok(table.to_string())
            }
            Self::NextVersion(dataset) => {
                let dataset = dataset.clone().with_version(None);
                let found = client.dataset(&dataset).await.map_err(failed)?;
                client.create_version(&found.uri).await.map_err(failed)?;
                Ok(dataset
                    .with_version(Some(redivis::Version::Next))
                    .to_string())
            }
            Self::Release(dataset, notes) => {
                let next = dataset.clone().with_version(Some(redivis::Version::Next));
                let next = client.dataset(&next).await.map_err(failed)?;
                let released = client
                    .release(&next.uri, notes.as_deref())
                    .await
                    .map_err(failed)?;
                Ok(without_ids(&released))
            }
            Self::DeleteUpload(table, name) => {
                let found = draft::table(client, table).await?;
                let upload = client.find_upload(&found.uri, name).await.map_err(failed)?;
                let Some(upload) = upload else {
                    return exec_err!("{table} has no upload `{name}`");
                };
                client.delete_upload(&upload.uri).await.map_err(failed)?;
                Ok(upload.name.unwrap_or_else(|| name.clone()))
            }
        }
    }
}

impl fmt::Display for Call {
    /// As it is written in SQL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted =
            |text: &dyn fmt::Display| format!("'{}'", text.to_string().replace('\'', "''"));
        let (name, arguments) = match self {
            Self::CreateDataset(dataset) => ("create_dataset", quoted(dataset)),
            Self::CreateTable {
                table,
                is_file_index: false,
            } => ("create_table", quoted(table)),
            Self::CreateTable { table, .. } => ("create_file_index", quoted(table)),
            Self::NextVersion(dataset) => ("next_version", quoted(dataset)),
            Self::Release(dataset, None) => ("release", quoted(dataset)),
            Self::Release(dataset, Some(notes)) => {
                ("release", format!("{}, {}", quoted(dataset), quoted(notes)))
            }
            Self::DeleteUpload(table, upload) => (
                "delete_upload",
                format!("{}, {}", quoted(table), quoted(upload)),
            ),
        };
        write!(f, "CALL {SCHEMA}.{name}({arguments})")
    }
}

/// The dataset's reference as people write it.
fn without_ids(dataset: &Dataset) -> String {
    match dataset.qualified_reference.parse::<DatasetReference>() {
        Ok(reference) => reference.without_id().to_string(),
        Err(_) => dataset.qualified_reference.clone(),
    }
}

/// The arguments of a call, all of them texts.
fn texts(function: &Function) -> Result<Vec<String>> {
    let arguments = match &function.args {
        FunctionArguments::List(list) => list.args.as_slice(),
        FunctionArguments::None => &[],
        FunctionArguments::Subquery(_) => return plan_err!("a procedure takes no query"),
    };
    let text = |argument: &FunctionArg| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(ast::Expr::Value(value))) => {
            match &value.value {
                Value::SingleQuotedString(text) => Some(text.clone()),
                _ => None,
            }
        }
        _ => None,
    };
    match arguments.iter().map(text).collect::<Option<Vec<_>>>() {
        Some(texts) => Ok(texts),
        None => plan_err!(
            "the arguments of {} are texts in single quotes",
            function.name
        ),
    }
}

fn known() -> String {
    let known = PROCEDURES.map(|(name, arguments)| format!("{SCHEMA}.{name}({arguments})"));
    known.join(", ")
}
