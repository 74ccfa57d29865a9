//! Requests whose answers are kept as they came: status, header fields, bytes, times. Sent once each.
//!
//! The token goes to the endpoint's own origin only, and redirects are answers: nothing follows them.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use reqwest::redirect::Policy;
use reqwest::{Method, Request, RequestBuilder, Response, StatusCode, Url};
use serde_json::Value;

use redivis::{Token, TokenSource};

use super::report::Secrets;
use crate::connect::Identity;
use crate::failure::Failure;

/// As long as the client waits (redivis-api §14).
const PATIENCE: Duration = Duration::from_secs(125);

pub(super) struct Probe {
    http: reqwest::Client,
    endpoint: String,
    origin: Url,
    identity: Arc<Identity>,
    secrets: Secrets,
}

/// All of an answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// Until the header fields were there.
    pub(super) headers_after: Duration,
    pub(super) body: Vec<u8>,
    /// Why the body ended early.
    pub(super) broken: Option<String>,
}

/// An answer, or why there is none.
pub(super) type Outcome = Result<Answer, String>;

impl Probe {
    pub(super) fn new(
        endpoint: &str,
        identity: Identity,
        secrets: Secrets,
    ) -> Result<Self, Failure> {
        let unusable = |error: &dyn std::fmt::Display| Failure::Usage(error.to_string());
        let origin: Url = endpoint.parse().map_err(|error| unusable(&error))?;
        Ok(Self {
            http: http(&origin).map_err(|error| unusable(&error))?,
            endpoint: endpoint.to_owned(),
            origin,
            identity: Arc::new(identity),
            secrets,
        })
    }

    /// The same with no connection open.
    pub(super) fn unconnected(&self) -> Result<Self, Failure> {
        Ok(Self {
            http: http(&self.origin).map_err(|error| Failure::Usage(error.to_string()))?,
            endpoint: self.endpoint.clone(),
            origin: self.origin.clone(),
            identity: Arc::clone(&self.identity),
            secrets: self.secrets.clone(),
        })
    }

    pub(super) fn is_anonymous(&self) -> bool {
        matches!(*self.identity, Identity::Anonymous)
    }

    /// Whether a URL is one of the endpoint's own origin.
    pub(super) fn is_own(&self, url: &Url) -> bool {
        self.origin.origin() == url.origin()
    }

    pub(super) async fn get(&self, path: &str) -> Outcome {
        self.ask(Method::GET, path, None, true).await
    }

    pub(super) async fn head(&self, path: &str) -> Outcome {
        self.ask(Method::HEAD, path, None, true).await
    }

    /// Without the token.
    pub(super) async fn get_anonymously(&self, path: &str) -> Outcome {
        self.ask(Method::GET, path, None, false).await
    }

    pub(super) async fn post(&self, path: &str, json: &Value) -> Outcome {
        self.ask(Method::POST, path, Some(json), true).await
    }

    async fn ask(&self, method: Method, path: &str, json: Option<&Value>, sign: bool) -> Outcome {
        let url = self.url(path)?;
        let mut request = self.http.request(method, url).timeout(PATIENCE);
        if let Some(json) = json {
            request = request.json(json);
        }
        self.answer(self.prepare(request, sign).await?).await
    }

    /// To a URL that the service gave, with the token if it is the endpoint's own.
    pub(super) async fn ask_url(
        &self,
        method: Method,
        url: &Url,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
    ) -> Outcome {
        let mut request = self.http.request(method, url.clone()).body(body);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = self.prepare(request.timeout(PATIENCE), true).await?;
        self.answer(request).await
    }

    /// The answer to a `GET` once its header fields are there.
    pub(super) async fn open(&self, path: &str) -> Result<Response, String> {
        let request = self.http.get(self.url(path)?);
        let request = self.prepare(request, true).await?;
        self.http.execute(request).await.map_err(error_text)
    }

    fn url(&self, path: &str) -> Result<Url, String> {
        let odd = || "the service gives a path that is none".to_owned();
        if !path.starts_with('/') {
            return Err(odd());
        }
        let url = format!("{}{path}", self.endpoint);
        url.parse().map_err(|_| odd())
    }

