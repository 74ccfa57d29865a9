//! Columns, tables and functions that are not there, and those that were meant.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use datafusion::common::Column;
use datafusion::sql::sqlparser::tokenizer::Token;

use super::diagnosis::Diagnosis;
use super::{locate, planner};

/// Functions that other databases have, with what is written for them here.
const ELSEWHERE: &[(&[&str], &str)] = &[
    (
        &[
            "year", "month", "day", "hour", "minute", "second", "quarter", "week",
        ],
        "date_part('{}', x)",
    ),
    (&["dayofweek", "weekday"], "date_part('dow', x)"),
    (&["dayofyear"], "date_part('doy', x)"),
    (&["countif", "count_if"], "count(*) FILTER (WHERE …)"),
    (&["safe_divide"], "a / nullif(b, 0)"),
    (&["safe_cast"], "TRY_CAST(x AS …)"),
    (&["if", "iif"], "CASE WHEN … THEN … ELSE … END"),
    (&["any_value"], "first_value(x)"),
    (
        &["mode"],
        "SELECT x FROM … GROUP BY x ORDER BY count(*) DESC LIMIT 1",
    ),
    (&["datediff", "date_diff"], "date_part('day', a - b)"),
    (&["getdate", "sysdate"], "now()"),
    (&["isnull"], "x IS NULL"),
];

/// Functions that need an `OVER`.
const WINDOWS: &[&str] = &[
    "row_number",
    "rank",
    "dense_rank",
    "percent_rank",
    "cume_dist",
    "ntile",
    "lag",
    "lead",
];

/// What to say of a column that is not there, and what to do.
pub(super) fn column(field: &Column, valid: &[Column], text: &str) -> Diagnosis {
    let valid = distinct(valid);
    let table = field
        .relation
        .as_ref()
        .map(|table| table.table().to_owned());
    let at = locate::column(text, table.as_deref(), &field.name);
    if let Some(table) = &field.relation
        && !valid.is_empty()
        && !valid
            .iter()
            .any(|column| column.relation.as_ref() == Some(table))
    {
        let tables: BTreeSet<String> = valid
            .iter()
            .filter_map(|column| Some(column.relation.as_ref()?.to_string()))
            .collect();
        let hint = match tables.len() {
            0 => None,
            1..=5 => Some(format!("there is {}", Vec::from_iter(tables).join(", "))),
            count => Some(format!("none of the {count} tables in FROM is called so")),
        };
        let message = format!("no table or alias {table} for the column {}", field.name);
        return Diagnosis::new(message).hint(hint).at(at);
    }
    let no_from = || {
        let missing = valid.is_empty() && !has_from(text);
        missing.then(|| "the statement has no FROM, which would say where the column is".to_owned())
    };
    let hint = of_bigquery(field, text, &at)
        .or_else(no_from)
        .or_else(|| nearest(field, &valid));
    Diagnosis::new(format!("no column {}", field.quoted_flat_name()))
        .hint(hint)
        .at(at)
}

fn has_from(text: &str) -> bool {
    let words = locate::words(text);
    let is_from = |token: &Token| matches!(token, Token::Word(word) if word.value.eq_ignore_ascii_case("from"));
    words.iter().any(|(token, _)| is_from(token))
}

/// What to write for what is no column in BigQuery.
fn of_bigquery(field: &Column, text: &str, at: &Option<Range<usize>>) -> Option<String> {
    let written = text.get(at.clone()?)?;
    if let Some(text) = written
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
    {
        return Some(format!(
            "a text stands in single quotes: '{}'",
            text.replace('\'', "''")
        ));
    }
    let is_array = field.relation.is_none() && field.name.eq_ignore_ascii_case("array");
    is_array.then(|| "an array is written [1, 2], without the type of its values".to_owned())
}

/// Each column once: the planner looks in several places, and some have a column without its table.
fn distinct(columns: &[Column]) -> Vec<Column> {
    let mut distinct: Vec<Column> = Vec::new();
    let qualified: BTreeSet<&str> = columns
        .iter()
        .filter(|column| column.relation.is_some())
        .map(|column| column.name.as_str())
        .collect();
    let mut seen = BTreeSet::new();
    for column in columns {
        let bare = column.relation.is_none() && qualified.contains(column.name.as_str());
        if !bare && seen.insert((&column.relation, &column.name)) {
            distinct.push(column.clone());
        }
    }
    distinct
}

