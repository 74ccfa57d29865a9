//! The client: where requests go, as whom, and how patiently.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Method, RequestBuilder};
use url::{Host, Url};

use crate::credentials::Token;
use crate::error::{Error, ErrorKind, Result};
use crate::retry::RetryPolicy;

const DEFAULT_ENDPOINT: &str = "https://redivis.com/api/v1";
const CONFIGURE: &str = "configure the client for";

/// A client of the Redivis API.
///
/// Cheap to clone; clones share one connection pool. Every future and stream it makes is `Send + 'static`, does nothing
/// before it is polled, and stops its request when it is dropped.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    read_timeout: Duration,
    upload_chunk_size: Option<u64>,
}

struct Shared {
    http: reqwest::Client,
    endpoint: String,
    token: Option<Token>,
    /// The token as the header that carries it. Requests add it one by one, as some go to hosts that must not know it.
    authorization: Option<HeaderValue>,
    response_timeout: Duration,
    retry: RetryPolicy,
}

impl Client {
    /// A client as the environment says: `REDIVIS_API_ENDPOINT` (default `https://redivis.com/api/v1`) and
    /// `REDIVIS_API_TOKEN` (absent: anonymous), as for the official clients (redivis-api §1.2).
    pub fn from_env() -> Result<Self> {
        let mut builder = Self::builder();
        if let Ok(endpoint) = std::env::var("REDIVIS_API_ENDPOINT")
            && !endpoint.trim().is_empty()
        {
            builder = builder.endpoint(endpoint);
        }
        if let Some(token) = Token::from_env() {
            builder = builder.token(token);
        }
        builder.build()
    }

    /// A client configured step by step; nothing is taken from the environment.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// The base URL, without a slash at its end.
    pub fn endpoint(&self) -> &str {
        &self.shared.endpoint
    }

    /// Whether requests carry no token: then only public data can be read.
    pub fn is_anonymous(&self) -> bool {
        self.shared.token.is_none()
    }

    /// The same client, connections included, with another idle timeout.
    #[must_use]
    pub fn with_read_timeout(mut self, timeout: Duration) -> Self {
        self.read_timeout = timeout;
        self
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

    /// How long the headers of a response may take before the attempt counts as failed.
    pub fn response_timeout(&self) -> Duration {
        self.shared.response_timeout
    }

    /// How long the body of a response may stay silent before the attempt counts as failed.
    pub fn read_timeout(&self) -> Duration {
        self.read_timeout
    }

    pub(crate) fn retry_policy(&self) -> &RetryPolicy {
        &self.shared.retry
    }

    pub(crate) fn token(&self) -> Option<&Token> {
        self.shared.token.as_ref()
    }

    /// A request to the endpoint, signed.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.endpoint());
        self.signed(self.shared.http.request(method, url))
    }

    /// A request to a URL that the service gave: signed only where it leads back to the endpoint's own origin.
    pub(crate) fn request_to(&self, method: Method, url: &Url) -> RequestBuilder {
        let request = self.shared.http.request(method, url.clone());
        match Url::parse(self.endpoint()) {
            Ok(endpoint) if endpoint.origin() == url.origin() => self.signed(request),
            _ => request,
        }
    }

    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.shared.authorization {
            Some(value) => request.header(AUTHORIZATION, value),
            None => request,
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("endpoint", &self.shared.endpoint)
            .field("token", &self.shared.token)
            .field("read_timeout", &self.read_timeout)
            .field("retry", &self.shared.retry)
            .finish_non_exhaustive()
    }
}

/// Builds a [`Client`]; made by [`Client::builder`].
#[derive(Debug, Clone)]
#[must_use]
pub struct ClientBuilder {
    endpoint: String,
    token: Option<Token>,
    connect_timeout: Duration,
    response_timeout: Duration,
    read_timeout: Duration,
    retry: RetryPolicy,
    user_agent: String,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            endpoint: DEFAULT_ENDPOINT.to_owned(),
            token: None,
            connect_timeout: Duration::from_secs(10),
            response_timeout: Duration::from_secs(125),
            read_timeout: Duration::from_secs(60),
            retry: RetryPolicy::default(),
            user_agent: concat!("redivis-rust/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

impl ClientBuilder {
    /// The API's base URL, with or without a slash at its end. Default: `https://redivis.com/api/v1`.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = endpoint.into();
        self
    }

    /// The token to send. Default: none, so anonymous.
    pub fn token(mut self, token: Token) -> Self {
        self.token = Some(token);
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

        let mut authorization = None;
        let token = self.token.filter(|token| !token.secret().is_empty());
        if let Some(token) = &token {
            let mut value = HeaderValue::try_from(format!("Bearer {}", token.secret()))
                .map_err(|_| refused("the token contains characters that no token has"))?;
            value.set_sensitive(true);
            authorization = Some(value);
            if url.scheme() == "http" && !is_loopback(&url) {
                tracing::warn!(%endpoint, "the token is sent unencrypted, as the endpoint is not https");
            }
        }

        let mut http = reqwest::Client::builder()
            .http1_only()
            .user_agent(self.user_agent)
            .referer(false)
            .tcp_nodelay(true)
            .connect_timeout(self.connect_timeout);
        if is_loopback(&url) {
            // A proxy could not reach a server on this machine.
            http = http.no_proxy();
        }
        let http = http
            .build()
            .map_err(|error| refused("the HTTP client cannot be set up").with_source(error))?;
        Ok(Client {
            shared: Arc::new(Shared {
                http,
                endpoint,
                token,
                authorization,
                response_timeout: self.response_timeout,
                retry: self.retry,
            }),
            read_timeout: self.read_timeout,
            upload_chunk_size: None,
        })
    }
}

/// The endpoint as a URL; the text itself is not shown where it may hold credentials.
fn endpoint_url(text: &str) -> Result<Url> {
    let refused = |shown: &str, message: &str| {
        Error::new(CONFIGURE, shown, ErrorKind::Configuration, message)
    };
    let url = Url::parse(text.trim()).map_err(|error| {
        refused(
            "its endpoint",
            "it is not a URL such as https://redivis.com/api/v1",
        )
        .with_source(error)
    })?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(refused(
            "its endpoint",
            "it must start with https:// or http:// and name a host",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused(
            "its endpoint",
            "the URL must not contain a user name or password; set REDIVIS_API_TOKEN instead",
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("its endpoint", "the URL must not contain ? or #"));
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
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
