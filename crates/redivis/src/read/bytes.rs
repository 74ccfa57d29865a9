//! A CSV or JSONL stream as it comes.
//!
//! Where a row ends is the reader's business, so there is no offset to resume at: a break after the first byte is an error.

use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};

use super::body::Body;
use super::progress::ReadProgress;
use super::session::ReadStreamInfo;
use crate::client::Client;
use crate::error::{Result, Retry};
use crate::reference::path_segment;
use crate::request::Call;
use crate::retry::Attempts;

struct Reader {
    client: Client,
    call: Call,
    body: Option<Body>,
    begun: bool,
    attempts: Attempts,
    progress: Arc<ReadProgress>,
}

impl Client {
    /// Reads a stream as the bytes that the service sends: `GET /readStreams/:id` (redivis-api §5.2).
    ///
    /// For streams of format [`Csv`](super::Format::Csv) and [`Jsonl`](super::Format::Jsonl). The request is made again only
    /// while nothing has been returned. These formats have no sign of their end but the transport's own.
    pub fn read_bytes(&self, stream: &ReadStreamInfo) -> BoxStream<'static, Result<Bytes>> {
        let path = format!("/readStreams/{}", path_segment(&stream.id));
        let reader = Reader {
            client: self.clone(),
            call: Call::get("read stream", &stream.id, path),
            body: None,
            begun: false,
            attempts: Attempts::new(self.retry_policy().clone()),
            progress: Arc::default(),
        };
        stream::try_unfold(reader, |mut reader| async move {
            Ok(reader.next().await?.map(|bytes| (bytes, reader)))
        })
        .boxed()
    }
}

impl Reader {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            match self.step().await {
                Ok(bytes) => {
                    self.begun = true;
                    return Ok(bytes);
                }
                Err(error) if self.begun => return Err(error.with_retry(Retry::No)),
                Err(error) => {
                    self.body = None;
                    self.attempts.wait_after(error).await?;
                }
            }
        }
    }

    async fn step(&mut self) -> Result<Option<Bytes>> {
        let body = match &mut self.body {
            Some(body) => body,
            none => none.insert(Body::open(&self.client, &self.call, &self.progress).await?),
        };
        body.chunk(&self.call, &self.progress).await
    }
}
