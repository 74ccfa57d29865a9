//! Resources: their fields, references, lists and pages.

use redivis_server::{Config, Server};
use serde_json::{Value, json};

use crate::support::{Local, numbers, parquet};

async fn catalog() -> Local {
    let table = parquet(&numbers(10));
    Local::serving(&[
        ("alice/My data/A table.parquet", &table),
        (
            "alice/My data/A table.json",
            br#"{"description": "Numbers", "variables": [
                {"name": "TEXT", "label": "Words", "description": "In full",
                 "valueLabels": [{"value": "row 1", "label": "One"}]}]}"#,
        ),
        (
            "alice/My data/dataset.json",
            br#"{"description": "All of it", "publicAccessLevel": "overview"}"#,
        ),
        ("alice/My data/next/A table/more.parquet", &table),
        ("alice/drafts/next/t/first.parquet", &table),
    ])
    .await
}

#[tokio::test]
async fn a_table_has_the_fields_that_clients_need() {
    let local = catalog().await;
    let table = local.json("/tables/Alice.my_data.A%20table").await;
    let id = table["referenceId"].as_str().unwrap();
    let dataset = table["container"]["referenceId"].as_str().unwrap();
    assert_eq!(table["kind"], "table");
    assert_eq!(table["name"], "A table");
    assert_eq!(table["scopedReference"], format!("A_table:{id}"));
    let qualified = format!("alice.My_data:{dataset}:v1_0.A_table:{id}");
    assert_eq!(table["qualifiedReference"], qualified);
    assert_eq!(table["uri"], format!("/tables/{qualified}"));
    assert_eq!(table["numRows"], 10);
    assert!(table["numBytes"].as_u64().unwrap() > 0);
    assert_eq!(table["variableCount"], 3);
    assert_eq!(table["description"], "Numbers");
    assert_eq!(table["container"]["kind"], "dataset");
    assert_eq!(table["container"]["owner"]["kind"], "user");
    assert_eq!(table["hash"].as_str().unwrap().len(), 32);
    assert!(table["id"].as_str().unwrap().starts_with(&format!("{id}-")));
    // Its own address leads back to it, encoded or not.
    let uri = table["uri"].as_str().unwrap();
    assert_eq!(local.json(uri).await, table);
    assert_eq!(local.json(&uri.replace(':', "%3A")).await, table);
    // So does the id with any name.
    assert_eq!(
        local
            .json(&format!("/tables/alice.x:{dataset}.y:{id}"))
            .await,
        table
    );
}

