//! The session's default schema with Redivis behind it.
//!
//! Local tables come first; a bare name that is a reference, or that a default dataset or workflow has, is found on Redivis.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::common::Result;
use datafusion::execution::SessionState;
use redivis::TableReference;

use super::metadata::MetadataCache;
use super::store;

/// The session's default schema, and behind it references as in Redivis's own SQL and tables of the default parent.
pub struct DefaultSchema {
    local: Arc<dyn SchemaProvider>,
    metadata: Arc<MetadataCache>,
    session: CurrentSession,
}

/// The session as it is now; `None` before there is one, and when it is gone.
pub(crate) type CurrentSession = Box<dyn Fn() -> Option<SessionState> + Send + Sync>;

impl DefaultSchema {
    /// The schema `local` with what a cache finds behind it.
    ///
    /// `session` gives the session that the schema is in, which makes tables of files at `redivis://` URLs and knows the names
    /// of table functions; where it gives none, such URLs are no tables.
    pub fn new(
        local: Arc<dyn SchemaProvider>,
        metadata: Arc<MetadataCache>,
        session: impl Fn() -> Option<SessionState> + Send + Sync + 'static,
    ) -> Self {
        Self {
            local,
            metadata,
            session: Box::new(session),
        }
    }

    /// Whether it is the name of a table function, which DataFusion looks up as tables first.
    fn is_function(&self, name: &str) -> bool {
        (self.session)().is_some_and(|session| session.table_functions().contains_key(name))
    }
}

impl fmt::Debug for DefaultSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DefaultSchema")
            .field("local", &self.local)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl SchemaProvider for DefaultSchema {
    fn owner_name(&self) -> Option<&str> {
        self.local.owner_name()
    }

    fn table_names(&self) -> Vec<String> {
        self.local.table_names()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        // DataFusion's own tables of URLs know neither references nor wildcards in URLs.
        if store::location(name)?.is_some()
            && let Some(session) = (self.session)()
        {
            return store::url_table(name, &session).await;
        }
        if let Some(local) = self.local.table(name).await? {
            return Ok(Some(local));
        }
        if name.parse::<TableReference>().is_ok() {
            return Ok(Some(self.metadata.table(name).await?));
        }
        if self.is_function(name) {
            return Ok(None);
        }
        let table = self.metadata.default_table(name).await?;
        Ok(table.map(|table| table as Arc<dyn TableProvider>))
    }

    fn register_table(
        &self,
        name: String,
        table: Arc<dyn TableProvider>,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        self.local.register_table(name, table)
    }

    fn deregister_table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        self.local.deregister_table(name)
    }

    fn table_exist(&self, name: &str) -> bool {
        self.local.table_exist(name)
    }
}
