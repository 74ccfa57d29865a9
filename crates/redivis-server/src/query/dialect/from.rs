//! What is selected from: tables, common table expressions, subqueries, arrays, and joins of them.

use datafusion::sql::sqlparser::{
    ast::{
        BinaryOperator, Expr, JoinConstraint, JoinOperator, ObjectName, Spanned, TableAlias,
        TableAliasColumnDef, TableFactor, TableWithJoins,
    },
    tokenizer::Span,
};

use super::{
    super::{table::columns_of, tables::registered},
    QueryError, Rewriter, Spelling,
    expression::call,
    lower, named,
    select::{idents, lower_name, refuse},
};

type Done<T = ()> = Result<T, QueryError>;

impl Rewriter<'_, '_> {
    pub(super) fn tables(&mut self, tables: &mut TableWithJoins) -> Done {
        let left = self.scope.len();
        self.table(&mut tables.relation)?;
        for join in &mut tables.joins {
            let span = join.span();
            refuse(join.global, span, "GLOBAL JOIN")?;
            let right = self.scope.len();
            self.table(&mut join.relation)?;
            let merged = merging(&join.join_operator);
            let constraint = match &mut join.join_operator {
                JoinOperator::Join(constraint)
                | JoinOperator::Inner(constraint)
                | JoinOperator::Left(constraint)
                | JoinOperator::LeftOuter(constraint)
                | JoinOperator::Right(constraint)
                | JoinOperator::RightOuter(constraint)
                | JoinOperator::FullOuter(constraint)
                | JoinOperator::CrossJoin(constraint) => constraint,
                _ => return Err(QueryError::unsupported(span, "this kind of join")),
            };
            match constraint {
                JoinConstraint::On(condition) => self.expression(condition)?,
                JoinConstraint::Using(names) => {
                    let names = std::mem::take(names);
                    let condition = self.using(names, merged, [left, right], span)?;
                    *constraint = JoinConstraint::On(condition);
                }
                JoinConstraint::Natural => {
                    return Err(QueryError::unsupported(span, "NATURAL joins"));
                }
                JoinConstraint::None => {}
            }
        }
        Ok(())
    }

    /// The condition of `USING`, whose columns are one from now on. Tables from `left` on are joined with those from
    /// `right` on.
    fn using(
        &mut self,
        names: Vec<ObjectName>,
        merged: Merging,
        [left, right]: [usize; 2],
        span: Span,
    ) -> Done<Expr> {
        let mut conditions = Vec::new();
        let mut columns = Vec::new();
        for mut name in names {
            lower_name(&mut name, span)?;
            let [name] = idents(&name, span)?
                .try_into()
                .map_err(|_| QueryError::unsupported(span, "dotted names in USING"))?;
            let one = self.scope.side(&name.value, left..right, span)?;
            let other = self
                .scope
                .side(&name.value, right..self.scope.len(), span)?;
            let expr = match merged {
                Merging::Left => one.expr.clone(),
                Merging::Right => other.expr.clone(),
                Merging::Either => call("coalesce", [one.expr.clone(), other.expr.clone()]),
            };
            conditions.push(both(
                one.expr.clone(),
                BinaryOperator::Eq,
                other.expr.clone(),
            ));
            columns.push((name.value, expr, one, other));
        }
        self.scope.merge(columns);
        conditions
            .into_iter()
            .reduce(|one, other| both(one, BinaryOperator::And, other))
            .ok_or_else(|| QueryError::unsupported(span, "USING without columns"))
    }

