//! One `PUT` of a part of a content, as patient as the reading side: what counts is silence, not how long it takes.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::stream::StreamExt;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE};
use reqwest::{Body, Method, RequestBuilder, Response};
use tokio::time::Instant;
use url::Url;

use super::content::Content;
use super::progress::SendProgress;
use crate::authorization::Authorization;
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
    /// Sends the part once, or once more where it was refused for its token. The answer may have any status.
    pub(super) async fn send(self, client: &Client) -> Sent {
        let left = Arc::new(AtomicU64::new(0));
        let answer = self.answer(client, &left).await;
        Sent {
            bytes: left.load(Ordering::Relaxed),
            answer,
        }
    }

    async fn answer(&self, client: &Client, left: &Arc<AtomicU64>) -> Result<Response> {
        let length = self.part.end - self.part.start;
        let mut authorization = Authorization::new(client, self.url);
        loop {
            left.store(0, Ordering::Relaxed);
            self.progress.go_on_at(self.part.start);
            let fault = Arc::default();
            let request = self.request(client, left, &fault).build();
            let mut request = request.map_err(|error| self.call.unsent(client, error, true))?;
            let signed = authorization.sign(&mut request).await;
            signed.map_err(|error| self.call.unsigned(error))?;
            let answer = tokio::select! {
                answer = client.http().execute(request) => {
                    answer.map_err(|error| self.call.unsent(client, error, true))
                }
                waited = silence(client, length, left) => Err(self.call.stalled(waited)),
            };
            if let Some(fault) = fault.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return Err(fault);
            }
            let response = answer?;
            let again = authorization.asks_again(&Method::PUT, &response).await;
            if !again.map_err(|error| self.call.unsigned(error))? {
                return Ok(response);
            }
        }
    }

    fn request(
        &self,
        client: &Client,
        left: &Arc<AtomicU64>,
        fault: &Arc<Mutex<Option<Error>>>,
    ) -> RequestBuilder {
        let (left, fault) = (Arc::clone(left), Arc::clone(fault));
        let progress = Arc::clone(self.progress);
        let pieces =
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
                });
        let mut request = client
            .http()
            .request(Method::PUT, self.url.clone())
            .header(CONTENT_LENGTH, self.part.end - self.part.start);
        if let Some(range) = &self.content_range {
            request = request.header(CONTENT_RANGE, range);
        }
        request.body(match self.part.is_empty() {
            true => Body::default(),
            false => Body::wrap_stream(pieces),
        })
    }
}

/// Ends, with the time waited, when the line has been silent for too long: no byte has left, and no answer came.
///
/// What has left may still be on its way, in buffers that a slow line needs its time for. So the silence that is borne grows
/// with the time that bytes have taken so far: a line that moves is never cut.
async fn silence(client: &Client, length: u64, left: &AtomicU64) -> Duration {
    let idle = client.read_timeout();
    let answer = idle.max(client.response_timeout());
    let start = Instant::now();
    let (mut seen, mut last) = (0, start);
    loop {
        tokio::time::sleep(idle / 8).await;
        let now = left.load(Ordering::Relaxed);
        if now != seen {
            (seen, last) = (now, Instant::now());
        }
        let buffered = (last - start).mul_f64(BUFFERED / seen.max(1) as f64);
        let limit = buffered + if now < length { idle } else { answer };
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
