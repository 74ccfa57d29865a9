//! A server with a data folder of its own, and requests to it.

use std::{fs, path::Path, sync::Arc};

use arrow::{
    array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray},
    compute::concat_batches,
    ipc::reader::StreamReader,
};
use parquet::arrow::ArrowWriter;
use redivis_server::{Config, Server};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::Value;
use tempfile::TempDir;

/// A running server and its folder.
pub(crate) struct Local {
    pub(crate) server: Server,
    pub(crate) folder: TempDir,
    client: Client,
    token: Option<String>,
}

impl Local {
    /// Serves a folder with these files.
    pub(crate) async fn serving(files: &[(&str, &[u8])]) -> Self {
        Self::with(files, |_| ()).await
    }

    /// The same, with some settings changed.
    pub(crate) async fn with(files: &[(&str, &[u8])], set: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (path, bytes) in files {
            put(folder.path(), path, bytes);
        }
        let mut config = Config::directory(folder.path());
        set(&mut config);
        Self::of(Server::start(config).await.unwrap(), folder)
    }

    /// A server that was started on a folder.
    pub(crate) fn of(server: Server, folder: TempDir) -> Self {
        let token = server.token().map(str::to_owned);
        Local {
            server,
            folder,
            client: Client::new(),
            token,
        }
    }

    /// The same server, asked with another token, or none.
    pub(crate) fn set_token(&mut self, token: Option<&str>) {
        self.token = token.map(str::to_owned);
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Response {
        let url = format!("{}{path}", self.server.endpoint());
        let mut request = self.client.request(method, url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await.unwrap()
    }

    pub(crate) async fn send_bytes(
        &self,
        method: Method,
        path: &str,
        kind: &str,
        body: &[u8],
    ) -> Response {
        let url = format!("{}{path}", self.server.endpoint());
        let mut request = self.client.request(method, url).body(body.to_vec());
        request = request.header("content-type", kind);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        answer(self.send(Method::GET, path, None).await).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        answer(self.send(Method::POST, path, Some(body)).await).await
    }

    /// A GET that must succeed.
    pub(crate) async fn json(&self, path: &str) -> Value {
        let (status, body) = self.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    /// The bytes of a GET that must succeed.
    pub(crate) async fn bytes(&self, path: &str) -> Vec<u8> {
        let response = self.send(Method::GET, path, None).await;
        let status = response.status();
        let bytes = response.bytes().await.unwrap();
        assert_eq!(
            status,
            StatusCode::OK,
            "{path}: {}",
            String::from_utf8_lossy(&bytes)
        );
        bytes.to_vec()
    }

    pub(crate) async fn text(&self, path: &str) -> String {
        String::from_utf8(self.bytes(path).await).unwrap()
    }

    /// Opens a read session that must succeed; returns its body.
    pub(crate) async fn session(&self, table: &str, request: Value) -> Value {
        let (status, body) = self.post(&format!("{table}/readSessions"), request).await;
        assert!(status.is_success(), "{body}");
        body
    }

    /// The batches of an Arrow answer.
    pub(crate) async fn batches(&self, path: &str) -> Vec<RecordBatch> {
        decode(&self.bytes(path).await)
    }
}

async fn answer(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let kind = response.headers()["content-type"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(kind.starts_with("application/json"), "{kind}");
    (status, response.json().await.unwrap())
}

/// The batches of a complete Arrow stream.
pub(crate) fn decode(bytes: &[u8]) -> Vec<RecordBatch> {
    let reader = StreamReader::try_new(bytes, None).unwrap();
    reader.map(|batch| batch.unwrap()).collect()
}

/// Batches of one schema as one.
pub(crate) fn joined(batches: &[RecordBatch]) -> RecordBatch {
    concat_batches(&batches[0].schema(), batches).unwrap()
}

/// The ids of a session's streams.
pub(crate) fn stream_ids(session: &Value) -> Vec<String> {
    let streams = session["streams"].as_array().unwrap();
    streams
        .iter()
        .map(|stream| stream["id"].as_str().unwrap().to_owned())
        .collect()
}

/// Writes a file below a folder.
pub(crate) fn put(folder: &Path, path: &str, bytes: &[u8]) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// A Parquet file of one row group.
pub(crate) fn parquet(batch: &RecordBatch) -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut file, batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    file
}

/// `n` (0, 1, 2, …), `half` and `Text`, with nulls.
pub(crate) fn numbers(rows: i64) -> RecordBatch {
    let n: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows));
    let half: ArrayRef = Arc::new(Float64Array::from_iter(
        (0..rows).map(|n| (n % 3 != 0).then_some(n as f64 / 2.0)),
    ));
    let text: ArrayRef = Arc::new(StringArray::from_iter(
        (0..rows).map(|n| (n % 5 != 0).then(|| format!("row {n}"))),
    ));
    RecordBatch::try_from_iter_with_nullable([
        ("n", n, false),
        ("half", half, true),
        ("Text", text, true),
    ])
    .unwrap()
}
