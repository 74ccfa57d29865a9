//! The schema `redivis`: table names are references.
//!
//! `redivis.'owner.dataset.table'` needs no catalog for each owner, and works with versions and any name.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::common::{Result, plan_err};

use super::metadata::MetadataCache;

/// The schema `redivis`, whose table names are references.
///
/// Nothing is listed but the tables that the session has used, so that `SHOW COLUMNS` can tell of them.
#[derive(Debug)]
pub struct ReferenceSchema {
    metadata: Arc<MetadataCache>,
}

impl ReferenceSchema {
    /// The schema over what a cache finds; register it under any name.
    pub fn new(metadata: Arc<MetadataCache>) -> Self {
        Self { metadata }
    }
}

#[async_trait]
impl SchemaProvider for ReferenceSchema {
    fn table_names(&self) -> Vec<String> {
        self.metadata.known()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if let Some(query) = self.metadata.query(name) {
            return Ok(Some(query));
        }
        Ok(Some(self.metadata.table(name).await?))
    }

    fn table_exist(&self, name: &str) -> bool {
        matches!(self.metadata.cached(name), Ok(Some(_)))
    }

    fn register_table(
        &self,
        name: String,
        _table: Arc<dyn TableProvider>,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        elsewhere("created", &name)
    }

    fn deregister_table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        elsewhere("dropped", name)
    }
}

/// A catalog cannot wait for Redivis, nor see the rows of a query before they are in memory.
fn elsewhere<T>(done: &str, name: &str) -> Result<T> {
    plan_err!(
        "tables on Redivis are {done} by statements of datafusion_redivis::Redivis::sql, and {name} is one; \
         SessionContext::sql defines local tables only"
    )
}
