//! Who is sent the token, and what happens to a request that is refused for it.
//!
//! One rule for every URL, be it the endpoint's, one that the service hands out (temp uploads, sessions of resumable uploads), or
//! where a download was redirected to. The service may keep bytes on its own host, or in a storage that knows who asks by the
//! URL alone; the official clients send the token there too (redivis-api §6.2, §14). So:
//!
//! - The endpoint's own origin is always sent it.
//! - Another host of the endpoint's registered domain is sent it over https, once it has refused (401 or 403) a request without.
//! - Nobody else ever is.
//!
//! A token that is refused (401) is replaced once, where its source has another one.

use reqwest::header::AUTHORIZATION;
use reqwest::{Method, Request, Response, StatusCode};
use url::Url;

use crate::client::Client;
use crate::credentials::{Credentials, Token, Trust};
use crate::error::Result;

/// Signs the attempts of one request, as its URL and the answers so far allow.
pub(crate) struct Authorization<'a> {
    client: &'a Client,
    /// Where the next attempt goes: where the request was sent to, or was redirected to.
    url: Url,
    redirected: bool,
    signing: bool,
    /// The token to send instead of the current one.
    renewed: Option<Token>,
    /// What the latest attempt carried.
    sent: Option<Token>,
}

impl<'a> Authorization<'a> {
    pub(crate) fn new(client: &'a Client, url: &Url) -> Self {
        let signing = match Trust::of(client.endpoint_url(), url) {
            Trust::Endpoint => true,
            Trust::Domain => {
                let trusted = |credentials: &Credentials| credentials.trusted().contains(url);
                client.credentials().is_some_and(trusted)
            }
            Trust::None => false,
        };
        Self {
            client,
            url: url.clone(),
            redirected: false,
            signing,
            renewed: None,
            sent: None,
        }
    }

    /// Makes the request the next attempt: its URL, and the token if that is sent it.
    pub(crate) async fn sign(&mut self, request: &mut Request) -> Result<()> {
        request.url_mut().clone_from(&self.url);
        let Some(credentials) = self.client.credentials().filter(|_| self.signing) else {
            return Ok(());
        };
        let token = match &self.renewed {
            Some(token) => token.clone(),
            None => credentials.token().await?,
        };
        let header = token.header()?;
        request.headers_mut().insert(AUTHORIZATION, header);
        self.sent = Some(token);
        Ok(())
    }

    /// Whether another attempt may succeed where this one was refused. Each way to another is taken once.
    pub(crate) async fn asks_again(
        &mut self,
        method: &Method,
        response: &Response,
    ) -> Result<bool> {
        let Some(credentials) = self.client.credentials() else {
            return Ok(false);
        };
        let (status, at) = (response.status(), response.url());
        let moved = at.origin() != self.url.origin();
        let trust = Trust::of(self.client.endpoint_url(), at);
        if !matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            let took = status.is_success() || status == StatusCode::PERMANENT_REDIRECT;
            if took && self.signing && !moved && trust == Trust::Domain {
                credentials.trusted().add(at);
            }
            return Ok(false);
        }
        if moved {
            // A redirect to another origin takes the token off. What is no download may be another request there.
            let download = matches!(*method, Method::GET | Method::HEAD);
            if self.redirected || !download || trust == Trust::None {
                return Ok(false);
            }
            self.url = at.clone();
            self.redirected = true;
            self.signing = true;
            return Ok(true);
        }
        if !self.signing {
            self.signing = trust != Trust::None;
            return Ok(self.signing);
        }
        let (StatusCode::UNAUTHORIZED, None, Some(sent)) = (status, &self.renewed, &self.sent)
        else {
            return Ok(false);
        };
        self.renewed = credentials.instead_of(sent).await?;
        Ok(self.renewed.is_some())
    }
}
