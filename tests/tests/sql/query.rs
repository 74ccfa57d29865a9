//! `redivis_query('…')`: SQL that runs on Redivis, its result read like a table.
//!
//! The server runs no queries yet, so the wire answers for it as the service would (redivis-api §7): started, running,
//! then completed. The result is a real table of the server, whose variables and rows are read as any query's.

use datafusion::arrow::util::pretty::pretty_format_batches;
use redivis_tests::proxy::{Action, Proxy};
use redivis_tests::server::Server;
use serde_json::{Value, json};

use crate::session::session;

const JSON: &[(&str, &str)] = &[("Content-Type", "application/json")];

/// A proxy before the sample data whose query ends as `outcome` says.
async fn queries_end(server: &Server, outcome: Value) -> Proxy {
    let proxy = Proxy::start(server.endpoint()).await;
    let mut polls = 0;
    proxy.script(move |request| {
        let running =
            json!({"kind": "query", "id": "q1", "uri": "/queries/q1", "status": "running"});
        match (request.method.as_str(), request.target.as_str()) {
            ("POST", "/api/v1/queries") => Action::reply(201, JSON, running.to_string()),
            ("GET", "/api/v1/queries/q1") => {
                polls += 1;
                let answer = if polls < 2 { &running } else { &outcome };
                Action::reply(200, JSON, answer.to_string())
            }
            _ => Action::Pass,
        }
    });
    proxy
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_runs_on_redivis_and_its_result_is_read() {
    let server = tokio::task::spawn_blocking(Server::sample).await.unwrap();
    let proxy = queries_end(
        &server,
        json!({
            "kind": "query", "id": "q1", "status": "completed", "outputNumRows": 16, "outputNumBytes": 500,
            "uri": "/tables/demo.nycflights13:v1_0.airlines",
        }),
    )
    .await;
    let (_, redivis) = session(&proxy.endpoint(), server.token());
    let sql = "SELECT q.NAME FROM redivis_query('SELECT * FROM `demo.nycflights13.airlines`') q WHERE carrier IN ('AS', 'F9') ORDER BY 1";
    let rows = redivis.sql(sql).await.unwrap().collect().await.unwrap();
    insta::assert_snapshot!(pretty_format_batches(&rows).unwrap(), @r"
    +------------------------+
    | name                   |
    +------------------------+
    | Alaska Airlines Inc.   |
    | Frontier Airlines Inc. |
    +------------------------+
    ");
    let requests = proxy.requests();
    let started: Vec<Value> = requests
        .iter()
        .filter(|request| request.target == "/queries")
        .map(|request| serde_json::from_slice(&request.body).unwrap())
        .collect();
    assert_eq!(
        started,
        [json!({"query": "SELECT * FROM `demo.nycflights13.airlines`"})]
    );
    let read = requests
        .iter()
        .find(|request| request.target.ends_with("/readSessions"))
        .unwrap();
    let read: Value = serde_json::from_slice(&read.body).unwrap();
    // All variables are read, so none is named.
    assert_eq!(read.get("selectedVariables"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_stands_wherever_a_table_does_and_runs_once() {
    let server = tokio::task::spawn_blocking(Server::sample).await.unwrap();
    let proxy = queries_end(
        &server,
        json!({
            "kind": "query", "id": "q1", "status": "completed", "outputNumRows": 16, "outputNumBytes": 500,
            "uri": "/tables/demo.nycflights13:v1_0.airlines",
        }),
    )
    .await;
    let (_, redivis) = session(&proxy.endpoint(), server.token());
    for sql in [
        "SELECT * FROM redivis_query($$SELECT * FROM `demo.nycflights13.airlines` WHERE name = 'it''s'$$)",
        "WITH a AS (SELECT * FROM redivis_query('SELECT 1')) SELECT * FROM a",
        "SELECT * FROM (VALUES ('AS')) AS v(carrier) FULL JOIN redivis_query('SELECT 1') q USING (CARRIER)",
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM redivis_query('SELECT 1'))",
        "SELECT (SELECT max(name) FROM LATERAL redivis_query('SELECT 1')) AS m",
        "SELECT * FROM TABLE(redivis_query('SELECT 1')) UNION ALL SELECT * FROM redivis_query('SELECT 1')",
        "CREATE TABLE local_a AS SELECT * FROM redivis_query('SELECT 1')",
        "INSERT INTO local_a SELECT * FROM redivis_query('SELECT 1')",
        "CREATE VIEW local_v AS SELECT * FROM redivis_query('SELECT 1')",
        "EXPLAIN SELECT * FROM redivis_query('SELECT 1')",
        "EXPLAIN ANALYZE SELECT * FROM redivis_query('SELECT 1')",
        "PREPARE p AS SELECT * FROM redivis_query('SELECT 1')",
    ] {
        let before = runs(&proxy);
        redivis.sql(sql).await.unwrap().collect().await.unwrap();
        assert_eq!(runs(&proxy) - before, 1, "{sql}");
    }
    let before = runs(&proxy);
    for (sql, rows) in [
        ("SELECT * FROM local_a", 32),
        ("SELECT * FROM local_v", 16),
        ("EXECUTE p", 16),
    ] {
        assert_eq!(
            redivis.sql(sql).await.unwrap().count().await.unwrap(),
            rows,
            "{sql}"
        );
    }
    assert_eq!(runs(&proxy), before);
}

/// How many queries were started.
fn runs(proxy: &Proxy) -> usize {
    let requests = proxy.requests();
    requests
        .iter()
        .filter(|request| request.target == "/queries")
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_query_is_told_in_the_words_of_the_service() {
    let server = tokio::task::spawn_blocking(Server::sample).await.unwrap();
    let message = "Syntax error: Unexpected identifier \"SELEC\" at [1:1]";
    let proxy = queries_end(
        &server,
        json!({"kind": "query", "id": "q1", "uri": "/queries/q1", "status": "failed", "errorMessage": message}),
    )
    .await;
    let (_, redivis) = session(&proxy.endpoint(), server.token());
    let error = redivis
        .sql("SELECT * FROM redivis_query('SELEC 1')")
        .await
        .unwrap_err();
    assert!(error.to_string().contains(message), "{error}");
}
