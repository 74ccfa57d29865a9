//! BigQuery's words in statements that people paste: brought into DataFusion's, where that says the same.
//!
//! Only what DataFusion does not know itself is rewritten; what it knows keeps its meaning. Where nothing says the same, the
//! statement is refused with what to write instead, rather than run with another meaning.

mod call;
mod date;
mod int64;
mod template;
mod types;

use std::ops::ControlFlow;

use datafusion::sql::parser::{CopyToSource, Statement};
use datafusion::sql::sqlparser::ast::{
    self, AccessExpr, CastKind, Expr, Spanned, Subscript, TableFactor, Value, VisitMut, VisitorMut,
};

pub(crate) use self::int64::functions;
use crate::failure::Refusal;
use crate::statement::offset;

/// The statement in DataFusion's words. `text` is what it was parsed from.
pub(crate) fn rewrite(statement: &mut Statement, text: &str) -> Result<(), Refusal> {
    let mut words = Words { text };
    let visited = match body(statement) {
        Some(Body::Sql(statement)) => statement.visit(&mut words),
        Some(Body::Query(query)) => query.visit(&mut words),
        None => return Ok(()),
    };
    match visited {
        ControlFlow::Break(refusal) => Err(refusal),
        ControlFlow::Continue(()) => Ok(()),
    }
}

enum Body<'s> {
    Sql(&'s mut ast::Statement),
    Query(&'s mut ast::Query),
}

fn body(statement: &mut Statement) -> Option<Body<'_>> {
    match statement {
        Statement::Statement(statement) => Some(Body::Sql(statement)),
        Statement::Explain(explain) => body(&mut explain.statement),
        Statement::CopyTo(copy) => match &mut copy.source {
            CopyToSource::Query(query) => Some(Body::Query(query)),
            CopyToSource::Relation(_) => None,
        },
        Statement::CreateExternalTable(_) | Statement::Reset(_) => None,
    }
}

/// What to say instead of running it.
type Refused<T = ()> = Result<T, Refusal>;

fn refuse<T>(message: impl Into<String>, hint: impl Into<String>) -> Refused<T> {
    Err(Refusal {
        message: message.into(),
        hint: Some(hint.into()),
        at: None,
    })
}

/// Puts DataFusion's words in the place of BigQuery's.
struct Words<'t> {
    text: &'t str,
}

impl Words<'_> {
    fn done(&self, outcome: Refused, expr: &Expr) -> ControlFlow<Refusal> {
        match outcome {
            Ok(()) => ControlFlow::Continue(()),
            Err(refusal) => {
                let span = expr.span();
                let at = |place: datafusion::sql::sqlparser::tokenizer::Location| {
                    offset(self.text, place.line, place.column)
                };
                let at = at(span.start)
                    .zip(at(span.end))
                    .map(|(start, end)| start..end);
                ControlFlow::Break(Refusal { at, ..refusal })
            }
        }
    }
}

impl VisitorMut for Words<'_> {
    type Break = Refusal;

    fn pre_visit_statement(&mut self, statement: &mut ast::Statement) -> ControlFlow<Refusal> {
        if let ast::Statement::CreateTable(create) = statement {
            for column in &mut create.columns {
                types::rename(&mut column.data_type);
            }
        }
        ControlFlow::Continue(())
    }

    /// Before its arguments are looked at, which may be words such as `DAY`.
    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Refusal> {
        let written = expr.clone();
        let outcome = before(expr);
        self.done(outcome, &written)
    }

    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Refusal> {
        let outcome = match factor {
            TableFactor::Pivot { .. } => refuse(
                "PIVOT is not known here",
                "sum(x) FILTER (WHERE kind = 'a') AS a, … makes columns of values",
            ),
            TableFactor::Unpivot { .. } => refuse(
                "UNPIVOT is not known here",
                "UNION ALL of one SELECT for each column does the same",
            ),
            factor => unnest(factor),
        };
        match outcome {
            Ok(()) => ControlFlow::Continue(()),
            Err(refusal) => ControlFlow::Break(refusal),
        }
    }
}

fn before(expr: &mut Expr) -> Refused {
    match expr {
        Expr::Function(_) => return call::rewrite(expr),
        Expr::Cast {
            kind,
            expr: value,
            data_type,
            ..
        } => {
            if types::is_int64(data_type) {
                let safe = matches!(kind, CastKind::SafeCast | CastKind::TryCast);
                let name = if safe { int64::SAFE } else { int64::STRICT };
                let value = value.as_ref().clone();
                *expr = template::call(name, vec![value]);
            } else {
                types::rename(data_type);
            }
        }
        Expr::TypedString(typed) => types::rename(&mut typed.data_type),
        Expr::Extract {
            field, expr: value, ..
        } => {
            if let Some(extracted) = date::extract(field, value)? {
                *expr = extracted;
            }
        }
        Expr::Struct { fields, .. } if !fields.is_empty() => {
            return refuse(
                "STRUCT with types is not known here",
                "STRUCT(1 AS a), or named_struct('a', CAST(1 AS BIGINT))",
            );
        }
        Expr::InUnnest {
            expr: value,
            array_expr,
            negated,
        } => {
            let (array, value) = (array_expr.as_ref().clone(), value.as_ref().clone());
            let text = if *negated {
                "NOT array_has($1, $2)"
            } else {
                "array_has($1, $2)"
            };
            *expr = template::fill(text, &[array, value])?;
        }
        Expr::CompoundFieldAccess { root, access_chain } => {
            if let Some(quantile) = call::quantile(root, access_chain)? {
                *expr = quantile;
                return Ok(());
            }
            for access in access_chain {
                if let AccessExpr::Subscript(Subscript::Index { index }) = access {
                    position(index)?;
                }
            }
        }
        Expr::Value(value) => {
            if let Value::SingleQuotedRawStringLiteral(text) = &value.value {
                value.value = Value::SingleQuotedString(text.replace('\'', "''"));
            }
        }
        _ => {}
    }
    Ok(())
}

/// `[OFFSET(0)]` and `[ORDINAL(1)]`, which are `[1]`.
fn position(index: &mut Expr) -> Refused {
    let Some((name, mut arguments)) = template::named(index) else {
        return Ok(());
    };
    let template = match name.as_str() {
        "offset" | "safe_offset" => "$1 + 1",
        "ordinal" | "safe_ordinal" => "$1",
        _ => return Ok(()),
    };
    if arguments.len() == 1 {
        arguments.truncate(1);
        *index = template::fill(template, &arguments)?;
    }
    Ok(())
}

/// `UNNEST(x) AS n`, where `n` is the column.
fn unnest(factor: &mut TableFactor) -> Refused {
    let TableFactor::UNNEST {
        alias,
        with_offset,
        array_exprs,
        ..
    } = factor
    else {
        return Ok(());
    };
    if *with_offset {
        return refuse(
            "UNNEST … WITH OFFSET is not known here",
            "SELECT unnest(x) AS value, generate_series(0, array_length(x) - 1) numbers the values of an array x",
        );
    }
    if let ([_], Some(alias)) = (array_exprs.as_slice(), alias)
        && alias.columns.is_empty()
    {
        alias.columns.push(ast::TableAliasColumnDef {
            name: alias.name.clone(),
            data_type: None,
        });
    }
    Ok(())
}
