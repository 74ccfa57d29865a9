//! Temp uploads: bytes arrive once, in order and for good, however they are sent and wherever connections break.

mod announce;
mod full_disk;
mod interrupted;
mod process;
mod restart;
mod resumable;
mod simple;

use std::path::Path;

use redivis_server::Config;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::support::{Local, numbers, parquet};

/// A draft that takes uploads.
const TABLE: &str = "/tables/o.d:next.t";

/// A server with a release and a draft.
async fn drafting(set: impl FnOnce(&mut Config)) -> Local {
    let table = parquet(&numbers(3));
    let files = [
        ("o/d/next/t/u.parquet", table.as_slice()),
        ("o/d/t.parquet", table.as_slice()),
    ];
    Local::with(&files, |config| {
        config.requests_per_minute = None;
        set(config);
    })
    .await
}

/// Announces one temp upload that must be accepted; returns its URL.
async fn announced(local: &Local, size: usize, resumable: bool) -> String {
    let entry = json!({"size": size, "resumable": resumable, "name": "a file.csv"});
    let (status, body) = local
        .post(
            &format!("{TABLE}/tempUploads"),
            json!({"tempUploads": [entry]}),
        )
        .await;
    assert_eq!(status, 201, "{body}");
    body["results"][0]["url"].as_str().unwrap().to_owned()
}

/// Starts a session that must be accepted; returns its URL.
async fn started(url: &str, size: usize) -> String {
    let response = starting(url).header("x-upload-content-length", size).send();
    let response = response.await.unwrap();
    assert_eq!(response.status(), 201);
    response.headers()["location"].to_str().unwrap().to_owned()
}

fn starting(url: &str) -> RequestBuilder {
    let request = Client::new().post(url).header("content-length", "0");
    request.header("x-goog-resumable", "start")
}

/// Sends bytes with a `Content-Range`.
async fn sent(session: &str, range: &str, bytes: &[u8]) -> Response {
    let request = Client::new().put(session).header("content-range", range);
    request.body(bytes.to_vec()).send().await.unwrap()
}

/// The status of an answer, and how many bytes it says are there.
fn progress(response: &Response) -> (u16, Option<usize>) {
    let there = response.headers().get("range").map(|range| {
        let last = range.to_str().unwrap().strip_prefix("bytes=0-").unwrap();
        last.parse::<usize>().unwrap() + 1
    });
    (response.status().as_u16(), there)
}

/// The error of a refusal.
async fn refusal(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["status"], status);
    (
        status,
        body["error_description"].as_str().unwrap().to_owned(),
    )
}

/// What the server holds of all temp uploads.
fn stored(folder: &Path) -> Vec<Vec<u8>> {
    std::fs::read_dir(folder.join(".redivis/temporary"))
        .unwrap()
        .map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .collect()
}

/// Bytes that tell where they belong.
fn pattern(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()
    })
    .flatten()
    .take(length)
    .collect()
}
