//! Tells a person what went wrong, on standard error.
//!
//! What failed comes first, then the place, then what to do. DataFusion's own words are kept where they help and shortened where they
//! would bury the point: a table can have thousands of variables, and nobody reads such a list.

mod names;
mod service;

use std::fmt::{Display, Write as _};
use std::io::{Write as _, stderr};

use datafusion::arrow::error::ArrowError;
use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use datafusion::sql::sqlparser::parser::ParserError;
use datafusion_redivis::{CacheError, ScanError, WriteError};

use crate::failure::{Failure, find, service_error};
use crate::headings;
use crate::memory;
use crate::missing::Missing;
use crate::output::single_line;

/// Where the failed statement stands.
#[derive(Debug, Default)]
pub(crate) struct Place<'a> {
    /// The script's name, when there is one.
    pub(crate) source: Option<&'a str>,
    /// The line of the script on which the statement starts, counted from 1.
    pub(crate) line: usize,
    /// The statement.
    pub(crate) text: &'a str,
}

/// Says something on standard error. That it can't be said is no reason to fail.
///
/// Errors quote data, which no terminal is to obey.
pub(crate) fn narrate(text: impl Display) {
    let text = text.to_string();
    let mut stderr = stderr().lock();
    for line in text.split('\n') {
        let _ = writeln!(stderr, "{}", single_line(line));
    }
}

/// Explains a failure on standard error. An interruption and a reader that went away need no words.
pub(crate) fn report(failure: &Failure, place: &Place<'_>) {
    match failure {
        Failure::Query(error) => narrate(explain(error, place)),
        Failure::Usage(message) => narrate(format_args!("error: {}{message}", prefix(place, 1))),
        Failure::Signal(_) | Failure::OutputClosed => {}
    }
}

fn prefix(place: &Place<'_>, line: usize) -> String {
    match place.source {
        Some(source) => format!("{source}:{}: ", place.line + line - 1),
        None => String::new(),
    }
}

fn explain(error: &DataFusionError, place: &Place<'_>) -> String {
    if let Some(missing) = find::<Missing>(error) {
        let hint = missing.hint().to_owned();
        return compose(&prefix(place, 1), &missing.to_string(), Some(hint));
    }
    if let Some(error) = find::<ScanError>(error) {
        return compose(&prefix(place, 1), &error.to_string(), None);
    }
    if let Some(error) = find::<CacheError>(error) {
        return compose(&prefix(place, 1), &error.to_string(), None);
    }
    if let Some(written) = find::<WriteError>(error) {
        // It says itself what is left and what to do; to run it again as it is could repeat rows.
        return compose(&prefix(place, 1), &written.to_string(), None);
    }
    if let Some(error) = service_error(error) {
        let hint = service::hint(error);
        return compose(&prefix(place, 1), &error.to_string(), hint);
    }
    if let Some(SchemaError::FieldNotFound {
        field,
        valid_fields,
    }) = find(error)
    {
        let (message, hint) = names::column(field, valid_fields);
        return compose(&prefix(place, 1), &message, hint);
    }
    if let Some(ParserError::ParserError(message) | ParserError::TokenizerError(message)) =
        find(error)
    {
        return syntax(message, place);
    }
    if let Some(ArrowError::OffsetOverflowError(_)) = find(error) {
        return compose(
            &prefix(place, 1),
            TEXT_TOO_LARGE.0,
            Some(TEXT_TOO_LARGE.1.into()),
        );
    }
    if let DataFusionError::ResourcesExhausted(message) = error.find_root()
        && message.contains("the session's limit")
    {
        let message = format!("not enough memory: {message}");
        return compose(&prefix(place, 1), &message, Some(more_memory()));
    }
    let message = match error.find_root() {
        // DataFusion would append the expression or a back trace without a space.
        DataFusionError::ArrowError(error, _) => error.to_string(),
        error => error.message().into_owned(),
    };
    if headings::is_duplicate(error)
        && let Some(name) = names::twice(&message)
    {
        return compose(&prefix(place, 1), &headings::duplicate(name), None);
    }
    let (message, hint) = names::planner_words(&message);
    if let Some((message, _)) = message.split_once(BUG) {
        let hint = "this is a fault of the program: please report it, with the statement";
        return compose(&prefix(place, 1), message, Some(hint.to_owned()));
    }
    compose(&prefix(place, 1), &message, hint)
}

/// What DataFusion adds to errors that it takes for faults of its own.
const BUG: &str = "\nThis issue was likely caused by a bug";

/// What a text column can't hold, whatever the memory: its offsets have 32 bits.
const TEXT_TOO_LARGE: (&str, &str) = (
    "a step of the query gathers more than 2 GiB of one text column, such as a join of the side that it holds in memory",
    "cast the column where its table is read, which has no such limit: FROM (SELECT CAST(x AS TEXT) AS x, … FROM …)",
);

fn more_memory() -> String {
    format!(
        "SET {} = '16G' allows more, where the machine has it; sorts and groups go to disk by themselves, joins and tables in \
         memory do not",
        memory::LIMIT
    )
}

fn compose(prefix: &str, message: &str, hint: Option<String>) -> String {
    let mut text = format!("error: {prefix}{message}");
    if let Some(hint) = hint {
        let _ = write!(text, "\n  hint: {hint}");
    }
    text
}

