//! Who may see and read what: tokens and their scopes, public levels, streams and their creators.

use redivis_server::Server;
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{Local, numbers, parquet, stream_ids};

const TOKENS: &[u8] = br#"[
    {"token": "none", "user": "nora", "scopes": ["public"]},
    {"token": "overview", "user": "olga", "scopes": ["data.overview"]},
    {"token": "metadata", "user": "mia", "scopes": ["data.metadata"]},
    {"token": "data", "user": "dora", "scopes": ["data.overview", "data.data"]},
    {"token": "dull", "user": "dora", "scopes": ["data.overview"]},
    {"token": "edit", "user": "ed", "scopes": ["data.edit"]}
]"#;

async fn guarded() -> Local {
    let table = parquet(&numbers(4));
    let files: Vec<(String, Vec<u8>)> = ["none", "overview", "metadata", "data"]
        .into_iter()
        .flat_map(|level| {
            let described = format!(r#"{{"publicAccessLevel": "{level}"}}"#);
            [
                (format!("a/{level}/t.parquet"), table.clone()),
                (format!("a/{level}/dataset.json"), described.into_bytes()),
            ]
        })
        .collect();
    let mut files: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
        .collect();
    files.push(("tokens.json", TOKENS));
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens.json");
    std::fs::write(&tokens, TOKENS).unwrap();
    Local::with(&files, |config| config.tokens = Some(tokens)).await
}

#[tokio::test]
async fn scopes_and_public_levels_decide() {
    let mut local = guarded().await;
    assert_eq!(local.server.token(), None);
    // The status of: dataset, table, variables, rows, read session.
    for (token, dataset, expected) in [
        (None, "none", [401, 401, 401, 401, 401]),
        (None, "overview", [200, 200, 401, 401, 401]),
        (None, "metadata", [200, 200, 200, 401, 401]),
        (None, "data", [200, 200, 200, 200, 401]),
        (Some("wrong"), "data", [401, 401, 401, 401, 401]),
        (Some("none"), "none", [404, 404, 404, 404, 404]),
        (Some("none"), "metadata", [200, 200, 200, 403, 403]),
        (Some("none"), "data", [200, 200, 200, 200, 201]),
        (Some("overview"), "none", [200, 200, 403, 403, 403]),
        (Some("metadata"), "none", [200, 200, 200, 403, 403]),
        (Some("data"), "none", [200, 200, 200, 200, 201]),
        (Some("edit"), "none", [200, 200, 200, 200, 201]),
    ] {
        local.set_token(token);
        let table = format!("/tables/a.{dataset}.t");
        let session = local
            .post(&format!("{table}/readSessions"), json!({}))
            .await
            .0;
        let rows = local
            .send(reqwest::Method::GET, &format!("{table}/rows"), None)
            .await;
        let statuses = [
            local.get(&format!("/datasets/a.{dataset}")).await.0,
            local.get(&table).await.0,
            local.get(&format!("{table}/variables")).await.0,
            rows.status(),
            session,
        ];
        assert_eq!(
            statuses.map(|status| status.as_u16()),
            expected,
            "{token:?} {dataset}"
        );
    }
}

#[tokio::test]
async fn refusals_are_worded_as_the_service_words_them() {
    let mut local = guarded().await;
    local.set_token(None);
    let (_, error) = local.get("/tables/a.none.t").await;
    assert_eq!(error["error_description"], "No credentials were provided");
    // What does not exist is answered in the same way, so that nobody can find out which of both it is.
    let (_, other) = local.get("/tables/a.missing.t").await;
    assert_eq!(error, other);
    local.set_token(Some("overview"));
    let (_, error) = local.get("/tables/a.none.t/rows").await;
    assert_eq!(error["error"], "insufficient_scope");
    assert_eq!(error["scope"], "data.data");
}

#[tokio::test]
async fn lists_show_what_may_be_seen() {
    let mut local = guarded().await;
    for (token, count) in [(None, 3), (Some("none"), 3), (Some("overview"), 4)] {
        local.set_token(token);
        let list = local.json("/users/a/datasets").await;
        assert_eq!(
            list["results"].as_array().unwrap().len(),
            count,
            "{token:?}"
        );
    }
    local.set_token(None);
    assert_eq!(local.get("/users/me").await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn streams_are_their_creators() {
    let mut local = guarded().await;
    local.set_token(Some("data"));
    let own = stream_ids(&local.session("/tables/a.none.t", json!({})).await);
    let open = stream_ids(
        &local
            .session("/tables/a.none.t", json!({"allowAnonymousAccess": true}))
            .await,
    );
    let elsewhere = stream_ids(
        &local
            .session("/tables/a.none.t", json!({"allowedIPs": ["192.0.2.1"]}))
            .await,
    );
    let here = stream_ids(
        &local
            .session("/tables/a.none.t", json!({"allowedIPs": ["127.0.0.1"]}))
            .await,
    );
    for (token, stream, status) in [
        (Some("data"), &own, 200),
        (Some("edit"), &own, 403),
        (None, &own, 401),
        (Some("edit"), &open, 200),
        (None, &open, 200),
        (Some("data"), &elsewhere, 403),
        (Some("data"), &here, 200),
    ] {
        local.set_token(token);
        let path = format!("/readStreams/{}", stream[0]);
        let response = local.send(reqwest::Method::GET, &path, None).await;
        assert_eq!(response.status().as_u16(), status, "{token:?}");
    }
}

#[tokio::test]
async fn a_stream_needs_the_scope_and_not_only_the_user() {
    let mut local = guarded().await;
    for (dataset, expected) in [("none", StatusCode::FORBIDDEN), ("data", StatusCode::OK)] {
        local.set_token(Some("data"));
        let session = local
            .session(&format!("/tables/a.{dataset}.t"), json!({}))
            .await;
        let id = &stream_ids(&session)[0];
        local.set_token(Some("dull"));
        let read = local
            .send(reqwest::Method::GET, &format!("/readStreams/{id}"), None)
            .await;
        assert_eq!(read.status(), expected, "{dataset}");
    }
}

#[tokio::test]
async fn what_is_public_is_public_of_releases_alone() {
    let table = parquet(&numbers(4));
    let mut local = Local::serving(&[
        ("a/d/dataset.json", br#"{"publicAccessLevel": "data"}"#),
        ("a/d/t.parquet", &table),
        ("a/d/next/t/more.parquet", &table),
    ])
    .await;
    assert_eq!(local.get("/tables/a.d:next.t").await.0, 200);
    local.set_token(None);
    assert_eq!(local.get("/tables/a.d.t").await.0, 200);
    assert_eq!(local.get("/tables/a.d:next.t").await.0, 401);
    let rows = local
        .send(reqwest::Method::GET, "/tables/a.d:next.t/rows", None)
        .await;
    assert_eq!(rows.status(), 401);
}

#[tokio::test]
async fn the_first_token_is_kept_for_its_owner_alone() {
    let local = Local::serving(&[]).await;
    let path = local.server.token_file().unwrap().to_path_buf();
    let secret = local.server.token().unwrap().to_owned();
    assert_eq!(std::fs::read_to_string(&path).unwrap().trim(), secret);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert!(!format!("{:?}", local.server).contains(&secret));
    // One server a folder: two would not know of each other's changes.
    let config = redivis_server::Config::directory(local.folder.path());
    let refused = Server::start(config.clone()).await.unwrap_err();
    assert!(refused.to_string().contains("in use"), "{refused}");
    // The next start of the same folder has the same token.
    local.server.stop().await;
    let again = Server::start(config).await.unwrap();
    assert_eq!(again.token(), Some(secret.as_str()));
    again.stop().await;
}
