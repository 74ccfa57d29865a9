//! Datasets, their versions and tables: created, changed, released, deleted.

use futures::TryStreamExt;
use redivis::ErrorKind;
use redivis::resource::{
    AccessLevel, DatasetChanges, NewDataset, NewTable, TableChanges, UploadMergeStrategy,
};

use crate::script::{Answer, Script, json, response};

const DATASET: &str = r#"{"uri":"/datasets/me.d:next","name":"d"}"#;
const TABLE: &str = r#"{"uri":"/tables/me.d:next.t","name":"t"}"#;

fn body(script: &Script, request: usize) -> serde_json::Value {
    serde_json::from_str(&script.parts(request).1).unwrap()
}

#[tokio::test]
async fn datasets_of_users_and_organizations() {
    let new = NewDataset {
        name: "d".to_owned(),
        public_access_level: AccessLevel::Overview,
        description: None,
    };
    let user = json("404 Not Found", r#"{"error":"not_found"}"#);
    let organization = json("200 OK", r#"{"results":[],"nextPageToken":null}"#);
    for (owner, kind) in [(user, "users"), (organization, "organizations")] {
        let script = Script::play(vec![owner, json("201 Created", DATASET)]).await;
        let dataset = script.client().create_dataset("me", &new).await.unwrap();
        assert_eq!(dataset.uri, "/datasets/me.d:next");
        assert_eq!(
            script.lines(),
            [
                "GET /api/v1/organizations/me/datasets?maxResults=1".to_owned(),
                format!("POST /api/v1/{kind}/me/datasets"),
            ]
        );
        assert_eq!(
            body(&script, 1),
            serde_json::json!({"name": "d", "publicAccessLevel": "overview"})
        );
    }
    // It may have been created: not created again.
    let organization = json("200 OK", r#"{"results":[],"nextPageToken":null}"#);
    let script = Script::play(vec![organization, Answer::Hangup]).await;
    script
        .client()
        .create_dataset("me", &new)
        .await
        .unwrap_err();
    assert_eq!(script.requests().len(), 2);
}

#[tokio::test]
async fn tables_and_changes() {
    let script = Script::play(vec![
        json("201 Created", TABLE),
        json("200 OK", TABLE),
        json("200 OK", DATASET),
        Answer::Bytes(response("200 OK", "", b"OK")),
        Answer::Bytes(response("204 No Content", "", b"")),
    ])
    .await;
    let client = script.client();
    let new = NewTable {
        name: "t".to_owned(),
        upload_merge_strategy: UploadMergeStrategy::Replace,
        ..NewTable::default()
    };
    let table = client
        .create_table("/datasets/me.d:next", &new)
        .await
        .unwrap();
    let changes = TableChanges {
        description: Some("x".to_owned()),
        ..TableChanges::default()
    };
    client.update_table(&table.uri, &changes).await.unwrap();
    let changes = DatasetChanges {
        public_access_level: Some(AccessLevel::Data),
        ..DatasetChanges::default()
    };
    client
        .update_dataset("/datasets/me.d:next", &changes)
        .await
        .unwrap();
    client.delete_table(&table.uri).await.unwrap();
    client.delete_dataset("/datasets/me.d:next").await.unwrap();
    assert_eq!(
        script.lines(),
        [
            "POST /api/v1/datasets/me.d:next/tables",
            "PATCH /api/v1/tables/me.d:next.t",
            "PATCH /api/v1/datasets/me.d:next",
            "DELETE /api/v1/tables/me.d:next.t",
            "DELETE /api/v1/datasets/me.d:next",
        ]
    );
    assert_eq!(
        body(&script, 0),
        serde_json::json!({"name": "t", "uploadMergeStrategy": "replace", "isFileIndex": false})
    );
    assert_eq!(body(&script, 1), serde_json::json!({"description": "x"}));
    assert_eq!(
        body(&script, 2),
        serde_json::json!({"publicAccessLevel": "data"})
    );

    // What was never there is no success.
    let script = Script::play(vec![json("404 Not Found", r#"{"error":"not_found"}"#)]).await;
    let error = script.client().delete_table("/tables/x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn versions_are_opened_released_and_taken_back() {
    let version = r#"{"tag":"v1.0","datasetUri":"/datasets/me.d:v1_0","isReleased":true}"#;
    let script = Script::play(vec![
        json(
            "201 Created",
            r#"{"tag":"next","datasetUri":"/datasets/me.d:next"}"#,
        ),
        json("200 OK", version),
        json("200 OK", DATASET),
        json("200 OK", version),
        json("200 OK", DATASET),
        json(
            "200 OK",
            &format!(r#"{{"results":[{version}],"nextPageToken":null}}"#),
        ),
    ])
    .await;
    let client = script.client();
    let next = client.create_version("/datasets/me.d").await.unwrap();
    assert_eq!(next.tag, "next");
    client
        .release("/datasets/me.d:next", Some("first"))
        .await
        .unwrap();
    client.unrelease("/datasets/me.d").await.unwrap();
    let versions: Vec<_> = client
        .dataset_versions(&"me.d".parse().unwrap())
        .try_collect()
        .await
        .unwrap();
    assert!(versions[0].is_released);
    assert_eq!(
        script.lines(),
        [
            "POST /api/v1/datasets/me.d/versions",
            "POST /api/v1/datasets/me.d:next/versions/next/release",
            "GET /api/v1/datasets/me.d:v1_0",
            "POST /api/v1/datasets/me.d/versions/current/unrelease",
            "GET /api/v1/datasets/me.d:v1_0",
            "GET /api/v1/datasets/me.d/versions?maxResults=100",
        ]
    );
    assert_eq!(
        body(&script, 1),
        serde_json::json!({"releaseNotes": "first"})
    );
    assert!(script.parts(0).0.contains("content-length: 0"));

    let script = Script::play(vec![Answer::Hangup]).await;
    script
        .client()
        .release("/datasets/me.d", None)
        .await
        .unwrap_err();
    assert_eq!(script.requests().len(), 1, "it may have been released");
}
