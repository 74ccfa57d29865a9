//! What a `FROM` offers: its tables, subqueries and joins, each with its columns.
//!
//! Subqueries are walked on the way, as their columns are known only then.

use std::sync::Arc;

use datafusion::common::TableReference;
use datafusion::sql::planner::object_name_to_table_reference;
use datafusion::sql::sqlparser::ast::{
    JoinConstraint, JoinOperator, ObjectName, TableAlias, TableFactor, TableWithJoins,
};

use super::scope::{Columns, Relation, Scope};
use super::{Walk, last};

impl Walk<'_> {
    /// An item of a `FROM` and what is joined to it.
    pub(super) fn joined(
        &mut self,
        item: &mut TableWithJoins,
        relations: &mut Vec<Relation>,
        outer: Option<&Scope<'_>>,
    ) {
        let before = relations.len();
        self.factor(&mut item.relation, relations, outer);
        for join in &mut item.joins {
            let joined = relations.len();
            self.factor(&mut join.relation, relations, outer);
            let scope = Scope { relations, outer };
            if let JoinOperator::AsOf {
                match_condition, ..
            } = &mut join.join_operator
            {
                self.within(match_condition, Some(&scope));
            }
            let is_outer = is_outer(&join.join_operator);
            match constraint(&mut join.join_operator) {
                // Of the two key columns, DataFusion takes the one whose table has the lesser name: for a row without a
                // match that may be the null one.
                Some(constraint @ (JoinConstraint::Using(_) | JoinConstraint::Natural))
                    if is_outer =>
                {
                    self.refuse(format!(
                        "an outer join with {} is not supported: rows without a match could lose their key; write ON with the \
                         columns of both tables, and name the columns you want",
                        match constraint {
                            JoinConstraint::Natural => "NATURAL",
                            _ => "USING",
                        }
                    ));
                }
                Some(JoinConstraint::On(on)) => self.within(on, Some(&scope)),
                Some(JoinConstraint::Using(columns)) => {
                    let (left, right) = relations[before..].split_at(joined - before);
                    self.refuse_differing("USING", &among(left, columns), &among(right, columns));
                    for column in columns {
                        self.column(last(column), &relations[before..]);
                    }
                }
                Some(JoinConstraint::Natural) => {
                    let (left, right) = relations[before..].split_at(joined - before);
                    self.refuse_differing("NATURAL JOIN", &all(left), &all(right));
                }
                _ => {}
            }
        }
    }

    fn factor(
        &mut self,
        factor: &mut TableFactor,
        relations: &mut Vec<Relation>,
        outer: Option<&Scope<'_>>,
    ) {
        let before = Scope { relations, outer };
        if let TableFactor::Table {
            sample: Some(_), ..
        } = factor
        {
            self.refuse(
                "TABLESAMPLE is not supported: all rows would be read; write WHERE random() < 0.01, or name the dataset's \
                 :sample"
                    .to_owned(),
            );
        }
        let relation = match factor {
            TableFactor::Table {
                name,
                alias,
                args: None,
                ..
            } => self.named(name, alias.as_ref()),
            TableFactor::Derived {
                lateral,
                subquery,
                alias,
                ..
            } => {
                let visible = if *lateral { Some(&before) } else { outer };
                let columns = self.query(subquery, visible);
                self.derived(columns, alias.as_ref())
            }
            TableFactor::NestedJoin {
                table_with_joins,
                alias: None,
            } => {
                let mut nested = vec![];
                self.joined(table_with_joins, &mut nested, outer);
                relations.append(&mut nested);
                return;
            }
            // Functions and the like may refer to what stands before them; what they yield is known to DataFusion alone.
            other => {
                self.within(other, Some(&before));
                match other {
                    TableFactor::Table { name, alias, .. } => {
                        let unknown = Relation {
                            columns: None,
                            ..self.named(name, None)
                        };
                        self.renamed(unknown, alias.as_ref())
                    }
                    TableFactor::Function { alias, .. }
                    | TableFactor::TableFunction { alias, .. }
                    | TableFactor::UNNEST { alias, .. }
                    | TableFactor::NestedJoin { alias, .. } => self.derived(None, alias.as_ref()),
                    _ => self.derived(None, None),
                }
            }
        };
        relations.push(relation);
    }

    /// A table or common table expression.
    pub(super) fn named(&self, name: &ObjectName, alias: Option<&TableAlias>) -> Relation {
        let relation = match object_name_to_table_reference(name.clone(), self.names.normalize) {
            Ok(reference) => self.referenced(reference),
            Err(_) => Relation {
                qualifier: vec![],
                short: None,
                columns: None,
            },
        };
        self.renamed(relation, alias)
    }

    fn referenced(&self, reference: TableReference) -> Relation {
        let qualifier = [
            reference.catalog(),
            reference.schema(),
            Some(reference.table()),
        ];
        let qualifier = qualifier.into_iter().flatten().map(str::to_owned).collect();
        let short = reference
            .table()
            .parse()
            .ok()
            .map(|table: redivis::TableReference| table.name().to_owned());
        if let TableReference::Bare { table } = &reference
            && let Some((_, columns)) = self.ctes.iter().rev().find(|(name, _)| **name == **table)
        {
            return Relation {
                qualifier,
                short: None,
                columns: columns.clone(),
            };
        }
        let resolved = self.names.resolve(reference);
        let columns = self.names.tables.get(&resolved).map(|schema| {
            let names = schema.fields().iter().map(|field| field.name().clone());
            Arc::new(names.collect::<Columns>())
        });
        Relation {
            qualifier,
            short,
            columns,
        }
    }

    fn derived(&self, columns: Option<Arc<Columns>>, alias: Option<&TableAlias>) -> Relation {
        self.renamed(
            Relation {
                qualifier: vec![],
                short: None,
                columns,
            },
            alias,
        )
    }

    /// The relation under its alias, which hides its own name.
    fn renamed(&self, relation: Relation, alias: Option<&TableAlias>) -> Relation {
        let Some(alias) = alias else {
            return relation;
        };
        Relation {
            qualifier: vec![self.normalized(&alias.name)],
            short: None,
            columns: self.aliased(relation.columns, alias),
        }
    }

    /// The columns as the alias names them, if it does.
    pub(super) fn aliased(
        &self,
        columns: Option<Arc<Columns>>,
        alias: &TableAlias,
    ) -> Option<Arc<Columns>> {
        if alias.columns.is_empty() {
            return columns;
        }
        let names = alias
            .columns
            .iter()
            .map(|column| self.normalized(&column.name));
        Some(Arc::new(names.collect()))
    }
}

