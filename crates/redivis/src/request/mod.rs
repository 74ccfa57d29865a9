//! One call of the API: built, sent, and its answer read.
//!
//! In: a [`Call`], which says what is wanted in words and on the wire. Out: the answer, as a value or as bytes still to come,
//! or an [`Error`] in the service's words. Everything on the wire goes through here, so that no caller can forget a timeout,
//! a size limit or the error's words. Uses the client, retries and errors; knows no resource.

mod answer;
mod transport;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName};
use reqwest::{Method, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use url::Url;

use crate::authorization::Authorization;
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::resource::checked_uri;
use crate::retry::Attempts;

/// Larger than a page of 1,000 variables with labels and descriptions; what exceeds it is no metadata.
const MAX_JSON_BYTES: usize = 64 << 20;

/// Shorter parts of a URL are words.
const SECRET_LENGTH: usize = 12;

/// A request that can be sent as often as needed.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    operation: &'static str,
    resource: String,
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    headers: Vec<(HeaderName, String)>,
    body: Option<Bytes>,
    content_type: &'static str,
    repeatable: bool,
    patience: Option<Duration>,
    /// What the service may repeat in its words, and nobody should read.
    secrets: Vec<String>,
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
            headers: Vec::new(),
            body: None,
            content_type: "application/json",
            repeatable: true,
            patience: None,
            secrets: Vec::new(),
        }
    }

    /// What a request to a URL that the service gave is called in messages. The URL may be all it takes to write, so no part
    /// of it that could be a secret is shown.
    pub(crate) fn to_url(operation: &'static str, resource: impl Into<String>, url: &Url) -> Self {
        let parts = url
            .query_pairs()
            .map(|(_, value)| value.into_owned())
            .chain(url.path_segments().into_iter().flatten().map(str::to_owned))
            .filter(|part| part.len() >= SECRET_LENGTH);
        Self {
            secrets: std::iter::once(url.to_string()).chain(parts).collect(),
            ..Self::get(operation, resource, "")
        }
    }

    /// A call with a JSON body that may be repeated without harm.
    pub(crate) fn post(
        operation: &'static str,
        resource: impl Into<String>,
        path: impl Into<String>,
        body: &impl Serialize,
    ) -> Result<Self> {
        Self::get(operation, resource, path).with_body(Method::POST, body)
    }

    /// As [`post`](Self::post), with the fields of a form as its body.
    pub(crate) fn post_form(
        operation: &'static str,
        resource: impl Into<String>,
        path: impl Into<String>,
        fields: &[(&str, &str)],
    ) -> Self {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        Self {
            method: Method::POST,
            body: Some(form.finish().into()),
            content_type: "application/x-www-form-urlencoded",
            ..Self::get(operation, resource, path)
        }
    }

    /// As [`post`](Self::post), without a body.
    pub(crate) fn post_nothing(
        operation: &'static str,
        resource: impl Into<String>,
        path: impl Into<String>,
    ) -> Self {
        Self {
            method: Method::POST,
            ..Self::get(operation, resource, path)
        }
    }

    /// A change of what a JSON body names; made twice, it is the same change.
    pub(crate) fn patch(
        operation: &'static str,
        resource: impl Into<String>,
        path: impl Into<String>,
        body: &impl Serialize,
    ) -> Result<Self> {
        Self::get(operation, resource, path).with_body(Method::PATCH, body)
    }

    fn with_body(self, method: Method, body: &impl Serialize) -> Result<Self> {
        let body = serde_json::to_vec(body).map_err(|error| {
            self.error(ErrorKind::Invalid, "the request cannot be written as JSON")
                .with_source(error)
        })?;
        Ok(Self {
            method,
            body: Some(body.into()),
            ..self
        })
    }

    /// Keep a text out of messages, even if the service repeats it.
    pub(crate) fn secret(mut self, secret: &str) -> Self {
        self.secrets.push(secret.to_owned());
        self
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

    pub(crate) fn header(mut self, name: HeaderName, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    pub(crate) fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        Error::new(self.operation, &self.resource, kind, message)
    }

    pub(crate) fn stalled(&self, waited: Duration) -> Error {
        self.error(
            ErrorKind::Transport,
            format!("nothing arrived for {} s", waited.as_secs_f32()),
        )
    }
}

impl Client {
    /// Sends the call once and returns the answer if its status is a success; its body is still to be read.
    pub(crate) async fn call(&self, call: &Call, streaming: bool) -> Result<Response> {
        let mut request = self.request(call.method.clone(), &call.path);
        if !call.query.is_empty() {
            request = request.query(&call.query);
        }
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        if let Some(body) = &call.body {
            request = request
                .header(CONTENT_TYPE, call.content_type)
                .body(body.clone());
        } else if call.method == Method::POST {
            request = request.header(CONTENT_LENGTH, 0);
        }
        if streaming {
            request = request.header(ACCEPT_ENCODING, "identity");
        }
        let response = self.answer(call, request, streaming).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(self.refusal(call, response).await)
    }

    /// Sends a request of the call once and returns the answer, whatever its status.
    ///
    /// `flowing`: data are on their way, so that a network that is away will come back; before that, the endpoint may just
    /// be wrong.
    pub(crate) async fn answer(
        &self,
        call: &Call,
        request: RequestBuilder,
        flowing: bool,
    ) -> Result<Response> {
        if self.is_offline() {
            return Err(call.error(
                ErrorKind::Offline,
                "this client is offline and sends nothing",
            ));
        }
        let patience = call
            .patience
            .unwrap_or_default()
            .max(self.response_timeout());
        let request = request
            .build()
            .map_err(|error| call.unsent(self, error, flowing))?;
        let mut authorization = Authorization::new(self, request.url());
        loop {
            let mut attempt = request.try_clone().ok_or_else(|| {
                call.error(ErrorKind::Invalid, "the request can be sent only once")
            })?;
            let signed = authorization.sign(&mut attempt).await;
            signed.map_err(|error| call.unsigned(error))?;
            let response = timeout(patience, self.http().execute(attempt))
                .await
                .map_err(|_| call.stalled(patience).with_retry(call.retry_unanswered()))?
                .map_err(|error| call.unsent(self, error, flowing))?;
            let again = authorization.asks_again(request.method(), &response).await;
            if !again.map_err(|error| call.unsigned(error))? {
                self.show_warning(&response);
                return Ok(response);
            }
        }
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

    /// Deletes what a URI names. A repetition that finds nothing left has succeeded.
    pub(crate) async fn delete(&self, operation: &'static str, uri: &str) -> Result<()> {
        let call = Call {
            method: Method::DELETE,
            ..Call::get(operation, uri, checked_uri(operation, uri)?)
        };
        let mut attempts = Attempts::new(self.retry_policy().clone());
        let mut unanswered = false;
        loop {
            match self.call(&call, false).await {
                Ok(_) => return Ok(()),
                Err(error) if unanswered && error.kind() == ErrorKind::NotFound => return Ok(()),
                Err(error) => {
                    unanswered |= error.status().is_none_or(|status| status >= 500);
                    attempts.wait_after(error).await?;
                }
            }
        }
    }

    /// Sends the call once, and reads the answer as JSON.
    pub(crate) async fn json_once<T: DeserializeOwned>(&self, call: &Call) -> Result<T> {
        let response = self.call(call, false).await?;
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

    /// The text without what the call keeps secret.
    fn redact(&self, text: &str) -> String {
        self.secrets
            .iter()
            .fold(text.to_owned(), |text, secret| text.replace(secret, "…"))
    }

    pub(crate) fn is_repeatable(&self) -> bool {
        self.repeatable
    }
}
