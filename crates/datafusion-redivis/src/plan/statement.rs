//! A statement on Redivis as a node of a logical plan.
//!
//! Definitions, procedures and copies are planned, explained and executed like any query: the node tells what it would do, and
//! nothing is done before the plan that is made of it is executed.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::{DFSchema, DFSchemaRef, Result, internal_err};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};

use super::copy::Copy;
use super::definition::{CreateTable, DropTable};
use super::procedure::Call;
use crate::catalog::MetadataCache;

/// What a statement does on Redivis.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Action {
    Create(CreateTable),
    Drop(DropTable),
    Copy(Box<Copy>),
    Call(Call),
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create(create) => create.fmt(f),
            Self::Drop(drop) => drop.fmt(f),
            Self::Copy(copy) => copy.fmt(f),
            Self::Call(call) => call.fmt(f),
        }
    }
}

/// What a [`RedivisStatement`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatementKind {
    /// `CREATE TABLE`, of this reference. Gives the number of rows, or nothing where the table was there already.
    CreateTable(String),
    /// `DROP TABLE`. Gives nothing.
    DropTable,
    /// `COPY … TO 'redivis://…'`. Gives the number of rows.
    Copy,
    /// `CALL redivis.…`. Gives one row that says what there is now.
    Call,
}

/// A statement that changes something on Redivis, as a node of a logical plan.
///
/// [`Redivis::plan`](crate::Redivis::plan) makes it. It is executed like every plan, by
/// [`Redivis::execute`](crate::Redivis::execute) or `SessionContext::execute_logical_plan`, where the session has the
/// [`RedivisPlanner`](crate::RedivisPlanner); explaining it changes nothing.
#[derive(Clone)]
pub struct RedivisStatement {
    pub(super) action: Action,
    pub(super) metadata: Arc<MetadataCache>,
    /// The query whose rows it takes.
    input: Option<LogicalPlan>,
    schema: DFSchemaRef,
}

impl RedivisStatement {
    /// The plan of an action, which takes the rows of `input` if it takes any.
    pub(super) fn plan(
        action: Action,
        metadata: Arc<MetadataCache>,
        input: Option<LogicalPlan>,
    ) -> Result<LogicalPlan> {
        let field = match &action {
            Action::Create(_) | Action::Copy(_) => {
                Some(Field::new("count", DataType::UInt64, false))
            }
            Action::Call(call) => Some(Field::new(call.result(), DataType::Utf8, false)),
            Action::Drop(_) => None,
        };
        let schema = Schema::new(Vec::from_iter(field));
        Ok(LogicalPlan::Extension(Extension {
            node: Arc::new(Self {
                action,
                metadata,
                input,
                schema: Arc::new(DFSchema::try_from(schema)?),
            }),
        }))
    }

    /// The statement that a plan is, if it is one.
    pub fn of(plan: &LogicalPlan) -> Option<&Self> {
        match plan {
            LogicalPlan::Extension(extension) => extension.node.as_any().downcast_ref(),
            _ => None,
        }
    }

    /// What it is.
    pub fn kind(&self) -> StatementKind {
        match &self.action {
            Action::Create(create) => StatementKind::CreateTable(create.reference.to_string()),
            Action::Drop(_) => StatementKind::DropTable,
            Action::Copy(_) => StatementKind::Copy,
            Action::Call(_) => StatementKind::Call,
        }
    }
}

impl fmt::Debug for RedivisStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedivisStatement")
            .field("action", &self.action)
            .field("input", &self.input)
            .finish_non_exhaustive()
    }
}

impl PartialEq for RedivisStatement {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.metadata, &other.metadata)
            && self.action == other.action
            && self.input == other.input
    }
}

impl Eq for RedivisStatement {}

impl Hash for RedivisStatement {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.action.hash(state);
        self.input.hash(state);
    }
}

impl PartialOrd for RedivisStatement {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl UserDefinedLogicalNodeCore for RedivisStatement {
    fn name(&self) -> &str {
        "RedivisStatement"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        self.input.iter().collect()
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![]
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedivisStatement: {}", self.action)
    }

    fn with_exprs_and_inputs(
        &self,
        exprs: Vec<Expr>,
        mut inputs: Vec<LogicalPlan>,
    ) -> Result<Self> {
        if !exprs.is_empty() || inputs.len() != self.inputs().len() {
            return internal_err!("a statement on Redivis has no expressions and keeps its input");
        }
        Ok(Self {
            input: inputs.pop(),
            ..self.clone()
        })
    }
}