/// The columns of several relations; `None` where those of one can't be known.
fn all(relations: &[Relation]) -> Option<Arc<Columns>> {
    let known: Option<Vec<_>> = relations
        .iter()
        .map(|relation| relation.columns.as_deref())
        .collect();
    let names = known?
        .into_iter()
        .flat_map(Columns::iter)
        .map(str::to_owned);
    Some(Arc::new(names.collect()))
}

/// Those of them that equal one of these names without regard to case.
fn among(relations: &[Relation], names: &[ObjectName]) -> Option<Arc<Columns>> {
    let columns = all(relations)?;
    let named = |column: &&str| {
        names
            .iter()
            .any(|name| name.to_string().trim_matches('"').to_lowercase() == column.to_lowercase())
    };
    Some(Arc::new(
        columns.iter().filter(named).map(str::to_owned).collect(),
    ))
}

/// Whether rows without a match are kept.
fn is_outer(operator: &JoinOperator) -> bool {
    matches!(
        operator,
        JoinOperator::Left(_)
            | JoinOperator::LeftOuter(_)
            | JoinOperator::Right(_)
            | JoinOperator::RightOuter(_)
            | JoinOperator::FullOuter(_)
    )
}

fn constraint(join: &mut JoinOperator) -> Option<&mut JoinConstraint> {
    use JoinOperator::*;
    match join {
        Join(constraint)
        | Inner(constraint)
        | Left(constraint)
        | LeftOuter(constraint)
        | Right(constraint)
        | RightOuter(constraint)
        | FullOuter(constraint)
        | CrossJoin(constraint)
        | Semi(constraint)
        | LeftSemi(constraint)
        | RightSemi(constraint)
        | Anti(constraint)
        | LeftAnti(constraint)
        | RightAnti(constraint)
        | StraightJoin(constraint)
        | AsOf { constraint, .. } => Some(constraint),
        CrossApply | OuterApply | ArrayJoin | LeftArrayJoin | InnerArrayJoin => None,
    }
}
