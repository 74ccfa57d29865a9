//! Calls: every function is known here or in `function`, by BigQuery's name and with BigQuery's meaning.
//!
//! Parts of dates and intervals are syntax in BigQuery; here they become texts that the functions read.

use datafusion::sql::sqlparser::{
    ast::{
        CaseWhen, CastKind, DataType, DuplicateTreatment, Expr, Function, FunctionArg,
        FunctionArgExpr, FunctionArgumentClause, FunctionArguments, Interval, NullTreatment,
        ObjectName, Value, WindowType, helpers::attached_token::AttachedToken,
    },
    tokenizer::Span,
};

use super::{
    QueryError, Rewriter,
    expression::{arguments, call, part, text},
    lower, named,
    select::{idents, refuse},
};

type Done<T = ()> = Result<T, QueryError>;

/// Functions of a window alone, whose numbers the engine gives without a sign.
const RANKS: [&str; 4] = ["row_number", "rank", "dense_rank", "ntile"];

/// Aggregate functions, and what the engine calls them.
const AGGREGATES: &[(&str, &str)] = &[
    ("array_agg", "array_agg"),
    ("approx_quantiles", "approx_quantiles"),
    ("avg", "avg"),
    ("bit_and", "bit_and"),
    ("bit_or", "bit_or"),
    ("bit_xor", "bit_xor"),
    ("corr", "corr"),
    ("count", "count"),
    ("covar_pop", "covar_pop"),
    ("covar_samp", "covar_samp"),
    ("logical_and", "bool_and"),
    ("logical_or", "bool_or"),
    ("max", "max"),
    ("min", "min"),
    ("stddev", "stddev"),
    ("stddev_pop", "stddev_pop"),
    ("stddev_samp", "stddev"),
    ("string_agg", "string_agg"),
    ("sum", "sum"),
    ("var_pop", "var_pop"),
    ("var_samp", "var_samp"),
    ("variance", "var_samp"),
];

/// Functions of a window alone.
const NAVIGATION: &[&str] = &[
    "cume_dist",
    "first_value",
    "lag",
    "last_value",
    "lead",
    "nth_value",
    "percent_rank",
];

impl Rewriter<'_, '_> {
    pub(super) fn call(&mut self, mut function: Function, span: Span) -> Done<Expr> {
        refuse(function.uses_odbc_syntax, span, "ODBC syntax")?;
        refuse(function.filter.is_some(), span, "FILTER")?;
        refuse(!function.within_group.is_empty(), span, "WITHIN GROUP")?;
        refuse(
            function.parameters != FunctionArguments::None,
            span,
            "parameters before arguments",
        )?;
        let parts = idents(&function.name, span)?;
        let name = match parts.as_slice() {
            [name] => name.value.to_lowercase(),
            _ => return Err(unknown(&function.name.to_string(), span)),
        };
        let aggregate = AGGREGATES.iter().find(|(known, _)| *known == name);
        let navigates = NAVIGATION.contains(&name.as_str());
        let ranks = RANKS.contains(&name.as_str());
        if aggregate.is_some() || navigates || ranks {
            let engine = aggregate.map_or(name.as_str(), |(_, engine)| engine);
            function.name = ObjectName::from(vec![named(engine)]);
            if name == "string_agg" {
                default_separator(&mut function);
            }
            self.aggregated(&mut function, span)?;
            if name == "sum" {
                widen(&mut function);
                return Ok(call("$narrow", [Expr::Function(function)]));
            }
            if (navigates || ranks) && function.over.is_none() {
                let message = format!("{} needs an OVER clause", name.to_uppercase());
                return Err(QueryError::at(span, message));
            }
            let expr = Expr::Function(function);
            return Ok(if ranks { integer(expr) } else { expr });
        }
        match name.as_str() {
            "countif" => {
                let condition = self.one(&function, &name, span)?;
                refuse(is_distinct(&function), span, "COUNTIF(DISTINCT …)")?;
                return self.over(function, "count", when(condition, number(1), None));
            }
            "any_value" => {
                let value = self.one(&function, &name, span)?;
                function.null_treatment = Some(NullTreatment::IgnoreNulls);
                return self.over(function, "first_value", value);
            }
            "approx_count_distinct" => {
                let value = self.one(&function, &name, span)?;
                let mut counted = self.over(function, "count", value)?;
                if let Expr::Function(Function {
                    args: FunctionArguments::List(list),
                    ..
                }) = &mut counted
                {
                    list.duplicate_treatment = Some(DuplicateTreatment::Distinct);
                }
                return Ok(counted);
            }
            _ => {}
        }
        refuse(
            function.over.is_some(),
            span,
            format!("{name} with OVER").as_str(),
        )?;
        refuse(function.null_treatment.is_some(), span, "IGNORE NULLS here")?;
        if let FunctionArguments::List(list) = &function.args {
            refuse(list.duplicate_treatment.is_some(), span, "DISTINCT here")?;
            refuse(
                !list.clauses.is_empty(),
                span,
                "clauses behind arguments here",
            )?;
        }
        let mut given = arguments(&function, span)?;
        let plain = name.strip_prefix("safe.").unwrap_or(&name).to_owned();
        if takes_part(&plain) {
            parts_to_text(&plain, &mut given, span)?;
        }
        self.expressions(&mut given)?;
        self.scalar(&name, given, span)
    }

