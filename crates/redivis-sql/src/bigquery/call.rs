//! Calls of functions by BigQuery's names.

use datafusion::sql::sqlparser::ast::{
    AccessExpr, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArguments, Ident, ObjectName, Subscript, Value,
};

use super::template::{name, named, plain};
use super::{Refused, date, refuse, template};

/// Functions that are expressions of DataFusion's: name, number of arguments, expression.
const TEMPLATES: &[(&str, usize, &str)] = &[
    ("current_datetime", 0, "CAST(now() AS TIMESTAMP(6))"),
    ("date", 1, "CAST($1 AS DATE)"),
    ("date", 3, "make_date($1, $2, $3)"),
    ("date_from_unix_date", 1, "CAST(CAST($1 AS INT) AS DATE)"),
    ("datetime", 1, "CAST($1 AS TIMESTAMP(6))"),
    ("div", 2, "CAST($1 AS BIGINT) / CAST($2 AS BIGINT)"),
    ("format_date", 2, "to_char(CAST($2 AS DATE), $1)"),
    (
        "format_datetime",
        2,
        "to_char(CAST($2 AS TIMESTAMP(6)), $1)",
    ),
    (
        "format_timestamp",
        2,
        "to_char(CAST($2 AS TIMESTAMP(6)), $1)",
    ),
    ("generate_array", 2, "generate_series($1, $2)"),
    ("generate_array", 3, "generate_series($1, $2, $3)"),
    (
        "generate_date_array",
        2,
        "generate_series(CAST($1 AS DATE), CAST($2 AS DATE), INTERVAL '1 day')",
    ),
    (
        "generate_date_array",
        3,
        "generate_series(CAST($1 AS DATE), CAST($2 AS DATE), $3)",
    ),
    ("ieee_divide", 2, "CAST($1 AS DOUBLE) / CAST($2 AS DOUBLE)"),
    ("if", 3, "CASE WHEN $1 THEN $2 ELSE $3 END"),
    (
        "is_inf",
        1,
        "CAST($1 AS DOUBLE) IN (CAST('inf' AS DOUBLE), CAST('-inf' AS DOUBLE))",
    ),
    ("is_nan", 1, "isnan(CAST($1 AS DOUBLE))"),
    ("mod", 2, "$1 % $2"),
    ("parse_date", 2, "CAST(to_date($2, $1) AS DATE)"),
    (
        "parse_datetime",
        2,
        "CAST(to_timestamp($2, $1) AS TIMESTAMP(6))",
    ),
    (
        "parse_timestamp",
        2,
        "CAST(to_timestamp($2, $1) AS TIMESTAMP(6))",
    ),
    ("regexp_contains", 2, "regexp_like($1, $2)"),
    (
        "regexp_extract",
        2,
        "array_element(regexp_match($1, $2), 1)",
    ),
    (
        "safe_divide",
        2,
        "CAST($1 AS DOUBLE) / NULLIF(CAST($2 AS DOUBLE), 0)",
    ),
    ("split", 1, "string_to_array($1, ',')"),
    ("split", 2, "string_to_array($1, $2)"),
    ("timestamp", 1, "CAST($1 AS TIMESTAMP(6))"),
    ("timestamp_micros", 1, "to_timestamp_micros($1)"),
    ("timestamp_millis", 1, "to_timestamp_millis($1)"),
    ("timestamp_seconds", 1, "to_timestamp_seconds($1)"),
    ("unix_date", 1, "CAST(CAST($1 AS DATE) AS INT)"),
    ("unix_micros", 1, "CAST(CAST($1 AS TIMESTAMP(6)) AS BIGINT)"),
    ("unix_millis", 1, "CAST(CAST($1 AS TIMESTAMP(3)) AS BIGINT)"),
    (
        "unix_seconds",
        1,
        "CAST(CAST($1 AS TIMESTAMP(0)) AS BIGINT)",
    ),
];

/// Functions that have another name.
const NAMES: &[(&str, &str)] = &[
    ("approx_count_distinct", "approx_distinct"),
    ("byte_length", "octet_length"),
    ("logical_and", "bool_and"),
    ("logical_or", "bool_or"),
    ("sign", "signum"),
];

/// Functions that have no equal here, and what to write.
const REFUSED: &[(&str, &str)] = &[
    (
        "approx_quantiles",
        "approx_percentile_cont(x, 0.5) gives one; APPROX_QUANTILES(x, 100)[OFFSET(50)] is read as it",
    ),
    (
        "approx_top_count",
        "SELECT x, count(*) FROM … GROUP BY x ORDER BY 2 DESC LIMIT n",
    ),
    ("farm_fingerprint", date::ELSEWHERE),
    (
        "format",
        "to_char(x, '…') for dates and times; || joins texts, and CAST(x AS TEXT) makes one of a number",
    ),
    ("json_extract", date::ELSEWHERE),
    ("json_extract_scalar", date::ELSEWHERE),
    ("json_value", date::ELSEWHERE),
    ("json_query", date::ELSEWHERE),
    ("regexp_extract_all", date::ELSEWHERE),
    ("safe_add", "TRY_CAST(x AS DECIMAL(38)) has more room"),
    ("safe_multiply", "TRY_CAST(x AS DECIMAL(38)) has more room"),
    ("safe_subtract", "TRY_CAST(x AS DECIMAL(38)) has more room"),
    ("to_json_string", date::ELSEWHERE),
    ("to_json", date::ELSEWHERE),
];

