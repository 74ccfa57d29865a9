//! The planner's words, in those of a person who writes SQL.
//!
//! DataFusion says what it could not do with its own expressions and types; people want to know what to write.

use super::diagnosis::Diagnosis;
use super::locate;

/// Says what a message of DataFusion's means.
pub(super) fn explain(message: &str, text: &str) -> Diagnosis {
    let message = plain(message);
    let diagnosis = known(&message, text).unwrap_or_else(|| Diagnosis::new(&message));
    match diagnosis.at {
        Some(_) => diagnosis,
        None => {
            let at = quoted(&message).find_map(|name| locate::name(text, name));
            diagnosis.at(at)
        }
    }
}

fn known(message: &str, text: &str) -> Option<Diagnosis> {
    let after = |lead: &str| message.strip_prefix(lead);
    let first = || quoted(message).next();
    Some(
        if let Some(column) = after("Ambiguous reference to unqualified field ") {
            let column = column.trim_matches('"');
            Diagnosis::new(format!("{column} is in more than one table"))
                .hint(format!("write of which table: t.{column}"))
                .at(locate::column(text, None, column))
        } else if message.contains("must appear in the GROUP BY clause") {
            let column = first()?;
            let column = column.rsplit('.').next().unwrap_or(column);
            Diagnosis::new(format!(
                "{column} is neither in GROUP BY nor within an aggregate"
            ))
            .hint(format!("GROUP BY {column}, or for instance max({column})"))
            .at(locate::column(text, None, column))
        } else if let Some(columns) =
            after("Too many columns! The subquery should only return one column: ")
        {
            let columns = columns.split(", ").count();
            Diagnosis::new(format!(
                "a subquery in the place of a value gives one column, and this one gives {columns}"
            ))
        } else if after("Aggregate function calls cannot be nested").is_some() {
            let within = first()?;
            Diagnosis::new(format!("an aggregate can't be within another: {within}"))
                .hint("compute it in a subquery in FROM".to_owned())
        } else if after("Aggregate functions are not allowed in the WHERE clause").is_some() {
            Diagnosis::new("WHERE comes before the groups: an aggregate can't be in it")
                .hint("HAVING chooses among groups".to_owned())
        } else if let Some(rest) = after("Cannot create filter with non-boolean predicate ") {
            let kind = rest.rsplit(" returning ").next().unwrap_or_default();
            let value = first()?;
            let value = value.rsplit('.').next().unwrap_or(value);
            Diagnosis::new(format!("WHERE takes a condition, and {value} is {kind}"))
                .at(locate::column(text, None, value))
        } else if let Some(rest) = after("Cannot coerce arithmetic expression ") {
            let expression = rest.trim_end_matches(" to valid types");
            Diagnosis::new(format!("can't compute {expression}"))
                .hint("CAST(x AS …) makes another type of a value".to_owned())
        } else if let Some(rest) = after("Cast error: Cannot cast string ") {
            let value = first()?;
            let kind = rest.rsplit(" value of ").next()?.trim_end_matches(" type");
            Diagnosis::new(format!("'{value}' can't be read as {kind}"))
                .hint("TRY_CAST(x AS …) gives null where a value can't be read".to_owned())
                .at(locate::string(text, value))
        } else if after("Divide by zero error").is_some() {
            Diagnosis::new("division by zero").hint("a / nullif(b, 0) gives null then".to_owned())
        } else if after("could not find config namespace for key").is_some()
            || after("Config value ").is_some()
        {
            Diagnosis::new(format!("no setting {}", first()?))
                .hint("SHOW ALL lists them".to_owned())
        } else if message.starts_with("Table '") && message.ends_with("' doesn't exist.") {
            let table = first()?;
            Diagnosis::new(format!("no table '{table}'"))
                .hint(r"\dt lists local tables".to_owned())
                .at(locate::table(text, table))
        } else {
            return None;
        },
    )
}

/// What stands in quotes.
fn quoted(message: &str) -> impl Iterator<Item = &str> {
    ['\'', '"', '`']
        .into_iter()
        .filter_map(|quote| message.split(quote).nth(1))
        .filter(|name| !name.is_empty())
}

/// Values and types as they are written in SQL: `1` for `Int64(1)`, `text` for `Utf8View`.
fn plain(message: &str) -> String {
    const LITERALS: [&str; 7] = [
        "Int64(",
        "UInt64(",
        "Float64(",
        "Int32(",
        "Boolean(",
        "Utf8View(",
        "Utf8(",
    ];
    let mut text = message.trim_end().replace("datafusion.public.", "");
    for lead in LITERALS {
        while let Some(at) = text.find(lead) {
            let from = at + lead.len();
            let Some(length) = text[from..].find(')') else {
                break;
            };
            let value = text[from..from + length].replace('"', "'");
            text.replace_range(at..=from + length, &value);
        }
    }
    for (kind, name) in [
        ("Utf8View", "text"),
        ("LargeUtf8", "text"),
        ("Utf8", "text"),
    ] {
        text = text.replace(kind, name);
    }
    text
}
