//! Rows as the body of an answer, produced as they are read.
//!
//! Batches are decoded off the runtime's threads, one ahead of what the connection takes: a slow client slows decoding
//! down, one that leaves ends it, and no thread waits for either.

use std::{collections::VecDeque, io, sync::Arc};

use arrow::array::RecordBatch;
use axum::{
    body::Body,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::stream;
use tokio::task::{JoinHandle, spawn_blocking};

use super::error::ApiError;
use crate::{
    session::ReadStream,
    storage::{Encoder, Format, RowScan, StorageError},
};

/// What produces a body.
pub(super) struct Rows {
    pub(super) scan: RowScan,
    /// What is shown instead of the batches that are read; `None` for these.
    pub(super) shown: Option<Shown>,
    pub(super) encoder: Encoder,
    pub(super) format: Format,
    /// The first row's number in its stream.
    pub(super) offset: u64,
    /// The stream that notes how far it was sent.
    pub(super) stream: Option<Arc<ReadStream>>,
}

/// Makes of a batch that is read the one that is shown.
pub(super) type Shown = Box<dyn FnMut(RecordBatch) -> Result<RecordBatch, StorageError> + Send>;

/// Some bytes of a body, and how many rows of the stream they and those before them hold.
struct Piece {
    bytes: VecDeque<Bytes>,
    row: u64,
}

/// A step's outcome: a piece, and what goes on after it.
type Step = Result<(Piece, Option<Rows>), StorageError>;

impl Rows {
    /// Reads and encodes the next batch, or the end. Blocks.
    fn step(mut self) -> Step {
        let failed = |error| StorageError::Invalid {
            file: "rows".to_owned(),
            reason: format!("they cannot be encoded: {error}"),
        };
        match self.scan.next_batch()? {
            Some(batch) => {
                let batch = match &mut self.shown {
                    Some(shown) => shown(batch)?,
                    None => batch,
                };
                let bytes = self.encoder.encode(&batch).map_err(failed)?.into();
                self.offset += batch.num_rows() as u64;
                let row = self.offset;
                Ok((Piece { bytes, row }, Some(self)))
            }
            None => {
                let bytes = self.encoder.finish().map_err(failed)?.into();
                let row = self.offset;
                Ok((Piece { bytes, row }, None))
            }
        }
    }

    /// The answer. What fails before the first row is an error with a status; later, the connection breaks.
    pub(super) async fn respond(self) -> Result<Response, ApiError> {
        let format = self.format;
        let stream = self.stream.clone();
        let (piece, rest) = run(spawn_blocking(move || self.step())).await??;
        let sending = Sending {
            piece,
            next: rest.map(|rows| spawn_blocking(move || rows.step())),
            stream,
        };
        let body = Body::from_stream(stream::try_unfold(sending, Sending::next));
        Ok(([(CONTENT_TYPE, format.media_type())], body).into_response())
    }
}

/// A body while it is sent.
struct Sending {
    piece: Piece,
    /// The step after the piece, already under way.
    next: Option<JoinHandle<Step>>,
    stream: Option<Arc<ReadStream>>,
}

impl Sending {
    async fn next(mut self) -> io::Result<Option<(Bytes, Self)>> {
        loop {
            if let Some(bytes) = self.piece.bytes.pop_front() {
                // What the connection has, the client may have: it may ask for any row up to here again.
                if let Some(stream) = &self.stream {
                    stream.note_sent(self.piece.row);
                }
                return Ok(Some((bytes, self)));
            }
            let Some(next) = self.next.take() else {
                return Ok(None);
            };
            let step = run(next).await.map_err(|_| io::ErrorKind::Other)?;
            let (piece, rest) = step.map_err(|error| {
                tracing::error!("a body was cut off: {error}");
                io::Error::other(error)
            })?;
            self.piece = piece;
            self.next = rest.map(|rows| spawn_blocking(move || rows.step()));
        }
    }
}

async fn run<T>(task: JoinHandle<T>) -> Result<T, ApiError> {
    task.await.map_err(|error| ApiError::internal(&error))
}
