//! What went wrong, said so that a program can decide and a person can act.
//!
//! One error type for the whole crate: callers match on [`ErrorKind`], people read the message, and nobody parses text.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The result of every call of this crate.
pub type Result<T> = std::result::Result<T, Error>;

type Source = Arc<dyn StdError + Send + Sync>;

/// A failed operation: what was tried, on what, why it failed, and whether trying again may help.
///
/// Never contains the token.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    operation: &'static str,
    resource: String,
    kind: ErrorKind,
    retry: Retry,
    message: String,
    status: Option<u16>,
    code: Option<String>,
    retry_after: Option<Duration>,
    wanted: Wanted,
    tried: Option<(u32, Duration)>,
    may_have_happened: bool,
    source: Option<Source>,
}

/// What a token lacks, in the service's words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) scopes: Vec<String>,
    pub(crate) amr_values: Vec<String>,
}

/// The kinds of failure that callers treat differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The resource does not exist, or may not be seen (404; 410 for what has expired).
    NotFound,
    /// No token, or one that the service does not accept (401).
    Unauthorized,
    /// The token does not allow this (403).
    Forbidden,
    /// The service refused what was asked, a query failed, or the caller's input was not valid.
    Invalid,
    /// Too many requests (429), for longer than the retry policy waits.
    RateLimited,
    /// The service failed (5xx), for longer than the retry policy waits.
    Unavailable,
    /// Nothing was sent, as the client is [offline](crate::Client::offline).
    Offline,
    /// The network failed: DNS, connection, TLS, a stall or a body that was cut.
    Transport,
    /// The answer was not what the API promises: HTML instead of JSON, garbage instead of Arrow, a changed schema.
    Protocol,
    /// The rows themselves are at fault: a value that cannot be read as its variable's type.
    Data,
    /// The client is not configured correctly: a bad endpoint URL, an unusable token.
    Configuration,
}

/// How far repeating the same request may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retry {
    /// The same request gives the same answer.
    No,
    /// A few times: an odd answer may come from something in between, but it may also be what the service says.
    Few,
    /// As long as the policy allows.
    Yes,
}

impl Error {
    pub(crate) fn new(
        operation: &'static str,
        resource: impl Into<String>,
        kind: ErrorKind,
        message: impl Into<String>,
    ) -> Self {
        let retry = match kind {
            ErrorKind::RateLimited | ErrorKind::Unavailable | ErrorKind::Transport => Retry::Yes,
            ErrorKind::Protocol => Retry::Few,
            _ => Retry::No,
        };
        Self(Box::new(Inner {
            operation,
            resource: resource.into(),
            kind,
            retry,
            message: message.into(),
            status: None,
            code: None,
            retry_after: None,
            wanted: Wanted::default(),
            tried: None,
            may_have_happened: false,
            source: None,
        }))
    }

    /// The failure of a [`TokenSource`](crate::TokenSource) that has no token: of kind [`ErrorKind::Unauthorized`], so not
    /// tried again. The words of `source` are shown to people, and must not contain a secret.
    pub fn no_token(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let source = source.into();
        let message = source.to_string();
        Self::new("get a token", "", ErrorKind::Unauthorized, message).with_source(source)
    }

    pub(crate) fn with_source(
        mut self,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    pub(crate) fn with_retry(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    pub(crate) fn with_response(
        mut self,
        status: u16,
        code: Option<String>,
        retry_after: Option<Duration>,
    ) -> Self {
        self.0.status = Some(status);
        self.0.code = code;
        self.0.retry_after = retry_after;
        self
    }

    pub(crate) fn with_wanted(mut self, wanted: Wanted) -> Self {
        self.0.wanted = wanted;
        self
    }

    pub(crate) fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    pub(crate) fn with_tried(mut self, attempts: u32, elapsed: Duration) -> Self {
        self.0.tried = Some((attempts, elapsed));
        self
    }

    /// Nobody knows whether it was done: `remedy` says how to find out.
    pub(crate) fn with_unknown_outcome(mut self, remedy: &str) -> Self {
        if !self.0.may_have_happened {
            self.0.may_have_happened = true;
            self.0.message = format!("{}; {remedy}", self.0.message);
        }
        self.with_retry(Retry::No)
    }

    /// Whether a request that must not be made twice has got no answer that says what came of it.
    pub(crate) fn leaves_open(&self) -> bool {
        self.0.retry == Retry::No
            && match self.0.kind {
                ErrorKind::Transport | ErrorKind::Protocol => true,
                ErrorKind::Unavailable => matches!(self.0.status, Some(500 | 502 | 504)),
                _ => false,
            }
    }

    pub(crate) fn retry(&self) -> Retry {
        self.0.retry
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// What was tried, as a verb with its object: "read stream", "get table".
    pub fn operation(&self) -> &str {
        self.0.operation
    }

    /// What it was tried on: a reference, a URI or a stream's id; empty when there is none.
    pub fn resource(&self) -> &str {
        &self.0.resource
    }

    /// The kind of failure.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the same request may succeed later. Retries within the policy have been made already.
    pub fn is_retryable(&self) -> bool {
        self.0.retry != Retry::No
    }

    /// Whether a step that creates or releases may have been carried out, or may still be, although it failed. Where this is
    /// `false` nothing was changed.
    pub fn may_have_happened(&self) -> bool {
        self.0.may_have_happened
    }

    /// The HTTP status, when the service answered.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The service's short code for the error, such as `not_found` or `insufficient_scope` (redivis-api §1.4).
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The scopes that the token should carry for this, where the service names them (redivis-api §1.3). They are words of
    /// letters, digits and `.:_-`, so they can be shown as part of a command.
    pub fn scopes(&self) -> &[String] {
        &self.0.wanted.scopes
    }

    /// How the person should have signed in for this (`amr_values`), where the service names it; words as of
    /// [`scopes`](Self::scopes).
    pub fn amr_values(&self) -> &[String] {
        &self.0.wanted.amr_values
    }

    /// The reason alone: the service's own words where it gave any, without operation, resource and status.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// How often it was tried without progress, and for how long after the first failure, when it was tried more than once.
    pub fn attempts(&self) -> Option<(u32, Duration)> {
        self.0.tried
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            operation,
            resource,
            message,
            ..
        } = &*self.0;
        write!(f, "cannot {operation}")?;
        if !resource.is_empty() {
            write!(f, " {resource}")?;
        }
        write!(f, ": {message}")?;
        match (self.0.status, &self.0.code) {
            (Some(status), Some(code)) => write!(f, " (HTTP {status}, {code})")?,
            (Some(status), None) => write!(f, " (HTTP {status})")?,
            _ => {}
        }
        if let Some((attempts, elapsed)) = self.0.tried {
            write!(
                f,
                "; gave up after {attempts} attempts in {:.1} s",
                elapsed.as_secs_f64()
            )?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("operation", &self.0.operation)
            .field("resource", &self.0.resource)
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("status", &self.0.status)
            .field("code", &self.0.code)
            .field("retry_after", &self.0.retry_after)
            .field("attempts", &self.0.tried)
            .field("may_have_happened", &self.0.may_have_happened)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

/// The innermost cause: the only part of a network error that says something.
pub(crate) fn root_cause(error: &dyn StdError) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
