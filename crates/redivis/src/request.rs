//! One call of the API: built, sent, and its answer judged.
//!
//! Everything on the wire goes through here, so that no caller can forget a timeout, a size limit or the error's words.

mod answer;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Method, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::client::Client;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::retry::Attempts;

/// Larger than a page of 1,000 variables with labels and descriptions; what exceeds it is no metadata.
const MAX_JSON_BYTES: usize = 64 << 20;

/// A request that can be sent as often as needed.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    operation: &'static str,
    resource: String,
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    body: Option<Bytes>,
    repeatable: bool,
    patience: Option<Duration>,
}

impl Call {
    /// `operation` and `resource` are for messages; `path` is appended to the endpoint and must be encoded already.
    pub(crate) fn get(
        operation: &'static str,
        resource: impl Into<String>,
        path: impl Into<String>,
    ) -> Self {
        Self {
            operation,
            resource: resource.into(),
            method: Method::GET,
            path: path.into(),
            query: Vec::new(),
            body: None,
            repeatable: true,
            patience: None,
        }
    }

    /// A call with a JSON body that may be repeated without harm.
    pub(crate) fn post(
        operation: &'static str,
        resource: impl Into<String>,
        path: impl Into<String>,
        body: &impl Serialize,
    ) -> Result<Self> {
        let call = Self::get(operation, resource, path);
        let body = serde_json::to_vec(body).map_err(|error| {
            call.error(ErrorKind::Invalid, "the request cannot be written as JSON")
                .with_source(error)
        })?;
        Ok(Self {
            method: Method::POST,
            body: Some(body.into()),
            ..call
        })
    }

    /// Repeat it only where it has certainly not been carried out.
    pub(crate) fn not_repeatable(mut self) -> Self {
        self.repeatable = false;
        self
    }

    /// Wait at least this long for the answer to start.
    pub(crate) fn patience(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    pub(crate) fn query(mut self, key: &'static str, value: impl ToString) -> Self {
        self.query.push((key, value.to_string()));
        self
    }

    pub(crate) fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        Error::new(self.operation, &self.resource, kind, message)
    }

    /// The call's failure while its answer was awaited or read.
    pub(crate) fn transport_error(&self, error: reqwest::Error) -> Error {
        // The URL is in the operation and resource already; a stream's URL may be all it takes to read it.
        let error = error.without_url();
        let what = if error.is_connect() {
            "cannot connect"
        } else if error.is_redirect() {
            "the service redirects in a way that cannot be followed"
        } else if error.is_body() || error.is_decode() {
            "the connection broke while the answer was read"
        } else {
            "the connection broke before an answer came"
        };
        let message = format!("{what}: {}", root_cause(&error));
        self.error(ErrorKind::Transport, message).with_source(error)
    }

    pub(crate) fn stalled(&self, waited: Duration) -> Error {
        self.error(
            ErrorKind::Transport,
            format!("nothing arrived for {} s", waited.as_secs_f32()),
        )
    }
}

/// The innermost cause: the only part of a network error that says something.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

impl Client {
    /// Sends the call once and returns the answer if its status is a success; its body is still to be read.
    pub(crate) async fn send(&self, call: &Call, streaming: bool) -> Result<Response> {
        let url = format!("{}{}", self.endpoint(), call.path);
        let mut request = self.http().request(call.method.clone(), url);
        if !call.query.is_empty() {
            request = request.query(&call.query);
        }
        if let Some(body) = &call.body {
            request = request
                .header(CONTENT_TYPE, "application/json")
                .body(body.clone());
        } else if call.method == Method::POST {
            request = request.header(CONTENT_LENGTH, 0);
        }
        if streaming {
            request = request.header(ACCEPT_ENCODING, "identity");
        }
        let patience = self.read_timeout().max(call.patience.unwrap_or_default());
        let response = timeout(patience, request.send())
            .await
            .map_err(|_| call.stalled(patience).with_retry(call.retry_unanswered()))?
            .map_err(|error| {
                let retry = if error.is_connect() {
                    // While rows flow, a network that is away comes back; before that, the endpoint may just be wrong.
                    if streaming { Retry::Yes } else { Retry::Few }
                } else if error.is_builder() || error.is_redirect() {
                    Retry::No
                } else {
                    call.retry_unanswered()
                };
                call.transport_error(error).with_retry(retry)
            })?;
        self.show_warning(&response);
        if response.status().is_success() {
            return Ok(response);
        }
        Err(self.refusal(call, response).await)
    }

    /// Sends the call, again where that may help, and reads the answer as JSON.
    pub(crate) async fn json<T: DeserializeOwned>(&self, call: &Call) -> Result<T> {
        let mut attempts = Attempts::new(self.retry_policy().clone());
        loop {
            match self.json_once(call).await {
                Ok(value) => return Ok(value),
                Err(error) => attempts.wait_after(error).await?,
            }
        }
    }

    async fn json_once<T: DeserializeOwned>(&self, call: &Call) -> Result<T> {
        let response = self.send(call, false).await?;
        let (body, complete) = self.body(call, response, MAX_JSON_BYTES).await?;
        if !complete {
            return Err(call
                .error(
                    ErrorKind::Protocol,
                    format!("the answer is larger than {} MiB", MAX_JSON_BYTES >> 20),
                )
                .with_retry(Retry::No));
        }
        serde_json::from_slice(&body).map_err(|error| {
            // The words of the JSON reader repeat what it met, so they are cleaned, and are no source.
            let message = match answer::looks_like_json(&body) {
                true => {
                    let error = self.clean(&error.to_string());
                    format!("the answer is not what the API promises: {error}")
                }
                false => format!(
                    "the answer is not JSON but starts with: {}",
                    self.legible(&body)
                ),
            };
            call.error(ErrorKind::Protocol, message)
                .with_retry(if call.repeatable {
                    Retry::Few
                } else {
                    Retry::No
                })
        })
    }

    /// Reads up to `limit` bytes of the body, and says whether that was all of it.
    async fn body(
        &self,
        call: &Call,
        mut response: Response,
        limit: usize,
    ) -> Result<(Bytes, bool)> {
        let mut body = BytesMut::new();
        let idle = self.read_timeout();
        loop {
            let chunk = timeout(idle, response.chunk())
                .await
                .map_err(|_| call.stalled(idle).with_retry(call.retry_unanswered()))?
                .map_err(|error| {
                    call.transport_error(error)
                        .with_retry(call.retry_unanswered())
                })?;
            let Some(chunk) = chunk else {
                return Ok((body.freeze(), true));
            };
            let room = limit - body.len();
            if chunk.len() > room {
                body.extend_from_slice(&chunk[..room]);
                return Ok((body.freeze(), false));
            }
            body.extend_from_slice(&chunk);
        }
    }
}

impl Call {
    /// Whether to try again when it is not known if the service carried it out.
    fn retry_unanswered(&self) -> Retry {
        if self.repeatable {
            Retry::Yes
        } else {
            Retry::No
        }
    }

    pub(crate) fn is_repeatable(&self) -> bool {
        self.repeatable
    }
}
