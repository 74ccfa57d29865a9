//! What the columns of a result are called: as the person wrote them.
//!
//! DataFusion calls a column that has no name by what it computes, `sum(me.zoo.animals.legs)` or `Int64(1)`, and takes no two
//! columns of one name. A person asked for `sum(legs)`, and may ask twice.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::Schema;
use datafusion::common::{Column, DFSchema, Result, TableReference, plan_err};
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::{DdlStatement, Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::sql::parser::{CopyToSource, Statement};
use datafusion::sql::sqlparser::ast::{
    self, Expr as Written, Ident, Query, Select, SelectItem, SetExpr, visit_expressions,
};
use futures::StreamExt;

/// How columns that are there already are named apart until they are printed.
const AGAIN: &str = " again ";

/// What a statement's projection says of the names of its columns.
#[derive(Debug, Clone, Default)]
pub(crate) struct Headings(Vec<Item>);

/// An item of a projection.
#[derive(Debug, Clone)]
enum Item {
    /// Any number of columns, with names of their own.
    Wildcard,
    /// A column that has a name: a plain one, or one that is given one.
    Named,
    /// A value without a name.
    Value {
        /// The column whose value it is, in another type.
        column: Option<String>,
        text: String,
    },
}

impl Headings {
    /// Those of the query that a statement runs, copies, or makes a table or view of.
    pub(crate) fn of(statement: &Statement) -> Self {
        let mut statement = statement.clone();
        match select(&mut statement) {
            Some(select) => Self(select.projection.iter().map(Item::of).collect()),
            None => Self::default(),
        }
    }

    /// The item that each of so many columns comes from, as far as that is sure.
    fn items(&self, columns: usize) -> Vec<Option<&Item>> {
        let mut found = vec![None; columns];
        let is_wildcard = |item: &Item| matches!(item, Item::Wildcard);
        let items = self.0.len();
        let wildcards = self.0.iter().filter(|item| is_wildcard(item)).count();
        let fits = match wildcards {
            0 => columns == items,
            _ => columns >= items - wildcards,
        };
        if !fits {
            return found;
        }
        // What stands before the first wildcard counts from the left, what stands after the last from the right.
        let before = self.0.iter().position(is_wildcard).unwrap_or(items);
        let after = self
            .0
            .iter()
            .rposition(is_wildcard)
            .map_or(items, |at| at + 1);
        for (column, item) in found.iter_mut().zip(&self.0[..before]) {
            *column = Some(item);
        }
        let from_right = found.iter_mut().rev().zip(self.0[after..].iter().rev());
        for (column, item) in from_right {
            *column = Some(item);
        }
        found
    }

    /// The names for columns that are called so by DataFusion.
    fn names(&self, columns: &[&str]) -> Vec<String> {
        let items = self.items(columns.len());
        let name = |(item, name): (&Option<&Item>, &&str)| {
            let name = match item {
                Some(Item::Value { column, text }) => column.as_ref().unwrap_or(text),
                _ => *name,
            };
            let Some((written, _)) = name.split_once(AGAIN) else {
                return name.to_owned();
            };
            // In the spelling of the column that is there already.
            let first = columns
                .iter()
                .find(|name| name.eq_ignore_ascii_case(written));
            first.map_or(written, |first| first).to_owned()
        };
        items.iter().zip(columns).map(name).collect()
    }

    /// The same where no two may be the same: then by their text, or as DataFusion calls them.
    fn unique_names(&self, columns: &[&str]) -> Vec<String> {
        let items = self.items(columns.len());
        let mut names = self.names(columns);
        let taken = |names: &[String], at: usize| {
            let mut others = names.iter().enumerate().filter(|(other, _)| *other != at);
            others.any(|(_, name)| *name == names[at])
        };
        for at in 0..names.len() {
            if taken(&names, at)
                && let Some(Item::Value { text, .. }) = items[at]
            {
                names[at].clone_from(text);
                if taken(&names, at) {
                    names[at] = columns[at].to_owned();
                }
            }
        }
        names
    }

    /// The rows under these names.
    pub(crate) fn over(&self, rows: SendableRecordBatchStream) -> SendableRecordBatchStream {
        let schema = rows.schema();
        let columns: Vec<&str> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        let names = self.names(&columns);
        if names == columns {
            return rows;
        }
        let fields = schema.fields().iter().zip(names);
        let fields = fields.map(|(field, name)| field.as_ref().clone().with_name(name));
        let fields: Vec<_> = fields.collect();
        let schema = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
        let named = Arc::clone(&schema);
        let rows = rows.map(move |batch| {
            let batch = batch?;
            let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            let columns = batch.columns().to_vec();
            Ok(RecordBatch::try_new_with_options(
                Arc::clone(&named),
                columns,
                &options,
            )?)
        });
        Box::pin(RecordBatchStreamAdapter::new(schema, rows))
    }

    /// The plan of a statement that copies rows, or makes a table or a view of them, with these names in what it makes.
    ///
    /// Fails where two columns would have one name.
    pub(crate) fn within(&self, mut plan: LogicalPlan) -> Result<LogicalPlan> {
        let input = match &mut plan {
            LogicalPlan::Copy(copy) => &mut copy.input,
            LogicalPlan::Ddl(DdlStatement::CreateMemoryTable(create)) => &mut create.input,
            LogicalPlan::Ddl(DdlStatement::CreateView(create)) => &mut create.input,
            LogicalPlan::Analyze(analyze) => {
                let input = Arc::unwrap_or_clone(Arc::clone(&analyze.input));
                analyze.input = Arc::new(self.within(input)?);
                return Ok(plan);
            }
            _ => return Ok(plan),
        };
        *input = Arc::new(self.project(input)?);
        Ok(plan)
    }

    fn project(&self, query: &LogicalPlan) -> Result<LogicalPlan> {
        let schema = query.schema();
        let columns: Vec<&str> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        let mut taken = HashSet::new();
        if let Some(twice) = columns.iter().find(|name| !taken.insert(**name)) {
            return plan_err!("{}", duplicate(twice));
        }
        let names = self.unique_names(&columns);
        if names == columns {
            return Ok(query.clone());
        }
        let values = schema
            .iter()
            .zip(names)
            .map(|((table, field), name)| Expr::Column(Column::from((table, field))).alias(name));
        LogicalPlanBuilder::from(query.clone())
            .project(values.collect::<Vec<_>>())?
            .build()
    }
}

/// What to say of two columns of one name where there can be only one.
pub(crate) fn duplicate(name: &str) -> String {
    format!("two columns are called {name}: give one of them another name with AS")
}

/// Whether a query failed since it asks for a column twice.
pub(crate) fn is_duplicate(error: &DataFusionError) -> bool {
    error
        .strip_backtrace()
        .contains("require unique expression names")
}

/// Whether a query may ask for a column twice, as far as that is seen without knowing its tables.
pub(crate) fn may_repeat(statement: &Statement) -> bool {
    let mut statement = statement.clone();
    let Some(select) = select(&mut statement) else {
        return false;
    };
    let mut seen = HashSet::new();
    let items = &select.projection;
    items.iter().any(|item| match item {
        SelectItem::UnnamedExpr(value) => {
            let name = column(value).unwrap_or_else(|| value.to_string());
            !seen.insert(name.to_lowercase())
        }
        SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => items.len() > 1,
        _ => false,
    })
}

/// Names the columns of a query apart that may be there already; false for statements that can't have such.
pub(crate) fn name_apart(statement: &mut Statement) -> bool {
    let is_query = match &*statement {
        Statement::Statement(statement) => matches!(**statement, ast::Statement::Query(_)),
        _ => false,
    };
    let Some(select) = select(statement).filter(|_| is_query) else {
        return false;
    };
    // Without a wildcard, the first is there for the first time.
    let first = usize::from(!select.projection.iter().any(is_wildcard));
    for (at, item) in select.projection.iter_mut().enumerate().skip(first) {
        if let SelectItem::UnnamedExpr(value) = item {
            let name = column(value).unwrap_or_else(|| value.to_string());
            *item = SelectItem::ExprWithAlias {
                expr: value.clone(),
                alias: Ident::with_quote('"', format!("{name}{AGAIN}{at}")),
            };
        }
    }
    true
}

/// The wildcards that come after another one, from the last, each as its place and the query of its columns alone.
pub(crate) fn repeated_wildcards(statement: &Statement) -> Vec<(usize, Statement)> {
    let mut alone = statement.clone();
    let Some(items) = select(&mut alone).map(|select| select.projection.clone()) else {
        return vec![];
    };
    let places = items.iter().enumerate();
    let places = places
        .filter(|(_, item)| is_wildcard(item))
        .map(|(at, _)| at);
    let places: Vec<usize> = places.skip(1).collect();
    let only = |at: usize| {
        let mut statement = statement.clone();
        if let Statement::Statement(statement) = &mut statement
            && let ast::Statement::Query(query) = &mut **statement
        {
            // What it may be ordered by is not there.
            query.order_by = None;
        }
        if let Some(select) = select(&mut statement) {
            select.projection = vec![items[at].clone()];
        }
        (at, statement)
    };
    places.into_iter().rev().map(only).collect()
}

/// Puts the columns that a wildcard stands for in its place.
pub(crate) fn expand_wildcard(statement: &mut Statement, at: usize, columns: &DFSchema) {
    let items = columns.iter().map(|(table, field)| {
        let mut parts = table.map(TableReference::to_vec).unwrap_or_default();
        parts.push(field.name().clone());
        let parts = parts.into_iter().map(|part| Ident::with_quote('"', part));
        SelectItem::UnnamedExpr(Written::CompoundIdentifier(parts.collect()))
    });
    if let Some(select) = select(statement) {
        select.projection.splice(at..=at, items);
    }
}

fn is_wildcard(item: &SelectItem) -> bool {
    matches!(
        item,
        SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..)
    )
}

