//! Read sessions: a table, upload or query result laid out as streams that can be read side by side.

use std::time::Instant;

use arrow::datatypes::SchemaRef;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::reader::Source;
use super::stream::ArrowStream;
use crate::client::Client;
use crate::error::Result;
use crate::request::Call;
use crate::resource::{checked_uri, hint, integer, timestamp};

/// How rows are encoded in a stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Arrow IPC streams.
    #[default]
    Arrow,
    /// One JSON object per line.
    Jsonl,
    /// Comma-separated values.
    Csv,
}

/// What to read, and in how many streams (redivis-api §5.1).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadSessionRequest {
    /// The encoding of the streams.
    pub format: Format,
    /// The most rows over all streams. The service may send a few more; cut where it matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_results: Option<u64>,
    /// The variables and their order, in any case. `None`: all, in the table's order; then nothing is sent, as by the official
    /// clients. Leave it `None` to read all of them: a draft's uploads need not have every variable of the table
    /// (redivis-api §14).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selected_variables: Option<Vec<String>>,
    /// The most streams wanted; an unreleased table has at least one for each of its uploads. `None`: 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested_stream_count: Option<u32>,
    /// Whether everybody who knows a stream's id may read it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allow_anonymous_access: bool,
    /// The addresses that may read the streams. Empty: those the service allows by default.
    #[serde(rename = "allowedIPs", skip_serializing_if = "Vec::is_empty")]
    pub allowed_ips: Vec<String>,
}

/// A read session; its streams can be read until they expire, 6 hours after its creation (redivis-api §5.1).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ReadSession {
    /// How many rows all streams have together, by the service's own count when it made the session; `None` where it does not
    /// say. After a [`max_results`](ReadSessionRequest::max_results) it should be the lesser of the two.
    ///
    /// This is what to compare the rows of a complete read with first: a table's count may be older than the session. The API
    /// documents neither that it is there nor that it is exact, and official clients only show progress with it (redivis-api
    /// §5.1): here it fails a read only where rows beyond it cannot be told from rows that came before.
    #[serde(default, deserialize_with = "integer")]
    pub num_rows: Option<u64>,
    /// The streams; together they hold every row once.
    pub streams: Vec<ReadStreamInfo>,
    /// When it was created, by the local clock.
    #[serde(skip, default = "Instant::now")]
    pub created: Instant,
}

/// A stream of a read session.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ReadStreamInfo {
    /// The id; who knows it may be all that is asked, if the session allows anonymous access.
    pub id: String,
    /// The encoding.
    #[serde(default, deserialize_with = "hint")]
    pub format: Format,
    /// When the stream ceases to be readable.
    #[serde(default, deserialize_with = "timestamp")]
    pub expires_at: Option<DateTime<Utc>>,
    /// About how many rows it has, a hint for progress bars.
    #[serde(default, deserialize_with = "integer")]
    pub estimated_rows: Option<u64>,
    /// The rows of its session, all streams together: [`ReadSession::num_rows`], which
    /// [`create_read_session`](Client::create_read_session) copies here. A stream that is sent on to be read elsewhere should
    /// keep it.
    ///
    /// Where a stream is asked for again and then has more rows than this, its service is tested before they are believed.
    #[serde(skip)]
    pub session_rows: Option<u64>,
}

impl Client {
    /// Lays the rows of a table, upload or query result out for reading: `POST <parent>/readSessions` (redivis-api §5.1).
    ///
    /// `parent_uri` is the `uri` of one of these, or `/uploads/:upload`.
    pub async fn create_read_session(
        &self,
        parent_uri: &str,
        request: &ReadSessionRequest,
    ) -> Result<ReadSession> {
        const OPERATION: &str = "create a read session on";
        let uri = checked_uri(OPERATION, parent_uri)?;
        let call = Call::post(
            OPERATION,
            parent_uri,
            format!("{uri}/readSessions"),
            request,
        )?;
        let mut session: ReadSession = self.json(&call).await?;
        for stream in &mut session.streams {
            stream.session_rows = session.num_rows;
        }
        Ok(session)
    }

    /// Reads a stream of a read session of format [`Format::Arrow`]: `GET /readStreams/:id` (redivis-api §5.2).
    ///
    /// Batches come in `schema`, whatever the stream's own: variables are matched by name without regard to case, missing
    /// ones are null, others are left out, and values are converted only where nothing is lost. A broken, stalled or refused
    /// connection is taken up again at the row after the last one returned, as the retry policy allows; a stream is complete
    /// only when the service says so. See [`read`](super) for what this guarantees.
    ///
    /// Errors: kind [`Data`](crate::ErrorKind::Data) for a value that does not fit, naming variable, value and stream;
    /// [`Protocol`](crate::ErrorKind::Protocol) for an answer that is no Arrow stream or whose columns changed; else what the
    /// service or the network said last, and how often it was tried.
    pub fn read_arrow(&self, stream: &ReadStreamInfo, schema: SchemaRef) -> ArrowStream {
        ArrowStream::new(
            self,
            Source::stream(stream.id.clone(), stream.session_rows),
            schema,
        )
    }
}
