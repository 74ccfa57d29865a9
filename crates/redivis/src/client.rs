//! The client: where requests go, as whom, and how patiently.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::{Action, Attempt, Policy};
use reqwest::{Method, RequestBuilder};
use url::Url;

use crate::credentials::{Credentials, Token, TokenSource};
use crate::endpoint::{CONFIGURE, endpoint_url, is_loopback};
use crate::error::{Error, ErrorKind, Result, root_cause};
use crate::retry::RetryPolicy;
use crate::route::Route;

const DEFAULT_ENDPOINT: &str = "https://redivis.com/api/v1";

/// A client of the Redivis API.
///
/// Cheap to clone; clones share one connection pool. Every future and stream it makes is `Send + 'static`, does nothing
/// before it is polled, and stops its request when it is dropped.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    read_timeout: Duration,
    upload_chunk_size: Option<u64>,
    is_offline: bool,
}

struct Shared {
    http: reqwest::Client,
    route: Route,
    endpoint: String,
    endpoint_url: Url,
    /// Requests are signed one by one, as some go to hosts that must not know the token.
    credentials: Option<Credentials>,
    response_timeout: Duration,
    retry: RetryPolicy,
}

impl Shared {
    /// The same without credentials.
    fn anonymous(&self) -> Self {
        Self {
            http: self.http.clone(),
            route: self.route.clone(),
            endpoint: self.endpoint.clone(),
            endpoint_url: self.endpoint_url.clone(),
            credentials: None,
            response_timeout: self.response_timeout,
            retry: self.retry.clone(),
        }
    }
}

impl Client {
    /// A client as the environment says: `REDIVIS_API_ENDPOINT` (default `https://redivis.com/api/v1`) and
    /// `REDIVIS_API_TOKEN` (absent: anonymous), as for the official clients (redivis-api §1.2).
    pub fn from_env() -> Result<Self> {
        ClientBuilder::from_env().build()
    }

    /// A client configured step by step; nothing is taken from the environment.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// The base URL, without a slash at its end.
    pub fn endpoint(&self) -> &str {
        &self.shared.endpoint
    }

    /// Whether requests carry no token: then only public data can be read. A client with a [`TokenSource`] is never anonymous.
    pub fn is_anonymous(&self) -> bool {
        self.shared.credentials.is_none()
    }

    /// The same client, connections included, with another idle timeout.
    #[must_use]
    pub fn with_read_timeout(mut self, timeout: Duration) -> Self {
        self.read_timeout = timeout;
        self
    }

    /// The same client, connections included, that takes its token from a source.
    #[must_use]
    pub fn with_token_source(&self, source: Arc<dyn TokenSource>) -> Self {
        let shared = Shared {
            credentials: Some(Credentials::new(source)),
            ..self.shared.anonymous()
        };
        Self {
            shared: Arc::new(shared),
            ..self.clone()
        }
    }

    /// The same connections for what lies beside the API: at the root of the endpoint's origin.
    pub(crate) fn at_origin(&self, token: Option<Token>, retry: RetryPolicy) -> Self {
        let endpoint = self.shared.endpoint_url.origin().ascii_serialization();
        let shared = Shared {
            endpoint,
            credentials: token.map(Credentials::constant),
            retry,
            ..self.shared.anonymous()
        };
        Self {
            shared: Arc::new(shared),
            ..self.clone()
        }
    }

    /// The same client, which sends nothing: every request fails at once with [`ErrorKind::Offline`].
    #[must_use]
    pub fn offline(mut self) -> Self {
        self.is_offline = true;
        self
    }

    /// Whether it sends nothing.
    pub fn is_offline(&self) -> bool {
        self.is_offline
    }

    /// How long the headers of a response may take before the attempt counts as failed.
    pub fn response_timeout(&self) -> Duration {
        self.shared.response_timeout
    }

    /// The same client, which sends this many bytes of a resumable upload at a time, rounded down to a multiple of 256 KiB.
    /// `None`, the default: all that is left, as the official clients do. See [`write`](crate::write).
    #[must_use]
    pub fn with_upload_chunk_size(mut self, bytes: Option<u64>) -> Self {
        self.upload_chunk_size = bytes;
        self
    }

