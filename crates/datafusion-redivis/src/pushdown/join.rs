//! Joins.

use datafusion::common::{JoinType, NullEquality};
use datafusion::logical_expr::{Expr, Join, LogicalPlan, Operator};

use super::block::{Block, Column, indent};
use super::expression::Rows;
use super::refusal::{Said, refuse};
use super::sql::{Kind, Sql};
use super::translator::Translator;

impl Translator {
    pub(super) fn join(&self, join: &Join) -> Said<Block> {
        match join.join_type {
            JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => self.both(join),
            JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => {
                self.either(join, &join.left, &join.right)
            }
            JoinType::RightSemi | JoinType::RightAnti => self.either(join, &join.right, &join.left),
            JoinType::RightMark => refuse("a mark of the right side"),
        }
    }

    /// A side of a join that keeps all its rows only if `is_optional` is false.
    fn side(&self, plan: &LogicalPlan, is_optional: bool, must_be_single: bool) -> Said<Block> {
        let block = self.open(self.block(plan)?, plan.schema())?;
        // Where there is no row, what is computed is null, whatever it is computed from.
        let computes = is_optional && block.columns.iter().any(|column| !column.is_name);
        match computes || (must_be_single && !block.is_single) {
            true => self.wrapped(&block, plan.schema()),
            false => Ok(block),
        }
    }

    /// A join whose rows have the columns of both sides.
    fn both(&self, join: &Join) -> Said<Block> {
        let (left_optional, right_optional) = match join.join_type {
            JoinType::Inner => (false, false),
            JoinType::Left => (false, true),
            JoinType::Right => (true, false),
            _ => (true, true),
        };
        if join.on.is_empty() && join.join_type != JoinType::Inner {
            return refuse("an outer join without an equality");
        }
        let mut left = self.side(&join.left, left_optional, false)?;
        let mut right = self.side(&join.right, right_optional, true)?;
        // BigQuery has no subqueries in ON.
        let stays = |side: &Block| {
            join.join_type == JoinType::Full && !side.filters.is_empty()
                || side.filters.iter().any(|filter| is_subquery(filter))
        };
        if left_optional && stays(&left) {
            left = self.wrapped(&left, join.left.schema())?;
        }
        if right_optional && stays(&right) {
            right = self.wrapped(&right, join.right.schema())?;
        }
        let mut on = self.condition(join, &left.columns, &right.columns)?;
        // What is asked of an optional side is asked before the join, of any other side also after it.
        let mut filters = vec![];
        if on.iter().any(|condition| is_subquery(condition)) {
            if join.join_type != JoinType::Inner {
                return refuse("an outer join by a subquery");
            }
            let of_rows = |condition: &String| is_subquery(condition);
            filters = on.extract_if(.., |condition| of_rows(condition)).collect();
        }
        for (side, is_optional) in [(&left, left_optional), (&right, right_optional)] {
            match is_optional {
                true => on.extend(side.filters.iter().cloned()),
                false => filters.extend(side.filters.iter().cloned()),
            }
        }
        let (from, joined) = (&left.from, &right.from);
        let word = match join.join_type {
            JoinType::Inner if on.is_empty() => "CROSS JOIN",
            JoinType::Inner => "JOIN",
            JoinType::Left => "LEFT JOIN",
            JoinType::Right => "RIGHT JOIN",
            _ => "FULL JOIN",
        };
        let on = match on.is_empty() {
            true => String::new(),
            false => format!(" ON {}", on.join(" AND ")),
        };
        let columns = left.columns.into_iter().chain(right.columns);
        let mut block = Block::of(format!("{from}\n{word} {joined}{on}"), columns.collect());
        block.is_single = false;
        block.filters = filters;
        block.does_work = true;
        Ok(block)
    }

