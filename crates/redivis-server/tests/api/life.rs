//! Datasets over their lives: created, filled, released, changed, taken back, deleted.

use arrow::{array::AsArray, datatypes::Int64Type};
use redivis_server::{Config, Server};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    support::{Local, joined, numbers, parquet},
    uploads::upload,
};

/// Creates a dataset of the first user; its URI.
pub(crate) async fn dataset(local: &Local, name: &str) -> String {
    let body = json!({"name": name, "publicAccessLevel": "none", "description": null});
    let (status, dataset) = local.post("/users/local/datasets", body).await;
    assert_eq!(status, StatusCode::CREATED, "{dataset}");
    dataset["uri"].as_str().unwrap().to_owned()
}

/// Creates a table in a draft; its URI.
pub(crate) async fn table(local: &Local, dataset: &str, name: &str) -> String {
    let (status, table) = local
        .post(&format!("{dataset}/tables"), json!({"name": name}))
        .await;
    assert_eq!(status, StatusCode::CREATED, "{table}");
    table["uri"].as_str().unwrap().to_owned()
}

/// Releases the draft; the URI of the dataset in the released version.
async fn release(local: &Local, dataset: &str) -> String {
    let path = format!("{dataset}/versions/next/release");
    let (status, version) = local.post(&path, json!({"releaseNotes": "why"})).await;
    assert_eq!(status, StatusCode::OK, "{version}");
    assert_eq!(version["isReleased"], true);
    version["datasetUri"].as_str().unwrap().to_owned()
}

/// Opens the next version; the URI of the dataset in it.
async fn open_next(local: &Local, dataset: &str) -> String {
    let path = format!("{dataset}/versions");
    let (status, version) = local.post(&path, json!({})).await;
    assert_eq!(status, StatusCode::CREATED, "{version}");
    version["datasetUri"].as_str().unwrap().to_owned()
}

/// The integers of the column `n` of a table.
async fn n_of(local: &Local, table: &str) -> Vec<i64> {
    let batches = local.batches(&format!("{table}/rows?format=arrow")).await;
    if batches.is_empty() {
        return Vec::new();
    }
    let batch = joined(&batches);
    let column = batch.column_by_name("n").unwrap();
    column.as_primitive::<Int64Type>().values().to_vec()
}

async fn delete(local: &Local, path: &str) -> StatusCode {
    local.send(Method::DELETE, path, None).await.status()
}