impl Item {
    fn of(item: &SelectItem) -> Self {
        match item {
            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => Self::Wildcard,
            SelectItem::ExprWithAlias { .. } | SelectItem::ExprWithAliases { .. } => Self::Named,
            SelectItem::UnnamedExpr(value) if unnests(value) => Self::Wildcard,
            SelectItem::UnnamedExpr(value) if column(value).is_some() => Self::Named,
            SelectItem::UnnamedExpr(value) => Self::Value {
                column: cast(value),
                text: value.to_string(),
            },
        }
    }
}

/// The name of the column that a value is.
fn column(value: &Written) -> Option<String> {
    match value {
        Written::Identifier(name) => Some(name.value.clone()),
        Written::CompoundIdentifier(names) => Some(names.last()?.value.clone()),
        Written::Nested(value) => column(value),
        _ => None,
    }
}

/// The name of the column that a value is in another type.
fn cast(value: &Written) -> Option<String> {
    match value {
        Written::Cast { expr, .. } => column(expr).or_else(|| cast(expr)),
        Written::Nested(value) => cast(value),
        _ => None,
    }
}

/// Whether a value becomes several columns.
fn unnests(value: &Written) -> bool {
    let found = visit_expressions(value, |value| match value {
        Written::Function(call) if call.name.to_string().eq_ignore_ascii_case("unnest") => {
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    });
    found.is_break()
}

/// The `SELECT` that names the columns of a statement's result.
fn select(statement: &mut Statement) -> Option<&mut Select> {
    let query: &mut Query = match statement {
        Statement::Statement(statement) => match &mut **statement {
            ast::Statement::Query(query) => query,
            ast::Statement::CreateTable(create) if create.columns.is_empty() => {
                create.query.as_mut()?
            }
            ast::Statement::CreateView(create) if create.columns.is_empty() => &mut create.query,
            _ => return None,
        },
        Statement::CopyTo(copy) => match &mut copy.source {
            CopyToSource::Query(query) => query,
            CopyToSource::Relation(_) => return None,
        },
        Statement::Explain(explain) => return select(&mut explain.statement),
        _ => return None,
    };
    leftmost(&mut query.body)
}

fn leftmost(body: &mut SetExpr) -> Option<&mut Select> {
    match body {
        SetExpr::Select(select) => Some(select),
        SetExpr::Query(query) => leftmost(&mut query.body),
        SetExpr::SetOperation { left, .. } => leftmost(left),
        _ => None,
    }
}
