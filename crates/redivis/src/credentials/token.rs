//! The bearer token.
//!
//! A type of its own, so that a secret cannot slip into a log, a `Debug` dump or an error by being "just a string".

use std::fmt;

use reqwest::header::HeaderValue;

use crate::error::{Error, ErrorKind, Result};

/// A Redivis API token or OAuth access token, sent as `Authorization: Bearer …` (redivis-api §1.3).
///
/// It has no `Display`, and its `Debug` shows no part of the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Wraps a token's secret; white space around it (a file's last newline, say) is not part of it.
    pub fn new(secret: impl AsRef<str>) -> Self {
        Self(secret.as_ref().trim().to_owned())
    }

    /// The token in `REDIVIS_API_TOKEN`; `None` when the variable is unset or blank.
    pub fn from_env() -> Option<Self> {
        let token = Self::new(std::env::var("REDIVIS_API_TOKEN").ok()?);
        (!token.is_empty()).then_some(token)
    }

    /// The secret itself, for the places that compare it with what others say.
    pub(crate) fn secret(&self) -> &str {
        &self.0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of the `Authorization` header that carries it, marked as sensitive: for requests of one's own, which must go
    /// to the endpoint's own origin only.
    ///
    /// Fails with [`ErrorKind::Configuration`] if the token cannot stand in a header.
    pub fn header(&self) -> Result<HeaderValue> {
        let value = HeaderValue::try_from(format!("Bearer {}", self.0));
        let mut value = value.map_err(|_| {
            let odd = "it contains characters that no token has";
            Error::new("use", "the token", ErrorKind::Configuration, odd)
        })?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_the_secret() {
        let token = Token::new(" AAAAAsecret\n");
        assert_eq!(token.secret(), "AAAAAsecret");
        assert_eq!(format!("{token:?}"), "Token(…)");
        assert!(!format!("{:?}", token.header()).contains("secret"));
    }
}
