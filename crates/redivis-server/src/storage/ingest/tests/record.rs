use serde_json::json;

use super::Rows;
use crate::storage::{IngestError, VariableType, ingest_records};

fn schema() -> Vec<(String, VariableType)> {
    let named = |name: &str, kind| (name.to_owned(), kind);
    vec![
        named("n", VariableType::Integer),
        named("f", VariableType::Float),
        named("b", VariableType::Boolean),
        named("t", VariableType::String),
        named("d", VariableType::Date),
        named("at", VariableType::DateTime),
        named("time", VariableType::Time),
    ]
}

fn insert(record: serde_json::Value) -> Result<Rows, IngestError> {
    let folder = tempfile::tempdir().unwrap();
    let record = record.as_object().unwrap().clone();
    let ingested = ingest_records(&[record], &schema(), folder.path());
    let files = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files, usize::from(ingested.is_ok()));
    ingested.map(|ingested| Rows::read(&ingested))
}

#[test]
fn records_are_cast_to_the_schema() {
    let rows = insert(json!({
        "N": 1, "f": 2, "b": false, "t": 5, "d": "1970-01-01",
        "at": "1970-01-01T00:00:00.000", "time": "01:02:03.5",
    }));
    assert_eq!(
        rows.unwrap().text(),
        [[
            "1",
            "2.0",
            "false",
            "5",
            "1970-01-01",
            "1970-01-01 00:00:00",
            "01:02:03.500"
        ]]
    );
    let nothing = insert(json!({"n": null})).unwrap();
    assert_eq!(nothing.text(), [["∅"; 7]]);
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    for (record, part) in [
        (
            json!({"x": 1}),
            "row 1, `x`: the upload has no such variable",
        ),
        (
            json!({"n": 1, "N": 2}),
            "row 1, `N`: the record has this variable twice",
        ),
        (
            json!({"n": 1.5}),
            "row 1, variable `n`: `1.5` is not of type integer",
        ),
        (json!({"n": "NaN"}), "row 1, variable `n`"),
        (json!({"f": "NaN"}), "row 1, variable `f`"),
        (json!({"b": 1}), "row 1, variable `b`"),
        (json!({"t": [1]}), "row 1, `t`: Redivis has no type"),
        (json!({"d": "1970-02-30"}), "row 1, variable `d`"),
    ] {
        let error = insert(record).unwrap_err().to_string();
        assert!(error.starts_with(part), "{error}");
    }
}
