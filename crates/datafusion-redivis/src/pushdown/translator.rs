//! What is common to all parts of one statement.

use std::cell::{Cell, OnceCell};
use std::collections::HashSet;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::LogicalPlan;

use crate::connection::Connection;

/// Says one statement: what is named in it has a name of its own.
#[derive(Debug, Default)]
pub(super) struct Translator {
    /// Where all its tables are.
    connection: OnceCell<Arc<Connection>>,
    aliases: Cell<usize>,
    /// What columns are called, in lower case: inside a subquery, a column hides a table of its name outside.
    columns: OnceCell<HashSet<String>>,
}

impl Translator {
    pub(super) fn connection(&self) -> Option<&Arc<Connection>> {
        self.connection.get()
    }

    /// Whether a table's endpoint is that of all tables before it.
    pub(super) fn is_at(&self, connection: &Arc<Connection>) -> bool {
        Arc::ptr_eq(
            self.connection.get_or_init(|| Arc::clone(connection)),
            connection,
        )
    }

    /// Takes note of a plan's columns. The first plan that is said is the whole one.
    pub(super) fn know_columns(&self, plan: &LogicalPlan) {
        self.columns.get_or_init(|| column_names(plan));
    }

    /// A name that nothing else in the statement has.
    pub(super) fn alias(&self) -> String {
        loop {
            self.aliases.set(self.aliases.get() + 1);
            let alias = self.last_alias();
            let columns = self.columns.get();
            if !columns.is_some_and(|columns| columns.contains(&alias)) {
                return alias;
            }
        }
    }

    /// The name that was given last.
    pub(super) fn last_alias(&self) -> String {
        format!("t{}", self.aliases.get())
    }
}

/// The names of all columns of a plan, and of the tables that it reads.
fn column_names(plan: &LogicalPlan) -> HashSet<String> {
    let mut names = HashSet::new();
    // Nothing in it fails.
    let _ = plan.apply_with_subqueries(|node| {
        let fields = node.schema().fields().iter();
        names.extend(fields.map(|field| field.name().to_lowercase()));
        if let LogicalPlan::TableScan(scan) = node {
            let schema = scan.source.schema();
            let fields = schema.fields().iter();
            names.extend(fields.map(|field| field.name().to_lowercase()));
        }
        Ok(TreeNodeRecursion::Continue)
    });
    names
}
