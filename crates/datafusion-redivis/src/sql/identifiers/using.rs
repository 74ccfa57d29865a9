//! `JOIN … USING` and `NATURAL JOIN` as `ON`, with one column for those that it joins by.
//!
//! DataFusion takes one of the two key columns for both: for a row of an outer join without a match, that may be the null
//! one. Here the merged column has the value that SQL gives it: the left side's, the right side's of a `RIGHT JOIN`, and of a
//! `FULL JOIN` whichever there is. It stands where the left side's stood.

use std::collections::HashSet;

use datafusion::common::{Result, plan_err};
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, Ident, JoinConstraint, JoinOperator, ObjectName, TableFactor,
    TableWithJoins,
};

use super::scope::{Candidate, Relation, candidates};

/// What a join keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    Matches,
    Left,
    Right,
    Both,
    /// Rows of the left side alone.
    LeftOnly,
    RightOnly,
}

/// The constraint of a join, and what the join keeps; `None` of kinds that DataFusion does not plan.
pub(super) fn constraint(
    operator: &mut JoinOperator,
) -> (Option<Kept>, Option<&mut JoinConstraint>) {
    use JoinOperator::*;
    let (kept, constraint) = match operator {
        Join(constraint) | Inner(constraint) => (Some(Kept::Matches), constraint),
        Left(constraint) | LeftOuter(constraint) => (Some(Kept::Left), constraint),
        Right(constraint) | RightOuter(constraint) => (Some(Kept::Right), constraint),
        FullOuter(constraint) => (Some(Kept::Both), constraint),
        LeftSemi(constraint) | LeftAnti(constraint) => (Some(Kept::LeftOnly), constraint),
        RightSemi(constraint) | RightAnti(constraint) => (Some(Kept::RightOnly), constraint),
        CrossJoin(constraint)
        | Semi(constraint)
        | Anti(constraint)
        | StraightJoin(constraint)
        | AsOf { constraint, .. } => (None, constraint),
        CrossApply | OuterApply | ArrayJoin | LeftArrayJoin | InnerArrayJoin => {
            return (None, None);
        }
    };
    (kept, Some(constraint))
}

/// Whether some join of an item merges columns.
pub(super) fn merges(item: &mut TableWithJoins) -> bool {
    let nested = |factor: &mut TableFactor| match factor {
        TableFactor::NestedJoin {
            table_with_joins, ..
        } => merges(table_with_joins),
        _ => false,
    };
    let mut joins = item.joins.iter_mut();
    nested(&mut item.relation)
        || joins.any(|join| {
            is_merging(constraint(&mut join.join_operator).1.as_deref())
                || nested(&mut join.relation)
        })
}

fn is_merging(constraint: Option<&JoinConstraint>) -> bool {
    matches!(
        constraint,
        Some(JoinConstraint::Using(_) | JoinConstraint::Natural)
    )
}

/// Fails for a join that can't be put so, since its left side is what another query yields, and that DataFusion plans wrong.
pub(super) fn refuse_outer(operator: &mut JoinOperator) -> Result<()> {
    let (kept, constraint) = constraint(operator);
    if kept != Some(Kept::Matches) && is_merging(constraint.as_deref()) {
        return plan_err!(
            "an outer join with USING or NATURAL after |> is not supported: write ON"
        );
    }
    Ok(())
}

