//! DuckDB from the Python Package Index: what another engine answers.

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::{process, python};

const REQUIREMENTS: &str = "duckdb==2.0.0\n";

/// What a query answers: the names of its columns, and its rows as texts, sorted.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// What DuckDB answers to each of the queries, after the statements of `setup`.
#[track_caller]
pub fn answers(setup: &[String], queries: &[String]) -> Vec<Result<Answer, String>> {
    let environment = python::environment("duckdb", REQUIREMENTS);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let task = folder.path().join("task.json");
    let text = json!({"setup": setup, "queries": queries}).to_string();
    std::fs::write(&task, text).expect("the temporary folder is writable");
    let script: PathBuf = [env!("CARGO_MANIFEST_DIR"), "python", "duckdb_answers.py"]
        .iter()
        .collect();
    let mut command = Command::new(python::programs(&environment).join("python"));
    command.arg(script).arg(&task);
    let printed = process::run(command, python::RUN_LIMIT).success();
    let answers: Vec<_> = printed.lines().map(answer).collect();
    assert_eq!(answers.len(), queries.len());
    answers
}

/// How long DuckDB takes for a query in a process that has begun: the median of so many runs after a first one.
pub fn seconds(query: &str, runs: usize) -> f64 {
    const SCRIPT: &str = "\
import duckdb, statistics, sys, time
def run():
    started = time.perf_counter()
    duckdb.sql(sys.argv[1]).fetchall()
    return time.perf_counter() - started
run()
print(statistics.median(run() for _ in range(int(sys.argv[2]))))
";
    let environment = python::environment("duckdb", REQUIREMENTS);
    let mut command = Command::new(python::programs(&environment).join("python"));
    command.args(["-c", SCRIPT, query, &runs.to_string()]);
    let printed = process::run(command, python::RUN_LIMIT).success();
    printed.trim().parse().expect("a number of seconds")
}

fn answer(line: &str) -> Result<Answer, String> {
    let line: Value = serde_json::from_str(line).expect("a line of JSON for each query");
    if let Some(error) = line["error"].as_str() {
        return Err(error.to_owned());
    }
    let texts = |list: &Value| -> Vec<String> {
        let list = list.as_array().expect("a list").iter();
        list.map(|text| text.as_str().expect("a text").to_owned())
            .collect()
    };
    let rows = line["rows"].as_array().expect("rows").iter();
    Ok(Answer {
        columns: texts(&line["columns"]),
        rows: rows.map(texts).collect(),
    })
}
