//! The device flow: a page that a person opens anywhere, and a program that asks whether it was approved (RFC 8628).

use std::fmt;
use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};
use url::Url;

use super::endpoint::{Begun, Issuer};
use super::grant::Grant;
use super::pkce::{challenge, verifier};
use crate::client::Client;
use crate::error::{ErrorKind, Result, Retry};
use crate::retry::Attempts;

/// The longest that a person is waited for, as the official clients do.
const PATIENCE: Duration = Duration::from_secs(10 * 60);
/// Between two questions, where the service says nothing else; and what is added where it wants fewer.
const STEP: Duration = Duration::from_secs(5);

/// What to ask a person for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginRequest {
    /// Which program asks. It must be registered with the service; it is no secret.
    pub client_id: String,
    /// What the program wants to be allowed (redivis-api §1.3).
    pub scopes: Vec<String>,
    /// How the person has to prove who they are, in the service's words; empty: as usual.
    pub amr_values: Vec<String>,
}

impl LoginRequest {
    /// A request for these scopes.
    pub fn new<S: Into<String>>(
        client_id: impl Into<String>,
        scopes: impl IntoIterator<Item = S>,
    ) -> Self {
        Self {
            client_id: client_id.into(),
            scopes: scopes.into_iter().map(Into::into).collect(),
            amr_values: Vec::new(),
        }
    }
}

/// A login under way. Its codes are secrets, shown by no `Debug`.
pub struct DeviceLogin {
    issuer: Issuer,
    client_id: String,
    device_code: String,
    verifier: String,
    page: Url,
    user_code: Option<String>,
    pace: Pace,
}

/// How often to ask, and how long.
struct Pace {
    interval: Duration,
    patience: Duration,
    since: Instant,
}

impl Pace {
    /// As the service says in seconds, within what is sensible.
    fn new(interval: Option<u64>, expires_in: Option<u64>) -> Self {
        let interval = interval.filter(|seconds| *seconds > 0);
        let patience = expires_in.map_or(PATIENCE, Duration::from_secs);
        Self {
            interval: interval.map_or(STEP, Duration::from_secs),
            patience: patience.min(PATIENCE),
            since: Instant::now(),
        }
    }

    /// How long to wait before the next question; `None` where it would come too late.
    fn next(&self) -> Option<Duration> {
        let next = self.since.elapsed().saturating_add(self.interval);
        (next <= self.patience).then_some(self.interval)
    }

    fn slow_down(&mut self) {
        self.interval += STEP;
    }
}

impl DeviceLogin {
    /// Begins a login at the client's endpoint: `POST /oauth/device_authorization`.
    ///
    /// With a `former` grant its scopes are kept, where the service adds the new ones to it.
    pub async fn begin(
        client: &Client,
        request: &LoginRequest,
        former: Option<&Grant>,
    ) -> Result<Self> {
        let issuer = Issuer::of(client, former.map(Grant::token));
        let verifier = verifier()?;
        let amr_values = Some(&request.amr_values).filter(|values| !values.is_empty());
        let begun = issuer
            .begin(&json!({
                "client_id": request.client_id,
                "scope": request.scopes.join(" "),
                "amr_values": amr_values,
                "code_challenge": challenge(&verifier),
                "code_challenge_method": "S256",
                "access_type": "offline",
            }))
            .await?;
        let page = page(&issuer, &begun)?;
        Ok(Self {
            pace: Pace::new(begun.interval, begun.expires_in),
            issuer,
            client_id: request.client_id.clone(),
            device_code: begun.device_code,
            verifier,
            page,
            // The page has it in its address.
            user_code: match begun.verification_uri_complete {
                Some(_) => None,
                None => begun.user_code,
            },
        })
    }

    /// The page that the person has to open.
    pub fn page(&self) -> &Url {
        &self.page
    }

    /// What has to be typed in there, if it is not in the page's address.
    pub fn user_code(&self) -> Option<&str> {
        self.user_code.as_deref()
    }

    /// Asks until the person has approved or refused, at the pace that the service wants: `POST /oauth/token`.
    ///
    /// A login that is refused, or not approved within ten minutes, is an error of kind [`ErrorKind::Unauthorized`].
    pub async fn wait(mut self) -> Result<Grant> {
        let mut attempts = Attempts::new(self.issuer.retry_policy().clone());
        loop {
            let Some(pause) = self.pace.next() else {
                let seconds = self.pace.patience.as_secs();
                let message = format!("nobody approved it within {seconds} s");
                return Err(self.issuer.error(ErrorKind::Unauthorized, message));
            };
            sleep(pause).await;
            let asked = self
                .issuer
                .redeem(&self.client_id, &self.device_code, &self.verifier);
            let error = match asked.await {
                Ok(issued) => return Ok(Grant::new(&self.client_id, issued)),
                Err(error) => error,
            };
            match error.code() {
                Some("authorization_pending") => attempts.progress(),
                Some("slow_down") => {
                    attempts.progress();
                    self.pace.slow_down();
                }
                _ if error.retry() == Retry::No => return Err(error),
                _ => attempts.wait_after(error).await?,
            }
        }
    }
}

/// The page's address, if it is one that can be shown and opened.
fn page(issuer: &Issuer, begun: &Begun) -> Result<Url> {
    let text = begun.verification_uri_complete.as_ref();
    let page = text.or(begun.verification_uri.as_ref());
    let page = page.and_then(|page| Url::parse(page).ok());
    page.filter(|page| matches!(page.scheme(), "https" | "http"))
        .ok_or_else(|| {
            let odd = "the service names no page to open";
            issuer.error(ErrorKind::Protocol, odd)
        })
}

impl fmt::Debug for DeviceLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceLogin")
            .field("endpoint", &self.issuer.endpoint())
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_is_the_services_within_ten_minutes() {
        let seconds = Duration::from_secs;
        for (interval, expires_in, expected) in [
            (Some(1), Some(60), (seconds(1), seconds(60))),
            (Some(0), None, (STEP, PATIENCE)),
            (None, Some(1_000_000), (STEP, PATIENCE)),
        ] {
            let pace = Pace::new(interval, expires_in);
            assert_eq!((pace.interval, pace.patience), expected);
            assert_eq!(pace.next(), Some(expected.0));
        }
        let mut pace = Pace::new(Some(2), Some(10));
        pace.slow_down();
        assert_eq!(pace.next(), Some(seconds(7)));
        pace.slow_down();
        assert_eq!(pace.next(), None, "it would come too late");
        assert_eq!(Pace::new(Some(u64::MAX), None).next(), None);
    }
}
