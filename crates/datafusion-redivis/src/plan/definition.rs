//! `CREATE TABLE` and `DROP TABLE` for tables on Redivis.
//!
//! DataFusion defines tables of the session; a name of Redivis means a table there, in the version that is not released yet.
//! Like every write it is all or nothing: the query has run before the table is made.

mod parse;

use std::fmt;
use std::sync::Arc;

use datafusion::common::{DFSchemaRef, Result, exec_err, plan_err};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use redivis::resource::Table;
use redivis::{Client, ErrorKind, TableReference};

pub(crate) use self::parse::mark;
pub(super) use self::parse::{plan, statement};
use crate::catalog::MetadataCache;
use crate::error::failed;
use crate::write::{Columns, Spool, TableRows, Writes, draft};

/// A table on Redivis to be made from a query's rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct CreateTable {
    pub(super) reference: TableReference,
    /// The columns that the statement declares, which its query's values are judged by; `None`: the query's own.
    pub(super) columns: Option<DFSchemaRef>,
    pub(super) if_not_exists: bool,
    pub(super) or_replace: bool,
}

/// A table on Redivis to be deleted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct DropTable {
    pub(super) reference: TableReference,
    pub(super) if_exists: bool,
}

impl CreateTable {
    /// Makes it. Returns the number of rows, or `None` where the table was there and is left as it is.
    pub(super) async fn run(
        &self,
        metadata: &MetadataCache,
        input: Arc<dyn ExecutionPlan>,
        context: Arc<TaskContext>,
    ) -> Result<Option<u64>> {
        let definition = Definition {
            client: &metadata.client(),
            writes: metadata.writes(),
            reference: &self.reference,
        };
        definition.create(self, input, context).await
    }
}

impl DropTable {
    /// Deletes it.
    pub(super) async fn run(&self, metadata: &MetadataCache) -> Result<()> {
        let definition = Definition {
            client: &metadata.client(),
            writes: metadata.writes(),
            reference: &self.reference,
        };
        definition.drop(self).await
    }
}

impl fmt::Display for CreateTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.or_replace, self.if_not_exists) {
            (true, _) => "CREATE OR REPLACE TABLE ",
            (_, true) => "CREATE TABLE IF NOT EXISTS ",
            _ => "CREATE TABLE ",
        })?;
        self.reference.fmt(f)?;
        if let Some(columns) = &self.columns {
            let columns = columns.fields().iter();
            let columns: Vec<String> = columns
                .map(|field| format!("{} {}", field.name(), field.data_type()))
                .collect();
            write!(f, ", columns=[{}]", columns.join(", "))?;
        }
        Ok(())
    }
}

impl fmt::Display for DropTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.if_exists {
            true => "DROP TABLE IF EXISTS ",
            false => "DROP TABLE ",
        })?;
        self.reference.fmt(f)
    }
}

/// A table on Redivis that is being defined.
#[derive(Debug)]
struct Definition<'a> {
    client: &'a Client,
    writes: &'a Arc<Writes>,
    reference: &'a TableReference,
}

impl Definition<'_> {
    /// `CREATE TABLE`: with the rows of a query, with columns alone, or with both.
    async fn create(
        &self,
        create: &CreateTable,
        input: Arc<dyn ExecutionPlan>,
        context: Arc<TaskContext>,
    ) -> Result<Option<u64>> {
        let columns = match &create.columns {
            None => Columns::of_query(&input.schema())?,
            Some(declared) => {
                let declared = Columns::of_query(declared.as_arrow())?;
                let name = self.reference.to_string();
                Columns::of_table(&input.schema(), &name, declared.variables())?
            }
        };
        let dataset = draft::dataset(self.client, self.reference.parent()).await?;
        let existing = self.existing().await?;
        match (&existing, create.if_not_exists, create.or_replace) {
            (_, true, true) => {
                return plan_err!("'IF NOT EXISTS' cannot coexist with 'REPLACE'");
            }
            (Some(_), true, _) => return Ok(None),
            (Some(_), _, false) => return exec_err!("Table '{}' already exists", self.reference),
            _ => {}
        }
        let rows = execute_stream(input, Arc::clone(&context))?;
        let name = self.reference.to_string();
        let spool = Spool::write(rows, columns.clone(), &name, &context).await?;
        let rows = TableRows {
            client: self.client,
            writes: self.writes,
            reference: self.reference,
            columns: &columns,
            spool: &spool,
        };
        match existing {
            Some(old) => rows.replace(&dataset.uri, &old).await?,
            None => rows.create(&dataset.uri).await?,
        }
        Ok(Some(spool.rows))
    }

    /// `DROP TABLE`.
    async fn drop(&self, drop: &DropTable) -> Result<()> {
        match self.existing().await? {
            Some(table) => {
                self.client.delete_table(&table.uri).await.map_err(failed)?;
                self.writes.changed();
                Ok(())
            }
            None if drop.if_exists => Ok(()),
            None => exec_err!("Table '{}' doesn't exist.", self.reference),
        }
    }

    /// The table as it is now, whatever the session remembers.
    async fn existing(&self) -> Result<Option<Table>> {
        match self.client.table(&self.reference).await {
            Ok(table) => Ok(Some(table)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }
}
