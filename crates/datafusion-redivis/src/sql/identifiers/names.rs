//! What the tables' names of a statement stand for: tables of the session and common table expressions, with their columns.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{ResolvedTableReference, TableReference};
use datafusion::sql::planner::object_name_to_table_reference;
use datafusion::sql::sqlparser::ast::{Ident, ObjectName, TableAlias};

use super::scope::{Columns, Relation};

/// What is known of the session and of the tables that a statement names.
#[derive(Debug)]
pub(crate) struct Names {
    /// The catalog and schema of names that say none.
    pub(crate) default_catalog: String,
    pub(crate) default_schema: String,
    /// Whether unquoted identifiers are folded to lower case.
    pub(crate) normalize: bool,
    /// The schemas of the tables.
    pub(crate) tables: HashMap<ResolvedTableReference, SchemaRef>,
}

impl Names {
    /// The whole name of a table.
    pub(crate) fn resolve(&self, reference: TableReference) -> ResolvedTableReference {
        reference.resolve(&self.default_catalog, &self.default_schema)
    }

    pub(super) fn normalized(&self, ident: &Ident) -> String {
        if self.normalize && ident.quote_style.is_none() {
            ident.value.to_lowercase()
        } else {
            ident.value.clone()
        }
    }

    /// A table, or the innermost of these common table expressions that is named so.
    pub(super) fn relation(
        &self,
        name: &ObjectName,
        ctes: &[(String, Option<Arc<Columns>>)],
    ) -> Relation {
        let Ok(reference) = object_name_to_table_reference(name.clone(), self.normalize) else {
            return Relation {
                missing: true,
                ..Relation::default()
            };
        };
        let qualifier = [
            reference.catalog(),
            reference.schema(),
            Some(reference.table()),
        ];
        let mut relation = Relation {
            qualifier: qualifier.into_iter().flatten().map(str::to_owned).collect(),
            ..Relation::default()
        };
        if let TableReference::Bare { table } = &reference
            && let Some((_, columns)) = ctes.iter().rev().find(|(name, _)| **name == **table)
        {
            relation.columns = columns.clone();
            return relation;
        }
        if let Ok(table) = reference.table().parse::<redivis::TableReference>() {
            let names = [table.owner(), table.parent().name(), table.name()];
            let names = reference.schema().into_iter().chain(names);
            relation.reference = names.map(str::to_owned).collect();
        }
        let schema = self.tables.get(&self.resolve(reference));
        relation.missing = schema.is_none();
        relation.columns = schema.map(|schema| {
            let names = schema.fields().iter().map(|field| field.name().clone());
            Arc::new(names.collect())
        });
        relation
    }

    /// The relation under its alias, which hides its own name.
    pub(super) fn aliased(&self, relation: Relation, alias: Option<&TableAlias>) -> Relation {
        match alias {
            Some(alias) => Relation {
                qualifier: vec![self.normalized(&alias.name)],
                columns: self.renamed(relation.columns, alias),
                missing: relation.missing,
                ..Relation::default()
            },
            None => relation,
        }
    }

    /// The columns as the alias names them, if it does.
    pub(super) fn renamed(
        &self,
        columns: Option<Arc<Columns>>,
        alias: &TableAlias,
    ) -> Option<Arc<Columns>> {
        if alias.columns.is_empty() {
            return columns;
        }
        let names = alias.columns.iter();
        let names = names.map(|column| self.normalized(&column.name));
        Some(Arc::new(names.collect()))
    }
}
