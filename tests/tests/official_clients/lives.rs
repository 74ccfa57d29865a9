//! The official clients live the whole life of datasets: created, filled, released, read, changed, deleted.
//!
//! The scripts check what they get. A step that fails names itself.

use std::fs;
use std::sync::Arc;

use redivis::resource::NewTable;
use redivis::write::{Content, UploadRequest};
use redivis::{Client, Token};
use redivis_tests::node::NodeClient;
use redivis_tests::python::PythonClient;
use redivis_tests::server::Server;
use tempfile::TempDir;

use crate::{NEWEST, SESSIONS_ONLY};

/// Who the scripts are: `editor` does everything but what the others may not.
const TOKENS: &str = r#"[
    {"token": "editor", "user": "editor", "scopes": ["data.edit"]},
    {"token": "reader", "user": "reader", "scopes": ["data.data"]},
    {"token": "nobody", "user": "nobody", "scopes": ["public"]}
]"#;

fn python_lives(version: &str) {
    let client = PythonClient::version(version);
    let folder = TempDir::new().unwrap();
    let [data, own, tokens] = ["data", "own", "tokens.json"].map(|name| folder.path().join(name));
    fs::create_dir(&data).unwrap();
    fs::create_dir(&own).unwrap();
    fs::write(&tokens, TOKENS).unwrap();
    let server = Server::with_arguments(&data, &["--tokens", tokens.to_str().unwrap()]);
    let arguments = [version, own.to_str().unwrap()];
    client.run("live.py", &arguments, server.endpoint(), Some("editor"));
}

#[test]
fn python_newest() {
    python_lives(NEWEST);
}

#[test]
fn python_older() {
    python_lives(SESSIONS_ONLY);
}

/// The JavaScript client cannot upload: the table between its steps is made by this project's client.
#[tokio::test(flavor = "multi_thread")]
async fn javascript() {
    let folder = TempDir::new().unwrap();
    let served = folder.path().to_owned();
    let start = move || (NodeClient::new(), Server::directory(&served));
    let (node, server) = tokio::task::spawn_blocking(start).await.unwrap();
    let step = |name| {
        tokio::task::block_in_place(|| {
            node.run("live.mjs", &[name], server.endpoint(), server.token());
        });
    };

    step("create");
    let client = Client::builder()
        .endpoint(server.endpoint())
        .token(Token::new(server.token().unwrap()))
        .build()
        .unwrap();
    let new = NewTable {
        name: "Stations".to_owned(),
        ..NewTable::default()
    };
    let draft = "/datasets/local.java_scripts:next";
    let table = client.create_table(draft, &new).await.unwrap();
    let request = UploadRequest {
        name: "stations.csv".to_owned(),
        ..UploadRequest::default()
    };
    let content = Content::bytes("id,name,height,since\n1,Zürich,556,1863-12-01\n");
    client
        .upload(&table.uri, &request, &content, &Arc::default())
        .await
        .unwrap();
    step("release");
    step("query");
    step("end");
}
