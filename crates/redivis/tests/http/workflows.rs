//! Tables of workflows: found by reference, and listed.

use futures::TryStreamExt;
use redivis::ErrorKind;

use crate::script::{Answer, Script, json, response};

const TABLE: &str = r#"{"uri":"/tables/o.w.t:cd34","name":"t","container":{"kind":"workflow"}}"#;

fn missing(words: &str) -> Answer {
    json(
        "404 Not Found",
        &format!(r#"{{"status":404,"error":"not_found","error_description":"{words}"}}"#),
    )
}

#[tokio::test]
async fn tables_of_data_sources_are_found_through_their_workflow() {
    let reference = "o.w:ab12.My table:cd34".parse().unwrap();
    let script = Script::play(vec![missing("no such table"), json("200 OK", TABLE)]).await;
    let table = script.client().table(&reference).await.unwrap();
    assert_eq!(table.uri, "/tables/o.w.t:cd34");
    assert_eq!(
        script.lines(),
        [
            "GET /api/v1/tables/o.w%3Aab12.My%20table%3Acd34",
            "GET /api/v1/workflows/o.w%3Aab12/tables/My%20table%3Acd34",
        ]
    );
    // One that is found at once costs one request.
    let script = Script::play(vec![json("200 OK", TABLE)]).await;
    script.client().table(&reference).await.unwrap();
    assert_eq!(script.requests().len(), 1);
}

#[tokio::test]
async fn a_missing_table_is_told_in_the_first_answers_words() {
    let refusals = [
        missing("no such workflow"),
        json("403 Forbidden", r#"{"error":"forbidden"}"#),
        json("401 Unauthorized", r#"{"error":"unauthorized"}"#),
        json("501 Not Implemented", r#"{"error":"workflows"}"#),
    ];
    for second in refusals {
        let script = Script::play(vec![missing("no such table"), second]).await;
        let reference = "o.d.t".parse().unwrap();
        let error = script.client().table(&reference).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot get table o.d.t: no such table (HTTP 404, not_found)"
        );
        assert_eq!(script.requests().len(), 2);
    }
    // Whether there is one is not known while the service is away.
    let away = Answer::Bytes(response("503 Service Unavailable", "", b""));
    let mut answers = vec![missing("no such table")];
    answers.extend(vec![away; 4]);
    let script = Script::play(answers).await;
    let error = script.client().table(&"o.d.t".parse().unwrap()).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Unavailable);

    // What has versions or a sample is a dataset; other refusals are final.
    for reference in ["o.d:v1_0.t", "o.d:next.t", "o.d:current.t", "o.d:sample.t"] {
        let script = Script::play(vec![missing("no such table")]).await;
        let error = script.client().table(&reference.parse().unwrap()).await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(script.requests().len(), 1);
    }
    let script = Script::play(vec![json("403 Forbidden", "{}")]).await;
    let error = script.client().table(&"o.d.t".parse().unwrap()).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Forbidden);
    assert_eq!(script.requests().len(), 1);
}

#[tokio::test]
async fn tables_of_a_workflow_are_listed_with_those_of_its_data_sources() {
    let page = |results: &str, token: &str| {
        json(
            "200 OK",
            &format!(r#"{{"results":[{results}],"nextPageToken":{token}}}"#),
        )
    };
    let other = TABLE.replace("o.w.t", "o.d.u");
    let script = Script::play(vec![page(TABLE, "\"2\""), page(&other, "null")]).await;
    let tables = script.client().workflow_tables(&"o.w".parse().unwrap());
    let tables: Vec<_> = tables.try_collect().await.unwrap();
    assert_eq!(tables.len(), 2);
    assert_eq!(
        script.lines(),
        [
            "GET /api/v1/workflows/o.w/tables?includeDataSources=true&maxResults=100",
            "GET /api/v1/workflows/o.w/tables?includeDataSources=true&maxResults=100&pageToken=2",
        ]
    );
}

#[tokio::test]
async fn workflows_of_an_owner_are_listed() {
    let workflow = r#"{"uri":"/workflows/me.w:ab12","name":"My w","qualifiedReference":"me.my_w:ab12","description":"d"}"#;
    let page = format!(r#"{{"results":[{workflow}],"nextPageToken":null}}"#);
    let script = Script::play(vec![missing("no organization"), json("200 OK", &page)]).await;
    let found: Vec<_> = script
        .client()
        .owner_workflows("me")
        .try_collect()
        .await
        .unwrap();
    assert_eq!(found[0].name, "My w");
    assert_eq!(found[0].description.as_deref(), Some("d"));
    assert_eq!(
        script.lines(),
        [
            "GET /api/v1/organizations/me/workflows?maxResults=100",
            "GET /api/v1/users/me/workflows?maxResults=100",
        ]
    );
    let script = Script::play(vec![json("200 OK", workflow)]).await;
    let reference = "me.my_w".parse().unwrap();
    let found = script.client().workflow(&reference).await.unwrap();
    assert_eq!(found.qualified_reference, "me.my_w:ab12");
    assert_eq!(script.lines(), ["GET /api/v1/workflows/me.my_w"]);
}

#[tokio::test]
async fn tables_are_listed_whether_the_parent_is_a_dataset_or_a_workflow() {
    let tables = format!(r#"{{"results":[{TABLE}]}}"#);
    let script = Script::play(vec![missing("no such dataset"), json("200 OK", &tables)]).await;
    let found = script.client().tables(&"o.w".parse().unwrap()).await;
    assert_eq!(found.unwrap()[0].name, "t");
    let lines = script.lines();
    assert!(
        lines[0].starts_with("GET /api/v1/datasets/o.w/tables?"),
        "{lines:?}"
    );
    assert!(
        lines[1].starts_with("GET /api/v1/workflows/o.w/tables?"),
        "{lines:?}"
    );
    assert!(lines[1].contains("includeDataSources=true"), "{lines:?}");

    // Neither: the dataset's words. A version is a dataset's alone.
    let script = Script::play(vec![missing("no such dataset"), missing("no workflow")]).await;
    let error = script.client().tables(&"o.d".parse().unwrap()).await;
    assert!(error.unwrap_err().to_string().contains("no such dataset"));
    let script = Script::play(vec![missing("no such dataset")]).await;
    let error = script.client().tables(&"o.d:v1_0".parse().unwrap()).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(script.requests().len(), 1);
}
