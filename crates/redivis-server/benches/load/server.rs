//! The server that is loaded, in a process of its own, and requests that must succeed.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use reqwest::{Client, RequestBuilder};
use serde_json::Value;

pub(crate) struct Server {
    process: Child,
    endpoint: String,
    token: String,
    client: Client,
}

impl Server {
    pub(crate) fn start(folder: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_redivis-server"))
            .arg(folder)
            .args(["--listen", "127.0.0.1:0", "--requests-per-minute", "off"])
            .env("RUST_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut endpoint = String::new();
        let mut out = BufReader::new(process.stdout.take().unwrap());
        out.read_line(&mut endpoint).unwrap();
        let token = std::fs::read_to_string(folder.join(".redivis/token")).unwrap();
        Server {
            process,
            endpoint: endpoint.trim().to_owned(),
            token: token.trim().to_owned(),
            client: Client::new(),
        }
    }

    async fn json(&self, request: RequestBuilder) -> Value {
        let answer = request.bearer_auth(&self.token).send().await.unwrap();
        let status = answer.status();
        let body = answer.text().await.unwrap();
        assert!(status.is_success(), "{status} {body}");
        serde_json::from_str(&body).unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.json(self.client.get(format!("{}{path}", self.endpoint)))
            .await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.client.post(format!("{}{path}", self.endpoint));
        self.json(request.json(body)).await
    }

    pub(crate) async fn send(&self, path: &str, bytes: Bytes) -> Value {
        let request = self.client.post(format!("{}{path}", self.endpoint));
        self.json(request.body(bytes)).await
    }

    /// Reads a stream to its end, and counts its bytes as they come.
    pub(crate) async fn drain(&self, stream: &Value, read: &AtomicU64) {
        let id = stream["id"].as_str().unwrap();
        let url = format!("{}/readStreams/{id}?eosSentinel=true", self.endpoint);
        let request = self.client.get(url).bearer_auth(&self.token);
        let mut answer = request.send().await.unwrap().error_for_status().unwrap();
        while let Some(piece) = answer.chunk().await.unwrap() {
            read.fetch_add(piece.len() as u64, Ordering::Relaxed);
        }
    }

    /// Kilobytes of memory that the process has.
    pub(crate) fn memory(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}
