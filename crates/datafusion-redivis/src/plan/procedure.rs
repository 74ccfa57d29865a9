//! `CALL redivis.…`: steps of a dataset's life that SQL has no statements for.
//!
//! A call is a plan like any other, so that a shell plans and executes it as it does a query; it is carried out when it is
//! executed, and its result is one row that says what there is now.

use std::fmt;
use std::sync::Arc;

use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{DataFusionError, Result, exec_err, internal_err, plan_err};
use datafusion::execution::TaskContext;
use datafusion::sql::sqlparser::ast::{
    self, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Value,
};
use redivis::resource::{Dataset, NewDataset, NewTable};
use redivis::{Client, DatasetReference, TableReference};

use crate::cache::Cache;
use crate::catalog::{MetadataCache, SCHEMA};
use crate::error::{failed, refused};
use crate::options::RedivisOptions;
use crate::write::draft;

/// What can be called: name, arguments, and what it does.
const PROCEDURES: [(&str, &str); 8] = [
    ("create_dataset", "'owner.dataset'"),
    ("create_table", "'owner.dataset:next.table'"),
    ("create_file_index", "'owner.dataset:next.table'"),
    ("next_version", "'owner.dataset'"),
    ("release", "'owner.dataset'[, 'notes']"),
    ("delete_upload", "'owner.dataset:next.table', 'upload'"),
    ("cache", "'owner.dataset:v1_0.table'[, ['variable', …]]"),
    ("forget", "['owner.dataset.table']"),
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
    /// Some variables of a table, or all.
    Cache(TableReference, Option<Vec<String>>),
    /// A table in all versions or one, or everything.
    Forget(Option<TableReference>),
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
        let (texts, list) = texts(function)?;
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        if list.is_some() && name != "cache" {
            return plan_err!("{} takes no list", function.name);
        }
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
            ("cache", [table]) => Call::Cache(table.parse().map_err(refused)?, list),
            ("forget", []) => Call::Forget(None),
            ("forget", [table]) => Call::Forget(Some(table.parse().map_err(refused)?)),
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
            Self::Cache(..) => "cached",
            Self::Forget(_) => "forgotten",
        }
    }

    /// Whether it changes what there is rather than the rows of it.
    pub(super) fn defines(&self) -> bool {
        !matches!(
            self,
            Self::DeleteUpload(..) | Self::Cache(..) | Self::Forget(_)
        )
    }

    /// Carries it out, and says what there is now.
    pub(super) async fn run(
        &self,
        metadata: &MetadataCache,
        context: &Arc<TaskContext>,
    ) -> Result<String> {
        match self {
            Self::Cache(table, variables) => {
                let found = metadata.get(table).await?;
                let rows = found.fill(variables.as_deref(), context).await?;
                let options = RedivisOptions::of(context.session_config().options());
                let unused = match options.cache {
                    true => "",
                    false => "; SET redivis.cache = on to read them from there",
                };
                Ok(format!("{table}: {rows} rows{unused}"))
            }
            Self::Forget(table) => {
                let options = RedivisOptions::of(context.session_config().options());
                let (gone, used) = forget(Cache::of(&options)?, table.clone()).await?;
                let gone = match gone {
                    1 => "1 entry".to_owned(),
                    gone => format!("{gone} entries"),
                };
                match used {
                    0 => Ok(gone),
                    used => Ok(format!("{gone}; {used} being read stay")),
                }
            }
            _ => {
                let result = self.call(&metadata.client()).await?;
                metadata.writes().changed();
                Ok(result)
            }
        }
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
            Self::Cache(..) | Self::Forget(_) => internal_err!("the cache is no part of Redivis"),
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
            Self::Cache(table, None) => ("cache", quoted(table)),
            Self::Cache(table, Some(variables)) => {
                let variables: Vec<String> = variables.iter().map(|name| quoted(name)).collect();
                (
                    "cache",
                    format!("{}, [{}]", quoted(table), variables.join(", ")),
                )
            }
            Self::Forget(None) => ("forget", String::new()),
            Self::Forget(Some(table)) => ("forget", quoted(table)),
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

/// Forgets what the cache has, off the runtime's threads.
async fn forget(cache: Cache, table: Option<TableReference>) -> Result<(usize, usize)> {
    let forget = SpawnedTask::spawn_blocking(move || cache.forget(table.as_ref()));
    let forgotten = forget.join_unwind().await;
    let forgotten = forgotten.map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))?;
    Ok(forgotten?)
}

/// The arguments of a call, all of them texts but the last one, which may be a list of texts.
fn texts(function: &Function) -> Result<(Vec<String>, Option<Vec<String>>)> {
    let arguments = match &function.args {
        FunctionArguments::List(list) => list.args.as_slice(),
        FunctionArguments::None => &[],
        FunctionArguments::Subquery(_) => return plan_err!("a procedure takes no query"),
    };
    let expression = |argument| match argument {
        &FunctionArg::Unnamed(FunctionArgExpr::Expr(ref expression)) => Some(expression),
        _ => None,
    };
    let text = |expression: &ast::Expr| match expression {
        ast::Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    };
    let read = || {
        let mut arguments: Vec<&ast::Expr> =
            arguments.iter().map(expression).collect::<Option<_>>()?;
        let list = match arguments.last() {
            Some(ast::Expr::Array(array)) => {
                Some(array.elem.iter().map(text).collect::<Option<_>>()?)
            }
            _ => None,
        };
        if list.is_some() {
            arguments.pop();
        }
        Some((
            arguments.into_iter().map(text).collect::<Option<_>>()?,
            list,
        ))
    };
    match read() {
        Some(arguments) => Ok(arguments),
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