    async fn prepare(&self, request: RequestBuilder, sign: bool) -> Result<Request, String> {
        let mut request = request.build().map_err(error_text)?;
        if sign && self.is_own(request.url()) {
            let token = match &*self.identity {
                Identity::Anonymous => None,
                Identity::Environment => Token::from_env(),
                Identity::Login(_, login) => {
                    Some(login.token().await.map_err(|error| error.to_string())?)
                }
            };
            if let Some(token) = token {
                let header = token.header().map_err(|error| error.to_string())?;
                if let Some(secret) = header
                    .to_str()
                    .ok()
                    .and_then(|it| it.strip_prefix("Bearer "))
                {
                    self.secrets.add(secret);
                }
                request.headers_mut().insert(AUTHORIZATION, header);
            }
        }
        Ok(request)
    }

    async fn answer(&self, request: Request) -> Outcome {
        let start = Instant::now();
        let mut response = self.http.execute(request).await.map_err(error_text)?;
        let headers_after = start.elapsed();
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        let broken = loop {
            match response.chunk().await {
                Ok(Some(bytes)) => body.extend_from_slice(&bytes),
                Ok(None) => break None,
                Err(error) => break Some(error_text(error)),
            }
        };
        let answer = Answer {
            status,
            headers,
            headers_after,
            body,
            broken,
        };
        self.secrets.add_from(&answer.json());
        Ok(answer)
    }
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON; null where it is none.
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// What the first bytes tell.
    fn looks_like(&self) -> &'static str {
        match self.body.trim_ascii_start().first() {
            _ if self.body.starts_with(&[0xff; 4]) => "Arrow",
            None => "white space",
            Some(b'{' | b'[') => "JSON",
            Some(b'<') => "a page",
            Some(_) => "other text or bytes",
        }
    }

    /// In one line: status, form, size, time.
    pub(super) fn summary(&self) -> String {
        let content = self.header(CONTENT_TYPE.as_str()).unwrap_or("no type");
        let mut text = format!("{}, {content}", self.status.as_u16());
        match self.body.len() {
            0 => text.push_str(", no body"),
            bytes => text.push_str(&format!(
                ", looks like {}, {bytes} bytes",
                self.looks_like()
            )),
        }
        for name in ["content-encoding", "transfer-encoding", "retry-after"] {
            if let Some(value) = self.header(name) {
                text.push_str(&format!(", {name} {value}"));
            }
        }
        if let Some(host) = self
            .header("location")
            .and_then(|it| it.parse::<Url>().ok())
        {
            text.push_str(&format!(", location at {}", host.host_str().unwrap_or("?")));
        }
        let json = self.json();
        if let (false, Some(fields)) = (self.status.is_success(), json.as_object()) {
            let names: Vec<&str> = fields.keys().map(String::as_str).collect();
            text.push_str(&format!(", fields [{}]", names.join(" ")));
            if let Some(code) = json["error"].as_str() {
                text.push_str(&format!(", error {code}"));
            }
        }
        if let Some(broken) = &self.broken {
            text.push_str(&format!(", broken off: {broken}"));
        }
        format!("{text}, {} ms", self.headers_after.as_millis())
    }
}

/// An answer in one line.
pub(super) fn summary(asked: &Outcome) -> String {
    match asked {
        Ok(answer) => answer.summary(),
        Err(error) => format!("no answer: {error}"),
    }
}

/// An error without its URL, which may be a secret.
fn error_text(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn http(endpoint: &Url) -> reqwest::Result<reqwest::Client> {
    let mut http = reqwest::Client::builder()
        .http1_only()
        .user_agent(concat!("redivis-rust/", env!("CARGO_PKG_VERSION")))
        .referer(false)
        .redirect(Policy::none())
        .tcp_nodelay(true)
        .no_gzip()
        .connect_timeout(Duration::from_secs(10));
    let host = endpoint.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    if host == "localhost" || address.is_ok_and(|address| address.is_loopback()) {
        // A proxy could not reach a server on this machine.
        http = http.no_proxy();
    }
    http.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn paths_stay_at_the_endpoint() {
        let endpoint = "http://127.0.0.1:9";
        let probe = Probe::new(endpoint, Identity::Anonymous, Secrets::default()).unwrap();
        for path in [
            "@evil.example/x",
            ".evil.example/x",
            "http://evil.example/",
            "",
        ] {
            assert!(probe.url(path).is_err(), "{path}");
        }
        assert!(probe.is_own(&probe.url("//evil.example/x").unwrap()));
        for url in [
            "http://127.0.0.1:10/x",
            "https://127.0.0.1:9/x",
            "http://evil.example:9/",
        ] {
            assert!(!probe.is_own(&url.parse().unwrap()), "{url}");
        }
    }
}