/// Puts `ON` in the place of `USING` and `NATURAL`, and merges the columns. `keys` are those of `USING`.
///
/// Inner joins whose columns can't be known stay as DataFusion plans them.
pub(super) fn merge(
    kept: Kept,
    constraint: &mut JoinConstraint,
    keys: Option<&[String]>,
    left: &mut [Relation],
    right: &mut [Relation],
) -> Result<()> {
    let what = match keys {
        Some(keys) => format!("USING ({})", keys.join(", ")),
        None => "NATURAL JOIN".to_owned(),
    };
    let both = || left.iter().chain(right.iter());
    if both().any(|relation| relation.missing) {
        return Ok(());
    }
    if !both().all(|relation| is_known(relation, keys.is_none())) {
        if kept == Kept::Matches && !both().any(Relation::is_merged) {
            return Ok(());
        }
        return plan_err!(
            "{what} needs the columns of all tables that it joins: name those of functions and subqueries, as in AS t(k, v), or \
             write ON with the columns of both sides"
        );
    }
    let pairs = match keys {
        Some(keys) => using(keys, &what, left, right)?,
        None => natural(&what, left, right)?,
    };
    let mut on: Option<Expr> = None;
    let mut merged = vec![];
    for (left_key, right_key) in pairs {
        let left_value = value(left, left_key);
        let right_value = value(right, right_key);
        let equal = binary(left_value.clone(), BinaryOperator::Eq, right_value.clone());
        on = Some(match on {
            Some(on) => binary(on, BinaryOperator::And, equal),
            None => equal,
        });
        let value = match kept {
            Kept::Matches | Kept::Left => left_value,
            Kept::Right => right_value,
            Kept::Both => coalesce(left_value, right_value),
            Kept::LeftOnly | Kept::RightOnly => continue,
        };
        let place = |key: Candidate<'_>| (key.relation, key.spelling.to_owned());
        merged.push((place(left_key), place(right_key), value));
    }
    let Some(on) = on else {
        // DataFusion joins every row with every other, which is right for this one alone.
        return match kept {
            Kept::Matches => Ok(()),
            _ => plan_err!("{what} finds no column that both sides have: write ON"),
        };
    };
    *constraint = JoinConstraint::On(on);
    for ((left_place, left_name), (right_place, right_name), value) in merged {
        left[left_place].merged.insert(left_name, Some(value));
        right[right_place].merged.insert(right_name, None);
    }
    Ok(())
}

/// Whether the columns can be known: for `NATURAL` all of them, also those that nothing names.
fn is_known(relation: &Relation, natural: bool) -> bool {
    let columns = relation.columns.as_ref();
    columns.is_some_and(|columns| !(natural && columns.unnamed))
}

type Pair<'l, 'r> = (Candidate<'l>, Candidate<'r>);

fn using<'l, 'r>(
    keys: &[String],
    what: &str,
    left: &'l [Relation],
    right: &'r [Relation],
) -> Result<Vec<Pair<'l, 'r>>> {
    let mut seen = HashSet::new();
    let keys = keys.iter().filter(|key| seen.insert(key.to_lowercase()));
    keys.map(|key| {
        let (left, right) = (one(left, key, what)?, one(right, key, what)?);
        match (left, right) {
            (Some(left), Some(right)) => Ok((left, right)),
            (None, _) => plan_err!("{what}: there is no column `{key}` on the left side"),
            (_, None) => plan_err!("{what}: there is no column `{key}` on the right side"),
        }
    })
    .collect()
}

/// The columns that have a namesake on the other side.
fn natural<'l, 'r>(
    what: &str,
    left: &'l [Relation],
    right: &'r [Relation],
) -> Result<Vec<Pair<'l, 'r>>> {
    let mut pairs: Vec<Pair<'l, 'r>> = vec![];
    for name in left.iter().flat_map(Relation::visible) {
        let there = candidates(right, name);
        let Some(first) = there.first() else {
            continue;
        };
        // A column of this very spelling is the namesake, not one that differs in case.
        let has_exact = candidates(left, first.spelling)
            .iter()
            .any(|column| column.spelling == first.spelling);
        if first.spelling != name && has_exact {
            continue;
        }
        if let (Some(left), Some(right)) = (one(left, name, what)?, one(right, name, what)?) {
            pairs.push((left, right));
        }
    }
    Ok(pairs)
}

/// The one column that a name means on one side.
fn one<'a>(relations: &'a [Relation], name: &str, what: &str) -> Result<Option<Candidate<'a>>> {
    match candidates(relations, name).as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(*one)),
        [first, second, ..] => plan_err!(
            "{what}: on one side `{name}` may be {} or {}; write ON with the columns of both sides",
            relations[first.relation].column(first.spelling),
            relations[second.relation].column(second.spelling)
        ),
    }
}

fn value(relations: &[Relation], key: Candidate<'_>) -> Expr {
    let column = || relations[key.relation].column(key.spelling);
    key.merged.cloned().unwrap_or_else(column)
}

fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp {
        left: Box::new(left),
        op,
        right: Box::new(right),
    }
}

/// The first of the values that is not null.
fn coalesce(left: Expr, right: Expr) -> Expr {
    let args = [left, right].map(|value| FunctionArg::Unnamed(FunctionArgExpr::Expr(value)));
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new("coalesce")]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: args.into(),
            clauses: vec![],
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: vec![],
    })
}
