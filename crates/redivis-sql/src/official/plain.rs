//! Queries that are no more than a look at one table.

use std::collections::HashSet;

use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, GroupByExpr, LimitClause, Query, Select, SelectItem,
    SetExpr, TableFactor, Value,
};

use super::Said;

/// Columns of one table and at most so many rows, as they come: nothing that a query would have to compute.
pub(super) fn table(query: &Query) -> Option<Said> {
    let select = bare(query)?;
    let limit = match &query.limit_clause {
        None => None,
        Some(LimitClause::LimitOffset {
            limit: Some(limit),
            offset: None,
            limit_by,
        }) if limit_by.is_empty() => Some(number(limit).filter(|rows| *rows > 0)?),
        Some(_) => return None,
    };
    let TableFactor::Table {
        name,
        alias,
        args: None,
        ..
    } = relation(select)?
    else {
        return None;
    };
    // Whatever else there may be of a table, a sample or names for its columns, is no part of such a call.
    let alias = alias
        .as_ref()
        .map_or(String::new(), |alias| format!(" {}", alias.name));
    let relation = select.from.first()?.to_string().replacen(" AS ", " ", 1);
    if relation != format!("{name}{alias}") {
        return None;
    }
    let [reference] = name.0.as_slice() else {
        return None;
    };
    Some(Said::Table {
        reference: reference.as_ident()?.value.clone(),
        variables: variables(&select.projection)?,
        limit,
    })
}

/// The text of `SELECT * FROM redivis_query('…')`.
pub(super) fn remote_query(query: &Query) -> Option<String> {
    let select = bare(query).filter(|_| query.limit_clause.is_none())?;
    if !variables(&select.projection)?.is_empty() {
        return None;
    }
    let TableFactor::Table {
        name,
        args: Some(arguments),
        ..
    } = relation(select)?
    else {
        return None;
    };
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(text)))] =
        arguments.args.as_slice()
    else {
        return None;
    };
    match &text.value {
        Value::SingleQuotedString(text)
            if name.to_string().eq_ignore_ascii_case("redivis_query") =>
        {
            Some(text.clone())
        }
        _ => None,
    }
}

/// The SELECT of a query that has nothing but what it selects, from where, and a limit.
fn bare(query: &Query) -> Option<&Select> {
    let SetExpr::Select(select) = query.body.as_ref() else {
        return None;
    };
    let nothing_else = query.with.is_none()
        && query.order_by.is_none()
        && query.fetch.is_none()
        && select.distinct.is_none()
        && select.top.is_none()
        && select.selection.is_none()
        && select.having.is_none()
        && select.qualify.is_none()
        && select.lateral_views.is_empty()
        && select.named_window.is_empty()
        && matches!(&select.group_by, GroupByExpr::Expressions(by, with) if by.is_empty() && with.is_empty());
    nothing_else.then_some(select)
}

fn relation(select: &Select) -> Option<&TableFactor> {
    match select.from.as_slice() {
        [from] if from.joins.is_empty() => Some(&from.relation),
        _ => None,
    }
}

/// The variables that are selected; none for `*`, which `FROM t` alone means too.
fn variables(projection: &[SelectItem]) -> Option<Vec<String>> {
    if let [] | [SelectItem::Wildcard(_)] = projection {
        let is_plain = projection.iter().all(|item| item.to_string() == "*");
        return is_plain.then(Vec::new);
    }
    let variable = |item: &SelectItem| match item {
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(name.value.clone()),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => {
            Some(parts.last()?.value.clone())
        }
        _ => None,
    };
    let variables: Vec<String> = projection.iter().map(variable).collect::<Option<_>>()?;
    let once: HashSet<String> = variables.iter().map(|name| name.to_lowercase()).collect();
    (once.len() == variables.len()).then_some(variables)
}

fn number(expr: &Expr) -> Option<u64> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => digits.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}
