//! All rows of a table in one request: the only way without a token, for public tables (redivis-api §5.3).
//!
//! There is neither an offset to resume at nor a sentinel, so the table's own count is what tells a cut from an end.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::stream::{self, TryStreamExt};

use super::align::Aligner;
use super::body::Body;
use super::decoder::ResumableDecoder;
use super::progress::ReadProgress;
use super::stream::{ArrowStream, explain, misaligned};
use crate::client::Client;
use crate::error::{ErrorKind, Result, Retry};
use crate::request::Call;
use crate::resource::{Table, checked_uri};
use crate::retry::Attempts;

const OPERATION: &str = "read the rows of";

/// Which rows and variables of a table to read in one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowsRequest {
    /// The most rows; never more are handed on. `None`: all.
    pub max_results: Option<u64>,
    /// The variables and their order, in any case. `None`: all, in the table's order.
    pub selected_variables: Option<Vec<String>>,
}

impl Client {
    /// Reads a table's rows in one request: `GET <table>/rows?format=arrow` (redivis-api §5.3).
    ///
    /// Public tables under 100 MB can be read so without a token. Batches come in `schema`, as from
    /// [`read_arrow`](Client::read_arrow). The table's `num_rows`, or `max_results` if that is less, says how many rows there
    /// must be: fewer are an error. The request is made again only while no row has been handed on.
    pub fn read_rows(
        &self,
        table: &Table,
        request: &RowsRequest,
        schema: SchemaRef,
    ) -> ArrowStream {
        let expected = match (table.num_rows, request.max_results) {
            (Some(rows), Some(max)) => Some(rows.min(max)),
            (rows, _) => rows,
        };
        let call = rows_call(table, request);
        self.read_answer(call, request.max_results, expected, schema)
    }

    /// Reads one answer in Arrow format: at most `max` rows, and not fewer than `expected`, if that is known.
    pub(crate) fn read_answer(
        &self,
        call: Result<Call>,
        max: Option<u64>,
        expected: Option<u64>,
        schema: SchemaRef,
    ) -> ArrowStream {
        let progress = Arc::new(ReadProgress::default());
        let open = {
            let (client, schema, progress) =
                (self.clone(), Arc::clone(&schema), Arc::clone(&progress));
            async move {
                Ok(Reader {
                    attempts: Attempts::new(client.retry_policy().clone()),
                    client,
                    call: call?,
                    max,
                    expected,
                    aligner: Aligner::new(schema),
                    decoder: ResumableDecoder::default(),
                    answer: None,
                    progress,
                })
            }
        };
        let batches = stream::once(open)
            .map_ok(|reader| {
                stream::try_unfold(reader, |mut reader| async move {
                    Ok(reader.next().await?.map(|batch| (batch, reader)))
                })
            })
            .try_flatten();
        ArrowStream::new(batches, schema, progress)
    }
}

fn rows_call(table: &Table, request: &RowsRequest) -> Result<Call> {
    let uri = checked_uri(OPERATION, &table.uri)?;
    let mut call = Call::get(OPERATION, &table.uri, format!("{uri}/rows")).query("format", "arrow");
    if let Some(variables) = &request.selected_variables {
        call = call.query("selectedVariables", variables.join(","));
    }
    if let Some(max) = request.max_results {
        call = call.query("maxResults", max);
    }
    Ok(call)
}

struct Reader {
    client: Client,
    call: Call,
    max: Option<u64>,
    expected: Option<u64>,
    aligner: Aligner,
    decoder: ResumableDecoder,
    answer: Option<Body>,
    attempts: Attempts,
    progress: Arc<ReadProgress>,
}

impl Reader {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let room = self.max.map(|max| max.saturating_sub(self.progress.rows()));
        if room == Some(0) {
            return Ok(None);
        }
        let batch = loop {
            match self.step().await {
                Ok(Some(batch)) => break batch,
                Ok(None) => return Ok(None),
                // Rows may come in another order the next time: what was handed on could come twice.
                Err(error) if self.decoder.offset() > 0 => {
                    return Err(error.with_retry(Retry::No));
                }
                Err(error) => {
                    self.answer = None;
                    self.attempts.wait_after(error).await?;
                    self.progress.add_retry();
                }
            }
        };
        let batch = self
            .aligner
            .align(&batch)
            .map_err(|error| misaligned(&self.call, error))?;
        let batch = match room.and_then(|room| usize::try_from(room).ok()) {
            Some(room) if room < batch.num_rows() => batch.slice(0, room),
            _ => batch,
        };
        self.progress.add_rows(batch.num_rows());
        Ok(Some(batch))
    }

    /// The next batch of the answer; `None` when it ended with as many rows as there must be.
    async fn step(&mut self) -> Result<Option<RecordBatch>> {
        let call = &self.call;
        let body = match &mut self.answer {
            Some(body) => body,
            none => {
                self.decoder.open();
                let body = Body::open(&self.client, call, &self.progress).await?;
                none.insert(body.expect_arrow(&self.client, call).await?)
            }
        };
        loop {
            if let Some(batch) = self.decoder.next().map_err(|fault| explain(call, fault))? {
                self.progress.set_held(self.decoder.held());
                return Ok(Some(batch));
            }
            self.progress.set_held(self.decoder.held());
            if !self.decoder.has_ended()
                && let Some(bytes) = body.chunk(call, &self.progress).await?
            {
                self.decoder.push(bytes);
                continue;
            }
            let rows = self.decoder.offset();
            return match self.expected {
                Some(expected) if rows < expected => Err(call.error(
                    ErrorKind::Transport,
                    format!("the answer ended after {rows} of {expected} rows"),
                )),
                None if !self.decoder.has_ended() => {
                    Err(call.error(ErrorKind::Transport, "the answer stopped before its end"))
                }
                _ => Ok(None),
            };
        }
    }
}
