//! The way to one endpoint, as whom it may be used now.
//!
//! Tables, views and cached plans outlive a token. They hold the connection and take its client when they are used, so that a
//! client that is replaced is replaced everywhere. Uses nothing of this crate.

use std::sync::{PoisonError, RwLock};

use redivis::Client;

/// A client that may be replaced by another one for the same endpoint.
#[derive(Debug)]
pub(crate) struct Connection(RwLock<Client>);

impl From<Client> for Connection {
    fn from(client: Client) -> Self {
        Self(RwLock::new(client))
    }
}

impl Connection {
    /// The client to use now.
    pub(crate) fn client(&self) -> Client {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Uses another client from now on. It must be one for the same endpoint: what is known of tables is true of no other.
    pub(crate) fn replace(&self, client: Client) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = client;
    }
}