    /// A join that asks of each row on one side whether the other side has rows that match it.
    fn either(&self, join: &Join, kept: &LogicalPlan, asked: &LogicalPlan) -> Said<Block> {
        if join.on.is_empty() && join.filter.is_some() {
            return refuse("a subquery that is correlated by no equality");
        }
        let block = self.open(self.block(kept)?, kept.schema())?;
        let other = self.side(asked, false, false)?;
        let is_right = matches!(join.join_type, JoinType::RightSemi | JoinType::RightAnti);
        let mut block = block;
        // Conditions name its columns, and may do so more than once.
        if block.columns.iter().any(|column| !column.is_name) {
            block = self.wrapped(&block, kept.schema())?;
        }
        let condition = if join.null_aware {
            self.not_in(join, &block, other)?
        } else {
            let (left, right) = match is_right {
                true => (&other.columns, &block.columns),
                false => (&block.columns, &other.columns),
            };
            let mut filters = other.filters.clone();
            filters.extend(self.condition(join, left, right)?);
            let matching = Block { filters, ..other };
            let select = indent(&matching.select(&["1".to_owned()]));
            let exists = Sql::operand(format!("EXISTS (\n{select}\n)"));
            match join.join_type {
                JoinType::LeftAnti | JoinType::RightAnti => {
                    Sql::compound(format!("NOT {}", exists.text()))
                }
                _ => exists,
            }
        };
        match join.join_type {
            JoinType::LeftMark => {
                let mark = join.schema.fields().last();
                if mark.is_none_or(|mark| mark.is_nullable()) {
                    return refuse("a subquery whose answer may be unknown");
                }
                block.columns.push(Column::computed(condition));
            }
            _ => block.filters.push(condition.as_operand()),
        }
        block.order = vec![];
        block.is_ordered = false;
        block.does_work = true;
        Ok(block)
    }

    /// `NOT IN`, to which a null is neither there nor not there.
    fn not_in(&self, join: &Join, block: &Block, mut other: Block) -> Said<Sql> {
        let ([(left, right)], None) = (join.on.as_slice(), &join.filter) else {
            return refuse("NOT IN of several columns");
        };
        let left_rows = Rows::new(self, join.left.schema(), &block.columns);
        let right_rows = Rows::new(self, join.right.schema(), &other.columns);
        let kinds = (left_rows.kind(left)?, right_rows.kind(right)?);
        if kinds.0 != kinds.1 || kinds.0 == Kind::Float {
            return refuse("NOT IN with these types");
        }
        let value = left_rows.say(left)?;
        let sought = right_rows.say(right)?;
        other.columns = vec![Column::computed(sought.clone())];
        let select = indent(&other.select(&[sought.text().to_owned()]));
        Ok(Sql::compound(format!(
            "{} NOT IN (\n{select}\n)",
            value.as_operand()
        )))
    }

    /// What must be true of a pair of rows.
    fn condition(&self, join: &Join, left: &[Column], right: &[Column]) -> Said<Vec<String>> {
        let left_rows = Rows::new(self, join.left.schema(), left);
        let right_rows = Rows::new(self, join.right.schema(), right);
        let mut said = vec![];
        for (a, b) in &join.on {
            let kind = left_rows.kind(a)?;
            if kind != right_rows.kind(b)? {
                return refuse(format!("a join by {a} = {b}"));
            }
            let operator = match join.null_equality {
                NullEquality::NullEqualsNothing => "=",
                NullEquality::NullEqualsNull => "IS NOT DISTINCT FROM",
            };
            let sides = (left_rows.say(a)?, right_rows.say(b)?);
            let mut equal = |a: &Sql, b: &Sql| {
                said.push(Sql::infix(a, operator, b).text().to_owned());
            };
            if kind == Kind::Float && left_rows.may_be_nan(a) && right_rows.may_be_nan(b) {
                // NaN is equal to NaN; equalities are what joins are made by.
                equal(&number(&sides.0), &number(&sides.1));
                equal(&is_nan(&sides.0), &is_nan(&sides.1));
            } else {
                equal(&sides.0, &sides.1);
            }
        }
        if let Some(filter) = &join.filter {
            said.push(self.filter_of(join, filter, left, right)?);
        }
        Ok(said)
    }

    fn filter_of(
        &self,
        join: &Join,
        filter: &Expr,
        left: &[Column],
        right: &[Column],
    ) -> Said<String> {
        let Ok(schema) = join.left.schema().join(join.right.schema()) else {
            return refuse("a join of columns of one name");
        };
        let columns: Vec<Column> = left.iter().chain(right).cloned().collect();
        let said = Rows::new(self, &schema, &columns).say(filter)?;
        Ok(match filter {
            Expr::BinaryExpr(binary) if binary.op == Operator::And => said.text().to_owned(),
            _ => said.as_operand(),
        })
    }
}

fn is_nan(float: &Sql) -> Sql {
    Sql::call("IS_NAN", &[float])
}

/// A floating point number, and some number for NaN.
fn number(float: &Sql) -> Sql {
    let (is_nan, float) = (is_nan(float), float.text());
    Sql::operand(format!(
        "CASE WHEN {} THEN 0.0 ELSE {float} END",
        is_nan.text()
    ))
}

fn is_subquery(condition: &str) -> bool {
    condition.contains("SELECT")
}
