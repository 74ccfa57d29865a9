//! Whose a client is, and which tables it may read: asked of the service once a session, before anything that others may not see
//! is read from disk.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::datatypes::Schema;
use datafusion::common::Result;
use futures::stream::TryStreamExt;
use redivis::Client;
use redivis::read::{ReadSessionRequest, RowsRequest};
use redivis::resource::Table;
use tokio::sync::OnceCell;

use crate::io::IoRuntime;

/// What the service has said of a client; it goes with the client.
#[derive(Debug)]
pub(crate) struct Access {
    client: Client,
    account: OnceCell<Option<String>>,
    readable: Mutex<HashMap<String, Arc<OnceCell<()>>>>,
}

impl Access {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            client,
            account: OnceCell::new(),
            readable: Mutex::default(),
        }
    }

    /// The same for a client that asks nothing, whose account is known from before.
    pub(crate) fn known(client: Client, account: String) -> Self {
        Self {
            account: OnceCell::new_with(Some(Some(account))),
            ..Self::new(client)
        }
    }

    /// The client that is spoken of.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The name of the account that the client's token is of, empty without a token; `None` where the service does not tell,
    /// which is logged once.
    ///
    /// It is the service's word: tokens change, by themselves or by hand, and the account stays.
    pub(crate) async fn account(&self, io: &IoRuntime) -> Option<&str> {
        let ask = || async {
            if self.client.is_anonymous() {
                return Some(String::new());
            }
            let client = self.client.clone();
            let name = io.run(async move { Ok(client.current_user().await?.name) });
            name.await
                .inspect_err(|error| {
                    tracing::warn!("the cache is not used, as Redivis does not say whose token this is: {error}");
                })
                .ok()
        };
        self.account.get_or_init(ask).await.as_deref()
    }

    /// Fails, in the service's words, unless the client may read rows of the table.
    ///
    /// To see a table is not to read it, so a row is asked for as a scan would: of a session, which is not read then. Offline,
    /// nobody can be asked.
    pub(crate) async fn may_read(
        &self,
        io: &IoRuntime,
        table: &Table,
        schema: &Schema,
    ) -> Result<()> {
        if self.client.is_offline() {
            return Ok(());
        }
        let cell = {
            let mut readable = self.readable.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(readable.entry(table.uri.clone()).or_default())
        };
        let ask = || async {
            let schema = schema.project(&[0])?;
            io.run(ask(self.client.clone(), table.clone(), schema))
                .await
        };
        cell.get_or_try_init(ask).await.copied()
    }
}

/// Asks for a row of one variable.
async fn ask(client: Client, table: Table, variable: Schema) -> redivis::Result<()> {
    let selected_variables = variable
        .fields()
        .first()
        .map(|field| vec![field.name().clone()]);
    if client.is_anonymous() {
        let request = RowsRequest {
            max_results: Some(1),
            selected_variables,
        };
        let mut rows = client.read_rows(&table, &request, Arc::new(variable));
        while rows.try_next().await?.is_some() {}
        return Ok(());
    }
    let request = ReadSessionRequest {
        max_results: Some(1),
        selected_variables,
        ..ReadSessionRequest::default()
    };
    client.create_read_session(&table.uri, &request).await?;
    Ok(())
}
