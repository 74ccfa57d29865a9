//! The requests of OAuth: they go to the root of the endpoint's origin, not below its path (redivis-api §1.3).

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::grant::{Grant, Issued, seconds};
use crate::client::Client;
use crate::credentials::Token;
use crate::error::{Error, ErrorKind, Result};
use crate::request::Call;
use crate::retry::RetryPolicy;

const SIGN_IN: &str = "sign in at";
const RENEW: &str = "renew the sign-in at";
/// A person or a program is waiting.
const ATTEMPTS: u32 = 3;

/// Where one endpoint's tokens are issued.
#[derive(Debug, Clone)]
pub(super) struct Issuer {
    /// The endpoint that the tokens are for, as people know it.
    endpoint: String,
    client: Client,
}

/// A login that has begun.
#[derive(Deserialize)]
pub(super) struct Begun {
    pub(super) device_code: String,
    pub(super) verification_uri_complete: Option<String>,
    pub(super) verification_uri: Option<String>,
    pub(super) user_code: Option<String>,
    /// Seconds between two questions.
    #[serde(default, deserialize_with = "seconds")]
    pub(super) interval: Option<u64>,
    #[serde(default, deserialize_with = "seconds")]
    pub(super) expires_in: Option<u64>,
}

impl Issuer {
    /// The issuer for an endpoint; `former` is told to it where scopes are added to those of a token.
    pub(super) fn of(client: &Client, former: Option<Token>) -> Self {
        let retry = RetryPolicy {
            max_attempts: client.retry_policy().max_attempts.min(ATTEMPTS),
            ..client.retry_policy().clone()
        };
        Self {
            endpoint: client.endpoint().to_owned(),
            client: client.at_origin(former, retry),
        }
    }

    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(super) fn retry_policy(&self) -> &RetryPolicy {
        self.client.retry_policy()
    }

    pub(super) async fn begin(&self, request: &Value) -> Result<Begun> {
        let path = "/oauth/device_authorization";
        self.ask(&Call::post(SIGN_IN, &self.endpoint, path, request)?)
            .await
    }

    /// Asks for the tokens of a login that has begun.
    pub(super) async fn redeem(
        &self,
        client_id: &str,
        device_code: &str,
        verifier: &str,
    ) -> Result<Issued> {
        let fields = [
            ("client_id", client_id),
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", device_code),
            ("code_verifier", verifier),
        ];
        let call = Call::post_form(SIGN_IN, &self.endpoint, "/oauth/token", &fields);
        self.ask(&call.secret(device_code).secret(verifier)).await
    }

    /// A new access token for a refresh token. Not repeated blindly: the refresh token may be good for one time.
    pub(super) async fn renew(&self, grant: &Grant, refresh_token: &str) -> Result<Grant> {
        let fields = [
            ("client_id", grant.client_id()),
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
        ];
        let call = Call::post_form(RENEW, &self.endpoint, "/oauth/token", &fields);
        let call = call.secret(refresh_token).not_repeatable();
        Ok(grant.renewed(self.ask(&call).await?))
    }

    async fn ask<T: DeserializeOwned>(&self, call: &Call) -> Result<T> {
        self.client.json(call).await.map_err(classified)
    }

    /// A failure of signing in, which no request of its own has.
    pub(super) fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        Error::new(SIGN_IN, &self.endpoint, kind, message)
    }
}

/// The error with the kind that its code has in OAuth (RFC 6749 §5.2, RFC 8628 §3.5), where the status says just 400.
fn classified(error: Error) -> Error {
    match error.code() {
        Some(
            "invalid_client"
            | "unauthorized_client"
            | "invalid_scope"
            | "invalid_request"
            | "unsupported_grant_type",
        ) => error.with_kind(ErrorKind::Configuration),
        Some("access_denied" | "expired_token" | "invalid_grant") => {
            error.with_kind(ErrorKind::Unauthorized)
        }
        _ => error,
    }
}
