//! The official clients read tables from the server binary; what they get is what the files hold.
//!
//! Every client talks to the server through a proxy, which shows that it went the way that its size of table takes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use redivis_tests::node::NodeClient;
use redivis_tests::proxy::{Proxy, Request};
use redivis_tests::python::PythonClient;
use redivis_tests::server::Server;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{NEWEST, SESSIONS_ONLY};

/// The folder with the tables, written once for all tests.
fn tables() -> &'static Path {
    static TABLES: OnceLock<TempDir> = OnceLock::new();
    TABLES
        .get_or_init(|| {
            let folder = TempDir::new().unwrap();
            let path = folder.path().to_str().unwrap();
            PythonClient::version(NEWEST).run_offline("make_tables.py", &[path]);
            folder
        })
        .path()
}

/// A server of these tables, in a folder of its own: a folder is served by one server at a time.
fn serve() -> (Server, TempDir) {
    let folder = TempDir::new_in(tables()).unwrap();
    link(&tables().join("local"), &folder.path().join("local"));
    (Server::directory(folder.path()), folder)
}

/// The same files in another folder, without copying what is in them.
fn link(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (entry, to) = (
            entry.as_ref().unwrap(),
            to.join(entry.as_ref().unwrap().file_name()),
        );
        match entry.file_type().unwrap().is_dir() {
            true => link(&entry.path(), &to),
            false => fs::hard_link(entry.path(), &to).unwrap(),
        }
    }
}

/// Runs a case of a script, and returns the requests that it made.
async fn python(version: &'static str, case: &'static str) -> Vec<Request> {
    let work = tokio::task::spawn_blocking(move || (PythonClient::version(version), serve()));
    let (client, (server, _folder)) = work.await.unwrap();
    let proxy = Proxy::start(server.endpoint()).await;
    let (endpoint, token) = (proxy.endpoint(), server.token().map(str::to_owned));
    let arguments = [tables().to_str().unwrap(), case, version];
    let run = move || client.run("read_tables.py", &arguments, &endpoint, token.as_deref());
    tokio::task::spawn_blocking(run).await.unwrap();
    proxy.requests()
}

/// Runs a case of the script, and returns the lines of JSON that it printed and the requests that it made.
async fn node(case: &'static str) -> (Vec<Value>, Vec<Request>) {
    let work = tokio::task::spawn_blocking(|| (NodeClient::new(), serve()));
    let (client, (server, _folder)) = work.await.unwrap();
    let proxy = Proxy::start(server.endpoint()).await;
    let (endpoint, token) = (proxy.endpoint(), server.token().map(str::to_owned));
    let run = move || client.run("read_tables.mjs", &[case], &endpoint, token.as_deref());
    let printed = tokio::task::spawn_blocking(run).await.unwrap();
    (
        printed
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
        proxy.requests(),
    )
}

