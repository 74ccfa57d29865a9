//! What a failure is in words, what to do about it, and which part of the statement it is about.
//!
//! DataFusion's own words are kept where they help and shortened where they would bury the point: a table can have thousands of
//! variables, and nobody reads such a list.

use std::error::Error;

use datafusion::arrow::error::ArrowError;
use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use datafusion::sql::sqlparser::parser::ParserError;
use datafusion_redivis::{CacheError, QueryError, ScanError, WriteError};

use super::diagnosis::Diagnosis;
use super::place::Place;
use super::{locate, names, remote, service, syntax};
use crate::denied::Denied;
use crate::failure::{Failure, find, service_error};
use crate::headings;
use crate::memory;
use crate::missing::Missing;

/// What to say; nothing of an interruption and a reader that went away.
pub(super) fn explain(failure: &Failure, place: &Place<'_>) -> Option<Diagnosis> {
    Some(match failure {
        Failure::Query(error) => of_query(error, &place.statement.text),
        Failure::Refused(refusal) => Diagnosis::new(&refusal.message)
            .hint(refusal.hint.clone())
            .at(refusal.at.clone().or_else(|| {
                // What it quotes is what it is about.
                let quoted = refusal.message.split('\'').nth(1)?;
                locate::table(&place.statement.text, quoted)
            })),
        Failure::Large(total) => Diagnosis::new(format!("this would read {total}"))
            .hint("ask_above in config.toml says from where on the prompt asks".to_owned()),
        Failure::Usage(message) => Diagnosis::new(message),
        Failure::Timeout(limit) => {
            let message = format!(
                "canceled after {} s, which is the limit",
                limit.as_secs_f64()
            );
            Diagnosis::new(message).hint("--timeout sets how long a statement may take".to_owned())
        }
        Failure::Signal(_) | Failure::OutputClosed => return None,
    })
}

/// Everything that is known of a failure, cause by cause.
pub(crate) fn chain(failure: &Failure) -> Vec<String> {
    let Failure::Query(error) = failure else {
        return Vec::new();
    };
    let mut words: Vec<String> = Vec::new();
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        let said = error.to_string();
        if words.last() != Some(&said) {
            words.push(said);
        }
        if let Some(error) = error.downcast_ref::<redivis::Error>() {
            words.extend(service::facts(error));
        }
        next = error.source();
    }
    words
}

fn of_query(error: &DataFusionError, text: &str) -> Diagnosis {
    if let Some(missing) = find::<Missing>(error) {
        return Diagnosis::new(missing.to_string())
            .hint(missing.hint().to_owned())
            .at(locate::table(text, missing.resource()));
    }
    if let Some(denied) = find::<Denied>(error) {
        let refusal = denied.refusal();
        return service::explain(refusal)
            .hint(Some(format!(
                "ask for access at {}; redivis-sql whoami tells whose token it is",
                denied.page()
            )))
            .at(locate::table(text, refusal.resource()));
    }
    if let Some(error) = find::<ScanError>(error) {
        return Diagnosis::new(error.to_string());
    }
    if let Some(error) = find::<CacheError>(error) {
        return Diagnosis::new(error.to_string());
    }
    if let Some(written) = find::<WriteError>(error) {
        // It says itself what is left and what to do; to run it again as it is could repeat rows.
        return Diagnosis::new(written.to_string());
    }
    if let Some(error) = find::<QueryError>(error) {
        return remote::explain(error, text);
    }
    if let Some(error) = service_error(error) {
        return service::explain(error).at(locate::table(text, error.resource()));
    }
    if let Some(SchemaError::FieldNotFound {
        field,
        valid_fields,
    }) = find(error)
    {
        return names::column(field, valid_fields, text);
    }
    if let Some(ParserError::ParserError(message) | ParserError::TokenizerError(message)) =
        find(error)
    {
        return syntax::explain(message, text);
    }
    if let Some(ArrowError::OffsetOverflowError(_)) = find(error) {
        return Diagnosis::new(TEXT_TOO_LARGE.0).hint(TEXT_TOO_LARGE.1.to_owned());
    }
    if let DataFusionError::ResourcesExhausted(message) = error.find_root()
        && message.contains("the session's limit")
    {
        return Diagnosis::new(format!("not enough memory: {message}")).hint(more_memory());
    }
    let message = match error.find_root() {
        // DataFusion would append the expression or a back trace without a space.
        DataFusionError::ArrowError(error, _) => error.to_string(),
        error => error.message().into_owned(),
    };
    if headings::is_duplicate(error)
        && let Some(name) = names::twice(&message)
    {
        return Diagnosis::new(headings::duplicate(name));
    }
    let diagnosis = names::planner_words(&message, text);
    if let Some((message, _)) = diagnosis.message.split_once(BUG) {
        let hint = "this is a fault of the program: please report it, with the statement";
        return Diagnosis::new(message).hint(hint.to_owned());
    }
    diagnosis
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

#[cfg(test)]
mod tests {
    use super::super::render::text;
    use super::super::service::unreleased;
    use super::*;
    use datafusion::common::Column;

    use crate::variables::Expanded;

    fn explain(error: DataFusionError, place: &Place<'_>) -> String {
        let diagnosis = super::explain(&Failure::Query(error), place).unwrap();
        text(&diagnosis, place)
    }

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
        let said = explain(error, &Place::default());
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

        let said = explain(run("t").await.unwrap_err(), &Place::default());
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
        let text = explain(field_not_found("carier", &names), &Place::default());
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
            column: 3,
            statement: Expanded::plain("SELECT\n  a,, b"),
        };
        assert_eq!(
            explain(error, &place),
            "error: a.sql:8:5: syntax: expected an expression, found ','\n   |\n 8 |   a,, b\n   |     ^"
        );
    }

    #[test]
    fn internal_words_are_left_out() {
        let error = DataFusionError::Plan("table 'datafusion.public.x' not found".to_owned());
        let text = explain(error, &Place::default());
        assert!(text.starts_with("error: no table 'x'\n"), "{text}");
    }
}
