//! The loop behind every read of Arrow: open an answer, decode it, and go on after its end or a break.
//!
//! Here is the network side only: opening, waiting, trying again. What the bytes mean and where to go on is the decoder's.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::stream::{self, Stream};

use super::align::{AlignError, Aligner};
use super::body::Body;
use super::continuity::{Continuity, Verdict};
use super::decoder::{DecodeError, End, ResumableDecoder};
use super::progress::ReadProgress;
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::reference::path_segment;
use crate::request::Call;
use crate::retry::Attempts;

/// What is read, and so how to go on when an answer ends or breaks.
#[derive(Debug)]
pub(super) enum Source {
    /// A read stream, by its id: asked for again from the next row on.
    Stream { id: String, continuity: Continuity },
    /// All rows in one answer: asked for again only while none of them was returned, as they may come in another order.
    Answer {
        call: Call,
        /// No more rows than this are returned.
        limit: Option<u64>,
        whole: Whole,
    },
}

/// What shows that an answer is all there is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Whole {
    /// So many rows.
    Rows(u64),
    /// The end-of-stream marker.
    Marker,
    /// The end of the body, with or without the marker.
    Body,
}

impl Source {
    /// A read stream, of a session that announced so many rows.
    pub(super) fn stream(id: String, announced: Option<u64>) -> Self {
        let continuity = Continuity::new(announced);
        Self::Stream { id, continuity }
    }

