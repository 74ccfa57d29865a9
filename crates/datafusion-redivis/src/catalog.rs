//! The names under which DataFusion finds tables of Redivis.
//!
//! | written | found by |
//! |---|---|
//! | `redivis.'owner.dataset.table'` | [`ReferenceSchema`] |
//! | `` `owner.dataset.table` ``, and `table` with a default dataset or workflow | [`DefaultSchema`] |
//! | `owner.dataset.table` | [`OwnerList`], [`OwnerCatalog`], [`ParentSchema`] |
//!
//! Each stands before or beside what the session has already, and local names win. Nothing is listed: a name is looked up
//! when a statement uses it.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, CatalogProviderList, SchemaProvider, TableProvider};
use datafusion::common::Result;
use datafusion::execution::SessionState;
use redivis::TableReference;

use crate::lookup::Lookup;
use crate::store;

/// DataFusion's own schema, which no dataset is named like.
const INFORMATION_SCHEMA: &str = "information_schema";

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

/// The session's default schema, and behind it references as in Redivis's own SQL and tables of the default parent.
pub(crate) struct DefaultSchema {
    pub(crate) local: Arc<dyn SchemaProvider>,
    pub(crate) lookup: Arc<Lookup>,
    /// Tells the names of table functions, which DataFusion looks up as tables first.
    pub(crate) is_function: IsFunction,
    /// What files at a URL are made a table with.
    pub(crate) session: Session,
}

/// Whether the session has a table function of this name.
pub(crate) type IsFunction = Box<dyn Fn(&str) -> bool + Send + Sync>;

/// The session as it is now, until it is gone.
pub(crate) type Session = Arc<dyn Fn() -> Option<SessionState> + Send + Sync>;

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
            return Ok(Some(self.lookup.table(name).await?));
        }
        if (self.is_function)(name) {
            return Ok(None);
        }
        let table = self.lookup.default_table(name).await?;
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

/// The session's catalogs, and behind them every owner on Redivis as a catalog.
#[derive(Debug)]
pub(crate) struct OwnerList {
    pub(crate) local: Arc<dyn CatalogProviderList>,
    pub(crate) lookup: Arc<Lookup>,
}

impl CatalogProviderList for OwnerList {
    fn register_catalog(
        &self,
        name: String,
        catalog: Arc<dyn CatalogProvider>,
    ) -> Option<Arc<dyn CatalogProvider>> {
        self.local.register_catalog(name, catalog)
    }

    fn catalog_names(&self) -> Vec<String> {
        self.local.catalog_names()
    }

    fn catalog(&self, name: &str) -> Option<Arc<dyn CatalogProvider>> {
        self.local.catalog(name).or_else(|| {
            // What can't own a dataset is no catalog, so that the error speaks of the name and nothing is asked.
            format!("{name}.d.t").parse::<TableReference>().ok()?;
            Some(Arc::new(OwnerCatalog {
                owner: name.to_owned(),
                lookup: Arc::clone(&self.lookup),
            }))
        })
    }
}

/// An owner on Redivis, whose datasets and workflows are its schemas.
#[derive(Debug)]
struct OwnerCatalog {
    owner: String,
    lookup: Arc<Lookup>,
}

impl CatalogProvider for OwnerCatalog {
    fn schema_names(&self) -> Vec<String> {
        vec![]
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        if name == INFORMATION_SCHEMA {
            return None;
        }
        Some(Arc::new(ParentSchema {
            parent: format!("{}.{name}", self.owner),
            lookup: Arc::clone(&self.lookup),
        }))
    }
}

/// A dataset or workflow.
#[derive(Debug)]
struct ParentSchema {
    parent: String,
    lookup: Arc<Lookup>,
}

impl ParentSchema {
    fn reference(&self, table: &str) -> String {
        format!("{}.{table}", self.parent)
    }
}

#[async_trait]
impl SchemaProvider for ParentSchema {
    fn table_names(&self) -> Vec<String> {
        vec![]
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        Ok(Some(self.lookup.table(&self.reference(name)).await?))
    }

    fn table_exist(&self, name: &str) -> bool {
        matches!(self.lookup.cached(&self.reference(name)), Ok(Some(_)))
    }
}