/// A syntax error with its line and a caret below the place.
fn syntax(message: &str, place: &Place<'_>) -> String {
    let Some((words, line, column)) = located(message) else {
        return compose(&prefix(place, 1), &format!("syntax: {message}"), None);
    };
    let mut text = format!("error: {}syntax: {words}", prefix(place, line));
    if let Some(source) = place.text.lines().nth(line - 1) {
        let source = source.replace('\t', " ");
        let number = place.line.max(1) + line - 1;
        let gutter = number.to_string().len();
        let before: String = source.chars().take(column.saturating_sub(1)).collect();
        let indent = unicode_width::UnicodeWidthStr::width(before.as_str());
        let _ = write!(
            text,
            "\n {:gutter$} |\n {number} | {source}\n {:gutter$} | {:indent$}^",
            "", "", ""
        );
    }
    text
}

/// Splits "… at Line: 2, Column: 7" into its parts.
fn located(message: &str) -> Option<(&str, usize, usize)> {
    let (words, place) = message.rsplit_once(" at Line: ")?;
    let (line, column) = place.split_once(", Column: ")?;
    let line: usize = line.trim().parse().ok()?;
    let column: usize = column.trim().trim_end_matches('.').parse().ok()?;
    (line > 0).then_some((words, line, column))
}

#[cfg(test)]
mod tests {
    use super::service::unreleased;
    use super::*;
    use datafusion::common::Column;

    fn field_not_found(name: &str, valid: &[&str]) -> DataFusionError {
        DataFusionError::SchemaError(
            Box::new(SchemaError::FieldNotFound {
                field: Box::new(Column::from_name(name)),
                valid_fields: valid.iter().map(|name| Column::from_name(*name)).collect(),
            }),
            Box::new(None),
        )
    }

    #[tokio::test]
    async fn what_a_failed_write_leaves_is_told_with_the_reason() {
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", nobody.local_addr().unwrap());
        drop(nobody);
        let client = redivis::Client::builder().endpoint(&endpoint).build();
        let asked = client.unwrap().delete_upload("/uploads/u").await;
        let reason = asked.unwrap_err();
        let words = reason.to_string();
        let error = DataFusionError::External(Box::new(WriteError::Left {
            left: "the upload `u` may be left".to_owned(),
            source: Box::new(reason),
        }));
        let said = explain(&error, &Place::default());
        assert!(said.contains(&words), "{said}");
        assert!(said.contains("the upload `u` may be left"), "{said}");
        assert!(!said.contains("run it again"), "{said}");
    }

    #[tokio::test]
    async fn text_that_no_array_can_hold_is_told_with_the_remedy() {
        use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
        use datafusion::datasource::MemTable;
        use datafusion::prelude::SessionContext;
        use std::sync::Arc;

        // The same 128 MiB of text in every batch: 2.5 GiB in all, stored once.
        let text: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(128 << 20)]));
        let batch = |id: i64| {
            let id: ArrayRef = Arc::new(Int64Array::from(vec![id]));
            RecordBatch::try_from_iter([("id", id), ("text", Arc::clone(&text))]).unwrap()
        };
        let batches: Vec<RecordBatch> = (0..20).map(batch).collect();
        let table = MemTable::try_new(batches[0].schema(), vec![batches]).unwrap();
        let ctx = SessionContext::new();
        ctx.register_table("t", Arc::new(table)).unwrap();
        let run = async |from: &str| {
            let sql = format!("SELECT text FROM {from} ORDER BY id LIMIT 20");
            ctx.sql(&sql).await.unwrap().collect().await
        };

        let said = explain(&run("t").await.unwrap_err(), &Place::default());
        assert!(
            said.contains("more than 2 GiB of one text column"),
            "{said}"
        );
        assert!(said.contains("SELECT CAST(x AS TEXT) AS x"), "{said}");
        // The remedy is one.
        let remedied = run("(SELECT id, CAST(text AS TEXT) AS text FROM t)")
            .await
            .unwrap();
        assert_eq!(
            remedied.iter().map(RecordBatch::num_rows).sum::<usize>(),
            20
        );
    }

    #[test]
    fn the_next_version_is_recognized_in_what_was_not_found() {
        for resource in ["ada.notes:next", "ada.notes:1q86:next.t"] {
            assert_eq!(unreleased(resource).as_deref(), Some("ada.notes"));
        }
        for resource in ["ada.notes.t", "ada.notes:v1_0", "/tables/ada.notes:next.t"] {
            assert_eq!(unreleased(resource), None);
        }
    }

    #[test]
    fn an_unknown_column_names_the_nearest_few() {
        let names: Vec<String> = (0..2_500).map(|n| format!("v{n:04}")).collect();
        let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
        names.push("carrier");
        let text = explain(&field_not_found("carier", &names), &Place::default());
        assert!(text.contains("no column carier"), "{text}");
        assert!(text.contains("nearest of 2501 columns: carrier"), "{text}");
        assert!(text.len() < 300, "{text}");
    }

    #[test]
    fn a_syntax_error_points_at_its_place_in_the_script() {
        let error = DataFusionError::SQL(
            Box::new(ParserError::ParserError(
                "Expected: an expression, found: , at Line: 2, Column: 5".to_owned(),
            )),
            None,
        );
        let place = Place {
            source: Some("a.sql"),
            line: 7,
            text: "SELECT\n  a,, b",
        };
        assert_eq!(
            explain(&error, &place),
            "error: a.sql:8: syntax: Expected: an expression, found: ,\n   |\n 8 |   a,, b\n   |     ^"
        );
    }

    #[test]
    fn internal_words_are_left_out() {
        let error = DataFusionError::Plan("table 'datafusion.public.x' not found".to_owned());
        let text = explain(&error, &Place::default());
        assert!(text.starts_with("error: no table 'x'\n"), "{text}");
    }
}
