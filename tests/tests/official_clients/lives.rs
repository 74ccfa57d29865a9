//! The official clients live the whole life of datasets: created, filled, released, read, changed, deleted.
//!
//! The scripts check what they get. A step that fails names itself.

use std::fs;

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
