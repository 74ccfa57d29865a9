//! A resumable temp upload that goes on over many lives of the server.

use std::ops::Range;

use bytes::Bytes;
use futures::stream;
use reqwest::{Body, Method};
use serde_json::json;

use crate::{
    rows,
    wire::{Gone, Wire, path_of},
};

const CHUNK: usize = 256 << 10;

/// Bytes on their way, and how many of them the server has confirmed.
pub(crate) struct Sending {
    pub(crate) table: String,
    pub(crate) name: String,
    pub(crate) ids: Range<i64>,
    pub(crate) id: String,
    url: String,
    bytes: Bytes,
    session: Option<String>,
    confirmed: usize,
    /// Whether a server died since it was asked how far it is.
    is_doubtful: bool,
}

impl Sending {
    /// Announces the rows of these ids.
    pub(crate) async fn announce(
        wire: &Wire,
        dataset: &str,
        table: &str,
        name: &str,
        ids: Range<i64>,
    ) -> Result<Self, Gone> {
        let bytes = rows::as_csv(ids.clone());
        let path = format!("/tables/local.{dataset}:next.{table}/tempUploads");
        let entry = json!({"size": bytes.len(), "resumable": true, "name": name});
        let answer = wire.post(&path, &json!({"tempUploads": [entry]})).await?;
        let entry = &answer.json(&path)["results"][0];
        Ok(Sending {
            table: table.to_owned(),
            name: name.to_owned(),
            ids,
            id: entry["id"].as_str().unwrap().to_owned(),
            url: path_of(entry["url"].as_str().unwrap()),
            bytes: bytes.into(),
            session: None,
            confirmed: 0,
            is_doubtful: false,
        })
    }

    pub(crate) fn server_died(&mut self) {
        self.is_doubtful = true;
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.confirmed == self.bytes.len() && !self.is_doubtful
    }

    /// Starts, asks or sends some more.
    pub(crate) async fn go_on(
        &mut self,
        wire: &Wire,
        random: &mut fastrand::Rng,
    ) -> Result<(), Gone> {
        let total = self.bytes.len();
        let Some(session) = &self.session else {
            let start = wire.request(Method::POST, &self.url).body("");
            let start = start.header("x-goog-resumable", "start");
            let answer = wire
                .answer(start.header("x-upload-content-length", total))
                .await?;
            answer.success("the start of a session");
            self.session = Some(path_of(answer.headers["location"].to_str().unwrap()));
            return Ok(());
        };
        let send = wire.request(Method::PUT, session);
        if self.is_doubtful {
            let probe = send.header("content-range", format!("bytes */{total}"));
            let there = there(&wire.answer(probe.body("")).await?, total);
            assert!(
                there >= self.confirmed,
                "{there} bytes of {} are left",
                self.confirmed
            );
            self.confirmed = there;
            self.is_doubtful = false;
            return Ok(());
        }
        let start = self.confirmed;
        let end = match random.bool() {
            true => total,
            false => total.min(start + CHUNK * random.usize(1..3)),
        };
        let send = send.header(
            "content-range",
            format!("bytes {start}-{}/{total}", end - 1),
        );
        let send = send.header("content-length", end - start);
        let send = send.body(trickle(self.bytes.slice(start..end), random.bool()));
        let there = there(&wire.answer(send).await?, total);
        assert_eq!(there, end);
        self.confirmed = there;
        Ok(())
    }
}

/// A body that comes in pieces, with some time between them if it is slow.
fn trickle(bytes: Bytes, slow: bool) -> Body {
    let pieces = stream::unfold(bytes, move |mut bytes| async move {
        if bytes.is_empty() {
            return None;
        }
        if slow {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let piece = bytes.split_to(bytes.len().min(40_000));
        Some((Ok::<_, std::io::Error>(piece), bytes))
    });
    Body::wrap_stream(pieces)
}

/// How many bytes an answer says are there.
fn there(answer: &crate::wire::Answer, total: usize) -> usize {
    match (answer.status, answer.headers.get("range")) {
        (200, _) => total,
        (308, None) => 0,
        (308, Some(range)) => {
            let last = range.to_str().unwrap().strip_prefix("bytes=0-").unwrap();
            last.parse::<usize>().unwrap() + 1
        }
        (status, _) => panic!("{status} {}", String::from_utf8_lossy(&answer.body)),
    }
}
