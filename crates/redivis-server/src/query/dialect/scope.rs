//! What a `FROM` clause brings into sight: its tables with their columns, and the columns that `USING` made one of.
//!
//! The engine would take the column of one table for the merged one, whichever comes first by name; so `USING` becomes
//! `ON`, and the merged column is written out wherever it is meant.

use std::ops::Range;

use datafusion::sql::sqlparser::{
    ast::{ExceptSelectItem, Expr, Ident, SelectItem, SelectItemQualifiedWildcardKind},
    ast::{ObjectName, WildcardAdditionalOptions},
    tokenizer::Span,
};

use super::{QueryError, Spelling, named};

/// Tables and merged columns of one `SELECT`.
#[derive(Debug, Default)]
pub(super) struct Scope {
    relations: Vec<Relation>,
    merged: Vec<Merged>,
}

/// A table, common table expression, subquery or array that is selected from.
#[derive(Debug)]
struct Relation {
    alias: Ident,
    columns: Spelling,
}

/// A column that `USING` made one of several.
#[derive(Debug)]
struct Merged {
    name: String,
    /// What it is, in the engine's form.
    expr: Expr,
    /// The places of the tables whose columns of this name are it.
    members: Vec<usize>,
}

/// A column that `USING` compares: what it is, and the tables it comes from.
pub(super) struct Side {
    pub(super) expr: Expr,
    members: Vec<usize>,
}

impl Scope {
    pub(super) fn add(&mut self, alias: Ident, columns: Spelling) {
        self.relations.push(Relation { alias, columns });
    }

    /// How many tables there are so far.
    pub(super) fn len(&self) -> usize {
        self.relations.len()
    }

    /// All columns, and how they are spelled.
    pub(super) fn spelling(&self) -> Spelling {
        // Of columns of the same name the first one's spelling counts.
        let columns = self.relations.iter().rev().map(|table| &table.columns);
        columns
            .flatten()
            .map(|(name, written)| (name.clone(), written.clone()))
            .collect()
    }

    /// The columns of one table, if there is one of this lower-case name.
    pub(super) fn columns_of(&self, alias: &str) -> Option<&Spelling> {
        let table = self
            .relations
            .iter()
            .find(|table| table.alias.value == alias);
        table.map(|table| &table.columns)
    }

    /// Whether any table has a column of this lower-case name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.relations
            .iter()
            .any(|table| table.columns.contains_key(name))
    }

    /// What a merged column of this lower-case name is, where the name means nothing else.
    pub(super) fn merged(&self, name: &str) -> Option<&Expr> {
        let merged = self.merged.iter().find(|merged| merged.name == name)?;
        let others = self.with(name, 0..self.len());
        (others.len() == merged.members.len()).then_some(&merged.expr)
    }

    /// The places of those tables in a range that have this column.
    fn with(&self, name: &str, range: Range<usize>) -> Vec<usize> {
        let has = |place: &usize| self.relations[*place].columns.contains_key(name);
        range.filter(has).collect()
    }

    /// The column of this lower-case name that tables on one side of a join have.
    pub(super) fn side(
        &self,
        name: &str,
        tables: Range<usize>,
        span: Span,
    ) -> Result<Side, QueryError> {
        let members = self.with(name, tables);
        let merged = self
            .merged
            .iter()
            .find(|merged| merged.name == name && merged.members == members);
        let expr = match (merged, members.as_slice()) {
            (Some(merged), _) => merged.expr.clone(),
            (None, &[only]) => {
                Expr::CompoundIdentifier(vec![self.relations[only].alias.clone(), named(name)])
            }
            (None, []) => {
                return Err(QueryError::at(
                    span,
                    format!("One side of the join has no column `{name}`"),
                ));
            }
            (None, _) => {
                return Err(QueryError::at(
                    span,
                    format!("The column name `{name}` of USING is ambiguous"),
                ));
            }
        };
        Ok(Side { expr, members })
    }

    /// Makes one column of those of both sides, for each of these; they come before all other columns.
    pub(super) fn merge(&mut self, columns: Vec<(String, Expr, Side, Side)>) {
        self.merged
            .retain(|old| columns.iter().all(|(name, ..)| old.name != *name));
        let merged = columns.into_iter().map(|(name, expr, left, right)| Merged {
            name,
            expr,
            members: [left.members, right.members].concat(),
        });
        self.merged.splice(0..0, merged);
    }

    /// Forgets those merged columns whose names mean something else.
    pub(super) fn hide(&mut self, names: &Spelling) {
        self.merged
            .retain(|merged| !names.contains_key(&merged.name));
    }

    /// Writes out what `*` stands for, where columns are merged: those first, then the others of each table.
    pub(super) fn expand(&self, items: Vec<SelectItem>) -> Vec<SelectItem> {
        if self.merged.is_empty() {
            return items;
        }
        let mut expanded = Vec::new();
        for item in items {
            match item {
                SelectItem::Wildcard(options) => self.write_out(&options, &mut expanded),
                other => expanded.push(other),
            }
        }
        expanded
    }

    fn write_out(&self, options: &WildcardAdditionalOptions, expanded: &mut Vec<SelectItem>) {
        let excepted: Vec<&Ident> = options
            .opt_except
            .iter()
            .flat_map(|except| {
                std::iter::once(&except.first_element).chain(&except.additional_elements)
            })
            .collect();
        let is_excepted = |name: &str| {
            excepted
                .iter()
                .any(|other| other.value.to_lowercase() == name)
        };
        let spelling = self.spelling();
        for merged in self
            .merged
            .iter()
            .filter(|merged| !is_excepted(&merged.name))
        {
            let mut replaced = options
                .opt_replace
                .iter()
                .flat_map(|replace| &replace.items);
            let replaced =
                replaced.find(|item| item.column_name.value.to_lowercase() == merged.name);
            let name = named(&merged.name);
            expanded.push(SelectItem::ExprWithAlias {
                expr: replaced.map_or(Expr::Identifier(name), |item| item.expr.clone()),
                alias: named(spelling.get(&merged.name).unwrap_or(&merged.name)),
            });
        }
        for (place, table) in self.relations.iter().enumerate() {
            let is_merged = |name: &str| {
                self.merged
                    .iter()
                    .any(|merged| merged.name == name && merged.members.contains(&place))
            };
            if table
                .columns
                .keys()
                .all(|name| is_merged(name) || is_excepted(name))
            {
                continue;
            }
            let mut left_out: Vec<Ident> = table
                .columns
                .keys()
                .filter(|name| is_merged(name) || is_excepted(name))
                .map(|name| named(name))
                .collect();
            // What no table has is left for the engine to refuse.
            left_out.extend(
                excepted
                    .iter()
                    .filter(|name| !self.has(&name.value.to_lowercase()))
                    .map(|name| (*name).clone()),
            );
            let opt_except = left_out.pop().map(|first_element| ExceptSelectItem {
                first_element,
                additional_elements: left_out,
            });
            let mut opt_replace = options.opt_replace.clone();
            if let Some(replace) = &mut opt_replace {
                replace.items.retain(|item| {
                    let name = item.column_name.value.to_lowercase();
                    !is_merged(&name) && (table.columns.contains_key(&name) || !self.has(&name))
                });
            }
            expanded.push(SelectItem::QualifiedWildcard(
                SelectItemQualifiedWildcardKind::ObjectName(ObjectName::from(vec![
                    table.alias.clone(),
                ])),
                WildcardAdditionalOptions {
                    opt_except,
                    opt_replace: opt_replace.filter(|replace| !replace.items.is_empty()),
                    ..options.clone()
                },
            ));
        }
    }
}
