//! A read stream as record batches: every row once, over as many connections as it takes.
//!
//! Here is the network side only: opening, waiting, trying again. What the bytes mean and where to resume is the decoder's.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::stream::{self, BoxStream, Stream, StreamExt};

use super::align::{AlignError, Aligner};
use super::body::Body;
use super::decoder::{End, Fault, ResumableDecoder};
use super::progress::ReadProgress;
use super::session::ReadStreamInfo;
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::reference::path_segment;
use crate::request::Call;
use crate::retry::Attempts;

const OPERATION: &str = "read stream";

/// Record batches in the schema that was asked for.
///
/// Nothing is sent before the first poll, nothing runs between polls, and dropping it closes its connection. After an error
/// or the end it yields nothing more.
pub struct ArrowStream {
    batches: BoxStream<'static, Result<RecordBatch>>,
    schema: SchemaRef,
    progress: Arc<ReadProgress>,
}

impl ArrowStream {
    pub(super) fn new(
        batches: impl Stream<Item = Result<RecordBatch>> + Send + 'static,
        schema: SchemaRef,
        progress: Arc<ReadProgress>,
    ) -> Self {
        Self {
            batches: batches.boxed(),
            schema,
            progress,
        }
    }

    /// The schema of every batch.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// What reading has cost so far; it stays up to date and outlives the stream.
    pub fn progress(&self) -> Arc<ReadProgress> {
        Arc::clone(&self.progress)
    }
}

impl Stream for ArrowStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.batches.poll_next_unpin(cx)
    }
}

impl fmt::Debug for ArrowStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArrowStream")
            .field("schema", &self.schema)
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Reads a stream of a read session of format [`Arrow`](super::Format::Arrow): `GET /readStreams/:id` (redivis-api §5.2).
    ///
    /// Batches come in `schema`, whatever the stream's own: variables are matched by name without regard to case, missing
    /// ones are null, others are left out, and values are converted only where nothing is lost. A broken, stalled or refused
    /// connection is taken up again at the row after the last one handed on, as the retry policy allows; a stream is complete
    /// only when the service says so. See [`read`](super) for what this guarantees.
    ///
    /// Errors: kind [`ErrorKind::Data`] for a value that does not fit, naming variable, value and stream;
    /// [`ErrorKind::Protocol`] for an answer that is no Arrow stream or whose columns changed; else what the service or the
    /// network said last, and how often it was tried.
    pub fn read_arrow(&self, stream: &ReadStreamInfo, schema: SchemaRef) -> ArrowStream {
        let progress = Arc::new(ReadProgress::default());
        let reader = Reader {
            client: self.clone(),
            id: stream.id.clone(),
            aligner: Aligner::new(Arc::clone(&schema)),
            decoder: ResumableDecoder::default(),
            answer: None,
            attempts: Attempts::new(self.retry_policy().clone()),
            progress: Arc::clone(&progress),
        };
        let batches = stream::try_unfold(reader, |mut reader| async move {
            Ok(reader.next().await?.map(|batch| (batch, reader)))
        });
        ArrowStream::new(batches, schema, progress)
    }
}

/// A stream being read.
struct Reader {
    client: Client,
    id: String,
    aligner: Aligner,
    decoder: ResumableDecoder,
    answer: Option<Body>,
    attempts: Attempts,
    progress: Arc<ReadProgress>,
}

impl Reader {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            let broken = match self.batch().await {
                Ok(Some(batch)) => {
                    self.attempts.progress();
                    let batch = self
                        .aligner
                        .align(&batch)
                        .map_err(|error| misaligned(&self.call(), error))?;
                    self.progress.add_rows(batch.num_rows());
                    return Ok(Some(batch));
                }
                Ok(None) => None,
                Err(error) => Some(error),
            };
            // Only an answer can be judged: without one, what the last one said has been judged already.
            let end = match self.answer.take() {
                Some(_) => self.decoder.end(),
                None => End::Cut,
            };
            match (end, broken) {
                (End::Complete, _) => return Ok(None),
                (End::AskAgain, _) => {}
                (End::Cut, broken) => {
                    let error = broken.unwrap_or_else(|| {
                        self.call()
                            .error(ErrorKind::Transport, "the answer stopped before its end")
                    });
                    self.attempts.wait_after(error).await?;
                    self.progress.add_retry();
                }
            }
        }
    }

    /// The next batch of the answer, which is opened if there is none; `None` at its end.
    async fn batch(&mut self) -> Result<Option<RecordBatch>> {
        let call = self.call();
        let body = match &mut self.answer {
            Some(body) => body,
            none => {
                self.decoder.open();
                self.progress.set_held(0);
                let body = Body::open(&self.client, &call, &self.progress).await?;
                none.insert(body.expect_arrow(&self.client, &call).await?)
            }
        };
        loop {
            if let Some(batch) = self.decoder.next().map_err(|fault| explain(&call, fault))? {
                self.progress.set_held(self.decoder.held());
                return Ok(Some(batch));
            }
            if self.decoder.has_ended() {
                return Ok(None);
            }
            self.progress.set_held(self.decoder.held());
            match body.chunk(&call, &self.progress).await? {
                Some(bytes) => self.decoder.push(bytes),
                None => return Ok(None),
            }
        }
    }

    /// The request for the rows that have not been handed on.
    fn call(&self) -> Call {
        Call::get(
            OPERATION,
            &self.id,
            format!("/readStreams/{}", path_segment(&self.id)),
        )
        .query("offset", self.decoder.offset())
        .query("eosSentinel", true)
    }
}

pub(super) fn misaligned(call: &Call, error: AlignError) -> Error {
    let kind = match &error {
        AlignError::Duplicate(_) => ErrorKind::Protocol,
        AlignError::Cast { .. } | AlignError::Batch(_) => ErrorKind::Data,
    };
    call.error(kind, error.to_string())
        .with_retry(Retry::No)
        .with_source(error)
}

/// The error for bytes that make no sense. A changed schema would have to change back, so it is not tried again.
pub(super) fn explain(call: &Call, fault: Fault) -> Error {
    let error = call.error(ErrorKind::Protocol, fault.to_string());
    match fault {
        Fault::SchemaChanged(_) => error.with_retry(Retry::No),
        Fault::Malformed(_) | Fault::Undecodable(_) => error,
    }
    .with_source(fault)
}
