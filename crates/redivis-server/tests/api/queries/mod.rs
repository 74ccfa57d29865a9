//! Queries over HTTP: their life cycle, who may ask and read, and what BigQuery's dialect means.

mod dialect;
mod life_cycle;
mod refused;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::Local;

/// A query's rows, as arrays of values in the columns' order, or its `errorMessage`.
async fn ask(local: &Local, sql: &str) -> Result<Vec<Value>, String> {
    let query = asked(local, json!({"query": sql})).await;
    match query["status"].as_str() {
        Some("completed") => {}
        Some("failed") => {
            assert_eq!(query["outputSchema"], Value::Null);
            return Err(query["errorMessage"].as_str().unwrap().to_owned());
        }
        other => panic!("{other:?}: {query}"),
    }
    let rows = local
        .text(&format!("{}/rows", query["uri"].as_str().unwrap()))
        .await;
    let rows: Vec<Value> = rows
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Map<_, _>>(line).unwrap())
        .map(|row| row.into_iter().map(|(_, value)| value).collect())
        .collect();
    assert_eq!(query["outputNumRows"], rows.len());
    Ok(rows)
}

/// The query resource that a POST answers with.
async fn asked(local: &Local, body: Value) -> Value {
    let (status, query) = local.post("/queries", body).await;
    assert_eq!(status, StatusCode::CREATED, "{query}");
    query
}

/// The names of a query's columns.
async fn columns(local: &Local, sql: &str) -> Vec<String> {
    let query = asked(local, json!({"query": sql})).await;
    let schema = query["outputSchema"].as_array();
    let schema = schema.unwrap_or_else(|| panic!("{sql}: {query}"));
    schema
        .iter()
        .map(|column| column["name"].as_str().unwrap().to_owned())
        .collect()
}