    /// How many bytes of a resumable upload are sent at a time; `None`: all that is left.
    pub fn upload_chunk_size(&self) -> Option<u64> {
        self.upload_chunk_size
    }

    /// How long the body of a response may stay silent before the attempt counts as failed.
    pub fn read_timeout(&self) -> Duration {
        self.read_timeout
    }

    pub(crate) fn retry_policy(&self) -> &RetryPolicy {
        &self.shared.retry
    }

    pub(crate) fn credentials(&self) -> Option<&Credentials> {
        self.shared.credentials.as_ref()
    }

    pub(crate) fn route(&self) -> &Route {
        &self.shared.route
    }

    pub(crate) fn endpoint_url(&self) -> &Url {
        &self.shared.endpoint_url
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.shared.http
    }

    /// A request to the endpoint.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.endpoint());
        self.http().request(method, url)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("endpoint", &self.shared.endpoint)
            .field("anonymous", &self.is_anonymous())
            .field("read_timeout", &self.read_timeout)
            .field("retry", &self.shared.retry)
            .finish_non_exhaustive()
    }
}

/// Builds a [`Client`]; made by [`Client::builder`].
#[derive(Clone)]
#[must_use]
pub struct ClientBuilder {
    endpoint: String,
    identity: Identity,
    http: Option<reqwest::Client>,
    connect_timeout: Duration,
    response_timeout: Duration,
    read_timeout: Duration,
    retry: RetryPolicy,
    user_agent: String,
}

/// Who asks.
#[derive(Clone)]
enum Identity {
    Anonymous,
    Token(Token),
    Source(Arc<dyn TokenSource>),
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            endpoint: DEFAULT_ENDPOINT.to_owned(),
            identity: Identity::Anonymous,
            http: None,
            connect_timeout: Duration::from_secs(10),
            response_timeout: Duration::from_secs(125),
            read_timeout: Duration::from_secs(60),
            retry: RetryPolicy::default(),
            user_agent: concat!("redivis-rust/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

impl ClientBuilder {
    /// A builder with what the environment says, as [`Client::from_env`] reads it.
    pub fn from_env() -> Self {
        let mut builder = Self::default();
        if let Ok(endpoint) = std::env::var("REDIVIS_API_ENDPOINT")
            && !endpoint.trim().is_empty()
        {
            builder = builder.endpoint(endpoint);
        }
        if let Some(token) = Token::from_env() {
            builder = builder.token(token);
        }
        builder
    }

    /// The API's base URL, with or without a slash at its end. Default: `https://redivis.com/api/v1`.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = endpoint.into();
        self
    }

    /// The token to send. Default: none, so anonymous.
    pub fn token(mut self, token: Token) -> Self {
        self.identity = match token.is_empty() {
            true => Identity::Anonymous,
            false => Identity::Token(token),
        };
        self
    }

    /// Where to get the token for each request, instead of a constant [`token`](Self::token): the one that is set last counts.
    ///
    /// A request that the service refuses (401) is sent once more if the source has another token then.
    pub fn token_source(mut self, source: Arc<dyn TokenSource>) -> Self {
        self.identity = Identity::Source(source);
        self
    }

    /// The HTTP client to send with, for instance one that other parts of a program use too, or that trusts other certificates.
    ///
    /// Its own settings stay as they are, instead of [`connect_timeout`](Self::connect_timeout) and
    /// [`user_agent`](Self::user_agent). It should follow redirects and speak HTTP/1.1 only, and must not add an
    /// `Authorization` of its own: which hosts are told the token is decided here. For [`oauth`](crate::oauth) it should follow
    /// no redirect to other hosts, since the body of a request there is a secret.
    pub fn http_client(mut self, http: reqwest::Client) -> Self {
        self.http = Some(http);
        self
    }

    /// How long a connection may take to be made. Default: 10 seconds.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long the headers of a response may take before the attempt counts as failed: the service may do all of its work
    /// before it answers. Default: 125 seconds, as for the official Python client (redivis-api §14).
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        self.response_timeout = timeout;
        self
    }