    fn table(&mut self, factor: &mut TableFactor) -> Done {
        let span = factor.span();
        match factor {
            TableFactor::Table {
                name,
                alias,
                args,
                with_hints,
                version,
                with_ordinality,
                partitions,
                json_path,
                sample,
                index_hints,
            } => {
                refuse(args.is_some(), span, "table functions")?;
                refuse(!with_hints.is_empty(), span, "table hints")?;
                refuse(version.is_some(), span, "FOR SYSTEM_TIME AS OF")?;
                refuse(*with_ordinality, span, "WITH ORDINALITY")?;
                refuse(!partitions.is_empty(), span, "PARTITION")?;
                refuse(json_path.is_some(), span, "paths behind tables")?;
                refuse(sample.is_some(), span, "TABLESAMPLE")?;
                refuse(!index_hints.is_empty(), span, "index hints")?;
                let parts = idents(name, span)?;
                let common = match parts.as_slice() {
                    [only] => self.common(&only.value),
                    _ => None,
                };
                if let Some((lowered, spelling)) = common {
                    *name = ObjectName::from(vec![named(&lowered)]);
                    lower_alias(alias, span)?;
                    let alias = alias
                        .as_ref()
                        .map_or_else(|| named(&lowered), |a| a.name.clone());
                    self.scope.add(alias, spelling);
                    Ok(())
                } else {
                    let (place, table) = self.tables.find(&parts, span)?;
                    let columns =
                        columns_of(&table).map(|(name, _)| (name.to_lowercase(), name.to_owned()));
                    let alias = alias.get_or_insert_with(|| alias_of(&table.entry.name));
                    lower_table_alias(alias, span)?;
                    self.scope.add(alias.name.clone(), columns.collect());
                    *name = ObjectName::from(vec![named(&registered(place))]);
                    Ok(())
                }
            }
            TableFactor::Derived {
                lateral,
                subquery,
                alias,
                sample,
            } => {
                refuse(*lateral, span, "LATERAL")?;
                refuse(sample.is_some(), span, "TABLESAMPLE")?;
                let columns = self.query(subquery)?;
                // Without a name, the engine cannot tell its columns from those of other tables.
                self.derived += 1;
                let alias =
                    alias.get_or_insert_with(|| alias_of(&format!("$derived{}", self.derived)));
                lower_table_alias(alias, span)?;
                self.scope.add(alias.name.clone(), columns);
                Ok(())
            }
            TableFactor::NestedJoin {
                table_with_joins,
                alias,
            } => {
                refuse(alias.is_some(), span, "an alias of a join")?;
                self.tables(table_with_joins)
            }
            TableFactor::UNNEST {
                alias,
                array_exprs,
                with_offset,
                with_offset_alias,
                with_ordinality,
            } => {
                refuse(
                    *with_offset || with_offset_alias.is_some(),
                    span,
                    "UNNEST … WITH OFFSET",
                )?;
                refuse(*with_ordinality, span, "WITH ORDINALITY")?;
                refuse(array_exprs.len() != 1, span, "UNNEST of several arrays")?;
                for array in array_exprs {
                    self.expression(array)?;
                }
                // The alias names the elements, not a table of them.
                let name = alias
                    .as_ref()
                    .map_or("f0_", |alias| alias.name.value.as_str());
                let (written, lowered) = (name.to_owned(), name.to_lowercase());
                self.scope
                    .add(named(&lowered), [(lowered.clone(), written)].into());
                let mut both = alias_of(&lowered);
                both.columns = vec![TableAliasColumnDef {
                    name: named(&lowered),
                    data_type: None,
                }];
                *alias = Some(both);
                Ok(())
            }
            _ => Err(QueryError::unsupported(span, "this kind of table")),
        }
    }

    fn common(&self, name: &str) -> Option<(String, Spelling)> {
        let name = name.to_lowercase();
        let known = self.common.iter().rev().find(|(known, _)| *known == name)?;
        Some(known.clone())
    }
}

fn alias_of(name: &str) -> TableAlias {
    TableAlias {
        explicit: true,
        name: named(&name.to_lowercase()),
        columns: Vec::new(),
        at: None,
    }
}

fn lower_alias(alias: &mut Option<TableAlias>, span: Span) -> Done {
    alias
        .as_mut()
        .map_or(Ok(()), |alias| lower_table_alias(alias, span))
}

fn lower_table_alias(alias: &mut TableAlias, span: Span) -> Done {
    refuse(!alias.columns.is_empty(), span, "column lists of aliases")?;
    refuse(alias.at.is_some(), span, "AT behind an alias")?;
    lower(&mut alias.name);
    Ok(())
}

/// Which side a column that `USING` compares is taken from: the one that has a value in every row.
#[derive(Debug, Clone, Copy)]
enum Merging {
    Left,
    Right,
    Either,
}

fn merging(join: &JoinOperator) -> Merging {
    match join {
        JoinOperator::Right(_) | JoinOperator::RightOuter(_) => Merging::Right,
        JoinOperator::FullOuter(_) => Merging::Either,
        _ => Merging::Left,
    }
}

fn both(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp {
        left: Box::new(left),
        op,
        right: Box::new(right),
    }
}
