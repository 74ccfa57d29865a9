//! The schema `redivis`: table names are references.
//!
//! `redivis.'owner.dataset.table'` needs no catalog for each owner, and works with versions and any name.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::common::Result;

use super::metadata::Lookup;

/// The schema `redivis`, whose table names are references.
#[derive(Debug)]
pub(crate) struct ReferenceSchema(pub(crate) Arc<Lookup>);

#[async_trait]
impl SchemaProvider for ReferenceSchema {
    /// The tables that the session has used, so that `SHOW COLUMNS` can tell of them.
    fn table_names(&self) -> Vec<String> {
        self.0.known()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if let Some(query) = self.0.query(name) {
            return Ok(Some(query));
        }
        Ok(Some(self.0.table(name).await?))
    }

    fn table_exist(&self, name: &str) -> bool {
        matches!(self.0.cached(name), Ok(Some(_)))
    }
}
