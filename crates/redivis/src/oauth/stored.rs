//! A login that is kept in a file, as a source of tokens.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::endpoint::Issuer;
use super::file::CredentialsFile;
use super::grant::Grant;
use crate::client::Client;
use crate::credentials::{SingleFlight, Token, TokenSource};
use crate::error::{Error, ErrorKind, Result};

/// An access token that ends within so many seconds is renewed before it is sent, as the official Python client does.
const EARLY: u64 = 5 * 60;

/// A person's login at one endpoint: renewed before it ends and when it is refused, and kept.
///
/// Processes that share the file renew in turn, and take what another has renewed meanwhile.
pub struct StoredLogin(Arc<Login>);

struct Login {
    issuer: Issuer,
    file: CredentialsFile,
    grant: Mutex<Grant>,
    renewal: SingleFlight<Token, Grant>,
}

impl StoredLogin {
    /// The login at the client's endpoint that the file keeps, if there is one. The client's connections are used to renew it.
    pub async fn open(client: &Client, file: CredentialsFile) -> Result<Option<Self>> {
        let Some(grant) = file.get(client.endpoint()).await? else {
            return Ok(None);
        };
        Ok(Some(Self(Arc::new(Login {
            issuer: Issuer::of(client, None),
            file,
            grant: Mutex::new(grant),
            renewal: SingleFlight::default(),
        }))))
    }

    /// What was granted, as it is known now.
    pub fn grant(&self) -> Grant {
        let grant = self.0.grant.lock().unwrap_or_else(PoisonError::into_inner);
        grant.clone()
    }

    /// Another grant than this one: what another process has renewed, or a renewal by its refresh token.
    async fn another(&self, than: &Grant) -> Result<Grant> {
        let (login, than) = (Arc::clone(&self.0), than.clone());
        let work = || async move { login.renew(&than).await };
        self.0.renewal.join(self.grant().token(), work).await
    }
}

impl Login {
    async fn renew(&self, than: &Grant) -> Result<Grant> {
        let endpoint = self.issuer.endpoint();
        let locked = self.file.lock().await?;
        let Some(kept) = locked.get(endpoint).await? else {
            return Err(self.ended("somebody has signed out"));
        };
        let renewed = if kept.token() != than.token() && !kept.ends_within(EARLY) {
            kept
        } else if let Some(refresh_token) = kept.refresh_token() {
            let renewed = self.issuer.renew(&kept, refresh_token).await;
            let renewed = renewed.map_err(|error| match error.kind() {
                ErrorKind::Invalid | ErrorKind::Forbidden => {
                    error.with_kind(ErrorKind::Unauthorized)
                }
                _ => error,
            })?;
            // It is good for this process even where it can't be kept for others.
            if let Err(error) = locked.set(endpoint, &renewed).await {
                tracing::warn!(%error, "the renewed sign-in is not kept");
            }
            renewed
        } else {
            return Err(self.ended("it cannot be renewed"));
        };
        let mut grant = self.grant.lock().unwrap_or_else(PoisonError::into_inner);
        *grant = renewed.clone();
        Ok(renewed)
    }

    fn ended(&self, message: &str) -> Error {
        let endpoint = self.issuer.endpoint();
        Error::new(
            "renew the sign-in at",
            endpoint,
            ErrorKind::Unauthorized,
            message,
        )
    }
}

#[async_trait]
impl TokenSource for StoredLogin {
    async fn token(&self) -> Result<Token> {
        let grant = self.grant();
        if !grant.ends_within(EARLY) {
            return Ok(grant.token());
        }
        match self.another(&grant).await {
            Ok(renewed) => Ok(renewed.token()),
            // It may still do.
            Err(_) if !grant.ends_within(0) => Ok(grant.token()),
            Err(error) => Err(error),
        }
    }

    async fn renew(&self, refused: &Token) -> Result<Option<Token>> {
        let grant = self.grant();
        if grant.token() != *refused {
            return Ok(Some(grant.token()));
        }
        Ok(Some(self.another(&grant).await?.token()))
    }
}

impl fmt::Debug for StoredLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredLogin")
            .field("endpoint", &self.0.issuer.endpoint())
            .field("file", &self.0.file)
            .finish_non_exhaustive()
    }
}
