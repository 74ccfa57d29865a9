//! Somebody who changes a dataset, one request after the other, and remembers what was acknowledged.
//!
//! Nobody else changes it: after a crash it is what was acknowledged, with or without the one operation under way.

use std::ops::Range;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::{
    model::{Kind, Operation, State, Upload},
    observe::{Hashes, finished_uploads, observe},
    readers::Released,
    rows::{self, LONG},
    sending::Sending,
    wire::{Gone, Wire},
};

pub(crate) struct Author {
    number: usize,
    random: fastrand::Rng,
    /// How many names and ids were given out.
    names: usize,
    ids: i64,
    known: State,
    /// Sent, and not answered yet.
    under_way: Option<Operation>,
    sending: Option<Sending>,
    hashes: Hashes,
    released: Released,
    /// Operations that were acknowledged.
    pub(crate) acknowledged: usize,
    /// Operations whose answer was lost: those that were done, and those that were not.
    pub(crate) resolved: [usize; 2],
}

impl Author {
    pub(crate) fn new(number: usize, random: fastrand::Rng, released: Released) -> Self {
        Author {
            number,
            random,
            names: 0,
            ids: 0,
            known: None,
            under_way: None,
            sending: None,
            hashes: Hashes::new(),
            released,
            acknowledged: 0,
            resolved: [0; 2],
        }
    }

    /// Compares what is there with what was acknowledged, and finds out what became of the operation under way.
    pub(crate) async fn resolve(&mut self, wire: &Wire) -> Result<(), Gone> {
        if let Some(sending) = &mut self.sending {
            sending.server_died();
        }
        let mut after = self.known.clone();
        if let Some(operation) = self.under_way.clone() {
            operation.apply(&mut after);
        }
        let mut found = None;
        for name in [&self.known, &after]
            .into_iter()
            .flatten()
            .map(|dataset| &dataset.name)
        {
            found = observe(wire, name, &mut self.hashes, &mut self.random).await?;
            if found.is_some() {
                break;
            }
        }
        let [before, done] = [&self.known, &after].map(|state| state.as_ref().map(|d| d.seen()));
        let operation = self.under_way.take();
        if operation.is_some() && found == done {
            self.known = after;
            self.resolved[0] += 1;
        } else if found == before {
            self.resolved[1] += usize::from(operation.is_some());
        } else {
            panic!("after {operation:?}\nfound {found:#?}\nacknowledged {before:#?}");
        }
        self.forget_sent();
        self.publish();
        Ok(())
    }

    /// Changes the dataset in one way after another, until the server is killed.
    pub(crate) async fn work(&mut self, wire: &Wire) -> Gone {
        loop {
            if let Err(gone) = self.step(wire).await {
                return gone;
            }
        }
    }

    async fn step(&mut self, wire: &Wire) -> Result<(), Gone> {
        let Some(dataset) = self.known.clone() else {
            let name = self.next_name();
            let name = format!("d{}_{name}", self.number);
            let body = json!({"name": name, "publicAccessLevel": "none", "description": null});
            let request = wire
                .request(Method::POST, "/users/local/datasets")
                .json(&body);
            return self
                .perform(wire, Operation::CreateDataset(name), request)
                .await;
        };
        let path = format!("/datasets/local.{}", dataset.name);
        let Some(draft) = &dataset.draft else {
            if dataset.releases.len() >= 2 {
                self.released.forget(self.number);
                let request = wire.request(Method::DELETE, &path);
                return self.perform(wire, Operation::DeleteDataset, request).await;
            }
            let request = wire.request(Method::POST, &format!("{path}/versions"));
            return self.perform(wire, Operation::OpenNext, request).await;
        };
        if draft.is_empty() || (draft.len() < 3 && self.random.u8(0..10) == 0) {
            let (name, replaces) = (format!("t{}", self.next_name()), self.random.bool());
            let strategy = if replaces { "replace" } else { "append" };
            let body = json!({"name": name, "uploadMergeStrategy": strategy});
            let request = wire
                .request(Method::POST, &format!("{path}:next/tables"))
                .json(&body);
            return self
                .perform(wire, Operation::CreateTable(name, replaces), request)
                .await;
        }
        let name = draft.keys().nth(self.random.usize(0..draft.len()));
        let name = name.unwrap().clone();
        let table = format!("/tables/local.{}:next.{name}", dataset.name);
        let uploads = &draft[&name].uploads;
        let streams: Vec<&Upload> = uploads.iter().filter(|u| u.kind == Kind::Stream).collect();
        match self.random.u8(0..40) {
            0..10 => self.send(wire, &dataset.name, &name).await,
            10..20 => self.upload(wire, &name, &table).await,
            20..31 => match streams.first() {
                None => self.open_stream(wire, &name, &table).await,
                Some(stream) => {
                    // So many that files are merged meanwhile.
                    for _ in 0..self.random.u8(1..20) {
                        self.insert(wire, &name, &table, &stream.name).await?;
                    }
                    Ok(())
                }
            },
            31 => {
                let text = format!("description {}", self.next_name());
                let body = json!({"description": text});
                let request = wire.request(Method::PATCH, &path).json(&body);
                self.perform(wire, Operation::Describe(text), request).await
            }
            32..34 if !uploads.is_empty() => {
                let upload = uploads[self.random.usize(0..uploads.len())].name.clone();
                let request = wire.request(Method::DELETE, &format!("{table}/uploads/{upload}"));
                self.perform(wire, Operation::DeleteUpload(name, upload), request)
                    .await
            }
            34 => {
                let request = wire.request(Method::DELETE, &table);
                self.perform(wire, Operation::DeleteTable(name), request)
                    .await
            }
            35 if !dataset.releases.is_empty() => {
                let request = wire.request(Method::DELETE, &format!("{path}/versions/next"));
                self.perform(wire, Operation::DeleteDraft, request).await
            }
            36..40 => self.release(wire, &path).await,
            _ => Ok(()),
        }
    }