#[tokio::test]
async fn a_dataset_is_created_changed_listed_and_deleted() {
    let local = Local::serving(&[]).await;
    let uri = dataset(&local, "My data: 1").await;
    let created = local.json(&uri).await;
    assert_eq!(created["name"], "My data: 1");
    assert_eq!(created["version"]["tag"], "next");
    assert_eq!(created["nextVersion"], Value::Null);
    let reference = created["qualifiedReference"].as_str().unwrap();
    let id = created["referenceId"].as_str().unwrap();
    assert_eq!(reference, format!("local.My_data_1:{id}:next"));
    // By name, escaped or not, in any case; by id alone; without a version, there being no release.
    for other in [
        "local.My data: 1".replace(": ", "_"),
        "LOCAL.my_data_1".to_owned(),
        format!("local.other:{id}"),
    ] {
        let found = local.json(&format!("/datasets/{other}")).await;
        assert_eq!(found["id"], created["id"], "{other}");
    }
    let (status, _) = local.get("/datasets/local.my_data_1:current").await;
    assert_eq!(status, StatusCode::NOT_FOUND);

    let again = json!({"name": "my-data (1)"});
    let (status, refused) = local.post("/users/local/datasets", again).await;
    assert_eq!(status, StatusCode::CONFLICT, "{refused}");
    for wrong in [
        json!({}),
        json!({"name": "…"}),
        json!({"name": 5}),
        json!({"name": "x", "publicAccessLevel": "everything"}),
        json!({"name": "x", "description": "é".repeat(257)}),
    ] {
        let (status, refused) = local.post("/users/local/datasets", wrong.clone()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong} {refused}");
    }

    let change = json!({"name": "Renamed", "description": "é".repeat(256), "labelsToAdd": ["a", "b"],
        "usageMarkdown": "*use*", "publicAccessLevel": "data"});
    let changed = local.send(Method::PATCH, &uri, Some(change)).await;
    let changed: Value = changed.json().await.unwrap();
    assert_eq!(changed["name"], "Renamed");
    assert_eq!(changed["labels"], json!(["a", "b"]));
    let change = json!({"labelsToRemove": ["a"], "labelsToAdd": ["c"]});
    // The JavaScript client changes with POST.
    let (_, changed) = local.post("/datasets/local.renamed", change).await;
    assert_eq!(changed["labels"], json!(["b", "c"]));
    assert_eq!(changed["usageMarkdown"], "*use*");
    assert_eq!(changed["publicAccessLevel"], "data");

    let list = local.json("/users/local/datasets").await;
    assert_eq!(list["results"][0]["name"], "Renamed");
    let deleted = local.send(Method::DELETE, &uri, None).await;
    assert_eq!(deleted.text().await.unwrap(), "OK");
    assert_eq!(local.get(&uri).await.0, StatusCode::NOT_FOUND);
    assert_eq!(delete(&local, &uri).await, StatusCode::NOT_FOUND);
    // The same name again is another dataset.
    let recreated = local.json(&dataset(&local, "Renamed").await).await;
    assert_ne!(recreated["referenceId"], created["referenceId"]);
    assert_eq!(local.get(&uri).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_owner_is_a_user_or_an_organization_never_both() {
    let local = Local::serving(&[]).await;
    // Clients ask this to find out which of the two an owner is.
    let probe = "/organizations/lab/datasets?maxResults=1";
    assert_eq!(local.get(probe).await.0, StatusCode::NOT_FOUND);
    let (status, created) = local
        .post("/organizations/Lab/datasets", json!({"name": "d"}))
        .await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(created["owner"]["kind"], "organization");
    assert_eq!(
        created["qualifiedReference"]
            .as_str()
            .unwrap()
            .split('.')
            .next(),
        Some("Lab")
    );
    let listed = local.json(probe).await;
    assert_eq!(listed["results"].as_array().unwrap().len(), 1);
    assert_eq!(
        local.get("/users/lab/datasets").await.0,
        StatusCode::NOT_FOUND
    );
    let refused = local
        .post("/users/lab/datasets", json!({"name": "e"}))
        .await;
    assert_eq!(refused.0, StatusCode::NOT_FOUND);
    let refused = local
        .post("/organizations/local/datasets", json!({"name": "e"}))
        .await;
    assert_eq!(refused.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn releases_are_numbered_by_what_they_change() {
    let local = Local::serving(&[]).await;
    let draft = dataset(&local, "d").await;
    let t = table(&local, &draft, "t").await;
    upload(&local, &t, "one", "csv", b"n,s\n1,a\n").await;
    let v1 = release(&local, &draft).await;
    assert!(v1.ends_with(":v1_0"), "{v1}");
    assert_eq!(
        local.json("/datasets/local.d").await["version"]["tag"],
        "v1.0"
    );

    // More rows and more variables: a minor version.
    let next = open_next(&local, &v1).await;
    let t = local.json("/tables/local.d:next.t").await["uri"]
        .as_str()
        .unwrap()
        .to_owned();
    upload(&local, &t, "two", "csv", b"n,extra\n2,true\n").await;
    table(&local, &next, "u").await;
    assert!(release(&local, &next).await.ends_with(":v1_1"));

    // Another type, a table gone: major ones.
    let next = open_next(&local, "/datasets/local.d").await;
    upload(&local, "/tables/local.d:next.t", "three", "csv", b"n\nx\n").await;
    assert!(release(&local, &next).await.ends_with(":v2_0"));
    let next = open_next(&local, "/datasets/local.d").await;
    assert_eq!(
        delete(&local, "/tables/local.d:next.u").await,
        StatusCode::OK
    );
    assert!(release(&local, &next).await.ends_with(":v3_0"));

    let versions = local.json("/datasets/local.d/versions").await;
    let tags: Vec<&str> = versions["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|version| version["tag"].as_str().unwrap())
        .collect();
    assert_eq!(tags, ["v3.0", "v2.0", "v1.1", "v1.0"]);
    assert_eq!(local.json("/tables/local.d:v1_0.t").await["numRows"], 1);
    assert_eq!(local.json("/tables/local.d:v1_1.t").await["numRows"], 2);
    assert_eq!(local.json("/tables/local.d.t").await["numRows"], 3);
    let one = local.json("/datasets/local.d:v1_1").await;
    assert_eq!(one["previousVersion"]["tag"], "v1.0");
    assert_eq!(one["nextVersion"]["tag"], "v2.0");
    let notes = local.json("/datasets/local.d/versions/v1.0").await;
    assert_eq!(notes["releaseNotes"], "why");
}

#[tokio::test]
async fn uploads_append_or_replace_and_releases_keep_what_they_had() {
    let local = Local::serving(&[]).await;
    let draft = dataset(&local, "d").await;
    let t = table(&local, &draft, "t").await;
    upload(&local, &t, "a", "csv", b"n\n1\n2\n").await;
    release(&local, &draft).await;
    open_next(&local, "/datasets/local.d").await;
    let next = "/tables/local.d:next.t";
    assert_eq!(n_of(&local, next).await, [1, 2]);
    // What was inherited is none of the draft's uploads: the name is free.
    assert_eq!(
        local.json(&format!("{next}/uploads")).await["results"],
        json!([])
    );
    upload(&local, next, "a", "csv", b"n\n3\n").await;
    assert_eq!(n_of(&local, next).await, [1, 2, 3]);
    let replace = json!({"uploadMergeStrategy": "replace"});
    let changed = local.send(Method::PATCH, next, Some(replace)).await;
    assert_eq!(
        changed.json::<Value>().await.unwrap()["uploadMergeStrategy"],
        "replace"
    );
    assert_eq!(n_of(&local, next).await, [3]);
    assert_eq!(local.json(next).await["numRows"], 1);
    assert_eq!(
        delete(&local, &format!("{next}/uploads/a")).await,
        StatusCode::OK
    );
    assert_eq!(n_of(&local, next).await, [1, 2]);
    upload(&local, next, "a", "csv", b"n\n4\n").await;
    assert_eq!(n_of(&local, "/tables/local.d.t").await, [1, 2]);
    release(&local, "/datasets/local.d:next").await;
    assert_eq!(n_of(&local, "/tables/local.d.t").await, [4]);
    assert_eq!(n_of(&local, "/tables/local.d:v1_0.t").await, [1, 2]);
    // The version after it inherits what is seen, not what was replaced.
    open_next(&local, "/datasets/local.d").await;
    assert_eq!(n_of(&local, next).await, [4]);
}

#[tokio::test]
async fn what_is_released_does_not_change_until_it_is_taken_back() {
    let local = Local::serving(&[]).await;
    let draft = dataset(&local, "d").await;
    table(&local, &draft, "t").await;
    release(&local, &draft).await;
    for (method, path, body) in [
        (Method::DELETE, "/tables/local.d.t", None),
        (
            Method::PATCH,
            "/tables/local.d.t",
            Some(json!({"name": "x"})),
        ),
        (
            Method::POST,
            "/datasets/local.d/tables",
            Some(json!({"name": "x"})),
        ),
        (
            Method::POST,
            "/tables/local.d.t/tempUploads",
            Some(json!({"tempUploads": [{"size": 1}]})),
        ),
        (
            Method::POST,
            "/tables/local.d.t/uploads",
            Some(json!({"name": "u", "type": "stream", "schema": []})),
        ),
    ] {
        let refused = local.send(method.clone(), path, body).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{method} {path}");
        let refused: Value = refused.json().await.unwrap();
        assert!(
            refused["error_description"]
                .as_str()
                .unwrap()
                .contains(":next"),
            "{refused}"
        );
    }
    // What is said about it can change.
    let said = local
        .send(
            Method::PATCH,
            "/tables/local.d.t",
            Some(json!({"description": "new"})),
        )
        .await;
    assert_eq!(said.json::<Value>().await.unwrap()["description"], "new");

    let (status, taken) = local
        .post("/datasets/local.d/versions/current/unrelease", json!({}))
        .await;
    assert_eq!(status, StatusCode::OK, "{taken}");
    assert_eq!(taken["tag"], "next");
    assert_eq!(
        local.get("/datasets/local.d:current").await.0,
        StatusCode::NOT_FOUND
    );
    assert!(
        release(&local, "/datasets/local.d")
            .await
            .ends_with(":v1_0")
    );
    open_next(&local, "/datasets/local.d").await;
    let (status, _) = local.post("/datasets/local.d/versions", json!({})).await;
    assert_eq!(status, StatusCode::CONFLICT);
    let (status, _) = local
        .post("/datasets/local.d/versions/current/unrelease", json!({}))
        .await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(
        delete(&local, "/datasets/local.d/versions/next").await,
        StatusCode::OK
    );
    assert_eq!(
        delete(&local, "/datasets/local.d/versions/v1.0").await,
        StatusCode::CONFLICT
    );

    open_next(&local, "/datasets/local.d").await;
    release(&local, "/datasets/local.d").await;
    assert_eq!(
        delete(&local, "/datasets/local.d/versions/v1_0").await,
        StatusCode::OK
    );
    assert_eq!(
        local.get("/tables/local.d:v1_0.t").await.0,
        StatusCode::NOT_FOUND
    );
    let (status, _) = local
        .post("/datasets/local.d/versions/v1_0/undelete", json!({}))
        .await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(local.json("/tables/local.d:v1_0.t").await["name"], "t");
}

#[tokio::test]
async fn a_folder_of_files_is_taken_over_with_its_references_when_it_is_changed() {
    let file = parquet(&numbers(10));
    let described = br#"{"description": "ten", "variables": [{"name": "n", "label": "Number"}]}"#;
    let local = Local::serving(&[
        ("a/d/t.parquet", &file),
        ("a/d/t.json", described),
        ("a/d/dataset.json", br#"{"publicAccessLevel": "data"}"#),
        ("a/both/t.csv", b"n\n1\n"),
        ("a/both/next/t/more.csv", b"n\n2\n"),
    ])
    .await;
    let before = local.json("/tables/a.d.t").await;
    // A refusal takes nothing over.
    assert_eq!(
        delete(&local, "/tables/a.d.t").await,
        StatusCode::BAD_REQUEST
    );
    std::fs::write(
        local.folder.path().join("a/d/t.parquet"),
        parquet(&numbers(11)),
    )
    .unwrap();
    assert_eq!(local.json("/tables/a.d.t").await["numRows"], 11);
    std::fs::write(local.folder.path().join("a/d/t.parquet"), &file).unwrap();

    open_next(&local, "/datasets/a.d").await;
    std::fs::remove_file(local.folder.path().join("a/d/t.parquet")).unwrap();
    upload(
        &local,
        "/tables/a.d:next.t",
        "more",
        "csv",
        b"n,half\n10,0.5\n",
    )
    .await;
    release(&local, "/datasets/a.d").await;
    let old = local.json(before["uri"].as_str().unwrap()).await;
    for same in [
        "id",
        "referenceId",
        "qualifiedReference",
        "numRows",
        "description",
    ] {
        assert_eq!(old[same], before[same], "{same}");
    }
    assert_eq!(n_of(&local, "/tables/a.d.t").await, Vec::from_iter(0..11));
    let variable = local.json("/tables/a.d.t/variables/n").await;
    assert_eq!(variable["label"], "Number");
    let mut anonymous = local;
    anonymous.set_token(None);
    assert_eq!(n_of(&anonymous, "/tables/a.d.t").await.len(), 11);
    let token = anonymous.server.token().unwrap().to_owned();
    anonymous.set_token(Some(&token));
    let local = anonymous;
    // As a folder it would come back.
    assert_eq!(delete(&local, "/datasets/a.d").await, StatusCode::CONFLICT);

    // A draft of files goes on as one.
    assert_eq!(n_of(&local, "/tables/a.both:next.t").await, [1, 2]);
    upload(&local, "/tables/a.both:next.t", "again", "csv", b"n\n3\n").await;
    assert_eq!(n_of(&local, "/tables/a.both:next.t").await, [1, 2, 3]);
    assert_eq!(n_of(&local, "/tables/a.both.t").await, [1]);
    release(&local, "/datasets/a.both").await;
    assert_eq!(n_of(&local, "/tables/a.both.t").await, [1, 2, 3]);
}

#[tokio::test]
async fn all_is_there_after_a_restart() {
    let local = Local::serving(&[]).await;
    let draft = dataset(&local, "d").await;
    let t = table(&local, &draft, "t").await;
    upload(&local, &t, "u", "csv", b"n\n1\n2\n").await;
    let released = release(&local, &draft).await;
    let before = local.json(&released).await;
    let Local { server, folder, .. } = local;
    server.stop().await;
    let server = Server::start(Config::directory(folder.path()))
        .await
        .unwrap();
    let local = Local::of(server, folder);
    let after = local.json(&released).await;
    assert_eq!(after["id"], before["id"]);
    assert_eq!(n_of(&local, "/tables/local.d.t").await, [1, 2]);
}
