//! The client of the endpoint that the environment names, signed in as far as anybody is.
//!
//! A token in the environment wins over one that `login` has kept, as in the official clients: a script says who it is.

use std::path::PathBuf;
use std::sync::Arc;

use redivis::oauth::{CredentialsFile, StoredLogin};
use redivis::{Client, ClientBuilder, Token, TokenSource};

use crate::failure::{Failure, external};
use crate::state;

/// A client, and where its token comes from.
pub(crate) struct Connection {
    pub(crate) client: Client,
    pub(crate) identity: Identity,
}

/// Where the token comes from.
pub(crate) enum Identity {
    Anonymous,
    /// `REDIVIS_API_TOKEN`.
    Environment,
    /// What `login` has kept.
    Login(PathBuf, Arc<StoredLogin>),
}

/// Connects; no request is sent.
pub(crate) async fn connect() -> Result<Connection, Failure> {
    let client = ClientBuilder::from_env().build().map_err(external)?;
    if Token::from_env().is_some() {
        return Ok(Connection {
            client,
            identity: Identity::Environment,
        });
    }
    let login = match credentials() {
        Some(file) => {
            let path = file.path().to_owned();
            let login = StoredLogin::open(&client, file).await.map_err(external)?;
            login.map(|login| (path, Arc::new(login)))
        }
        None => None,
    };
    Ok(match login {
        Some((path, login)) => {
            let source: Arc<dyn TokenSource> = Arc::<StoredLogin>::clone(&login);
            Connection {
                client: client.with_token_source(source),
                identity: Identity::Login(path, login),
            }
        }
        None => Connection {
            client,
            identity: Identity::Anonymous,
        },
    })
}

/// The file of what `login` keeps; `None` where there is no home to keep it in.
pub(crate) fn credentials() -> Option<CredentialsFile> {
    Some(CredentialsFile::new(state::credentials()?))
}
