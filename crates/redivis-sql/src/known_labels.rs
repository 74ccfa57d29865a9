//! Value labels that have been asked for: each variable is asked for once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::try_join_all;
use redivis::{Client, TableReference};

use crate::output::ValueLabels;

/// Variables that are asked for side by side.
const ASKED_AT_ONCE: usize = 8;

/// Value labels that have been asked for, by table and variable.
#[derive(Debug, Clone, Default)]
pub(crate) struct KnownLabels(Arc<Mutex<HashMap<(String, String), ValueLabels>>>);

impl KnownLabels {
    /// Those of some variables of a table, in their order.
    pub(crate) async fn of(
        &self,
        client: &Client,
        table: &TableReference,
        variables: &[&str],
    ) -> redivis::Result<Vec<ValueLabels>> {
        let mut labels = Vec::with_capacity(variables.len());
        for some in variables.chunks(ASKED_AT_ONCE) {
            let asked = some
                .iter()
                .map(|variable| self.one(client, table, variable));
            let asked: Vec<_> = asked.collect();
            labels.extend(try_join_all(asked).await?);
        }
        Ok(labels)
    }

    async fn one(
        &self,
        client: &Client,
        table: &TableReference,
        variable: &str,
    ) -> redivis::Result<ValueLabels> {
        let key = (table.to_string(), variable.to_owned());
        if let Some(known) = lock(&self.0).get(&key) {
            return Ok(known.clone());
        }
        let uri = format!("/tables/{table}");
        let told = client.variable(&uri, variable).await?;
        let labels = told.value_labels.into_iter();
        let labels: ValueLabels = labels.map(|label| (label.value, label.label)).collect();
        lock(&self.0).insert(key, labels.clone());
        Ok(labels)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