    fn scalar(&self, name: &str, given: Vec<Expr>, span: Span) -> Done<Expr> {
        let count = given.len();
        let wrong = || {
            let message = format!("{} does not take {count} arguments", name.to_uppercase());
            QueryError::at(span, message)
        };
        match name {
            "if" => {
                let [condition, yes, no] = given.try_into().map_err(|_| wrong())?;
                return Ok(when(condition, yes, Some(no)));
            }
            "ifnull" if count != 2 => return Err(wrong()),
            "ifnull" => return Ok(call("coalesce", given)),
            "coalesce" | "nullif" => return Ok(call(name, given)),
            "safe_divide" => return Ok(call("safe.$divide", given)),
            "safe_add" => return Ok(call("safe.$add", given)),
            "safe_subtract" => return Ok(call("safe.$subtract", given)),
            "safe_multiply" => return Ok(call("safe.$multiply", given)),
            "safe_negate" => return Ok(call("safe.$negate", given)),
            "concat" => {
                let mut parts = given.into_iter();
                let first = parts.next().ok_or_else(wrong)?;
                return Ok(parts.fold(first, |left, right| call("$concat", [left, right])));
            }
            "array_length" => {
                let [array] = given.try_into().map_err(|_| wrong())?;
                return Ok(integer(call(
                    "coalesce",
                    [
                        call("array_length", [array.clone()]),
                        when(Expr::IsNotNull(Box::new(array)), number(0), None),
                    ],
                )));
            }
            "array_to_string" | "generate_array" => return Ok(call(name, given)),
            "split" => {
                let mut given = given;
                if count == 1 {
                    given.push(text(","));
                }
                return Ok(call("string_to_array", given));
            }
            "current_date" | "current_datetime" | "current_timestamp" | "current_time" => {
                if count > 0 {
                    return Err(QueryError::unsupported(span, "time zones"));
                }
                let kind = name.trim_start_matches("current_");
                let format = match kind {
                    "date" => "%Y-%m-%d",
                    "time" => "%H:%M:%S%.6f",
                    _ => "%Y-%m-%d %H:%M:%S%.6f",
                };
                let now = text(self.now.format(format).to_string());
                return Ok(call(&format!("$cast_{kind}"), [now]));
            }
            _ => {}
        }
        if name.starts_with('$') || !(self.functions)(name) {
            return Err(unknown(name, span));
        }
        Ok(call(name, given))
    }

    /// The only argument of a call.
    fn one(&mut self, function: &Function, name: &str, span: Span) -> Done<Expr> {
        if let FunctionArguments::List(list) = &function.args {
            refuse(
                !list.clauses.is_empty(),
                span,
                "clauses behind arguments here",
            )?;
        }
        let [mut only] = <[Expr; 1]>::try_from(arguments(function, span)?).map_err(|given| {
            QueryError::at(
                span,
                format!(
                    "{} does not take {} arguments",
                    name.to_uppercase(),
                    given.len()
                ),
            )
        })?;
        self.expression(&mut only)?;
        Ok(only)
    }

    /// The call of another aggregate over the same window.
    fn over(&mut self, mut function: Function, name: &str, argument: Expr) -> Done<Expr> {
        if let Some(WindowType::WindowSpec(window)) = &mut function.over {
            self.window(window)?;
        }
        let Expr::Function(mut other) = call(name, [argument]) else {
            return Err(QueryError::new("a call is no call"));
        };
        other.over = function.over.map(lower_window);
        other.null_treatment = function.null_treatment;
        Ok(Expr::Function(other))
    }

