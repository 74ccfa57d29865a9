//! The tokens of one client: which to send now, which instead of one that was refused, and which to keep out of words.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::single_flight::SingleFlight;
use super::source::TokenSource;
use super::token::Token;
use super::trust::TrustedOrigins;
use crate::error::Result;

/// Tokens that are kept out of words after they were replaced: more than are renewed while one request is under way.
const REMEMBERED: usize = 32;

/// A source, and what was had from it.
pub(crate) struct Credentials {
    source: Arc<dyn TokenSource>,
    constant: bool,
    renewal: SingleFlight<Token, Option<Token>>,
    /// The latest tokens, newest last: the service may repeat one that has been replaced meanwhile.
    seen: Mutex<VecDeque<Token>>,
    trusted: TrustedOrigins,
}

impl Credentials {
    pub(crate) fn new(source: Arc<dyn TokenSource>) -> Self {
        Self {
            source,
            constant: false,
            renewal: SingleFlight::default(),
            seen: Mutex::default(),
            trusted: TrustedOrigins::default(),
        }
    }

    /// One token for ever.
    pub(crate) fn constant(token: Token) -> Self {
        let credentials = Self {
            constant: true,
            ..Self::new(Arc::new(token.clone()))
        };
        credentials.remember(&token);
        credentials
    }

    /// Whether there will never be another token.
    pub(crate) fn is_constant(&self) -> bool {
        self.constant
    }

    /// The token to send now.
    pub(crate) async fn token(&self) -> Result<Token> {
        let token = self.source.token().await?;
        self.remember(&token);
        Ok(token)
    }

    /// A token to send instead of one that was refused, if there is any.
    pub(crate) async fn instead_of(&self, refused: &Token) -> Result<Option<Token>> {
        let now = self.token().await?;
        if now != *refused {
            return Ok(Some(now));
        }
        let source = Arc::clone(&self.source);
        let renewed = self
            .renewal
            .join(now.clone(), || async move { source.renew(&now).await })
            .await?
            .filter(|token| token != refused);
        if let Some(token) = &renewed {
            self.remember(token);
        }
        Ok(renewed)
    }

    pub(crate) fn trusted(&self) -> &TrustedOrigins {
        &self.trusted
    }

    fn remember(&self, token: &Token) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.back() != Some(token) && !token.is_empty() {
            seen.retain(|other| other != token);
            seen.push_back(token.clone());
            if seen.len() > REMEMBERED {
                seen.pop_front();
            }
        }
    }

    /// The text without any of the tokens.
    pub(crate) fn redact(&self, text: &str) -> String {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().fold(text.to_owned(), |text, token| {
            text.replace(token.secret(), "[token]")
        })
    }
}
