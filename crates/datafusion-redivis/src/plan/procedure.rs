//! `CALL redivis.…`: steps of a dataset's life that SQL has no statements for.
//!
//! A call is a plan like any other, so that a shell plans and executes it as it does a query; it is carried out when it is
//! executed, and its result is one row that says what there is now.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::{DFSchema, DFSchemaRef, Result, exec_err, internal_err, plan_err};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};
use datafusion::sql::sqlparser::ast::{
    self, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Value,
};
use redivis::resource::{Dataset, NewDataset, NewTable};
use redivis::{Client, DatasetReference, TableReference};

use crate::catalog::SCHEMA;
use crate::error::{failed, refused};
use crate::write::{Writes, draft};

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
enum Call {
    CreateDataset(DatasetReference),
    CreateTable {
        table: TableReference,
        is_file_index: bool,
    },
    NextVersion(DatasetReference),
    Release(DatasetReference, Option<String>),
    DeleteUpload(TableReference, String),
}

/// A call as a plan without inputs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Procedure {
    call: Call,
    schema: DFSchemaRef,
}

impl PartialOrd for Procedure {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl Procedure {
    /// The plan of a `CALL`. Fails for what is not called so, before anything is sent.
    pub(crate) fn plan(function: &Function) -> Result<LogicalPlan> {
        let parts: Vec<String> = function
            .name
            .0
            .iter()
            .filter_map(|part| Some(part.as_ident()?.value.to_lowercase()))
            .collect();
        let name = match parts.as_slice() {
            [schema, name] if schema == SCHEMA => name.as_str(),
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
        let call = match (name, texts.as_slice()) {
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
        };
        let schema = Schema::new(vec![Field::new(call.result(), DataType::Utf8, false)]);
        Ok(LogicalPlan::Extension(Extension {
            node: Arc::new(Self {
                call,
                schema: Arc::new(DFSchema::try_from(schema)?),
            }),
        }))
    }

    /// Carries it out.
    pub(crate) async fn run(&self, client: &Client, writes: &Writes) -> Result<RecordBatch> {
        let result = self.call.run(client).await?;
        writes.changed();
        let result: ArrayRef = Arc::new(StringArray::from(vec![result]));
        let schema = Arc::clone(self.schema.inner());
        Ok(RecordBatch::try_new(schema, vec![result])?)
    }
}

impl Call {
    /// The name of the result's column.
    fn result(&self) -> &'static str {
        match self {
            Self::CreateDataset(_) | Self::NextVersion(_) | Self::Release(..) => "dataset",
            Self::CreateTable { .. } => "table",
            Self::DeleteUpload(..) => "deleted",
        }
    }

    async fn run(&self, client: &Client) -> Result<String> {
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

/// The dataset's reference as people write it.
fn without_ids(dataset: &Dataset) -> String {
    match dataset.qualified_reference.parse::<DatasetReference>() {
        Ok(reference) => {
            let version = reference.version().map(|version| format!(":{version}"));
            format!(
                "{}.{}{}",
                reference.owner(),
                reference.name(),
                version.unwrap_or_default()
            )
        }
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

impl UserDefinedLogicalNodeCore for Procedure {
    fn name(&self) -> &str {
        "RedivisProcedure"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![]
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedivisProcedure: {:?}", self.call)
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        if !exprs.is_empty() || !inputs.is_empty() {
            return internal_err!("a procedure has no expressions and inputs");
        }
        Ok(self.clone())
    }
}