/// The names nearest to the one that was not found: a typing error is close, and the rest of a long list is noise.
fn nearest(field: &Column, valid: &[Column]) -> Option<String> {
    const SHOWN: usize = 5;
    let wanted = field.name.to_lowercase();
    let mut names: Vec<(f64, String)> = valid
        .iter()
        .map(|column| {
            let likeness = strsim::jaro_winkler(&wanted, &column.name.to_lowercase());
            let shared = valid
                .iter()
                .filter(|other| other.name == column.name)
                .count()
                > 1;
            let name = if shared {
                column.quoted_flat_name()
            } else {
                Column::from_name(&column.name).quoted_flat_name()
            };
            (likeness, name)
        })
        .collect();
    names.sort_by(|a, b| b.0.total_cmp(&a.0));
    if names.len() > SHOWN {
        names.retain(|(likeness, _)| *likeness > 0.6);
        names.truncate(SHOWN);
    }
    let names: Vec<String> = names.into_iter().map(|(_, name)| name).collect();
    match (names.as_slice(), valid.len()) {
        ([], 0) => None,
        ([], count) => Some(format!(
            r"none of the {count} columns has a similar name; \d TABLE lists them"
        )),
        (names, count) if names.len() < count => {
            Some(format!("nearest of {count} columns: {}", names.join(", ")))
        }
        (names, _) => Some(format!("columns: {}", names.join(", "))),
    }
}

/// Takes the names of DataFusion's built-in catalog and schema, which nobody typed, out of its words.
pub(super) fn planner_words(message: &str, text: &str) -> Diagnosis {
    let message = message.trim_end().replace("datafusion.public.", "");
    let missing = message
        .strip_prefix("table '")
        .and_then(|rest| rest.strip_suffix("' not found"));
    if let Some(name) = missing.and_then(|name| name.strip_prefix("datafusion.")) {
        let at = locate::table(text, name);
        let schema = name.split('.').next().unwrap_or(name);
        let hint = format!(
            r"a table of Redivis has three parts, owner.dataset.table (\ls {name} lists a dataset's); ATTACH 'owner.dataset' AS {schema} makes two enough"
        );
        return Diagnosis::new(format!("no table {name}")).hint(hint).at(at);
    }
    if let Some(name) = missing {
        let at = locate::table(text, name);
        if name.contains('/') || Path::new(name).extension().is_some() {
            return Diagnosis::new(format!("no table or file '{name}'")).at(at);
        }
        let hint = r"\dt lists local tables; a Redivis table is redivis.'owner.dataset.table', a file 'path.parquet'";
        return Diagnosis::new(format!("no table '{name}'"))
            .hint(hint.to_owned())
            .at(at);
    }
    if let Some((name, message, hint)) = mismatched(&message) {
        return Diagnosis::new(message)
            .hint(hint)
            .at(locate::function(text, name));
    }
    let (what, meant) = match message.split_once("\nDid you mean ") {
        Some((what, names)) => (what, names.trim_matches(['\'', '?'])),
        None => return planner::explain(&message, text),
    };
    match what
        .strip_prefix("Invalid function '")
        .and_then(|rest| rest.split('\'').next())
    {
        Some(name) => Diagnosis::new(format!("no function {name}"))
            .hint(function(name, meant))
            .at(locate::function(text, name)),
        None => Diagnosis::new(what).hint(format!("did you mean {meant}?")),
    }
}

/// What to write for a function that is not there. `similar` is DataFusion's guess, which may be far off.
fn function(name: &str, similar: &str) -> Option<String> {
    let name = name.to_lowercase();
    if WINDOWS.contains(&name.as_str()) {
        return Some(format!(
            "it looks at a window of rows: {name}() OVER (ORDER BY …)"
        ));
    }
    let known = ELSEWHERE
        .iter()
        .find(|(names, _)| names.contains(&name.as_str()));
    if let Some((_, written)) = known {
        return Some(format!("write {}", written.replace("{}", &name)));
    }
    let distance = strsim::damerau_levenshtein(&name, &similar.to_lowercase());
    let close = distance * 3 <= name.chars().count();
    Some(match close {
        true => format!("did you mean {similar}?"),
        false => "SHOW FUNCTIONS lists all".to_owned(),
    })
}

/// What to say of a call with arguments that the function does not take.
fn mismatched(message: &str) -> Option<(&str, String, String)> {
    let (_, call) =
        message.split_once("No function matches the given name and argument types '")?;
    let (call, rest) = call.split_once('\'')?;
    let (_, candidates) = rest.split_once("Candidate functions:")?;
    let candidates: Vec<&str> = candidates
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let (name, types) = call.split_once('(')?;
    let types = types.replace("Utf8View", "text");
    let types = types.replace("LargeUtf8", "text").replace("Utf8", "text");
    let hint = format!(
        "it takes {}; CAST(x AS …) makes another type of a value, TRY_CAST null where it can't",
        candidates.join(", ")
    );
    Some((name, format!("{name} does not take ({types}"), hint))
}

/// The name that DataFusion found twice, without the table's.
pub(super) fn twice(message: &str) -> Option<&str> {
    let name = message.split('"').nth(1)?;
    Some(name.rsplit_once('.').map_or(name, |(_, name)| name))
}