/// The kinds of requests that move rows.
pub(crate) fn ways(requests: &[Request]) -> BTreeSet<&'static str> {
    let kind = |request: &Request| match request.path() {
        path if path.ends_with("/rows") => Some("rows"),
        path if path.ends_with("/readSessions") => Some("session"),
        path if path.starts_with("/readStreams/") => Some("stream"),
        path if path.contains("/exports") => Some("export"),
        _ => None,
    };
    requests.iter().filter_map(kind).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn python_reads_small_tables_in_one_request() {
    let requests = python(NEWEST, "small").await;
    // The sessions are those of to_read_streams.
    assert_eq!(
        ways(&requests),
        BTreeSet::from(["rows", "session", "stream"])
    );
    let sessions = requests
        .iter()
        .filter(|request| request.path().ends_with("/readSessions"));
    assert_eq!(sessions.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn python_reads_large_tables_in_sessions() {
    let requests = python(NEWEST, "large").await;
    assert!(ways(&requests).is_superset(&BTreeSet::from(["session", "stream"])));
    let streams = requests
        .iter()
        .filter(|request| request.path().starts_with("/readStreams/"));
    assert!(
        streams
            .into_iter()
            .all(|request| request.target.contains("eosSentinel=true"))
    );
    let whole = requests.iter().find(|request| {
        request.path().ends_with("/rows") && !request.target.contains("maxResults")
    });
    assert!(whole.is_none(), "a large table was read through {whole:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn older_python_reads_everything_in_sessions() {
    for case in ["small", "large"] {
        let requests = python(SESSIONS_ONLY, case).await;
        assert_eq!(
            ways(&requests),
            BTreeSet::from(["session", "stream"]),
            "{case}"
        );
        assert!(
            !requests
                .iter()
                .any(|request| request.target.contains("eosSentinel")),
            "{case}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn python_reads_empty_tables() {
    for version in [NEWEST, SESSIONS_ONLY] {
        python(version, "nothing").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn python_reads_unreleased_tables_whose_uploads_disagree() {
    for version in [NEWEST, SESSIONS_ONLY] {
        python(version, "unreleased").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn python_sees_what_there_is() {
    for version in [NEWEST, SESSIONS_ONLY] {
        python(version, "described").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn python_reads_public_tables_without_credentials() {
    let work = tokio::task::spawn_blocking(|| (PythonClient::version(NEWEST), Server::sample()));
    let (client, server) = work.await.unwrap();
    let proxy = Proxy::start(server.endpoint()).await;
    let (endpoint, folder) = (proxy.endpoint(), tables().to_str().unwrap());
    let run = move || {
        client.run(
            "read_tables.py",
            &[folder, "public", NEWEST],
            &endpoint,
            None,
        )
    };
    tokio::task::spawn_blocking(run).await.unwrap();
    let requests = proxy.requests();
    assert_eq!(ways(&requests), BTreeSet::from(["rows"]));
    assert!(
        requests
            .iter()
            .all(|request| request.header("authorization").is_none())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn javascript_sees_what_there_is() {
    let (printed, _) = node("described").await;
    let expected = [
        json!(["large", "nothing", "types"]),
        json!(["v1.0"]),
        json!([true, false]),
        json!([
            ["id", "integer"],
            ["StationName", "string"],
            ["Count", "integer"],
            ["mean", "float"],
            ["isOpen", "boolean"],
            ["day", "date"],
            ["recorded", "dateTime"],
            ["at", "time"],
            ["empty", "string"]
        ]),
        json!([{"value": "true", "label": "Yes"}, {"value": "false", "label": "No"}]),
    ];
    assert_eq!(printed, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn javascript_reads_small_tables_in_one_request() {
    let (mut printed, requests) = node("small").await;
    assert_eq!(ways(&requests), BTreeSet::from(["rows"]));
    let variables = [
        "mean",
        "StationName",
        "id",
        "at",
        "day",
        "recorded",
        "isOpen",
    ];
    assert_eq!(
        printed[1..],
        [json!(variables), json!(700), json!(2500), json!([])]
    );

    let truth = tokio::task::spawn_blocking(move || {
        let file = tables().join("local/clients/types.parquet");
        let arguments = [&[file.to_str().unwrap()], variables.as_slice()].concat();
        PythonClient::version(NEWEST).run_offline("print_rows.py", &arguments)
    });
    let truth: Vec<Value> = serde_json::from_str(&truth.await.unwrap()).unwrap();
    let Value::Array(mut rows) = printed.swap_remove(0) else {
        panic!("rows are an array")
    };
    rows.sort_by_key(|row| row["id"].as_u64());
    assert_eq!(rows.len(), truth.len());
    for (row, truth) in rows.iter().zip(&truth) {
        assert_eq!(row, truth);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn javascript_reads_large_tables_in_sessions() {
    let (printed, requests) = node("large").await;
    assert_eq!(ways(&requests), BTreeSet::from(["session", "stream"]));
    assert_eq!(
        printed,
        [
            json!([1100, 1100 * 1099 / 2, true]),
            json!(123),
            json!(1100)
        ]
    );
}
