//! The official clients, unmodified, run queries and download exports.

use std::collections::BTreeSet;
use std::process::Command;

use redivis_tests::node::NodeClient;
use redivis_tests::proxy::Proxy;
use redivis_tests::python::PythonClient;
use redivis_tests::server::Server;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{NEWEST, SESSIONS_ONLY, reading::ways};

#[tokio::test(flavor = "multi_thread")]
async fn python_runs_queries_and_downloads_exports() {
    for version in [NEWEST, SESSIONS_ONLY] {
        let work = tokio::task::spawn_blocking(move || {
            // A folder of its own, as one server serves it.
            let folder = TempDir::new().unwrap();
            let client = PythonClient::version(version);
            client.run_offline("make_tables.py", &[folder.path().to_str().unwrap()]);
            let server = Server::directory(folder.path());
            (client, server, folder)
        });
        let (client, server, folder) = work.await.unwrap();
        let proxy = Proxy::start(server.endpoint()).await;
        let (endpoint, token) = (proxy.endpoint(), server.token().map(str::to_owned));
        let run = move || {
            let arguments = [folder.path().to_str().unwrap(), version];
            client.run("run_queries.py", &arguments, &endpoint, token.as_deref())
        };
        tokio::task::spawn_blocking(run).await.unwrap();
        let ways = ways(&proxy.requests());
        assert!(
            ways.is_superset(&BTreeSet::from(["session", "stream", "export"])),
            "{ways:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn javascript_runs_queries() {
    let run = || {
        let folder = TempDir::new().unwrap();
        let path = folder.path().to_str().unwrap();
        PythonClient::version(NEWEST).run_offline("make_tables.py", &[path]);
        let server = Server::directory(folder.path());
        let (endpoint, token) = (server.endpoint(), server.token());
        NodeClient::new().run("read_tables.mjs", &["queries"], endpoint, token)
    };
    let printed = tokio::task::spawn_blocking(run).await.unwrap();
    let printed: Vec<Value> = printed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        printed[..2],
        [json!([{"n": 2500, "Last": 2499, "q": 0.25}]), json!(3)]
    );
    assert!(printed[2].as_str().unwrap().contains("division by zero"));
}

#[test]
fn python_runs_what_the_shell_says_in_python() {
    let folder = TempDir::new().unwrap();
    let dataset = folder.path().join("lab/zoo");
    std::fs::create_dir_all(&dataset).unwrap();
    std::fs::write(
        dataset.join("animals.csv"),
        "name,legs\ncat,4\nowl,2\nbug,6\n",
    )
    .unwrap();
    let server = Server::directory(folder.path());
    let (endpoint, token) = (server.endpoint(), server.token());
    let client = PythonClient::version(NEWEST);
    for (sql, rows) in [
        (
            "SELECT legs, name FROM lab.zoo.animals LIMIT 1",
            json!([{"legs": 4, "name": "cat"}]),
        ),
        (
            r#"SELECT count(*) AS n FROM redivis.'lab.zoo.animals' WHERE legs > 2 AND name <> 'a"b'"#,
            json!([{"n": 2}]),
        ),
    ] {
        let mut shell = Command::new(redivis_tests::binaries::redivis_sql());
        shell.args(["-q", "-c", &format!(r"\py {sql}")]);
        redivis_tests::server::configure(&mut shell, endpoint, token);
        let program = shell.output().unwrap();
        let program = String::from_utf8(program.stdout).unwrap();
        let printed = client.run("run_code.py", &[&program], endpoint, token);
        let printed: Value = serde_json::from_str(printed.trim()).unwrap();
        assert_eq!(printed, rows, "{program}");
    }
}
