//! Logging in over OAuth: from a client's question to tokens (redivis-api §1.3).
//!
//! There are no passwords here: whoever opens the page of a login approves it, as the one user that the server was told to
//! log in. What a token allows is what its client asked for, and no more.

mod pending;
mod tokens;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

pub(crate) use pending::PATIENCE;
pub(crate) use tokens::Issued;

use crate::{
    catalog::Access,
    database::{Database, DatabaseError},
    token::random_name,
};
use pending::{Pending, State};

/// What a client asks for.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Scopes, separated by spaces.
    pub(crate) scope: String,
    /// The SHA-256 of a secret that only this client knows, as base64 for URLs.
    pub(crate) challenge: String,
    /// Whether it wants to renew its access by itself.
    pub(crate) offline: bool,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoginError {
    /// The server logs nobody in.
    #[error("This server has no login; start it with `--login USER`, or set REDIVIS_API_TOKEN")]
    Off,
    /// A scope that does not exist.
    #[error("There is no scope `{0}`")]
    Scope(String),
    /// Nobody opened the page so far.
    #[error("The login was not approved yet; open its page")]
    Waiting,
    /// The code is unknown, used or too old, or another client's.
    #[error("The code or token is not valid, or has expired")]
    Invalid,
    /// The records.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// No random bytes for a code.
    #[error("cannot make a code: {0}")]
    Random(#[from] getrandom::Error),
}

impl From<rusqlite::Error> for LoginError {
    fn from(error: rusqlite::Error) -> Self {
        LoginError::Database(error.into())
    }
}

/// The logins of a server.
#[derive(Debug)]
pub(crate) struct Logins {
    database: Arc<Database>,
    /// Who is logged in; `None` for nobody.
    user: Option<String>,
    /// How long access tokens are valid.
    lifetime: Duration,
    pending: Pending,
}

impl Logins {
    pub(crate) fn new(database: Arc<Database>, user: Option<String>, lifetime: Duration) -> Self {
        Logins {
            database,
            user,
            lifetime,
            pending: Pending::default(),
        }
    }

    /// Who is logged in.
    fn user(&self) -> Result<&str, LoginError> {
        self.user.as_deref().ok_or(LoginError::Off)
    }

    /// Begins the login of a device; returns its code, and the one that its page has in its address.
    pub(crate) fn begin(&self, asked: Asked) -> Result<(String, String), LoginError> {
        self.user()?;
        check(&asked.scope)?;
        let (device, page) = (random_name()?, random_name()?);
        self.pending
            .add(device.clone(), asked, State::Waiting(page.clone()));
        Ok((device, page))
    }

    /// Approves the login whose page was opened.
    pub(crate) fn approve(&self, page: &str) -> Result<(), LoginError> {
        self.user()?;
        match self.pending.approve(page) {
            true => Ok(()),
            false => Err(LoginError::Invalid),
        }
    }

    /// Approves a login at once; returns the code for its client.
    pub(crate) fn authorize(&self, asked: Asked) -> Result<String, LoginError> {
        self.user()?;
        check(&asked.scope)?;
        let code = random_name()?;
        self.pending.add(code.clone(), asked, State::Approved);
        Ok(code)
    }

    /// The tokens for an approved code, to the client that knows the challenge's secret. It may add the scopes of a
    /// token that it has. Blocks.
    pub(crate) fn redeem(
        &self,
        code: &str,
        verifier: &str,
        former: Option<&str>,
    ) -> Result<Issued, LoginError> {
        let user = self.user()?;
        let (asked, approved) = self.pending.get(code).ok_or(LoginError::Invalid)?;
        let digest = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        if !bool::from(digest.as_bytes().ct_eq(asked.challenge.as_bytes())) {
            // Whoever has the code without the secret stole it.
            self.pending.remove(code);
            return Err(LoginError::Invalid);
        }
        if !approved {
            return Err(LoginError::Waiting);
        }
        if !self.pending.remove(code) {
            return Err(LoginError::Invalid);
        }
        let mut scope = asked.scope;
        if let Some(former) = former
            && let Some((_, had)) = self.scope_of(former)?
        {
            scope = union(&scope, &had);
        }
        self.issue(user, &scope, asked.offline)
    }
}

/// Refuses scopes that do not exist.
fn check(scope: &str) -> Result<(), LoginError> {
    let unknown = scope
        .split_whitespace()
        .find(|scope| Access::of_scope(scope).is_none());
    match unknown {
        Some(unknown) => Err(LoginError::Scope(unknown.to_owned())),
        None => Ok(()),
    }
}

/// The scopes of both lists, each once.
fn union(one: &str, other: &str) -> String {
    let mut scopes: Vec<&str> = Vec::new();
    for scope in one.split_whitespace().chain(other.split_whitespace()) {
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    scopes.join(" ")
}

/// The most that scopes allow.
fn access_of(scope: &str) -> Access {
    scope
        .split_whitespace()
        .filter_map(Access::of_scope)
        .max()
        .unwrap_or(Access::None)
}

/// Time since 1970.
fn now() -> Duration {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
}
