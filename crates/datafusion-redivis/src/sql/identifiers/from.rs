//! What a `FROM` offers: its tables, subqueries, functions and joins, each with its columns.

use std::sync::Arc;

use datafusion::common::{Result, plan_err};
use datafusion::sql::sqlparser::ast::{
    Ident, JoinConstraint, JoinOperator, ObjectName, ObjectNamePart, Query, SetExpr, TableAlias,
    TableFactor, TableWithJoins,
};

use super::scope::{Relation, Scope};
use super::using::{self, Kept};
use super::walk::Walk;
use super::wildcard::Options;
use crate::sql::statement;

impl Walk<'_> {
    /// What an item of a `FROM` and what is joined to it offer: tables, subqueries and functions, each with its columns.
    ///
    /// `merges` where some join of the `FROM` merges columns, `before` is what stands before the item.
    pub(super) fn joined(
        &mut self,
        item: &mut TableWithJoins,
        merges: bool,
        before: &[Relation],
        outer: Option<&Scope<'_>>,
    ) -> Result<Vec<Relation>> {
        let around = Scope::new(before, outer);
        let mut relations = self.factor(&mut item.relation, merges, &around, outer)?;
        for join in &mut item.joins {
            let visible = Scope::new(&relations, Some(&around));
            let mut right = self.factor(&mut join.relation, merges, &visible, outer)?;
            let left = relations.len();
            relations.append(&mut right);
            let scope = Scope::new(&relations, Some(&around));
            if let JoinOperator::AsOf {
                match_condition, ..
            } = &mut join.join_operator
            {
                self.within(match_condition, Some(&scope))?;
            }
            let (kept, constraint) = using::constraint(&mut join.join_operator);
            match (constraint, kept) {
                (Some(JoinConstraint::On(on)), _) => self.within(on, Some(&scope))?,
                (Some(constraint), Some(kept)) => {
                    let keys = match constraint {
                        JoinConstraint::Using(columns) => Some(self.keys(columns)?),
                        JoinConstraint::Natural => None,
                        _ => continue,
                    };
                    let (left, right) = relations.split_at_mut(left);
                    using::merge(kept, constraint, keys.as_deref(), left, right)?;
                }
                _ => {}
            }
            match kept {
                Some(Kept::LeftOnly) => relations.truncate(left),
                Some(Kept::RightOnly) => drop(relations.drain(..left)),
                _ => {}
            }
        }
        Ok(relations)
    }

    fn keys(&self, columns: &[ObjectName]) -> Result<Vec<String>> {
        let key = |column: &ObjectName| match column.0.as_slice() {
            [ObjectNamePart::Identifier(ident)] => Ok(self.names.normalized(ident)),
            _ => plan_err!("USING takes columns without a qualifier, and not `{column}`"),
        };
        columns.iter().map(key).collect()
    }

    /// Subqueries are walked on the way, as their columns are known only then. `visible` is what lateral ones may refer to.
    fn factor(
        &mut self,
        factor: &mut TableFactor,
        merges: bool,
        visible: &Scope<'_>,
        outer: Option<&Scope<'_>>,
    ) -> Result<Vec<Relation>> {
        if let TableFactor::NestedJoin {
            table_with_joins,
            alias: alias @ Some(_),
        } = factor
            && using::merges(table_with_joins)
        {
            *factor = TableFactor::Derived {
                lateral: false,
                subquery: select_all(*table_with_joins.clone())?,
                alias: alias.take(),
                sample: None,
            };
        }
        if merges {
            self.give_alias(factor);
        }
        let (columns, alias) = match factor {
            TableFactor::Table {
                sample: Some(_), ..
            } => {
                return plan_err!(
                    "TABLESAMPLE is not supported: all rows would be read; write WHERE random() < 0.01, or name the dataset's \
                     :sample"
                );
            }
            TableFactor::Table {
                name,
                alias,
                args: None,
                ..
            } => {
                let relation = self.names.relation(name, &self.ctes);
                return Ok(vec![self.names.aliased(relation, alias.as_ref())]);
            }
            TableFactor::Derived {
                lateral,
                subquery,
                alias,
                ..
            } => {
                let outer = if *lateral { Some(visible) } else { outer };
                (self.query(subquery, outer)?, alias.as_ref())
            }
            TableFactor::NestedJoin {
                table_with_joins,
                alias,
            } => {
                let relations = self.joined(table_with_joins, merges, &[], outer)?;
                let Some(alias) = alias else {
                    return Ok(relations);
                };
                let columns = Options::default().names(&relations);
                (columns.map(Arc::new), Some(&*alias))
            }
            // Functions and the like may refer to what stands before them; what they yield is known to DataFusion alone.
            other => {
                self.within(other, Some(visible))?;
                match other {
                    TableFactor::Table { alias, .. }
                    | TableFactor::Function { alias, .. }
                    | TableFactor::TableFunction { alias, .. }
                    | TableFactor::UNNEST { alias, .. } => (None, alias.as_ref()),
                    _ => (None, None),
                }
            }
        };
        let relation = Relation {
            columns,
            ..Relation::default()
        };
        Ok(vec![self.names.aliased(relation, alias)])
    }

    /// Names what could not be qualified otherwise.
    fn give_alias(&mut self, factor: &mut TableFactor) {
        let (TableFactor::Derived { alias, .. }
        | TableFactor::Function { alias, .. }
        | TableFactor::UNNEST { alias, .. }
        | TableFactor::Table {
            alias,
            args: Some(_),
            ..
        }) = factor
        else {
            return;
        };
        alias.get_or_insert_with(|| {
            self.aliases += 1;
            TableAlias {
                explicit: true,
                name: Ident::with_quote('"', format!("unnamed {}", self.aliases)),
                columns: vec![],
                at: None,
            }
        });
    }
}

/// `SELECT *` from this.
fn select_all(from: TableWithJoins) -> Result<Box<Query>> {
    let mut query = statement::query("SELECT *")?;
    if let SetExpr::Select(select) = &mut *query.body {
        select.from = vec![from];
    }
    Ok(query)
}
