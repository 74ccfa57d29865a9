//! sqlglot from the Python Package Index: how a parser that is not ours reads BigQuery's SQL.

use std::process::Command;

use serde_json::Value;

use crate::{process, python};

const REQUIREMENTS: &str = "sqlglot==30.30.0\n";

/// What is in a text of SQL.
#[derive(Debug)]
pub struct Parsed {
    /// The kind of each of its statements.
    pub kinds: Vec<String>,
    pub comments: Vec<String>,
    /// The values of the texts in quotes.
    pub texts: Vec<String>,
    pub names: Vec<String>,
}

/// What is in each of these texts; or why it can't be parsed.
#[track_caller]
pub fn parsed(texts: &[String]) -> Vec<Result<Parsed, String>> {
    let environment = python::environment("sqlglot", REQUIREMENTS);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("statements.ndjson");
    let lines: String = texts
        .iter()
        .map(|text| format!("{}\n", Value::from(text.as_str())))
        .collect();
    std::fs::write(&file, lines).expect("the temporary folder is writable");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/python/parse_bigquery.py");
    let mut command = Command::new(python::programs(&environment).join("python"));
    command.arg(script).arg(&file);
    let printed = process::run(command, python::RUN_LIMIT).success();
    let all: Vec<_> = printed.lines().map(of_line).collect();
    assert_eq!(all.len(), texts.len());
    all
}

fn of_line(line: &str) -> Result<Parsed, String> {
    let line: Value = serde_json::from_str(line).expect("a line of JSON for each text");
    if let Some(error) = line["error"].as_str() {
        return Err(error.to_owned());
    }
    let list = |name: &str| -> Vec<String> {
        let list = line[name].as_array().expect("a list").iter();
        list.map(|text| text.as_str().expect("a text").to_owned())
            .collect()
    };
    Ok(Parsed {
        kinds: list("kinds"),
        comments: list("comments"),
        texts: list("texts"),
        names: list("names"),
    })
}