    /// Releases the draft, once it has no uploads that failed.
    async fn release(&mut self, wire: &Wire, path: &str) -> Result<(), Gone> {
        let draft = self.known.as_mut().unwrap().draft().clone();
        for (name, table) in draft {
            let uri = format!("{}:next.{name}", path.replace("/datasets/", "/tables/"));
            finished_uploads(wire, &uri).await?;
            for upload in table.uploads.iter().filter(|u| u.kind == Kind::Broken) {
                let request =
                    wire.request(Method::DELETE, &format!("{uri}/uploads/{}", upload.name));
                let operation = Operation::DeleteUpload(name.clone(), upload.name.clone());
                self.perform(wire, operation, request).await?;
            }
        }
        // Readers may see the new release before its author knows of it.
        self.released.forget(self.number);
        let request = wire.request(Method::POST, &format!("{path}/versions/next/release"));
        self.perform(wire, Operation::Release, request.json(&json!({})))
            .await?;
        self.publish();
        Ok(())
    }

    async fn open_stream(&mut self, wire: &Wire, name: &str, table: &str) -> Result<(), Gone> {
        let upload = self.new_upload(Kind::Stream, Vec::new());
        let schema = json!([{"name": "id", "type": "integer"}, {"name": "text", "type": "string"}]);
        let body = json!({"name": upload.name, "type": "stream", "schema": schema});
        let request = wire
            .request(Method::POST, &format!("{table}/uploads"))
            .json(&body);
        self.perform(wire, Operation::AddUpload(name.to_owned(), upload), request)
            .await
    }

    async fn insert(
        &mut self,
        wire: &Wire,
        name: &str,
        table: &str,
        stream: &str,
    ) -> Result<(), Gone> {
        let count = self.random.i64(1..20);
        let ids = self.next_ids(count);
        let body = json!({"rows": rows::as_json(ids.clone())});
        let request = wire.request(Method::POST, &format!("{table}/uploads/{stream}/rows"));
        let operation = Operation::Insert(name.to_owned(), stream.to_owned(), ids);
        self.perform(wire, operation, request.json(&body)).await
    }

    /// An upload whose bytes come at once: with the request, in a part of it, or before it.
    async fn upload(&mut self, wire: &Wire, name: &str, table: &str) -> Result<(), Gone> {
        let count = self.random.i64(1..800);
        let ids = self.next_ids(count);
        let form = self.random.u8(0..4);
        let (kind, bytes, format) = match self.random.u8(0..12) {
            0 => (Kind::Broken, rows::as_broken(ids.clone()), "delimited"),
            1..6 => (Kind::Bytes, rows::as_ndjson(ids.clone()), "ndjson"),
            _ => (Kind::Bytes, rows::as_csv(ids.clone()), "delimited"),
        };
        let ids = if kind == Kind::Broken {
            Vec::new()
        } else {
            vec![ids]
        };
        let upload = self.new_upload(kind, ids);
        let path = format!("{table}/uploads");
        let metadata = json!({"name": upload.name, "type": format});
        let request = match form {
            0 => {
                let query = format!("{path}?name={}&type={format}", upload.name);
                wire.request(Method::POST, &query).body(bytes)
            }
            1 | 2 => multipart(wire.request(Method::POST, &path), &metadata, &bytes),
            _ => {
                let id = temp_upload(wire, table, bytes).await?;
                wire.request(Method::POST, &path)
                    .json(&taking(&metadata, &id))
            }
        };
        self.perform(wire, Operation::AddUpload(name.to_owned(), upload), request)
            .await
    }

