//! Expressions made of text with places for others: `CAST($1 AS DOUBLE) / NULLIF($2, 0)`.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident,
    ObjectName, Value, visit_expressions_mut,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;

use super::Refused;
use crate::failure::Refusal;

/// The expression with these in the places of `$1`, `$2`, ….
pub(super) fn fill(template: &str, values: &[Expr]) -> Refused<Expr> {
    let parsed = Parser::new(&GenericDialect {})
        .try_with_sql(template)
        .and_then(|mut parser| parser.parse_expr());
    let mut filled = parsed.map_err(|error| Refusal {
        message: format!("{template}: {error}"),
        ..Refusal::default()
    })?;
    let place = |expr: &Expr| {
        let Expr::Value(value) = expr else {
            return None;
        };
        let Value::Placeholder(place) = &value.value else {
            return None;
        };
        let place: usize = place.strip_prefix('$')?.parse().ok()?;
        values.get(place.checked_sub(1)?).cloned()
    };
    let _ = visit_expressions_mut(&mut filled, |expr| {
        if let Some(value) = place(expr) {
            *expr = Expr::Nested(Box::new(value));
        }
        ControlFlow::<()>::Continue(())
    });
    Ok(filled)
}

/// A call of a function.
pub(super) fn call(name: &str, values: Vec<Expr>) -> Expr {
    let argument = |value| FunctionArg::Unnamed(FunctionArgExpr::Expr(value));
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: values.into_iter().map(argument).collect(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

/// A call's name in lower case and its arguments, if it is plain.
pub(super) fn named(expr: &Expr) -> Option<(String, Vec<Expr>)> {
    let Expr::Function(function) = expr else {
        return None;
    };
    Some((name(function)?, plain(&function.args)?))
}

/// What a function is called, in lower case.
pub(super) fn name(function: &Function) -> Option<String> {
    let [part] = function.name.0.as_slice() else {
        return None;
    };
    let ident = part.as_ident()?;
    ident
        .quote_style
        .is_none()
        .then(|| ident.value.to_lowercase())
}

/// The plain arguments of a call; `None` if it has others.
pub(super) fn plain(arguments: &FunctionArguments) -> Option<Vec<Expr>> {
    let FunctionArguments::List(list) = arguments else {
        return None;
    };
    list.args
        .iter()
        .map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
            _ => None,
        })
        .collect()
}
