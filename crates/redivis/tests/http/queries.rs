//! Queries that run on the service: what is sent, what is waited for, and what ends the waiting.

use std::time::Duration;

use redivis::ErrorKind;
use redivis::resource::{JobStatus, QueryRequest};
use serde_json::json;

use crate::script::{Script, json as answer};

const RUNNING: &str = r#"{"uri":"/queries/7","id":"7","status":"running"}"#;
const COMPLETED: &str =
    r#"{"uri":"/queries/7","id":"7","status":"completed","outputNumRows":1,"outputSchema":[]}"#;

fn request() -> QueryRequest {
    QueryRequest {
        query: "SELECT 1".to_owned(),
        default_dataset: Some("o.d:v1_0".to_owned()),
        ..QueryRequest::default()
    }
}

#[tokio::test]
async fn every_answer_is_seen_until_the_end() {
    let with = |status: &str| RUNNING.replace("running", status);
    let script = Script::play(vec![
        answer("201 Created", &with("queued")),
        answer("200 OK", RUNNING),
        // A state of which nothing is known is waited for.
        answer("200 OK", &with("thawing")),
        answer("200 OK", COMPLETED),
    ])
    .await;
    let mut seen = vec![];
    let (client, request) = (script.client(), request());
    let query = client.query_watched(&request, |query| seen.push(query.status));
    assert_eq!(query.await.unwrap().output_num_rows, Some(1));
    assert_eq!(
        seen,
        [
            JobStatus::Queued,
            JobStatus::Running,
            JobStatus::Other,
            JobStatus::Completed
        ]
    );
    let sent: serde_json::Value = serde_json::from_str(&script.parts(0).1).unwrap();
    assert_eq!(
        sent,
        json!({"query": "SELECT 1", "defaultDataset": "o.d:v1_0", "timeoutMs": 1000})
    );
    let poll = "GET /api/v1/queries/7";
    assert_eq!(script.lines()[1..], [poll, poll, poll]);
}

#[tokio::test]
async fn who_stops_waiting_asks_no_more() {
    let script = Script::routes([
        ("POST /queries", vec![answer("201 Created", RUNNING)]),
        ("GET /queries/7", vec![answer("200 OK", RUNNING)]),
    ])
    .await;
    let (client, request) = (script.client(), request());
    // Long enough for two polls; the next one would come a second later.
    let waited = tokio::time::timeout(Duration::from_millis(1000), client.query(&request)).await;
    assert!(waited.is_err());
    let asked = script.lines().len();
    assert!(asked >= 2, "{:?}", script.lines());
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(script.lines().len(), asked);
}

#[tokio::test]
async fn the_words_of_the_service_are_told_to_their_end() {
    let words = format!("{}at [12:34]", "no such thing ".repeat(200));
    let failed = json!({"uri": "/queries/7", "status": "failed", "errorMessage": words});
    let refused = json!({"status": 400, "error": "invalid_request", "error_description": words});
    for (status, body) in [("200 OK", failed), ("400 Bad Request", refused)] {
        let script = Script::play(vec![answer(status, &body.to_string())]).await;
        let error = script.client().query(&request()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert_eq!(error.message(), words);
    }
    // A page that something in between made is not.
    let page = format!("<p>{}</p>", "busy ".repeat(1000));
    let script = Script::play(vec![answer("400 Bad Request", &page)]).await;
    let error = script.client().query(&request()).await.unwrap_err();
    assert!(error.message().chars().count() < 500, "{error}");
    let cancelled = RUNNING.replace("running", "cancelled");
    let script = Script::play(vec![answer("201 Created", &cancelled)]).await;
    let error = script.client().query(&request()).await.unwrap_err();
    assert_eq!(error.message(), "it was cancelled");
}
