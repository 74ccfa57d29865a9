//! The way to one endpoint, as whom it may be used now.
//!
//! Tables, views and cached plans outlive a token. They hold the connection and take its client when they are used, so that a
//! client that is replaced is replaced everywhere.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use redivis::Client;
use redivis::resource::{Query, QueryRequest, VariableStatistics};

use crate::access::Access;
use crate::io::IoRuntime;
use crate::running::Running;

/// A client that may be replaced by another one for the same endpoint, and where its requests run.
#[derive(Debug)]
pub(crate) struct Connection {
    access: RwLock<Arc<Access>>,
    io: IoRuntime,
    learned: Mutex<Learned>,
    running: Arc<Running>,
}

/// What was learned of the service on the way.
#[derive(Debug, Default)]
struct Learned {
    /// How long queries took before their results could be read.
    query: Option<Duration>,
    /// What the service knows of variables, by the path of their table, which never changes, and their name.
    statistics: HashMap<(String, String), Option<Arc<VariableStatistics>>>,
}

/// How long a query takes, before there was one.
const FIRST_QUERY: Duration = Duration::from_secs(5);

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
            learned: Mutex::default(),
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
        let (wait, started) = (self.running.begin(), Instant::now());
        let client = self.client();
        let outcome = client.query_watched(request, |query| wait.saw(query));
        let outcome = outcome.await;
        wait.end();
        if outcome.is_ok() {
            self.note_query(started.elapsed());
        }
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

    /// Notes how long a query took before its result could be read.
    fn note_query(&self, took: Duration) {
        let mut learned = self.learned();
        // The latest counts for a third.
        learned.query = Some(learned.query.map_or(took, |before| (before * 2 + took) / 3));
    }

    /// How long a query takes: what is set, else what was learned.
    pub(crate) fn query_cost(&self, set: Option<Duration>) -> Duration {
        set.or(self.learned().query).unwrap_or(FIRST_QUERY)
    }

    /// What the service knows of a variable of a table that never changes; asked once, however it ends.
    pub(crate) async fn statistics(
        &self,
        table: &str,
        variable: &str,
    ) -> Option<Arc<VariableStatistics>> {
        let key = (table.to_owned(), variable.to_owned());
        if let Some(known) = self.learned().statistics.get(&key) {
            return known.clone();
        }
        let (client, asked) = (self.client(), key.clone());
        let ask = async move { client.variable_statistics(&asked.0, &asked.1).await };
        let known = match self.io.run(ask).await {
            Ok(statistics) => Some(Arc::new(statistics)),
            Err(error) => {
                tracing::debug!("nothing is known of {variable} of {table}: {error}");
                None
            }
        };
        self.learned().statistics.insert(key, known.clone());
        known
    }

    /// The same, if it was asked before.
    pub(crate) fn known_statistics(
        &self,
        table: &str,
        variable: &str,
    ) -> Option<Arc<VariableStatistics>> {
        let key = (table.to_owned(), variable.to_owned());
        self.learned().statistics.get(&key)?.clone()
    }

    fn learned(&self) -> MutexGuard<'_, Learned> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_queries_take_is_learned() {
        let client = Client::builder()
            .endpoint("http://127.0.0.1:1/api/v1")
            .build();
        let connection = Connection::from(client.unwrap());
        assert_eq!(connection.query_cost(None), FIRST_QUERY);
        connection.note_query(Duration::from_secs(1));
        assert_eq!(connection.query_cost(None), Duration::from_secs(1));
        connection.note_query(Duration::from_secs(4));
        assert_eq!(connection.query_cost(None), Duration::from_secs(2));
        let set = Duration::from_millis(1);
        assert_eq!(connection.query_cost(Some(set)), set);
    }
}
