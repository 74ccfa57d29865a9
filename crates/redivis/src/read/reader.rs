//! The loop behind every read of Arrow: open an answer, decode it, and go on after its end or a break.
//!
//! Here is the network side only: opening, waiting, trying again. What the bytes mean and where to go on is the decoder's.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::stream;

use super::align::{AlignError, Aligner};
use super::body::Body;
use super::decoder::{DecodeError, End, ResumableDecoder};
use super::progress::ReadProgress;
use super::stream::ArrowStream;
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::reference::path_segment;
use crate::request::Call;
use crate::retry::Attempts;

/// What is read, and so how to go on when an answer ends or breaks.
#[derive(Debug)]
pub(super) enum Source {
    /// A read stream, by its id: asked for again from the next row on.
    Stream(String),
    /// All rows in one answer: asked for again only while none of them was returned, as they may come in another order.
    Answer {
        call: Call,
        /// No more rows than this are returned.
        limit: Option<u64>,
        /// Fewer rows than this are an error; `None` where their number is not known.
        expected: Option<u64>,
    },
}

impl Source {
    /// The request for the rows from `offset` on.
    fn call(&self, offset: u64) -> Call {
        match self {
            Self::Stream(id) => {
                let path = format!("/readStreams/{}", path_segment(id));
                Call::get("read stream", id, path)
                    .query("offset", offset)
                    .query("eosSentinel", true)
            }
            Self::Answer { call, .. } => call.clone(),
        }
    }
}

/// A read in progress.
pub(super) struct Reader {
    client: Client,
    source: Source,
    aligner: Aligner,
    decoder: ResumableDecoder,
    /// The answer being read.
    body: Option<Body>,
    attempts: Attempts,
    progress: Arc<ReadProgress>,
}

impl Reader {
    /// The rows of `source` in `schema`. Nothing happens before the first poll.
    pub(super) fn stream(client: &Client, source: Source, schema: SchemaRef) -> ArrowStream {
        let progress = Arc::new(ReadProgress::default());
        let reader = Self {
            client: client.clone(),
            source,
            aligner: Aligner::new(Arc::clone(&schema)),
            decoder: ResumableDecoder::default(),
            body: None,
            attempts: Attempts::new(client.retry_policy().clone()),
            progress: Arc::clone(&progress),
        };
        let batches = stream::try_unfold(reader, |mut reader| async move {
            Ok(reader.next().await?.map(|batch| (batch, reader)))
        });
        ArrowStream::new(batches, schema, progress)
    }

    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let room = match self.source {
            Source::Answer {
                limit: Some(limit), ..
            } => limit.saturating_sub(self.progress.rows()),
            _ => u64::MAX,
        };
        while room > 0 {
            let failure = match self.batch().await {
                Ok(Some(batch)) => {
                    self.attempts.progress();
                    return self.aligned(&batch, room).map(Some);
                }
                Ok(None) => None,
                Err(error) => Some(error),
            };
            match self.end(failure) {
                Ok(End::Complete) => break,
                Ok(End::AskAgain) => {}
                Err(error) => {
                    self.attempts.wait_after(error).await?;
                    self.progress.add_retry();
                }
            }
        }
        Ok(None)
    }

    /// The next batch of the answer, which is opened if there is none; `None` at its end.
    async fn batch(&mut self) -> Result<Option<RecordBatch>> {
        let call = self.call();
        let body = match &mut self.body {
            Some(body) => body,
            none => {
                self.decoder.open();
                self.progress.set_held(0);
                let body = Body::open(&self.client, &call, &self.progress).await?;
                none.insert(body.expect_arrow(&self.client, &call).await?)
            }
        };
        loop {
            let batch = self.decoder.next();
            self.progress.set_held(self.decoder.held());
            if let Some(batch) = batch.map_err(|error| undecodable(&call, error))? {
                return Ok(Some(batch));
            }
            if self.decoder.has_ended() {
                return Ok(None);
            }
            match body.chunk(&call, &self.progress).await? {
                Some(bytes) => self.decoder.push(bytes),
                None => return Ok(None),
            }
        }
    }

    /// What the end of an answer means, whether it came by itself or by a failure; the error if it was cut.
    fn end(&mut self, failure: Option<Error>) -> Result<End> {
        let rows = self.decoder.offset();
        let call = self.call();
        let cut = || call.error(ErrorKind::Transport, "the answer stopped before its end");
        // Without an answer there is nothing new to go by.
        let Some(_) = self.body.take() else {
            return Err(failure.unwrap_or_else(cut));
        };
        match &self.source {
            Source::Stream(_) => self
                .decoder
                .end()
                .ok_or_else(|| failure.unwrap_or_else(cut)),
            Source::Answer { expected, .. } => {
                let error = match (failure, expected) {
                    (Some(failure), _) => failure,
                    (None, &Some(expected)) if rows < expected => call.error(
                        ErrorKind::Transport,
                        format!("the answer ended after {rows} of {expected} rows"),
                    ),
                    (None, None) if !self.decoder.has_ended() => cut(),
                    (None, _) => return Ok(End::Complete),
                };
                Err(match rows {
                    0 => error,
                    _ => error.with_retry(Retry::No),
                })
            }
        }
    }

    /// The batch in the reader's schema, and no more than `room` rows of it.
    fn aligned(&mut self, batch: &RecordBatch, room: u64) -> Result<RecordBatch> {
        let batch = self
            .aligner
            .align(batch)
            .map_err(|error| misaligned(&self.call(), error))?;
        let batch = match usize::try_from(room) {
            Ok(room) if room < batch.num_rows() => batch.slice(0, room),
            _ => batch,
        };
        self.progress.add_rows(batch.num_rows());
        Ok(batch)
    }

    /// The request for the rows that were not returned yet.
    fn call(&self) -> Call {
        self.source.call(self.decoder.offset())
    }
}

fn misaligned(call: &Call, error: AlignError) -> Error {
    let kind = match &error {
        AlignError::Duplicate(_) => ErrorKind::Protocol,
        AlignError::Cast { .. } | AlignError::Batch(_) => ErrorKind::Data,
    };
    call.error(kind, error.to_string())
        .with_retry(Retry::No)
        .with_source(error)
}

/// A changed schema would have to change back, so it is not tried again.
fn undecodable(call: &Call, cause: DecodeError) -> Error {
    let error = call.error(ErrorKind::Protocol, cause.to_string());
    match cause {
        DecodeError::SchemaChanged(_) => error.with_retry(Retry::No),
        DecodeError::Malformed(_) | DecodeError::Undecodable(_) => error,
    }
    .with_source(cause)
}
