//! From the question to its rows: states, waiting, owners, restarts.

use arrow::datatypes::{DataType, TimeUnit};
use redivis_server::{Config, Server};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::asked;
use crate::support::{Local, decode, joined, numbers, parquet, put, stream_ids};

const TOKENS: &[u8] = br#"[
    {"token": "a", "user": "anna", "scopes": ["data.data"]},
    {"token": "a2", "user": "anna", "scopes": ["data.overview"]},
    {"token": "b", "user": "bert", "scopes": ["data.data"]},
    {"token": "p", "user": "paul", "scopes": ["public"]}
]"#;

async fn guarded() -> Local {
    let table = parquet(&numbers(10));
    let tokens = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(tokens.path(), TOKENS).unwrap();
    Local::with(
        &[
            ("o/closed/t.parquet", &table),
            ("o/open/t.parquet", &table),
            ("o/open/dataset.json", br#"{"publicAccessLevel": "data"}"#),
        ],
        |config| config.tokens = Some(tokens.path().to_path_buf()),
    )
    .await
}

#[tokio::test]
async fn a_result_is_read_like_a_table() {
    let local = Local::serving(&[("o/d/t.parquet", &parquet(&numbers(1000)))]).await;
    let sql = "SELECT *, n / 4 AS q, n > 5 AS big, DATE '2020-01-01' AS day, DATETIME '2020-01-01 00:00:00' AS at, TIME '01:00:00' AS clock FROM `o.d.t` ORDER BY n";
    let query = asked(&local, json!({"query": sql})).await;
    assert_eq!(query["status"], "completed", "{query}");
    assert_eq!(query["kind"], "query");
    assert_eq!(query["outputNumRows"], 1000);
    assert!(query["outputNumBytes"].as_u64().unwrap() > 0);
    assert!(query["finishedAt"].as_u64() >= query["createdAt"].as_u64());
    let uri = query["uri"].as_str().unwrap();
    assert_eq!(local.json(uri).await, query);
    let schema = query["outputSchema"].as_array().unwrap();
    let kinds: Vec<&str> = schema.iter().map(|c| c["type"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        [
            "integer", "float", "string", "float", "boolean", "date", "dateTime", "time"
        ]
    );

    let variables = local
        .json(&format!("{uri}/variables?maxResults=1000"))
        .await;
    let names: Vec<&str> = variables["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["n", "half", "Text", "q", "big", "day", "at", "clock"]
    );
    assert_eq!(
        local.json(&format!("{uri}/variables/TEXT")).await["name"],
        "Text"
    );
    assert_eq!(
        local.json(&format!("{uri}/variables/n/statistics")).await["max"],
        999
    );

    let rows = joined(&local.batches(&format!("{uri}/rows?format=arrow")).await);
    let types: Vec<&DataType> = rows
        .schema_ref()
        .fields()
        .iter()
        .map(|f| f.data_type())
        .collect();
    assert_eq!(
        types,
        [
            &DataType::Int64,
            &DataType::Float64,
            &DataType::Utf8,
            &DataType::Float64,
            &DataType::Boolean,
            &DataType::Date32,
            &DataType::Timestamp(TimeUnit::Microsecond, None),
            &DataType::Time64(TimeUnit::Microsecond),
        ]
    );
    assert!(
        rows.schema_ref()
            .fields()
            .iter()
            .all(|field| field.is_nullable())
    );
    let original = numbers(1000);
    for column in 0..3 {
        assert_eq!(rows.column(column), original.column(column));
    }
    let session = local
        .session(
            uri,
            json!({"requestedStreamCount": 3, "selectedVariables": ["TEXT", "n"]}),
        )
        .await;
    assert_eq!(session["numRows"], 1000);
    let mut read = Vec::new();
    for id in stream_ids(&session) {
        read.extend(decode(
            &local.bytes(&format!("/readStreams/{id}?offset=0")).await,
        ));
    }
    assert_eq!(joined(&read).num_rows(), 1000);
    assert_eq!(joined(&read).schema().field(0).name(), "Text");
}

#[tokio::test]
async fn a_failed_query_has_its_reason_and_no_variables() {
    let local = Local::serving(&[]).await;
    let query = asked(&local, json!({"query": "SELECT 1/0"})).await;
    assert_eq!(query["status"], "failed");
    assert!(
        query["errorMessage"]
            .as_str()
            .unwrap()
            .contains("division by zero")
    );
    let uri = query["uri"].as_str().unwrap();
    for what in ["variables", "rows"] {
        let (status, error) = local.get(&format!("{uri}/{what}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(
            error["error_description"]
                .as_str()
                .unwrap()
                .contains("division by zero")
        );
    }
}

#[tokio::test]
async fn an_empty_result_has_its_columns() {
    let local = Local::serving(&[("o/d/t.parquet", &parquet(&numbers(10)))]).await;
    let query = asked(
        &local,
        json!({"query": "SELECT n, Text FROM `o.d.t` WHERE FALSE"}),
    )
    .await;
    assert_eq!(query["outputNumRows"], 0);
    let uri = query["uri"].as_str().unwrap();
    let session = local.session(uri, json!({})).await;
    let id = &stream_ids(&session)[0];
    let rows = local
        .bytes(&format!("/readStreams/{id}?eosSentinel=true"))
        .await;
    assert_eq!(decode(&rows)[0].num_columns(), 2);
}

#[tokio::test]
async fn defaults_complete_names() {
    let local = Local::serving(&[("o/my data/a table.parquet", &parquet(&numbers(10)))]).await;
    for (dataset, sql) in [
        ("o.my_data", "SELECT COUNT(*) AS c FROM a_table"),
        ("o.My data:current", "SELECT COUNT(*) AS c FROM `A table`"),
        (
            "o.my_data:v1_0",
            "WITH a AS (SELECT 1) SELECT COUNT(*) AS c FROM a_table",
        ),
    ] {
        let query = asked(
            &local,
            json!({"query": sql, "defaultDataset": dataset, "defaultWorkflow": null}),
        )
        .await;
        assert_eq!(query["status"], "completed", "{query}");
    }
    // A common table expression hides a table.
    let body = json!({"query": "WITH a_table AS (SELECT 1 AS n) SELECT COUNT(*) AS c FROM a_table", "defaultDataset": "o.my_data"});
    let query = asked(&local, body).await;
    let rows = local
        .text(&format!("{}/rows", query["uri"].as_str().unwrap()))
        .await;
    assert_eq!(rows.trim(), r#"{"c":1}"#);

    for body in [
        json!({"query": "SELECT 1", "defaultWorkflow": "o.w"}),
        json!({"query": "SELECT 1", "defaultProject": "o.w"}),
    ] {
        assert_eq!(local.post("/queries", body).await.0, StatusCode::NOT_FOUND);
    }
    for body in [
        json!({}),
        json!({"query": 1}),
        json!({"query": "SELECT 1", "timeoutMs": 60_001}),
        json!({"query": "SELECT 1", "timeoutMs": "soon"}),
        json!({"query": "SELECT 1", "defaultDataset": "x"}),
    ] {
        assert_eq!(
            local.post("/queries", body.clone()).await.0,
            StatusCode::BAD_REQUEST,
            "{body}"
        );
    }
}

#[tokio::test]
async fn only_what_may_be_read_is_and_only_by_who_asked() {
    let mut local = guarded().await;
    local.set_token(None);
    assert_eq!(
        local.post("/queries", json!({"query": "SELECT 1"})).await.0,
        StatusCode::UNAUTHORIZED
    );
    for (token, table, may) in [
        ("a", "o.closed.t", true),
        ("a", "o.open.t", true),
        ("a2", "o.closed.t", false),
        ("a2", "o.open.t", true),
        ("p", "o.closed.t", false),
        ("p", "o.open.t", true),
    ] {
        local.set_token(Some(token));
        let query = asked(
            &local,
            json!({"query": format!("SELECT COUNT(*) AS c FROM `{table}`")}),
        )
        .await;
        assert_eq!(
            query["status"] == "completed",
            may,
            "{token} {table} {query}"
        );
    }
    local.set_token(Some("a"));
    let query = asked(
        &local,
        json!({"query": "SELECT COUNT(*) AS c FROM `o.closed.t`"}),
    )
    .await;
    let uri = query["uri"].as_str().unwrap();
    for (token, expected) in [
        (Some("a"), [200, 200]),
        (Some("a2"), [200, 403]),
        (Some("b"), [404, 404]),
        (None, [401, 401]),
    ] {
        local.set_token(token);
        let rows = local.send(Method::GET, &format!("{uri}/rows"), None).await;
        let statuses = [local.get(uri).await.0.as_u16(), rows.status().as_u16()];
        assert_eq!(statuses, expected, "{token:?}");
    }
}

/// A query that takes its time.
const SLOW: &str = "SELECT SUM(a.n + b.n + c.n) AS s FROM `o.d.t` a, `o.d.t` b, `o.d.t` c";

#[tokio::test(flavor = "multi_thread")]
async fn five_run_and_the_others_wait_and_all_are_run_again_after_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "o/d/t.parquet", &parquet(&numbers(4000)));
    let config = Config::directory(folder.path());
    let server = Server::start(config.clone()).await.unwrap();
    let client = reqwest::Client::new();
    let token = server.token().unwrap().to_owned();
    let mut ids = Vec::new();
    for _ in 0..7 {
        let request = client
            .post(format!("{}/queries", server.endpoint()))
            .bearer_auth(&token);
        let request = request.json(&json!({"query": SLOW, "timeoutMs": 0}));
        let query: Value = request.send().await.unwrap().json().await.unwrap();
        assert!(
            query["status"] == "queued" || query["status"] == "running",
            "{query}"
        );
        ids.push(query["id"].as_str().unwrap().to_owned());
    }
    let statuses = async |endpoint: String| {
        let mut all = Vec::new();
        for id in &ids {
            let request = client
                .get(format!("{endpoint}/queries/{id}"))
                .bearer_auth(&token);
            let query: Value = request.send().await.unwrap().json().await.unwrap();
            all.push(query["status"].as_str().unwrap().to_owned());
        }
        all
    };
    let expected = [
        "running", "running", "running", "running", "running", "queued", "queued",
    ];
    while statuses(server.endpoint().to_owned()).await != expected {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    // Not completed yet: no rows, and no error that looks like the query's.
    let request = client
        .get(format!("{}/queries/{}/rows", server.endpoint(), ids[0]))
        .bearer_auth(&token);
    assert_eq!(request.send().await.unwrap().status(), StatusCode::CONFLICT);
    server.stop().await;

    let server = Server::start(config).await.unwrap();
    while statuses(server.endpoint().to_owned()).await != expected {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn results_outlive_the_server_and_nothing_else_does() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "o/d/t.parquet", &parquet(&numbers(10)));
    let config = Config::directory(folder.path());
    let server = Server::start(config.clone()).await.unwrap();
    let client = reqwest::Client::new();
    let token = server.token().unwrap().to_owned();
    let request = client
        .post(format!("{}/queries", server.endpoint()))
        .bearer_auth(&token);
    let request = request.json(&json!({"query": "SELECT SUM(n) AS s FROM `o.d.t`"}));
    let query: Value = request.send().await.unwrap().json().await.unwrap();
    server.stop().await;
    let results = folder.path().join(".redivis/results");
    std::fs::write(results.join("unknown.parquet"), "x").unwrap();
    std::fs::write(results.join(".aside-x"), "x").unwrap();

    let server = Server::start(config).await.unwrap();
    let request = client.get(format!(
        "{}{}/rows",
        server.endpoint(),
        query["uri"].as_str().unwrap()
    ));
    let rows = request
        .bearer_auth(&token)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert_eq!(rows.trim(), r#"{"s":45}"#);
    assert_eq!(std::fs::read_dir(&results).unwrap().count(), 1);
    server.stop().await;
}