#[tokio::test]
async fn variables_come_in_pages_with_their_labels() {
    let local = catalog().await;
    let list = local
        .json("/tables/alice.my_data.a_table/variables?maxResults=2")
        .await;
    let names = |list: &Value| -> Vec<String> {
        let results = list["results"].as_array().unwrap();
        results
            .iter()
            .map(|v| v["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&list), ["n", "half"]);
    let token = list["nextPageToken"].as_str().unwrap();
    let path = format!("/tables/alice.my_data.a_table/variables?maxResults=2&pageToken={token}");
    let list = local.json(&path).await;
    assert_eq!(names(&list), ["Text"]);
    assert_eq!(list["nextPageToken"], Value::Null);
    assert_eq!(list["results"][0]["type"], "string");
    assert_eq!(list["results"][0]["label"], "Words");
    assert_eq!(list["results"][0]["index"], 2);

    let variable = local
        .json(list["results"][0]["uri"].as_str().unwrap())
        .await;
    assert_eq!(variable["description"], "In full");
    assert_eq!(
        variable["valueLabels"],
        json!([{"value": "row 1", "label": "One"}])
    );

    let statistics = local
        .json("/tables/alice.my_data.a_table/variables/N/statistics")
        .await;
    assert_eq!(statistics["status"], "completed");
    for (name, value) in [
        ("count", 10.0),
        ("numDistinct", 10.0),
        ("min", 0.0),
        ("max", 9.0),
        ("mean", 4.5),
    ] {
        assert_eq!(statistics[name].as_f64(), Some(value), "{name}");
    }
}

#[tokio::test]
async fn thousands_of_variables_fit_into_pages() {
    let header: Vec<String> = (0..2500).map(|n| format!("v{n}")).collect();
    let row = vec!["1"; 2500];
    let csv = format!("{}\n{}\n", header.join(","), row.join(","));
    let local = Local::serving(&[("a/d/wide.csv", csv.as_bytes())]).await;
    let mut names = Vec::new();
    let mut token = String::new();
    loop {
        let path = format!("/tables/a.d.wide/variables?maxResults=1000&pageToken={token}");
        let list = local.json(&path).await;
        for variable in list["results"].as_array().unwrap() {
            names.push(variable["name"].as_str().unwrap().to_owned());
        }
        match list["nextPageToken"].as_str() {
            Some(next) => token = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(names, header);
}

#[tokio::test]
async fn datasets_and_versions_lead_to_each_other() {
    let local = catalog().await;
    let dataset = local.json("/datasets/alice.my_data").await;
    assert_eq!(dataset["name"], "My data");
    assert_eq!(dataset["description"], "All of it");
    assert_eq!(dataset["version"]["tag"], "v1.0");
    assert_eq!(dataset["nextVersion"]["tag"], "next");
    assert_eq!(dataset["previousVersion"], Value::Null);
    let next = local
        .json(dataset["nextVersion"]["datasetUri"].as_str().unwrap())
        .await;
    assert_eq!(next["version"]["isReleased"], false);
    assert_eq!(next["previousVersion"]["tag"], "v1.0");

    let versions = local.json("/datasets/alice.my_data/versions").await;
    assert_eq!(versions["results"].as_array().unwrap().len(), 2);
    let version = local.json("/datasets/alice.my_data/versions/v1_0").await;
    assert_eq!(version["isReleased"], true);

    // A dataset that was never released is its draft.
    let draft = local.json("/datasets/alice.drafts").await;
    assert_eq!(draft["version"]["tag"], "next");
    assert_eq!(local.get("/datasets/alice.drafts:current").await.0, 404);

    let tables = local.json("/datasets/alice.my_data/tables").await;
    assert_eq!(tables["results"][0]["numRows"], 10);
    let owned = local.json("/users/ALICE/datasets").await;
    assert_eq!(owned["results"].as_array().unwrap().len(), 2);
    assert_eq!(local.json("/users/me").await["name"], "local");
    assert_eq!(local.get("/organizations/alice/datasets").await.0, 404);
    assert_eq!(local.get("/workflows/alice.flow/tables/t").await.0, 404);
}

#[tokio::test]
async fn uploads_of_a_draft_are_listed_and_read() {
    let local = catalog().await;
    let table = local.json("/tables/alice.my_data:next.a_table").await;
    assert_eq!(table["numRows"], 20);
    let uploads = local
        .json("/tables/alice.my_data:next.a_table/uploads")
        .await;
    assert_eq!(uploads["results"].as_array().unwrap().len(), 2);
    let upload = local
        .json("/tables/alice.my_data:next.a_table/uploads/more")
        .await;
    assert_eq!(upload["status"], "completed");
    assert_eq!(upload["numRows"], 10);
    for path in [
        upload["uri"].as_str().unwrap(),
        "/uploads/alice.my_data:next.a_table.more",
    ] {
        let session = local
            .session(path, json!({"requestedStreamCount": 2}))
            .await;
        assert_eq!(session["numRows"], 10);
        assert_eq!(session["streams"].as_array().unwrap().len(), 2);
        let variables = local.json(&format!("{path}/variables")).await;
        assert_eq!(variables["results"].as_array().unwrap().len(), 3);
    }
}

#[tokio::test]
async fn the_sample_data_is_public_and_described() {
    let server = Server::start(Config::sample()).await.unwrap();
    let url = format!("{}/tables/demo.nycflights13.flights", server.endpoint());
    let get =
        async |url: String| -> Value { reqwest::get(url).await.unwrap().json().await.unwrap() };
    let table = get(url.clone()).await;
    assert_eq!(table["numRows"], 336_776);
    assert_eq!(table["publicAccessLevel"], "data");
    let variables = get(format!("{url}/variables")).await;
    let variables = variables["results"].as_array().unwrap();
    assert_eq!(variables.len(), 19);
    assert!(
        variables
            .iter()
            .all(|variable| variable["label"].is_string())
    );
    server.stop().await;
}
