//! Datasets, their versions and tables: created, changed, released, deleted.

use futures::TryStreamExt;
use redivis::ErrorKind;
use redivis::resource::{
    AccessLevel, DatasetChanges, NewDataset, NewTable, TableChanges, UploadMergeStrategy,
};

use crate::script::{Answer, Script, json, response};

const DATASET: &str = r#"{"uri":"/datasets/me.d:next","name":"d"}"#;
const TABLE: &str = r#"{"uri":"/tables/me.d:next.t","name":"t"}"#;
const NEXT: &str = r#"{"tag":"next","datasetUri":"/datasets/me.d:next","isReleased":false}"#;
const RELEASED: &str = r#"{"tag":"v1.0","datasetUri":"/datasets/me.d:v1_0","isReleased":true}"#;

fn body(script: &Script, request: usize) -> serde_json::Value {
    serde_json::from_str(&script.parts(request).1).unwrap()
}

fn missing() -> Answer {
    json("404 Not Found", r#"{"error":"not_found"}"#)
}

fn ok(body: &str) -> Answer {
    json("200 OK", body)
}

/// All that leaves open whether a step was carried out.
fn no_answers() -> [Answer; 4] {
    [
        Answer::Hangup,
        Answer::Early(0, Vec::new()),
        Answer::Bytes(response("502 Bad Gateway", "", b"")),
        ok("<html>"),
    ]
}

#[track_caller]
fn assert_open(error: &redivis::Error, remedy: &str) {
    assert!(error.may_have_happened(), "{error}");
    assert!(!error.is_retryable(), "{error}");
    assert!(error.message().contains(remedy), "{error}");
}

/// How often the script was asked to.
fn count(script: &Script, method: &str) -> usize {
    let lines = script.lines();
    lines.iter().filter(|line| line.starts_with(method)).count()
}

#[tokio::test]
async fn datasets_of_users_and_organizations() {
    let new = NewDataset {
        name: "d".to_owned(),
        public_access_level: AccessLevel::Overview,
        description: None,
    };
    let organization = ok(r#"{"results":[],"nextPageToken":null}"#);
    for (owner, kind) in [(missing(), "users"), (organization, "organizations")] {
        let post = format!("POST /{kind}/me/datasets");
        let probe = "GET /organizations/me/datasets?maxResults=1";
        let script = Script::routes([
            (probe, vec![owner.clone()]),
            (&post, vec![json("201 Created", DATASET)]),
        ])
        .await;
        let dataset = script.client().create_dataset("me", &new).await.unwrap();
        assert_eq!(dataset.uri, "/datasets/me.d:next");
        assert_eq!(
            script.lines(),
            [
                "GET /api/v1/organizations/me/datasets?maxResults=1".to_owned(),
                "GET /api/v1/datasets/me.d%3Anext".to_owned(),
                "GET /api/v1/datasets/me.d".to_owned(),
                format!("POST /api/v1/{kind}/me/datasets"),
            ]
        );
        assert_eq!(
            body(&script, 3),
            serde_json::json!({"name": "d", "publicAccessLevel": "overview"})
        );

        // It was created, and the answer is lost.
        for lost in no_answers() {
            let script = Script::routes([
                (probe, vec![owner.clone()]),
                (&post, vec![lost.clone()]),
                (
                    "GET /datasets/me.d%3Anext",
                    vec![missing(), missing(), ok(DATASET)],
                ),
            ])
            .await;
            let dataset = script.client().create_dataset("me", &new).await.unwrap();
            assert_eq!(dataset.uri, "/datasets/me.d:next");
            assert_eq!(count(&script, "POST"), 1);

            // It was not, or another one was there or has tables.
            let full = DATASET.replace('}', r#","tableCount":1}"#);
            for there in [
                vec![missing()],
                vec![ok(DATASET)],
                vec![missing(), ok(&full)],
            ] {
                let script = Script::routes([
                    (probe, vec![owner.clone()]),
                    (&post, vec![lost.clone()]),
                    ("GET /datasets/me.d", there),
                ])
                .await;
                let error = script.client().create_dataset("me", &new).await;
                assert_open(&error.unwrap_err(), "look for me.d before trying again");
                assert_eq!(count(&script, "POST"), 1);
            }
        }
    }
}

#[tokio::test]
async fn a_table_is_created_once() {
    let new = NewTable {
        name: "The t!".to_owned(),
        ..NewTable::default()
    };
    let (post, get) = (
        "POST /datasets/me.d:next/tables",
        "GET /tables/me.d%3Anext.The_t",
    );
    let create = async |routes: [(&str, Vec<Answer>); 2]| {
        let script = Script::routes(routes).await;
        let created = script
            .client()
            .create_table("/datasets/me.d:next", &new)
            .await;
        assert_eq!(count(&script, "POST"), 1);
        created
    };
    for lost in no_answers() {
        let lost = || vec![lost.clone()];
        let created = create([(post, lost()), (get, vec![missing(), ok(TABLE)])]).await;
        assert_eq!(created.unwrap().uri, "/tables/me.d:next.t");
        // Taken late.
        let late = vec![missing(), missing(), missing(), ok(TABLE)];
        create([(post, lost()), (get, late)]).await.unwrap();

        let full = TABLE.replace('}', r#","numRows":"5"}"#);
        for there in [vec![missing()], vec![ok(TABLE)], vec![missing(), ok(&full)]] {
            let error = create([(post, lost()), (get, there)]).await.unwrap_err();
            assert_open(&error, "look for `The t!` among the tables");
        }
    }
    // Refused: nothing has happened.
    let refused = json("409 Conflict", r#"{"error_description":"taken"}"#);
    let error = create([(post, vec![refused]), (get, vec![ok(TABLE)])]).await;
    assert!(!error.unwrap_err().may_have_happened());
}

#[tokio::test]
async fn tables_and_changes() {
    let script = Script::routes([
        (
            "POST /datasets/me.d:next/tables",
            vec![json("201 Created", TABLE)],
        ),
        ("PATCH /tables/me.d:next.t", vec![ok(TABLE)]),
        ("PATCH /datasets/me.d:next", vec![ok(DATASET)]),
        (
            "DELETE /tables/me.d:next.t",
            vec![Answer::Bytes(response("200 OK", "", b"OK"))],
        ),
        (
            "DELETE /datasets/me.d:next",
            vec![Answer::Bytes(response("204 No Content", "", b""))],
        ),
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
        upload_merge_strategy: Some(UploadMergeStrategy::Append),
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
            "GET /api/v1/tables/me.d%3Anext.t",
            "POST /api/v1/datasets/me.d:next/tables",
            "PATCH /api/v1/tables/me.d:next.t",
            "PATCH /api/v1/datasets/me.d:next",
            "DELETE /api/v1/tables/me.d:next.t",
            "DELETE /api/v1/datasets/me.d:next",
        ]
    );
    assert_eq!(
        body(&script, 1),
        serde_json::json!({"name": "t", "uploadMergeStrategy": "replace", "isFileIndex": false})
    );
    assert_eq!(
        body(&script, 2),
        serde_json::json!({"description": "x", "uploadMergeStrategy": "append"})
    );
    assert_eq!(
        body(&script, 3),
        serde_json::json!({"publicAccessLevel": "data"})
    );

    // What was never there is no success.
    let script = Script::play(vec![missing()]).await;
    let error = script.client().delete_table("/tables/x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn versions_are_opened_and_taken_back() {
    let (open, next) = (
        "POST /datasets/me.d/versions",
        "GET /datasets/me.d/versions/next",
    );
    let unrelease = "POST /datasets/me.d/versions/current/unrelease";
    let list = format!(r#"{{"results":[{RELEASED}],"nextPageToken":null}}"#);
    let script = Script::routes([
        (open, vec![json("201 Created", NEXT)]),
        (unrelease, vec![ok(NEXT)]),
        ("GET /datasets/me.d:next", vec![ok(DATASET)]),
        (
            "GET /datasets/me.d/versions?maxResults=100",
            vec![ok(&list)],
        ),
    ])
    .await;
    let client = script.client();
    let opened = client.create_version("/datasets/me.d").await.unwrap();
    assert_eq!(opened.tag, "next");
    client.unrelease("/datasets/me.d").await.unwrap();
    let versions: Vec<_> = client
        .dataset_versions(&"me.d".parse().unwrap())
        .try_collect()
        .await
        .unwrap();
    assert_eq!(versions[0].is_released, Some(true));
    assert!(script.parts(1).0.contains("content-length: 0"));

    for lost in no_answers() {
        let lost = || vec![lost.clone()];
        for (is_open, there) in [
            (true, vec![missing(), missing(), ok(NEXT)]),
            (false, vec![missing()]),
            (false, vec![ok(NEXT)]),
        ] {
            let script = Script::routes([
                (open, lost()),
                (unrelease, lost()),
                (next, there.clone()),
                ("GET /datasets/me.d:next", vec![ok(DATASET)]),
            ])
            .await;
            match script.client().create_version("/datasets/me.d").await {
                Ok(version) => assert!(is_open && version.tag == "next"),
                Err(error) => {
                    assert!(!is_open, "{error}");
                    assert_open(&error, "look for the dataset's next version");
                }
            }
            assert_eq!(count(&script, "POST"), 1);
        }
    }
}

#[tokio::test]
async fn an_unrelease_without_an_answer_is_looked_up() {
    let script = Script::routes([
        (
            "POST /datasets/me.d/versions/current/unrelease",
            vec![Answer::Hangup],
        ),
        (
            "GET /datasets/me.d/versions/next",
            vec![missing(), ok(NEXT)],
        ),
        ("GET /datasets/me.d:next", vec![ok(DATASET)]),
    ])
    .await;
    script.client().unrelease("/datasets/me.d").await.unwrap();
    assert_eq!(count(&script, "POST"), 1);
}
