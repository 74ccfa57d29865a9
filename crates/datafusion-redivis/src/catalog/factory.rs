//! `CREATE EXTERNAL TABLE t STORED AS REDIVIS LOCATION 'owner.dataset.table'`: a short local name for a table.
//!
//! It goes through DataFusion's own statement, so that scripts name their tables once, at their top.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider, TableProviderFactory};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::CreateExternalTable;
use redivis::{TableReference, Version};

use super::metadata::MetadataCache;
use crate::error::refused;

/// Makes tables for `STORED AS REDIVIS`.
#[derive(Debug)]
pub struct RedivisTableFactory {
    metadata: Arc<MetadataCache>,
}

impl RedivisTableFactory {
    /// Makes tables of what a cache finds.
    pub fn new(metadata: Arc<MetadataCache>) -> Self {
        Self { metadata }
    }
}

#[async_trait]
impl TableProviderFactory for RedivisTableFactory {
    async fn create(
        &self,
        _state: &dyn Session,
        command: &CreateExternalTable,
    ) -> Result<Arc<dyn TableProvider>> {
        let [location] = command.locations.as_slice() else {
            return plan_err!("STORED AS REDIVIS takes one LOCATION: 'owner.dataset.table'");
        };
        if !command.schema.fields().is_empty() {
            return plan_err!(
                "STORED AS REDIVIS takes no column list: the variables of {location} are its columns"
            );
        }
        if !command.table_partition_cols.is_empty() || !command.order_exprs.is_empty() {
            return plan_err!("STORED AS REDIVIS takes neither PARTITIONED BY nor WITH ORDER");
        }
        let mut reference: TableReference = location.parse().map_err(refused)?;
        for (key, value) in &command.options {
            // DataFusion prefixes the keys of options that have no prefix of their own.
            match key.trim_start_matches("format.") {
                "version" => {
                    let version: Version = value.parse().map_err(refused)?;
                    reference = reference.with_version(Some(version));
                }
                other => {
                    return plan_err!(
                        "STORED AS REDIVIS has no option '{other}'; there is 'version'"
                    );
                }
            }
        }
        Ok(self.metadata.table(&reference.to_string()).await?)
    }
}
