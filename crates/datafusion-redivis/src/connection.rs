//! The way to one endpoint, as whom it may be used now.
//!
//! Tables, views and cached plans outlive a token. They hold the connection and take its client when they are used, so that a
//! client that is replaced is replaced everywhere.

use std::sync::{Arc, PoisonError, RwLock};

use redivis::Client;
use redivis::resource::{Query, QueryRequest};

use crate::access::Access;
use crate::io::IoRuntime;
use crate::running::Running;

/// A client that may be replaced by another one for the same endpoint, and where its requests run.
#[derive(Debug)]
pub(crate) struct Connection {
    access: RwLock<Arc<Access>>,
    io: IoRuntime,
    running: Arc<Running>,
}

impl From<Client> for Connection {
    fn from(client: Client) -> Self {
        Self::new(client, IoRuntime::default())
    }
}

impl Connection {
    pub(crate) fn new(client: Client, io: IoRuntime) -> Self {
        Self {
            access: RwLock::new(Arc::new(Access::new(client))),
            io,
            running: Arc::default(),
        }
    }

    /// Where its requests run.
    pub(crate) fn io(&self) -> &IoRuntime {
        &self.io
    }

    /// The queries that run there.
    pub(crate) fn running(&self) -> &Running {
        &self.running
    }

    /// Runs a query to its end. Who looks meanwhile sees how far it is.
    pub(crate) async fn run_query(&self, request: &QueryRequest) -> redivis::Result<Query> {
        let wait = self.running.begin();
        let client = self.client();
        let outcome = client.query_watched(request, |query| wait.saw(query));
        let outcome = outcome.await;
        wait.end();
        outcome
    }

    /// The client to use now.
    pub(crate) fn client(&self) -> Client {
        self.access().client().clone()
    }

    /// What the service has said of the client to use now.
    pub(crate) fn access(&self) -> Arc<Access> {
        Arc::clone(&self.access.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Uses another client from now on, of which something is known already.
    pub(crate) fn replace_access(&self, access: Access) {
        *self.access.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(access);
    }

    /// Uses another client from now on. It must be one for the same endpoint: what is known of tables is true of no other.
    pub(crate) fn replace(&self, client: Client) {
        self.replace_access(Access::new(client));
    }
}