pub(super) fn rewrite(expr: &mut Expr) -> Refused {
    let Expr::Function(function) = expr else {
        return Ok(());
    };
    let Some(name) = name(function) else {
        return Ok(());
    };
    if let Some((_, hint)) = REFUSED.iter().find(|(refused, _)| *refused == name) {
        return refuse(format!("no function {name}"), *hint);
    }
    match name.as_str() {
        "countif" => return count_if(function),
        "string_agg" => default_separator(function),
        "array_agg" => {
            if let Some(limited) = limited(function)? {
                *expr = limited;
            }
            return Ok(());
        }
        _ => {}
    }
    if let Some((_, known)) = NAMES.iter().find(|(other, _)| *other == name) {
        function.name = ObjectName::from(vec![Ident::new(*known)]);
        return Ok(());
    }
    let Some(given) = plain(&function.args) else {
        return Ok(());
    };
    let of_dates = match name.as_str() {
        "date_diff" | "datetime_diff" | "timestamp_diff" | "time_diff" => {
            date::diff(&name, &given)?
        }
        "date_trunc" | "datetime_trunc" | "timestamp_trunc" | "last_day" => {
            date::trunc(&name, &given)?
        }
        "date_add" | "date_sub" | "datetime_add" | "datetime_sub" | "timestamp_add"
        | "timestamp_sub" => date::add(&name, &given)?,
        "format_date" | "format_datetime" | "format_timestamp" => {
            formats(&name, &given)?;
            None
        }
        _ => None,
    };
    if let Some(of_dates) = of_dates {
        *expr = of_dates;
        return Ok(());
    }
    let template = TEMPLATES
        .iter()
        .find(|(known, count, _)| *known == name && *count == given.len());
    if let Some((_, _, template)) = template {
        *expr = template::fill(template, &given)?;
    }
    Ok(())
}

/// `COUNTIF(x)`, over a window too.
fn count_if(function: &mut Function) -> Refused {
    let Some([condition]) =
        plain(&function.args).and_then(|given| <[Expr; 1]>::try_from(given).ok())
    else {
        return Ok(());
    };
    let counted = template::fill("CASE WHEN $1 THEN 1 END", &[condition])?;
    function.name = ObjectName::from(vec![Ident::new("count")]);
    if let FunctionArguments::List(list) = &mut function.args {
        list.args = vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(counted))];
    }
    Ok(())
}

/// `STRING_AGG(x)` separates by commas.
fn default_separator(function: &mut Function) {
    if let FunctionArguments::List(list) = &mut function.args
        && list.args.len() == 1
    {
        let comma = Expr::Value(Value::SingleQuotedString(",".to_owned()).into());
        list.args
            .push(FunctionArg::Unnamed(FunctionArgExpr::Expr(comma)));
    }
}

/// `ARRAY_AGG(x … LIMIT n)`: the first of all.
fn limited(function: &mut Function) -> Refused<Option<Expr>> {
    let FunctionArguments::List(list) = &mut function.args else {
        return Ok(None);
    };
    let is_limit =
        |clause: &FunctionArgumentClause| matches!(clause, FunctionArgumentClause::Limit(_));
    let Some(at) = list.clauses.iter().position(is_limit) else {
        return Ok(None);
    };
    let FunctionArgumentClause::Limit(limit) = list.clauses.remove(at) else {
        return Ok(None);
    };
    let all = Expr::Function(function.clone());
    template::fill("array_slice($1, 1, $2)", &[all, limit]).map(Some)
}

/// `APPROX_QUANTILES(x, 100)[OFFSET(50)]`.
pub(super) fn quantile(root: &Expr, access: &[AccessExpr]) -> Refused<Option<Expr>> {
    let (Some((name, given)), [AccessExpr::Subscript(Subscript::Index { index })]) =
        (named(root), access)
    else {
        return Ok(None);
    };
    let (Some((position, of)), [value, parts]) = (named(index), given.as_slice()) else {
        return Ok(None);
    };
    let number = |expr: Option<&Expr>| match expr {
        Some(Expr::Value(value)) => match &value.value {
            Value::Number(digits, _) => digits.parse::<f64>().ok(),
            _ => None,
        },
        _ => None,
    };
    let (Some(parts), Some(offset)) = (number(Some(parts)), number(of.first())) else {
        return Ok(None);
    };
    let offset = match position.as_str() {
        "offset" | "safe_offset" => offset,
        "ordinal" | "safe_ordinal" => offset - 1.0,
        _ => return Ok(None),
    };
    if name != "approx_quantiles" || !(parts >= 1.0 && (0.0..=parts).contains(&offset)) {
        return Ok(None);
    }
    let text = format!("approx_percentile_cont($1, {:?})", offset / parts);
    template::fill(&text, std::slice::from_ref(value)).map(Some)
}

/// Refuses formats that DataFusion would read otherwise.
fn formats(name: &str, given: &[Expr]) -> Refused {
    let [Expr::Value(format), _] = given else {
        return refuse(
            format!("{} takes a format that is written out", name.to_uppercase()),
            date::ELSEWHERE,
        );
    };
    match &format.value {
        Value::SingleQuotedString(format) if date::is_format(format, name == "format_date") => {
            Ok(())
        }
        _ => refuse(
            format!("{} does not know this format", name.to_uppercase()),
            date::ELSEWHERE,
        ),
    }
}
