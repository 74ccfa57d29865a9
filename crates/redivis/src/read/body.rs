//! The bytes of an answer as they arrive, with the patience a reader has.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};
use reqwest::{Response, StatusCode};
use tokio::time::{Instant, timeout};

use super::progress::ReadProgress;
use crate::client::Client;
use crate::error::{ErrorKind, Result};
use crate::request::Call;

/// So many bytes tell Arrow from text.
const SNIFFED: usize = 4;
/// So many bytes of what is not Arrow are read to be shown.
const SHOWN: usize = 2 << 10;

/// An answer being read. Dropping it closes the connection, unless it was read to its end.
#[derive(Debug)]
pub(super) struct Body {
    response: Response,
    idle: Duration,
    /// What was looked at already.
    first: Option<Bytes>,
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
            first: None,
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
        if let Some(first) = self.first.take().filter(|first| !first.is_empty()) {
            return Ok(Some(first));
        }
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

    /// Fails for what is text instead of Arrow, with the words in it: JSON, or the page of something in between. Only the bytes
    /// are looked at, as content types may be wrong (redivis-api §14).
    pub(super) async fn expect_arrow(
        mut self,
        client: &Client,
        call: &Call,
        progress: &ReadProgress,
    ) -> Result<Self> {
        let mut start = BytesMut::new();
        while start.len() < SNIFFED
            && let Some(bytes) = self.chunk(call, progress).await?
        {
            start.extend_from_slice(&bytes);
        }
        let Some(kind) = text_kind(&start) else {
            self.first = Some(start.freeze());
            return Ok(self);
        };
        while start.len() < SHOWN
            && let Ok(Some(bytes)) = self.chunk(call, progress).await
        {
            start.extend_from_slice(&bytes);
        }
        Err(call.error(
            ErrorKind::Protocol,
            format!(
                "the answer is {kind} instead of Arrow: {}",
                client.legible(&start)
            ),
        ))
    }
}

/// What a body is that starts with text; `None` if it may be Arrow.
///
/// Arrow starts with a marker of four bytes 255 or, as it did once, with the length of the first message: of its four bytes
/// the last is 0, which is no text. Bytes that are neither are left to the decoder.
fn text_kind(start: &[u8]) -> Option<&'static str> {
    let is_text = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~' | 0x80..=0xf4);
    if start.is_empty() || !start.iter().take(SNIFFED).all(is_text) {
        return None;
    }
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    Some(match start.trim_ascii_start().first() {
        Some(b'{' | b'[') => "JSON",
        Some(b'<') => "a page",
        _ => "text",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_told_from_arrow() {
        for (start, kind) in [
            (b"\xff\xff\xff\xff\x10\0\0\0".as_slice(), None),
            (b"<\x01\0\0", None),
            (b"\0\0\0\0", None),
            (b"", None),
            (b"{\"error\"", Some("JSON")),
            (b"\xef\xbb\xbf [1]", Some("JSON")),
            (b"\r\n<!DOCTYPE html>", Some("a page")),
            (b"upstream away", Some("text")),
            ("Überlastet".as_bytes(), Some("text")),
        ] {
            assert_eq!(text_kind(start), kind, "{start:?}");
        }
    }
}
