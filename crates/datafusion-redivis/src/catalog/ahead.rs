//! What the cache will want to know as soon as a table is found, and what is therefore asked beside it: whoever is far away waits
//! once.

use datafusion::common::runtime::SpawnedTask;
use futures::future::join;
use redivis::TableReference;
use redivis::read::variables_schema;

use crate::access::Access;
use crate::cache::Cache;
use crate::connection::Connection;
use crate::io::IoRuntime;

/// What is asked together with a table.
#[derive(Debug, Clone, Default)]
pub(crate) enum Ahead {
    /// Nothing: the cache is off.
    #[default]
    Nothing,
    /// Whose the client is, for a statement that is only planned.
    Account,
    /// That, and whether it may read what the cache has of the table.
    Access(Cache),
}

impl Ahead {
    /// Asks. Who needs an answer gets it from [`Access`], and says what is wrong with it.
    pub(super) async fn ask(&self, connection: &Connection, reference: &TableReference) {
        let (access, io) = (connection.access(), connection.io());
        let account = access.account(io);
        match self {
            Self::Nothing => {}
            Self::Account => {
                let _ = account.await;
            }
            Self::Access(cache) => {
                let _ = join(
                    account,
                    may_read(&access, io, cache.clone(), reference.clone()),
                )
                .await;
            }
        }
    }
}

/// Asks whether rows may be read of the table that a reference led to last, whatever it leads to now.
async fn may_read(access: &Access, io: &IoRuntime, cache: Cache, reference: TableReference) {
    let endpoint = access.client().endpoint().to_owned();
    let find = SpawnedTask::spawn_blocking(move || {
        let account = cache.last_account(&endpoint)?;
        cache.remembered(&endpoint, &account, &reference).ok()
    });
    if let Ok(Some(found)) = find.join_unwind().await {
        let schema = variables_schema(&found.variables);
        let _ = access.may_read(io, &found.table, &schema).await;
    }
}
