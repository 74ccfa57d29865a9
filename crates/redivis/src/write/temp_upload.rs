//! Temp uploads: where bytes wait until an upload or a raw file is made of them (redivis-api §6.2).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::request::Call;
use crate::resource::{checked_uri, integer};

const OPERATION: &str = "create temp uploads for";
/// The most that one call asks for.
const BATCH: usize = 1000;
/// From this size on the official clients ask for the resumable protocol (redivis-api §6.1).
const RESUMABLE: u64 = 32 << 20;

/// A file for which a temp upload is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewTempUpload {
    /// Its name, for people only.
    pub name: String,
    /// Its exact size in bytes.
    pub size: u64,
    /// Whether it should be possible to go on after an interruption.
    pub resumable: bool,
}

impl NewTempUpload {
    /// A file that is sent in the resumable way from 32 MiB on.
    pub fn new(name: impl Into<String>, size: u64) -> Self {
        Self {
            name: name.into(),
            size,
            resumable: size >= RESUMABLE,
        }
    }
}

/// A place for the bytes of one file. Who knows its id or URL may be able to write to it, so its `Debug` shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct TempUpload {
    id: String,
    url: String,
    name: String,
    size: u64,
    resumable: bool,
}

impl TempUpload {
    /// A temp upload from before, by what was kept of it: to create an upload of bytes that were sent by another process.
    pub fn sent_before(id: impl Into<String>, name: impl Into<String>, size: u64) -> Self {
        Self {
            id: id.into(),
            url: String::new(),
            name: name.into(),
            size,
            resumable: true,
        }
    }

    /// The id that uploads are created by; a secret.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name that was announced.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The size that was announced, in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether the service wants the resumable protocol.
    pub fn is_resumable(&self) -> bool {
        self.resumable
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

impl fmt::Debug for TempUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TempUpload")
            .field("name", &self.name)
            .field("size", &self.size)
            .field("resumable", &self.resumable)
            .finish_non_exhaustive()
    }
}

/// The URL of a resumable upload under way. Who knows it can write to the upload: a secret, shown by no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionUrl(String);

impl SessionUrl {
    /// A URL that was kept.
    pub fn from_secret(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The URL itself, to be kept where only its owner can read it.
    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SessionUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionUrl(…)")
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    temp_uploads: &'a [NewTempUpload],
}

#[derive(Deserialize)]
struct Answer {
    results: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    id: String,
    url: String,
    #[serde(default, deserialize_with = "integer")]
    size: Option<u64>,
    #[serde(default)]
    resumable: bool,
}

impl Client {
    /// Asks for places for the bytes of files, in their order: `POST <table>/tempUploads` (redivis-api §6.2), in calls of up
    /// to 1,000.
    ///
    /// The service decides whether each is sent in the resumable way. What is not used expires by itself.
    pub async fn create_temp_uploads(
        &self,
        table_uri: &str,
        uploads: &[NewTempUpload],
    ) -> Result<Vec<TempUpload>> {
        let path = format!("{}/tempUploads", checked_uri(OPERATION, table_uri)?);
        let mut created = Vec::with_capacity(uploads.len());
        for batch in uploads.chunks(BATCH) {
            let request = Request {
                temp_uploads: batch,
            };
            let call = Call::post(OPERATION, table_uri, &path, &request)?;
            let answer: Answer = self.json(&call).await?;
            created.extend(in_order(&call, batch, answer.results)?);
        }
        Ok(created)
    }
}

/// The answer's entries, if they are for what was asked.
fn in_order(call: &Call, asked: &[NewTempUpload], entries: Vec<Entry>) -> Result<Vec<TempUpload>> {
    let refused = |message: String| -> Error {
        call.error(ErrorKind::Protocol, message)
            .with_retry(Retry::No)
    };
    if entries.len() != asked.len() {
        return Err(refused(format!(
            "the service answers with {} where {} were asked for",
            entries.len(),
            asked.len()
        )));
    }
    asked
        .iter()
        .zip(entries)
        .map(|(asked, entry)| match entry.size {
            Some(size) if size != asked.size => Err(refused(format!(
                "the service expects {size} bytes where {} were announced",
                asked.size
            ))),
            _ => Ok(TempUpload {
                id: entry.id,
                url: entry.url,
                name: asked.name.clone(),
                size: asked.size,
                resumable: entry.resumable,
            }),
        })
        .collect()
}
