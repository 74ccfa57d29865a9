//! `POST /tables/:t/tempUploads`: what may be announced, and by whom.

use std::collections::HashSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::{TABLE, drafting};
use crate::support::Local;

async fn announce(local: &Local, uploads: Value) -> (u16, Value) {
    let path = format!("{TABLE}/tempUploads");
    let (status, body) = local.post(&path, json!({ "tempUploads": uploads })).await;
    (status.as_u16(), body)
}

#[tokio::test]
async fn they_are_listed_in_order_with_urls_of_their_own() {
    let local = drafting(|_| ()).await;
    let entries: Vec<Value> = (0..1000)
        .map(|n| json!({"size": n, "resumable": n % 2 == 1, "name": format!("{n}.csv")}))
        .collect();
    let (status, body) = announce(&local, entries.into()).await;
    assert_eq!(status, 201);
    assert_eq!(body["kind"], "tempUploadList");
    let results = body["results"].as_array().unwrap();
    let mut seen = HashSet::new();
    for (n, result) in results.iter().enumerate() {
        assert_eq!(result["kind"], "tempUpload");
        assert_eq!(result["size"], n.to_string());
        assert_eq!(result["resumable"], n % 2 == 1);
        let url = result["url"].as_str().unwrap();
        assert!(url.starts_with(local.server.endpoint()), "{url}");
        assert!(seen.insert(result["id"].as_str().unwrap()) && seen.insert(url));
    }
    assert_eq!(results.len(), 1000);
}

#[tokio::test]
async fn urls_are_those_that_the_client_knows_the_server_by() {
    let local = drafting(|_| ()).await;
    for (host, origin) in [
        ("redivis.example:8080", "http://redivis.example:8080"),
        ("redivis.example@elsewhere", local.server.endpoint()),
        ("redivis.example/path", local.server.endpoint()),
    ] {
        let response = reqwest::Client::new()
            .post(format!("{}{TABLE}/tempUploads", local.server.endpoint()))
            .bearer_auth(local.server.token().unwrap())
            .header("host", host)
            .json(&json!({"tempUploads": [{"size": 1}]}))
            .send()
            .await
            .unwrap();
        let body: Value = response.json().await.unwrap();
        let url = body["results"][0]["url"].as_str().unwrap();
        assert!(url.starts_with(origin), "{host}: {url}");
    }
}

#[tokio::test]
async fn sizes_come_in_every_spelling() {
    let local = drafting(|_| ()).await;
    let spellings =
        json!([{"size": 100_000}, {"size": 100_000.0}, {"size": "100000"}, {"size": "1e+05"}]);
    let (status, body) = announce(&local, spellings).await;
    assert_eq!(status, 201, "{body}");
    for result in body["results"].as_array().unwrap() {
        assert_eq!(
            (&result["size"], &result["resumable"]),
            (&json!("100000"), &json!(false))
        );
    }
}

#[tokio::test]
async fn nonsense_is_refused() {
    let local = drafting(|_| ()).await;
    let many: Vec<Value> = vec![json!({"size": 1}); 1001];
    for uploads in [
        Value::Null,
        json!([]),
        json!(many),
        json!({"size": 1}),
        json!([1]),
        json!([{"resumable": true}]),
        json!([{"size": null}]),
        json!([{"size": -1}]),
        json!([{"size": 1.5}]),
        json!([{"size": "many"}]),
        json!([{"size": 9_223_372_036_854_775_808_u64}]),
        json!([{"size": 1}, {"size": 1, "resumable": "yes"}]),
        json!([{"size": 1, "name": 5}]),
    ] {
        let (status, body) = announce(&local, uploads.clone()).await;
        assert_eq!(status, 400, "{uploads}");
        let words = body["error_description"].as_str().unwrap();
        assert!(words.contains("tempUploads"), "{words}");
    }
}

#[tokio::test]
async fn only_editors_announce_and_only_for_drafts() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens.json");
    std::fs::write(
        &tokens,
        r#"[{"token": "reader", "user": "r", "scopes": ["data.data"]},
            {"token": "editor", "user": "e", "scopes": ["data.edit"]}]"#,
    )
    .unwrap();
    let mut local = drafting(|config| config.tokens = Some(tokens)).await;
    for (token, table, expected) in [
        (None, "o.d:next.t", 401),
        (Some("reader"), "o.d:next.t", 403),
        (Some("editor"), "o.d:next.missing", 404),
        (Some("editor"), "o.d.t", 400),
        (Some("editor"), "o.d:next.t", 201),
    ] {
        local.set_token(token);
        let body = json!({"tempUploads": [{"size": 1}]});
        let path = format!("/tables/{table}/tempUploads");
        let response = local.send(Method::POST, &path, Some(body)).await;
        assert_eq!(response.status(), expected, "{token:?} {table}");
    }
}
