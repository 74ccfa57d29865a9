//! Record and replay: what the official clients ask and `redivis-server` answers is kept, readable, in `tests/vectors/`,
//! and our client's requests for the same tasks are compared with it.
//!
//! Each test records anew and compares with what is kept; with `UPDATE_VECTORS` in the environment it is written instead.

mod comparison;
mod differences;
mod ours;
mod recording;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use redivis_tests::node::NodeClient;
use redivis_tests::python::PythonClient;
use serde_json::Value;
use tempfile::TempDir;

use crate::{NEWEST, SESSIONS_ONLY};
use recording::{Recorder, Tasks};

/// The user that the servers' own token acts for.
const USER: &str = "local";
/// So many that the file is larger than 1 MiB.
const LARGE_ROWS: usize = 150_000;

/// Compares what a client did with what is kept of it, or keeps it.
fn check(client: &str, recorded: &Tasks) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let file = |task: &str| folder.join(task).join(format!("{client}.json"));
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        for (task, exchanges) in recorded {
            fs::create_dir_all(folder.join(task)).unwrap();
            let text = serde_json::to_string_pretty(exchanges).unwrap();
            fs::write(file(task), text + "\n").unwrap();
        }
        return;
    }
    let tasks = fs::read_dir(&folder).unwrap();
    let tasks = tasks.map(|task| task.unwrap().file_name().into_string().unwrap());
    let kept: BTreeSet<String> = tasks.filter(|task| file(task).exists()).collect();
    assert!(
        kept.iter().eq(recorded.keys()),
        "{client}: {kept:?} are kept"
    );
    for (task, exchanges) in recorded {
        let file = file(task);
        let kept = fs::read(&file).unwrap();
        let kept: Vec<Value> = serde_json::from_slice(&kept).unwrap();
        let file = file.display();
        for (exchange, kept) in exchanges.iter().zip(&kept) {
            let what = format!("{file}:\n{exchange:#}\nis kept as\n{kept:#}");
            assert!(exchange == kept, "{what}");
        }
        assert_eq!(exchanges.len(), kept.len(), "{file}");
    }
}

/// The folder of the files that are uploaded: `small.csv`, and `large.csv`, which is too large to be sent along.
fn files() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("small.csv"), "id,height\n1,556\n").unwrap();
    let rows: String = (0..LARGE_ROWS).map(|id| format!("{id},556\n")).collect();
    fs::write(
        folder.path().join("large.csv"),
        format!("id,height\n{rows}"),
    )
    .unwrap();
    folder
}

/// Records the Python client's tasks.
async fn python(version: &'static str) -> Tasks {
    let install = tokio::task::spawn_blocking(move || PythonClient::version(version));
    let (client, recorder) = (install.await.unwrap(), Recorder::start().await);
    let (endpoint, token) = recorder.place();
    let run = move || {
        let files = files();
        let arguments = [files.path().to_str().unwrap(), version];
        client.run("vectors.py", &arguments, &endpoint, Some(&token))
    };
    tokio::task::spawn_blocking(run).await.unwrap();
    recorder.tasks()
}

#[tokio::test(flavor = "multi_thread")]
async fn python_older() {
    check("python-0.20.10", &python(SESSIONS_ONLY).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn javascript() {
    let install = tokio::task::spawn_blocking(NodeClient::new);
    let (client, recorder) = (install.await.unwrap(), Recorder::start().await);
    let (endpoint, token) = recorder.place();
    let run = move || client.run("vectors.mjs", &[], &endpoint, Some(&token));
    tokio::task::spawn_blocking(run).await.unwrap();
    check("javascript-0.3.10", &recorder.tasks());
}

/// The newest Python client, and ours beside it.
#[tokio::test(flavor = "multi_thread")]
async fn python_newest_and_ours() {
    let official = python(NEWEST).await;
    check("python-0.21.1", &official);
    let recorder = Recorder::start().await;
    ours::run(&recorder, files().path()).await;
    differences::check(&comparison::compare(&official, &recorder.tasks()));
}