    /// Rewrites what is within an aggregate's parentheses and behind them.
    fn aggregated(&mut self, function: &mut Function, span: Span) -> Done {
        if let FunctionArguments::List(list) = &mut function.args {
            for argument in &mut list.args {
                match argument {
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => self.expression(expr)?,
                    FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => {}
                    _ => return Err(QueryError::unsupported(span, "this argument")),
                }
            }
            for clause in &mut list.clauses {
                match clause {
                    FunctionArgumentClause::OrderBy(orders) => self.orders(orders)?,
                    FunctionArgumentClause::IgnoreOrRespectNulls(_) => {}
                    FunctionArgumentClause::Limit(_) => {
                        return Err(QueryError::unsupported(span, "LIMIT within an aggregate"));
                    }
                    _ => {
                        return Err(QueryError::unsupported(
                            span,
                            "clauses behind arguments here",
                        ));
                    }
                }
            }
        }
        if let Some(WindowType::WindowSpec(window)) = &mut function.over {
            self.window(window)?;
        }
        function.over = function.over.take().map(lower_window);
        Ok(())
    }
}

fn lower_window(mut over: WindowType) -> WindowType {
    if let WindowType::NamedWindow(name) = &mut over {
        lower(name);
    }
    over
}

fn unknown(name: &str, span: Span) -> QueryError {
    QueryError::at(
        span,
        format!(
            "Function not found: {}; redivis-server has the ones of its README",
            name.to_uppercase()
        ),
    )
}

fn is_distinct(function: &Function) -> bool {
    matches!(&function.args, FunctionArguments::List(list) if list.duplicate_treatment.is_some())
}

fn default_separator(function: &mut Function) {
    if let FunctionArguments::List(list) = &mut function.args
        && list.args.len() == 1
    {
        list.args
            .push(FunctionArg::Unnamed(FunctionArgExpr::Expr(text(","))));
    }
}

/// Makes the argument one that cannot overflow.
fn widen(function: &mut Function) {
    if let FunctionArguments::List(list) = &mut function.args {
        for argument in &mut list.args {
            if let FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) = argument {
                *expr = call("$widen", [expr.clone()]);
            }
        }
    }
}

fn number(value: u8) -> Expr {
    Expr::Value(Value::Number(value.to_string(), false).into())
}

/// The engine's own cast, of numbers that are integers of another width.
fn integer(expr: Expr) -> Expr {
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(expr),
        data_type: DataType::BigInt(None),
        array: false,
        format: None,
    }
}

/// `CASE WHEN condition THEN yes ELSE no END`.
fn when(condition: Expr, yes: Expr, no: Option<Expr>) -> Expr {
    Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: vec![CaseWhen {
            condition,
            result: yes,
        }],
        else_result: no.map(Box::new),
    }
}

/// Whether a function's last argument is the part of a date, or an interval.
fn takes_part(name: &str) -> bool {
    name == "last_day"
        || ["date_", "datetime_", "timestamp_", "time_"]
            .iter()
            .any(|kind| {
                name.strip_prefix(kind)
                    .is_some_and(|what| matches!(what, "add" | "sub" | "diff" | "trunc"))
            })
}

/// Makes `INTERVAL 1 DAY` two arguments, `1` and `'DAY'`, and `WEEK(MONDAY)` the text of it.
fn parts_to_text(name: &str, given: &mut Vec<Expr>, span: Span) -> Done {
    if name.ends_with("_add") || name.ends_with("_sub") {
        let Some(Expr::Interval(Interval {
            value,
            leading_field: Some(field),
            leading_precision: None,
            last_field: None,
            fractional_seconds_precision: None,
        })) = given.pop()
        else {
            let message = format!(
                "{} takes an interval such as INTERVAL 1 DAY",
                name.to_uppercase()
            );
            return Err(QueryError::at(span, message));
        };
        given.push(*value);
        given.push(part(&field));
        return Ok(());
    }
    let place = match (name, given.len()) {
        ("last_day", 1) => return Ok(()),
        (_, 0) => return Ok(()),
        (diff, 3) if diff.ends_with("_diff") => 2,
        (_, count) => count.min(2) - 1,
    };
    if let Some(last) = given.get_mut(place)
        && matches!(last, Expr::Identifier(_) | Expr::Function(_))
    {
        *last = part(last);
        return Ok(());
    }
    let message = format!("{} takes a part such as DAY", name.to_uppercase());
    Err(QueryError::at(span, message))
}
