//! Owners as catalogs, their datasets and workflows as schemas: `owner.dataset.table`.
//!
//! Nothing is listed: any name that an owner could have is a catalog, and a table is asked for when a statement uses it.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, CatalogProviderList, SchemaProvider, TableProvider};
use datafusion::common::Result;
use redivis::TableReference;

use super::metadata::MetadataCache;

/// DataFusion's own schema, which no dataset is named like.
const INFORMATION_SCHEMA: &str = "information_schema";

/// The session's catalogs, and behind them every owner on Redivis as a catalog.
#[derive(Debug)]
pub struct OwnerCatalogList {
    local: Arc<dyn CatalogProviderList>,
    metadata: Arc<MetadataCache>,
}

impl OwnerCatalogList {
    /// The catalogs of `local`, and behind them the owners that a cache finds tables of.
    pub fn new(local: Arc<dyn CatalogProviderList>, metadata: Arc<MetadataCache>) -> Self {
        Self { local, metadata }
    }
}

impl CatalogProviderList for OwnerCatalogList {
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
                metadata: Arc::clone(&self.metadata),
            }))
        })
    }
}

/// An owner on Redivis, whose datasets and workflows are its schemas.
#[derive(Debug)]
struct OwnerCatalog {
    owner: String,
    metadata: Arc<MetadataCache>,
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
            metadata: Arc::clone(&self.metadata),
        }))
    }
}

/// A dataset or workflow.
#[derive(Debug)]
struct ParentSchema {
    parent: String,
    metadata: Arc<MetadataCache>,
}

impl ParentSchema {
    fn reference(&self, table: &str) -> String {
        format!("{}.{table}", self.parent)
    }
}

#[async_trait]
impl SchemaProvider for ParentSchema {
    /// Those that the session has used.
    fn table_names(&self) -> Vec<String> {
        let known = self.metadata.known().into_iter();
        let references = known.filter_map(|name| name.parse::<TableReference>().ok());
        let here = references.filter(|table| {
            table
                .parent()
                .to_string()
                .eq_ignore_ascii_case(&self.parent)
        });
        here.map(|table| table.name().to_owned()).collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        Ok(Some(self.metadata.table(&self.reference(name)).await?))
    }

    fn table_exist(&self, name: &str) -> bool {
        matches!(self.metadata.cached(&self.reference(name)), Ok(Some(_)))
    }
}
