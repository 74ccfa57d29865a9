//! One `PUT` of a part of a content, as patient as the reading side: what counts is silence, not how long it takes.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::stream::StreamExt;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE};
use reqwest::{Body, Method, Response};
use tokio::time::Instant;
use url::Url;

use super::content::Content;
use super::progress::SendProgress;
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::request::Call;

/// Bytes that the buffers between this process and the line hold at most.
const BUFFERED: f64 = (16 << 20) as f64;

/// What is sent, and where to.
pub(super) struct Put<'a> {
    pub(super) call: &'a Call,
    pub(super) url: &'a Url,
    pub(super) content: &'a Content,
    pub(super) part: Range<u64>,
    pub(super) content_range: Option<String>,
    pub(super) progress: &'a Arc<SendProgress>,
}

/// What came of it.
pub(super) struct Sent {
    /// How many bytes left, whether or not they arrived.
    pub(super) bytes: u64,
    pub(super) answer: Result<Response>,
}

impl Put<'_> {
    /// Sends the part once. The answer may have any status.
    pub(super) async fn send(self, client: &Client) -> Sent {
        let left = Arc::new(AtomicU64::new(0));
        self.progress.go_on_at(self.part.start);
        let fault: Arc<Mutex<Option<Error>>> = Arc::default();
        let pieces = {
            let (left, fault) = (Arc::clone(&left), Arc::clone(&fault));
            let progress = Arc::clone(self.progress);
            self.content
                .read(self.part.start, self.part.end)
                .map(move |piece| match piece {
                    Ok(piece) => {
                        left.fetch_add(piece.len() as u64, Ordering::Relaxed);
                        progress.add_sent(piece.len());
                        Ok(piece)
                    }
                    Err(error) => {
                        let message = error.to_string();
                        *fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                        Err(message)
                    }
                })
        };
        let mut request = client
            .request_to(Method::PUT, self.url)
            .header(CONTENT_LENGTH, self.part.end - self.part.start);
        if let Some(range) = &self.content_range {
            request = request.header(CONTENT_RANGE, range);
        }
        let request = request.body(match self.part.is_empty() {
            true => Body::default(),
            false => Body::wrap_stream(pieces),
        });
        let (idle, length) = (client.read_timeout(), self.part.end - self.part.start);
        let answer = tokio::select! {
            answer = request.send() => answer.map_err(|error| self.call.unsent(error, true)),
            waited = silence(idle, length, &left) => Err(self.call.stalled(waited)),
        };
        let fault = fault.lock().unwrap_or_else(PoisonError::into_inner).take();
        Sent {
            bytes: left.load(Ordering::Relaxed),
            answer: fault.map_or(answer, Err),
        }
    }
}

/// Ends, with the time waited, when the line has been silent for too long: no byte has left, and no answer came.
///
/// What has left may still be on its way, in buffers that a slow line needs its time for. So the silence that is borne grows
/// with the time that bytes have taken so far: a line that moves is never cut. An answer may take twice as long, as the
/// service may have to store what it got.
async fn silence(idle: Duration, length: u64, left: &AtomicU64) -> Duration {
    let start = Instant::now();
    let (mut seen, mut last) = (0, start);
    loop {
        tokio::time::sleep(idle / 8).await;
        let now = left.load(Ordering::Relaxed);
        if now != seen {
            (seen, last) = (now, Instant::now());
        }
        let buffered = (last - start).mul_f64(BUFFERED / seen.max(1) as f64);
        let limit = buffered + if now < length { idle } else { 2 * idle };
        if last.elapsed() >= limit {
            return limit;
        }
    }
}

impl Client {
    /// The error that an answer to a `PUT` means. What may just be out of step is worth a few more tries.
    pub(super) async fn refused_put(&self, call: &Call, response: Response) -> Error {
        let error = self.refusal(call, response).await;
        match error.status() {
            Some(408 | 425) => error.with_retry(Retry::Yes),
            Some(400 | 409 | 412 | 416) => error.with_retry(Retry::Few),
            _ => error,
        }
    }

    /// A URL that the service gave for sending bytes to, if it is fit for that.
    pub(super) fn sending_url(&self, call: &Call, base: Option<&Url>, text: &str) -> Result<Url> {
        let refused = |message: &str| {
            call.error(ErrorKind::Protocol, message)
                .with_retry(Retry::No)
        };
        let url = match base {
            Some(base) => base.join(text),
            None => Url::parse(text),
        }
        .map_err(|_| refused("the service gives no URL to send the bytes to"))?;
        let secure = self.endpoint().starts_with("https:");
        match url.scheme() {
            "https" => Ok(url),
            "http" if !secure => Ok(url),
            "http" => Err(refused(
                "the service wants the bytes sent unencrypted, though its own address is https",
            )),
            _ => Err(refused(
                "the service gives a URL that is neither https nor http",
            )),
        }
    }
}
