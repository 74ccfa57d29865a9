//! Who is told the token, and what happens to a request that is refused for it.

use reqwest::header::AUTHORIZATION;
use reqwest::{Request, Response, StatusCode};
use url::Url;

use crate::client::Client;
use crate::credentials::Token;
use crate::error::{Error, ErrorKind, Result};
use crate::request::Call;

/// Signs the attempts of one request, as its URL and the answers so far allow.
pub(crate) struct Authorization<'a> {
    client: &'a Client,
    call: &'a Call,
    /// Whether the URL is of the endpoint's own origin.
    own: bool,
    /// The token to send instead of the current one.
    renewed: Option<Token>,
    /// What the latest attempt carried.
    sent: Option<Token>,
}

impl<'a> Authorization<'a> {
    pub(crate) fn new(client: &'a Client, call: &'a Call, url: &Url) -> Self {
        let endpoint = Url::parse(client.endpoint());
        Self {
            client,
            call,
            own: endpoint.is_ok_and(|endpoint| endpoint.origin() == url.origin()),
            renewed: None,
            sent: None,
        }
    }

    /// Adds the token, if this URL is told it.
    pub(crate) async fn sign(&mut self, request: &mut Request) -> Result<()> {
        let Some(credentials) = self.client.credentials().filter(|_| self.own) else {
            return Ok(());
        };
        let token = match &self.renewed {
            Some(token) => token.clone(),
            None => credentials
                .token()
                .await
                .map_err(|error| self.unsigned(error))?,
        };
        let header = token.header().map_err(|_| {
            let odd = "the token contains characters that no token has";
            self.call.error(ErrorKind::Configuration, odd)
        })?;
        request.headers_mut().insert(AUTHORIZATION, header);
        self.sent = Some(token);
        Ok(())
    }

    /// Whether another attempt may succeed where this one was refused.
    pub(crate) async fn asks_again(&mut self, response: &Response) -> Result<bool> {
        let (Some(credentials), Some(sent)) = (self.client.credentials(), &self.sent) else {
            return Ok(false);
        };
        if response.status() != StatusCode::UNAUTHORIZED || self.renewed.is_some() {
            return Ok(false);
        }
        let renewed = credentials.instead_of(sent).await;
        self.renewed = renewed.map_err(|error| self.unsigned(error))?;
        Ok(self.renewed.is_some())
    }

    /// The failure of a request that has no token to be sent with.
    fn unsigned(&self, error: Error) -> Error {
        self.call
            .error(error.kind(), error.to_string())
            .with_retry(error.retry())
            .with_source(error)
    }
}