    /// How long the body of a response may stay silent before the attempt counts as failed. Only time spent waiting counts,
    /// not the time the reader takes. Default: 60 seconds.
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.read_timeout = timeout;
        self
    }

    /// When failed requests are repeated.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// The `User-Agent`. Default: `redivis-rust/<version>`.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// Makes the client. No connection is opened yet.
    ///
    /// Fails with [`ErrorKind::Configuration`] if the endpoint is not an `http` or `https` URL or the token cannot stand in
    /// a header.
    pub fn build(self) -> Result<Client> {
        let url = endpoint_url(&self.endpoint)?;
        let endpoint = url.as_str().trim_end_matches('/').to_owned();
        let refused =
            |message: &str| Error::new(CONFIGURE, &endpoint, ErrorKind::Configuration, message);

        let credentials = match self.identity {
            Identity::Anonymous => None,
            Identity::Token(token) => {
                token.header()?;
                Some(Credentials::constant(token))
            }
            Identity::Source(source) => Some(Credentials::new(source)),
        };
        if credentials.is_some() && url.scheme() == "http" && !is_loopback(&url) {
            tracing::warn!(%endpoint, "the token is sent unencrypted, as the endpoint is not https");
        }
        let mut route = Route::default();
        let http = match self.http {
            Some(http) => http,
            None => {
                let mut http = reqwest::Client::builder()
                    .http1_only()
                    .user_agent(self.user_agent)
                    .referer(false)
                    .redirect(Policy::custom(followed))
                    .tcp_nodelay(true)
                    .connect_timeout(self.connect_timeout);
                if is_loopback(&url) {
                    // A proxy could not reach a server on this machine.
                    http = http.no_proxy();
                } else {
                    route = Route::from_env();
                }
                http.build().map_err(|error| {
                    let cause = root_cause(&error);
                    let message = format!(
                        "the HTTP client cannot be set up: {cause}; the system's certificates, or those that SSL_CERT_FILE \
                         and SSL_CERT_DIR name, must be readable"
                    );
                    refused(&message).with_source(error)
                })?
            }
        };
        Ok(Client {
            shared: Arc::new(Shared {
                http,
                route,
                endpoint,
                endpoint_url: url,
                credentials,
                response_timeout: self.response_timeout,
                retry: self.retry,
            }),
            read_timeout: self.read_timeout,
            upload_chunk_size: None,
            is_offline: false,
        })
    }
}

/// Follows a redirect as usual, but none of a sign-in: its body is a secret, and would be sent along.
fn followed(attempt: Attempt<'_>) -> Action {
    let first = attempt.previous().first();
    match first.is_some_and(|url| url.path().starts_with("/oauth/")) {
        true => attempt.stop(),
        false => Policy::default().redirect(attempt),
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let anonymous = matches!(self.identity, Identity::Anonymous);
        f.debug_struct("ClientBuilder")
            .field("endpoint", &self.endpoint)
            .field("anonymous", &anonymous)
            .field("connect_timeout", &self.connect_timeout)
            .field("response_timeout", &self.response_timeout)
            .field("read_timeout", &self.read_timeout)
            .field("retry", &self.retry)
            .field("user_agent", &self.user_agent)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_with_and_without_a_slash() {
        for text in ["http://127.0.0.1:1/api/v1", "http://127.0.0.1:1/api/v1/"] {
            let client = Client::builder().endpoint(text).build().unwrap();
            assert_eq!(client.endpoint(), "http://127.0.0.1:1/api/v1");
            assert!(client.is_anonymous());
        }
    }

    #[test]
    fn bad_configuration_is_refused_without_showing_secrets() {
        for endpoint in [
            "",
            "redivis.com",
            "ftp://redivis.com",
            "https://me:hunter2@redivis.com/api/v1",
            "https://redivis.com/api/v1?token=hunter2",
            "https://redivis.com/#x",
        ] {
            let error = Client::builder().endpoint(endpoint).build().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
        let error = Client::builder()
            .token(Token::new("hunter2\nX-Evil: 1"))
            .build()
            .unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }

    #[test]
    fn debug_shows_no_token() {
        let client = Client::builder()
            .token(Token::new("hunter2"))
            .build()
            .unwrap();
        assert!(!client.is_anonymous());
        assert!(!format!("{client:?}").contains("hunter2"));
    }
}
