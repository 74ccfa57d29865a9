//! The bytes of an answer as they arrive, with the patience a reader has.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, TRANSFER_ENCODING};
use reqwest::{Response, StatusCode};
use tokio::time::{Instant, timeout};

use super::progress::ReadProgress;
use crate::client::Client;
use crate::error::{ErrorKind, Result};
use crate::request::Call;

/// An answer being read. Dropping it closes the connection, unless it was read to its end.
#[derive(Debug)]
pub(super) struct Body {
    response: Response,
    idle: Duration,
    /// The body ended as its framing says.
    complete: bool,
}

impl Body {
    /// Sends the call, once.
    pub(super) async fn open(
        client: &Client,
        call: &Call,
        progress: &ReadProgress,
    ) -> Result<Self> {
        let start = Instant::now();
        let response = client.call(call, true).await;
        progress.add_opening(start.elapsed());
        Ok(Self {
            response: response?,
            idle: client.read_timeout(),
            complete: false,
        })
    }

    pub(super) fn status(&self) -> StatusCode {
        self.response.status()
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The next bytes; `None` at the end. The clock runs only while this waits, so a slow reader is no stall.
    pub(super) async fn chunk(
        &mut self,
        call: &Call,
        progress: &ReadProgress,
    ) -> Result<Option<Bytes>> {
        let chunk = timeout(self.idle, self.response.chunk())
            .await
            .map_err(|_| call.stalled(self.idle))?
            .map_err(|error| call.transport_error(error))?;
        match &chunk {
            Some(bytes) => progress.add_bytes(bytes.len()),
            None => self.complete = self.is_framed(),
        }
        Ok(chunk)
    }

    /// Whether the body has come to the end that its length or last chunk says.
    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether an end can be told from a cut: the end of a body without length and chunks is that of its connection.
    fn is_framed(&self) -> bool {
        let headers = self.headers();
        headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING)
    }

    /// Fails for what cannot be Arrow by its own account, with the words in it: a proxy's page, or JSON.
    pub(super) async fn expect_arrow(mut self, client: &Client, call: &Call) -> Result<Self> {
        let content_type = self
            .response
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_ascii_lowercase();
        if !(content_type.starts_with("text/") || content_type.starts_with("application/json")) {
            return Ok(self);
        }
        let start = self.chunk(call, &ReadProgress::default()).await?;
        Err(call.error(
            ErrorKind::Protocol,
            format!(
                "the answer is {} instead of Arrow: {}",
                client.clean(&content_type),
                client.legible(&start.unwrap_or_default())
            ),
        ))
    }
}
