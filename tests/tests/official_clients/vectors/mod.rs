//! Record and replay: what the official clients ask and `redivis-server` answers is kept, readable, in `tests/vectors/`,
//! and our client's requests for the same tasks are compared with it.
//!
//! Each test records anew and compares with what is kept; with `UPDATE_VECTORS` in the environment it is written instead.

mod comparison;
mod differences;
mod ours;
mod recording;

use std::fs;
use std::path::{Path, PathBuf};

use redivis_tests::node::NodeClient;
use redivis_tests::python::PythonClient;
use tempfile::TempDir;

use crate::{NEWEST, SESSIONS_ONLY};
use recording::{Recorder, Tasks};

/// The user that the servers' own token acts for.
const USER: &str = "local";
/// So many that the file is larger than 1 MiB.
const LARGE_ROWS: usize = 150_000;

fn vector(task: &str, client: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    folder.join(task).join(format!("{client}.json"))
}

/// Compares what a client did with what is kept of it, or keeps it.
fn check(client: &str, recorded: &Tasks) {
    for (task, exchanges) in recorded {
        let file = vector(task, client);
        if std::env::var_os("UPDATE_VECTORS").is_some() {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(
                &file,
                serde_json::to_string_pretty(exchanges).unwrap() + "\n",
            )
            .unwrap();
            continue;
        }
        let kept = fs::read_to_string(&file).unwrap_or_default();
        let kept: Vec<serde_json::Value> = serde_json::from_str(&kept).unwrap_or_else(|error| {
            panic!("{}: {error}; run with UPDATE_VECTORS=1", file.display())
        });
        for (kept, exchange) in kept.iter().zip(exchanges) {
            let what = format!("{}:\n{exchange:#}\nis kept as\n{kept:#}", file.display());
            assert!(exchange == kept, "{what}");
        }
        assert_eq!(exchanges.len(), kept.len(), "{}", file.display());
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