    /// An upload whose bytes come in several requests.
    async fn send(&mut self, wire: &Wire, dataset: &str, table: &str) -> Result<(), Gone> {
        let Some(sending) = &mut self.sending else {
            let ids = self.next_ids(2000);
            let ids = ids.start + LONG..ids.end + LONG;
            let name = format!("u{}", self.next_name());
            self.sending = Some(Sending::announce(wire, dataset, table, &name, ids).await?);
            return Ok(());
        };
        while !sending.is_complete() {
            sending.go_on(wire, &mut self.random).await?;
            if self.random.bool() {
                return Ok(());
            }
        }
        let upload = Upload {
            name: sending.name.clone(),
            kind: Kind::Bytes,
            rows: vec![sending.ids.clone()],
        };
        let table = sending.table.clone();
        let metadata = json!({"name": upload.name, "type": "delimited"});
        let body = taking(&metadata, &sending.id);
        let path = format!("/tables/local.{dataset}:next.{table}/uploads");
        let request = || wire.request(Method::POST, &path).json(&body);
        self.perform(wire, Operation::AddUpload(table, upload), request())
            .await?;
        // The same bytes cannot be taken twice.
        let again = wire.answer(request()).await?;
        assert_eq!(
            again.status,
            400,
            "{}",
            String::from_utf8_lossy(&again.body)
        );
        Ok(())
    }

    /// Makes a change that must succeed, if the server lives to tell.
    async fn perform(
        &mut self,
        wire: &Wire,
        operation: Operation,
        request: RequestBuilder,
    ) -> Result<(), Gone> {
        self.under_way = Some(operation.clone());
        let answer = wire.answer(request).await?;
        answer.success(&format!("{operation:?}"));
        self.under_way = None;
        operation.apply(&mut self.known);
        self.acknowledged += 1;
        self.forget_sent();
        Ok(())
    }

    /// Forgets bytes that became an upload, and such whose table is gone.
    fn forget_sent(&mut self) {
        let tables = self
            .known
            .as_ref()
            .and_then(|dataset| dataset.draft.as_ref());
        self.sending = self.sending.take().filter(|sending| {
            let table = tables.and_then(|tables| tables.get(&sending.table));
            table.is_some_and(|table| table.uploads.iter().all(|u| u.name != sending.name))
        });
    }

    /// Tells readers what is released.
    fn publish(&self) {
        if let Some(dataset) = &self.known {
            self.released.publish(self.number, dataset);
        }
    }

    fn new_upload(&mut self, kind: Kind, rows: Vec<Range<i64>>) -> Upload {
        let name = format!("u{}", self.next_name());
        Upload { name, kind, rows }
    }

    fn next_name(&mut self) -> usize {
        self.names += 1;
        self.names
    }

    fn next_ids(&mut self, count: i64) -> Range<i64> {
        // One is left out, so that rows of different operations never follow each other.
        let start = self.ids + 1;
        self.ids = start + count;
        start..self.ids
    }
}

/// What an upload of a temp upload is asked for with.
fn taking(metadata: &Value, id: &str) -> Value {
    let mut body = metadata.clone();
    body["tempUploadId"] = id.into();
    body
}

/// Sends bytes in one request; the id that they can be taken by.
async fn temp_upload(wire: &Wire, table: &str, bytes: Vec<u8>) -> Result<String, Gone> {
    let path = format!("{table}/tempUploads");
    let entry = json!({"size": bytes.len(), "resumable": false, "name": "f"});
    let answer = wire.post(&path, &json!({"tempUploads": [entry]})).await?;
    let entry = &answer.json(&path)["results"][0];
    let url = crate::wire::path_of(entry["url"].as_str().unwrap());
    let sent = wire
        .answer(wire.request(Method::PUT, &url).body(bytes))
        .await?;
    sent.success("the bytes of a temp upload");
    Ok(entry["id"].as_str().unwrap().to_owned())
}

fn multipart(request: RequestBuilder, metadata: &Value, bytes: &[u8]) -> RequestBuilder {
    const BOUNDARY: &str = "a0b1c2d3e4f5";
    let part = |name: &str| {
        format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\n\r\n"
        )
    };
    let mut body = format!("{}{metadata}\r\n{}", part("metadata"), part("data")).into_bytes();
    body.extend_from_slice(bytes);
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    request.header("content-type", kind).body(body)
}
