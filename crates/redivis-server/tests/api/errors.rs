//! What is refused, and in which words and shape.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Local, numbers, parquet};

#[tokio::test]
async fn errors_are_flat_json_with_their_status() {
    let local = Local::serving(&[("a/d/t.parquet", &parquet(&numbers(3)))]).await;
    for (method, path, body, status, error) in [
        (Method::GET, "/tables/a.d.x", None, 404, "not_found"),
        (Method::GET, "/tables/a.d:v2_0.t", None, 404, "not_found"),
        (
            Method::GET,
            "/tables/a.d:sample:next.t",
            None,
            404,
            "not_found",
        ),
        (Method::GET, "/tables/a.d:next.t", None, 404, "not_found"),
        (
            Method::GET,
            "/tables/a.d.t/variables/x",
            None,
            404,
            "not_found",
        ),
        (Method::GET, "/tables/a.d", None, 400, "invalid_reference"),
        (
            Method::GET,
            "/tables/..%2F..%2Fetc.d.t",
            None,
            400,
            "invalid_reference",
        ),
        (
            Method::GET,
            "/tables/a.%2e%2e.t",
            None,
            400,
            "invalid_reference",
        ),
        (Method::GET, "/nothing", None, 404, "not_found"),
        (
            Method::PUT,
            "/tables/a.d.t",
            None,
            405,
            "method_not_allowed",
        ),
        (
            Method::POST,
            "/queries",
            Some(json!({"query": 1})),
            400,
            "invalid_request",
        ),
        (
            Method::POST,
            "/tables/a.d.t/exports",
            Some(json!({"format": "dta"})),
            501,
            "not_implemented",
        ),
        (
            Method::POST,
            "/tables/a.d.t/tempUploads",
            Some(json!({})),
            400,
            "invalid_request",
        ),
        (
            Method::DELETE,
            "/tables/a.d.t",
            None,
            400,
            "invalid_request",
        ),
        (Method::GET, "/readStreams/unknown", None, 404, "not_found"),
        (
            Method::GET,
            "/tables/a.d.t/rows?format=xml",
            None,
            400,
            "invalid_request",
        ),
        (
            Method::GET,
            "/tables/a.d.t/rows?maxResults=-1",
            None,
            400,
            "invalid_request",
        ),
        (
            Method::GET,
            "/tables/a.d.t/rows?selectedVariables=n,N",
            None,
            400,
            "invalid_request",
        ),
        (
            Method::GET,
            "/tables/a.d.t/variables?pageToken=z",
            None,
            400,
            "invalid_request",
        ),
        (
            Method::POST,
            "/tables/a.d.t/readSessions",
            Some(json!([1])),
            400,
            "invalid_request",
        ),
        (
            Method::POST,
            "/tables/a.d.t/readSessions",
            Some(json!({"maxResults": 1.5})),
            400,
            "invalid_request",
        ),
        (
            Method::POST,
            "/tables/a.d.t/readSessions",
            Some(json!({"requestedStreamCount": 0})),
            400,
            "invalid_request",
        ),
        (
            Method::POST,
            "/tables/a.d.t/readSessions",
            Some(json!({"selectedVariables": ["nope"]})),
            400,
            "invalid_request",
        ),
        (
            Method::POST,
            "/tables/a.d.t/readSessions",
            Some(json!({"allowedIPs": ["nope"]})),
            400,
            "invalid_request",
        ),
    ] {
        let response = local.send(method.clone(), path, body.clone()).await;
        assert_eq!(response.status(), status, "{method} {path} {body:?}");
        let kind = response.headers()["content-type"].to_str().unwrap();
        assert!(kind.starts_with("application/json"), "{path}: {kind}");
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["status"], status, "{path}");
        assert_eq!(answer["error"], error, "{path}");
        assert!(
            !answer["error_description"].as_str().unwrap().is_empty(),
            "{path}"
        );
    }
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let local = Local::serving(&[("a/d/t.parquet", &parquet(&numbers(3)))]).await;
    let (_, error) = local
        .post(
            "/tables/a.d.t/readSessions",
            json!({"selectedVariables": ["n", "nope"]}),
        )
        .await;
    assert!(
        error["error_description"]
            .as_str()
            .unwrap()
            .contains("`nope`"),
        "{error}"
    );
    let (_, error) = local.get("/transforms/x").await;
    assert!(
        error["error_description"]
            .as_str()
            .unwrap()
            .contains("transforms"),
        "{error}"
    );
}

#[tokio::test]
async fn head_carries_its_error_in_a_header() {
    let local = Local::serving(&[("a/d/t.parquet", &parquet(&numbers(3)))]).await;
    let found = local.send(Method::HEAD, "/tables/a.d.t", None).await;
    assert_eq!(found.status(), StatusCode::OK);
    let missing = local.send(Method::HEAD, "/tables/a.d.x", None).await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    let payload = missing.headers()["x-redivis-error-payload"]
        .to_str()
        .unwrap();
    let decoded = percent_encoding::percent_decode_str(payload)
        .decode_utf8()
        .unwrap();
    let error: Value = serde_json::from_str(&decoded).unwrap();
    assert_eq!(error["error"], "not_found");
    assert_eq!(error["status"], 404);
}

#[tokio::test]
async fn too_many_requests_are_told_when_to_come_back() {
    let files: &[(&str, &[u8])] = &[("a/d/t.parquet", &parquet(&numbers(3)))];
    let mut local = Local::with(files, |config| config.requests_per_minute = Some(3)).await;
    for remaining in [2, 1, 0] {
        let response = local.send(Method::GET, "/users/me", None).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["x-ratelimit-limit"], "3");
        assert_eq!(
            response.headers()["x-ratelimit-remaining"],
            remaining.to_string().as_str()
        );
    }
    let response = local.send(Method::GET, "/users/me", None).await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    let seconds: u64 = response.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=60).contains(&seconds));
    // Each requester has a minute of their own.
    local.set_token(None);
    assert_eq!(local.get("/users/me").await.0, StatusCode::UNAUTHORIZED);
}