    /// The request for the rows from `offset` on.
    fn call(&self, offset: u64) -> Call {
        match self {
            Self::Stream { id, .. } => {
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
    /// Of the rows of `source` in `schema`. Nothing happens before it is asked to begin, or for batches.
    pub(super) fn new(client: &Client, source: Source, schema: SchemaRef) -> Self {
        Self {
            client: client.clone(),
            source,
            aligner: Aligner::new(schema),
            decoder: ResumableDecoder::default(),
            body: None,
            attempts: Attempts::new(client.retry_policy().clone()),
            progress: Arc::default(),
        }
    }

    /// What reading has cost so far.
    pub(super) fn progress(&self) -> &Arc<ReadProgress> {
        &self.progress
    }

    pub(super) fn into_batches(self: Box<Self>) -> impl Stream<Item = Result<RecordBatch>> {
        stream::try_unfold(self, |mut reader| async move {
            Ok(reader.next().await?.map(|batch| (batch, reader)))
        })
    }

    /// Opens the answer, as often as it takes, and reads nothing but its first bytes.
    pub(super) async fn begin(&mut self) -> Result<()> {
        while self.body.is_none() && self.room() > 0 {
            let call = self.call();
            match open(&self.client, &call, &self.progress).await {
                Ok(body) => self.body = Some(body),
                Err(error) => {
                    self.attempts.wait_after(error).await?;
                    self.progress.add_retry();
                }
            }
        }
        Ok(())
    }

    /// Rows that may still be returned.
    fn room(&self) -> u64 {
        match self.source {
            Source::Answer {
                limit: Some(limit), ..
            } => limit.saturating_sub(self.progress.rows()),
            _ => u64::MAX,
        }
    }

    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let room = self.room();
        if room == 0 {
            return Ok(None);
        }
        loop {
            let failure = match self.batch().await {
                Ok(Some(batch)) => return self.accept(&batch, room).await.map(Some),
                Ok(None) => None,
                Err(error) => Some(error),
            };
            match self.end(failure) {
                Ok(End::Complete) => return Ok(None),
                Ok(End::AskAgain) => {}
                Err(error) => {
                    self.attempts.wait_after(error).await?;
                    self.progress.add_retry();
                }
            }
        }
    }

    /// The next batch of the answer, which is opened if there is none; `None` at its end.
    async fn batch(&mut self) -> Result<Option<RecordBatch>> {
        let call = self.call();
        if self.body.is_none() {
            self.decoder.open();
            self.progress.set_held(0);
        }
        let (client, progress) = (&self.client, &self.progress);
        next_batch(client, &call, &mut self.body, &mut self.decoder, progress).await
    }

    /// What the end of an answer means, whether it came by itself or by a failure; the error if it was cut.
    fn end(&mut self, failure: Option<Error>) -> Result<End> {
        let rows = self.decoder.offset();
        let call = self.call();
        let cut = || call.error(ErrorKind::Transport, "the answer stopped before its end");
        // Without an answer there is nothing new to go by.
        let Some(body) = self.body.take() else {
            return Err(failure.unwrap_or_else(cut));
        };
        match &mut self.source {
            Source::Stream { continuity, .. } => {
                let end = self.decoder.end(body.is_complete());
                if end.is_some() {
                    continuity.ended(rows);
                }
                match end {
                    None => Err(failure.unwrap_or_else(cut)),
                    // Only a service that honours `offset` has no rows there.
                    Some(_) if continuity.is_doubted() && self.decoder.answer_rows() > 0 => {
                        Ok(End::AskAgain)
                    }
                    Some(end) => Ok(end),
                }
            }
            Source::Answer { whole, .. } => {
                let error = match (failure, *whole) {
                    (Some(failure), _) => failure,
                    (None, Whole::Rows(expected)) if rows < expected => call.error(
                        ErrorKind::Transport,
                        format!("the answer ended after {rows} of {expected} rows"),
                    ),
                    (None, Whole::Marker) if !self.decoder.is_whole(false) => cut(),
                    (None, Whole::Body) if !self.decoder.is_whole(body.is_complete()) => cut(),
                    (None, _) => return Ok(End::Complete),
                };
                Err(match rows {
                    0 => error,
                    _ => error.with_retry(Retry::No),
                })
            }
        }
    }

    /// The batch as it is returned: in the reader's schema, no more than `room` rows of it, and none that came before.
    async fn accept(&mut self, batch: &RecordBatch, room: u64) -> Result<RecordBatch> {
        let batch = self.align(batch)?;
        self.check_continuity(&batch).await?;
        if let Source::Stream { continuity, .. } = &self.source
            && continuity.is_progress()
        {
            self.attempts.progress();
        }
        let batch = match usize::try_from(room) {
            Ok(room) if room < batch.num_rows() => batch.slice(0, room),
            _ => batch,
        };
        self.progress.add_rows(batch.num_rows());
        Ok(batch)
    }

    /// Fails for a stream that does not go on where it was asked to.
    async fn check_continuity(&mut self, batch: &RecordBatch) -> Result<()> {
        let Source::Stream { continuity, .. } = &mut self.source else {
            return Ok(());
        };
        let next = self.decoder.offset();
        let answer = next - self.decoder.answer_rows();
        let refused = match continuity.inspect(batch, next - batch.num_rows() as u64, answer) {
            Verdict::Accept => return Ok(()),
            Verdict::Refuse => format!(
                "asked for the rows from {answer} on, the service answers with rows like those that came before, and says \
                 of no more rows than these"
            ),
            Verdict::AcceptIf(probe) => {
                let again = self.first_batch(probe.offset).await?;
                if let Source::Stream { continuity, .. } = &mut self.source
                    && continuity.prove(probe, &again)
                {
                    return Ok(());
                }
                format!(
                    "asked for the rows from {answer} on, the service answers with rows that came before: it ignores \
                     `offset`, or has no fixed order of rows"
                )
            }
        };
        let call = self.source.call(answer);
        Err(call
            .error(ErrorKind::Protocol, refused)
            .with_retry(Retry::No))
    }

    /// The first rows of another answer, from `offset` on.
    async fn first_batch(&mut self, offset: u64) -> Result<RecordBatch> {
        let call = self.source.call(offset);
        loop {
            let (mut body, mut decoder) = (None, ResumableDecoder::default());
            let (client, progress) = (&self.client, &self.progress);
            let error = match next_batch(client, &call, &mut body, &mut decoder, progress).await {
                Ok(Some(batch)) => return self.align(&batch),
                Ok(None) => {
                    let message = "the answer has no rows where there were rows before";
                    call.error(ErrorKind::Transport, message)
                }
                Err(error) => error,
            };
            self.attempts.wait_after(error).await?;
            self.progress.add_retry();
        }
    }

    fn align(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        let call = self.call();
        self.aligner
            .align(batch)
            .map_err(|error| misaligned(&call, error))
    }

    /// The request for the rows that were not returned yet.
    fn call(&self) -> Call {
        self.source.call(self.decoder.offset())
    }
}

/// The answer to `call`, once it is known to be Arrow.
async fn open(client: &Client, call: &Call, progress: &ReadProgress) -> Result<Body> {
    let body = Body::open(client, call, progress).await?;
    body.expect_arrow(client, call, progress).await
}

/// The next batch of the answer to `call`, which is opened if there is none; `None` at its end.
async fn next_batch(
    client: &Client,
    call: &Call,
    body: &mut Option<Body>,
    decoder: &mut ResumableDecoder,
    progress: &ReadProgress,
) -> Result<Option<RecordBatch>> {
    let body = match body {
        Some(body) => body,
        none => none.insert(open(client, call, progress).await?),
    };
    loop {
        let batch = decoder.next();
        progress.set_held(decoder.held());
        if let Some(batch) = batch.map_err(|error| undecodable(call, error))? {
            return Ok(Some(batch));
        }
        if decoder.has_ended() {
            return Ok(None);
        }
        match body.chunk(call, progress).await? {
            Some(bytes) => decoder.push(bytes),
            None => return Ok(None),
        }
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
