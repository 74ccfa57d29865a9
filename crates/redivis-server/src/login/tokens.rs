//! Tokens of logins: made, renewed and found again.
//!
//! An access token has the shape of a JWT, because clients read the scopes in it; its last part is nothing but random, and
//! what it is good for is in the database, where only its digest is.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rusqlite::{OptionalExtension, params};
use serde_json::json;

use super::{LoginError, Logins, access_of, now};
use crate::token::{Token, digest, random_name};

/// How long access may be renewed.
const RENEWABLE: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// Tokens for a client.
#[derive(Debug)]
pub(crate) struct Issued {
    pub(crate) access_token: String,
    pub(crate) refresh_token: Option<String>,
    pub(crate) scope: String,
    /// Since 1970.
    pub(crate) expires_at: Duration,
    pub(crate) expires_in: Duration,
}

impl Logins {
    /// Makes an access token, and one to renew it if that is wanted.
    pub(super) fn issue(
        &self,
        user: &str,
        scope: &str,
        offline: bool,
    ) -> Result<Issued, LoginError> {
        let issued_at = now();
        let expires_at = issued_at + self.lifetime;
        let part = |value: serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let access_token = format!(
            "{}.{}.{}",
            part(json!({"typ": "JWT", "alg": "none"})),
            part(json!({
                "sub": user,
                "scope": scope,
                "iat": issued_at.as_secs(),
                "exp": expires_at.as_secs(),
            })),
            random_name()?
        );
        let refresh_token = match offline {
            true => Some(random_name()?),
            false => None,
        };
        self.database.write(|change| {
            change.execute(
                "DELETE FROM access_token WHERE expires_at <= ?",
                [milliseconds(issued_at)],
            )?;
            change.execute(
                "INSERT INTO access_token (digest, user, scope, expires_at) VALUES (?, ?, ?, ?)",
                params![
                    digest(&access_token),
                    user,
                    scope,
                    milliseconds(expires_at)
                ],
            )?;
            if let Some(token) = &refresh_token {
                change.execute(
                    "DELETE FROM refresh_token WHERE expires_at <= ?",
                    [milliseconds(issued_at)],
                )?;
                change.execute(
                    "INSERT INTO refresh_token (digest, user, scope, expires_at) VALUES (?, ?, ?, ?)",
                    params![
                        digest(token),
                        user,
                        scope,
                        milliseconds(issued_at + RENEWABLE)
                    ],
                )?;
            }
            Ok::<_, LoginError>(())
        })?;
        Ok(Issued {
            access_token,
            refresh_token,
            scope: scope.to_owned(),
            expires_at,
            expires_in: self.lifetime,
        })
    }

    /// A new access token for one to renew it. Blocks.
    pub(crate) fn renew(&self, refresh_token: &str) -> Result<Issued, LoginError> {
        let logged_in = self.user()?;
        let (user, scope) = self
            .lookup("refresh_token", refresh_token)?
            .ok_or(LoginError::Invalid)?;
        if user != logged_in {
            return Err(LoginError::Invalid);
        }
        self.issue(&user, &scope, false)
    }

    /// The access token with this secret, if there is one. Blocks.
    pub(crate) fn find(&self, secret: &str) -> Result<Option<Token>, LoginError> {
        let found = self.scope_of(secret)?;
        Ok(found.map(|(user, scope)| Token {
            digest: digest(secret),
            user,
            access: access_of(&scope),
        }))
    }

    /// Whose an access token is, and its scopes.
    pub(super) fn scope_of(&self, secret: &str) -> Result<Option<(String, String)>, LoginError> {
        let Some(logged_in) = &self.user else {
            return Ok(None);
        };
        // The server may log in somebody else by now.
        let found = self.lookup("access_token", secret)?;
        Ok(found.filter(|(user, _)| user == logged_in))
    }

    fn lookup(&self, table: &str, secret: &str) -> Result<Option<(String, String)>, LoginError> {
        // Time may tell something about digests that are alike, and nothing about secrets.
        let digest = digest(secret);
        self.database.read(|rows| {
            rows.prepare_cached(&format!(
                "SELECT user, scope FROM {table} WHERE digest = ? AND expires_at > ?"
            ))?
            .query_row(params![digest, milliseconds(now())], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()
            .map_err(LoginError::from)
        })
    }
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
