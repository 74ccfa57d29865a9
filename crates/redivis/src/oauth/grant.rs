//! What a person granted: tokens, for how long, and for what.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::credentials::Token;

/// Tokens that the service issued to a client. Its `Debug` shows neither.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// To whom the tokens were issued: a refresh token is of use to nobody else.
    client_id: String,
    access_token: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    /// Seconds since 1970.
    #[serde(
        default,
        deserialize_with = "seconds",
        skip_serializing_if = "Option::is_none"
    )]
    expires_at: Option<u64>,
    /// Separated by spaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

/// What the token endpoint answers, and what the official clients keep of it.
#[derive(Deserialize)]
pub(super) struct Issued {
    access_token: String,
    #[serde(default)]
    refresh_token: Option<String>,
    #[serde(default, deserialize_with = "seconds")]
    expires_at: Option<u64>,
    #[serde(default, deserialize_with = "seconds")]
    expires_in: Option<u64>,
    #[serde(default)]
    scope: Option<String>,
}

impl Grant {
    pub(super) fn new(client_id: &str, issued: Issued) -> Self {
        let in_time = issued
            .expires_in
            .map(|seconds| now().saturating_add(seconds));
        Self {
            client_id: client_id.to_owned(),
            access_token: issued.access_token,
            refresh_token: issued.refresh_token,
            expires_at: issued.expires_at.or(in_time),
            scope: issued.scope,
        }
    }

    /// What was issued for this one's refresh token; the service may leave out what stays.
    pub(super) fn renewed(&self, issued: Issued) -> Self {
        let new = Self::new(&self.client_id, issued);
        Self {
            refresh_token: new.refresh_token.or_else(|| self.refresh_token.clone()),
            scope: new.scope.or_else(|| self.scope.clone()),
            ..new
        }
    }

    /// The access token.
    pub fn token(&self) -> Token {
        Token::new(&self.access_token)
    }

    /// The client that it was issued to.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// When the access token ends, if that is known.
    pub fn expires_at(&self) -> Option<SystemTime> {
        UNIX_EPOCH.checked_add(Duration::from_secs(self.expires_at?))
    }

    /// Whether the access token can be renewed without the person.
    pub fn is_renewable(&self) -> bool {
        self.refresh_token.is_some()
    }

    /// The scopes, as the access token says or else the answer that brought it; `None` where neither does.
    pub fn scopes(&self) -> Option<Vec<String>> {
        let scope = claimed_scope(&self.access_token).or_else(|| self.scope.clone())?;
        Some(scope.split_whitespace().map(str::to_owned).collect())
    }

    pub(super) fn refresh_token(&self) -> Option<&str> {
        self.refresh_token.as_deref()
    }

    /// Whether the access token ends within so many seconds, or has ended.
    pub(super) fn ends_within(&self, seconds: u64) -> bool {
        self.expires_at
            .is_some_and(|at| at <= now().saturating_add(seconds))
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("client_id", &self.client_id)
            .field("expires_at", &self.expires_at)
            .field("renewable", &self.is_renewable())
            .finish_non_exhaustive()
    }
}

/// The claim `scope` of a JWT. Whether it is true is the service's to know.
fn claimed_scope(token: &str) -> Option<String> {
    let payload = token.split('.').nth(1)?;
    let payload = BASE64_URL_SAFE_NO_PAD
        .decode(payload.trim_end_matches('='))
        .ok()?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    claims.get("scope")?.as_str().map(str::to_owned)
}

/// A number of seconds in any form; what cannot be read is unknown.
pub(super) fn seconds<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<u64>, D::Error> {
    let number = match Option::<Value>::deserialize(deserializer)? {
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        _ => None,
    };
    Ok(number
        .filter(|n| n.is_finite() && *n >= 0.0)
        .map(|n| n as u64))
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(issued: Value) -> Grant {
        Grant::new("me", serde_json::from_value(issued).unwrap())
    }

    #[test]
    fn times_in_any_form() {
        for (at, expected) in [
            (serde_json::json!(1_900_000_000), Some(1_900_000_000)),
            (serde_json::json!(1_900_000_000.7), Some(1_900_000_000)),
            (serde_json::json!("1900000000"), Some(1_900_000_000)),
            (serde_json::json!(null), None),
            (serde_json::json!("soon"), None),
            (serde_json::json!(-1), None),
        ] {
            let grant = grant(serde_json::json!({"access_token": "a", "expires_at": at}));
            assert_eq!(grant.expires_at, expected, "{at}");
        }
        let grant = grant(serde_json::json!({"access_token": "a", "expires_in": 100}));
        assert!(grant.ends_within(101) && !grant.ends_within(60));
    }

    #[test]
    fn scopes_are_the_tokens_or_the_answers() {
        let claims = BASE64_URL_SAFE_NO_PAD.encode(r#"{"scope":"data.edit public"}"#);
        for padding in ["", "="] {
            let token = format!("x.{claims}{padding}.y");
            let grant = grant(serde_json::json!({"access_token": token, "scope": "else"}));
            assert_eq!(grant.scopes().unwrap(), ["data.edit", "public"]);
        }
        let opaque = grant(serde_json::json!({"access_token": "opaque", "scope": "data.data"}));
        assert_eq!(opaque.scopes().unwrap(), ["data.data"]);
        assert_eq!(
            grant(serde_json::json!({"access_token": "a.b.c"})).scopes(),
            None
        );
    }

    #[test]
    fn a_renewal_may_leave_out_what_stays() {
        let first = grant(serde_json::json!(
            {"access_token": "secret-1", "refresh_token": "secret-r", "scope": "data.data", "expires_at": 1}
        ));
        assert!(!format!("{first:?}").contains("secret"));
        let issued = serde_json::json!({"access_token": "secret-2", "expires_at": 5});
        let second = first.renewed(serde_json::from_value(issued).unwrap());
        assert_eq!(second.refresh_token(), Some("secret-r"));
        assert_eq!(second.scopes(), first.scopes());
        let issued = serde_json::json!({"access_token": "secret-3", "refresh_token": "other"});
        let third = second.renewed(serde_json::from_value(issued).unwrap());
        assert_eq!(third.refresh_token(), Some("other"));
        assert_eq!(third.expires_at(), None);
    }
}
