//! The session's catalogs without Redivis: where tables and views are defined.
//!
//! DataFusion asks whether a name is taken before it defines it. A name on Redivis is not taken, as local names win, and
//! whether there is one should cost no request.

use std::sync::Arc;

use datafusion::catalog::{CatalogProvider, CatalogProviderList, SchemaProvider};
use datafusion::common::Result;

/// The catalogs of a session as they were before Redivis was put behind them. What is registered here is seen there.
#[derive(Debug)]
pub(crate) struct LocalList {
    pub(crate) list: Arc<dyn CatalogProviderList>,
    /// The catalog whose default schema has Redivis behind it.
    pub(crate) default_catalog: String,
    pub(crate) default_schema: String,
    /// That schema, without.
    pub(crate) local: Arc<dyn SchemaProvider>,
}

impl CatalogProviderList for LocalList {
    fn register_catalog(
        &self,
        name: String,
        catalog: Arc<dyn CatalogProvider>,
    ) -> Option<Arc<dyn CatalogProvider>> {
        self.list.register_catalog(name, catalog)
    }

    fn catalog_names(&self) -> Vec<String> {
        self.list.catalog_names()
    }

    fn catalog(&self, name: &str) -> Option<Arc<dyn CatalogProvider>> {
        let catalog = self.list.catalog(name)?;
        if name != self.default_catalog {
            return Some(catalog);
        }
        Some(Arc::new(LocalCatalog {
            catalog,
            default_schema: self.default_schema.clone(),
            local: Arc::clone(&self.local),
        }))
    }
}

/// The default catalog, with the default schema as it was.
#[derive(Debug)]
struct LocalCatalog {
    catalog: Arc<dyn CatalogProvider>,
    default_schema: String,
    local: Arc<dyn SchemaProvider>,
}

impl CatalogProvider for LocalCatalog {
    fn schema_names(&self) -> Vec<String> {
        self.catalog.schema_names()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        if name == self.default_schema {
            return Some(Arc::clone(&self.local));
        }
        self.catalog.schema(name)
    }

    fn register_schema(
        &self,
        name: &str,
        schema: Arc<dyn SchemaProvider>,
    ) -> Result<Option<Arc<dyn SchemaProvider>>> {
        self.catalog.register_schema(name, schema)
    }

    fn deregister_schema(
        &self,
        name: &str,
        cascade: bool,
    ) -> Result<Option<Arc<dyn SchemaProvider>>> {
        self.catalog.deregister_schema(name, cascade)
    }
}
