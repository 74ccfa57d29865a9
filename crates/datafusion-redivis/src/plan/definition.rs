//! `CREATE TABLE` and `DROP TABLE` for tables on Redivis.
//!
//! DataFusion defines tables of the session; a name of Redivis means a table there, in the version that is not released yet.
//! Like every write it is all or nothing: the query has run before the table is made, and a table that could not be filled
//! is deleted again.

mod parse;

use std::fmt;
use std::sync::Arc;

use datafusion::common::{DFSchemaRef, Result, exec_err, plan_err};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use redivis::resource::{Dataset, NewTable, Table, TableChanges};
use redivis::write::{Content, SendProgress, UploadField, UploadRequest};
use redivis::{Client, ErrorKind, TableReference};

pub(crate) use self::parse::mark;
pub(super) use self::parse::{plan, statement};
use crate::catalog::MetadataCache;
use crate::error::{failed, refused};
use crate::write::{
    Columns, Destination, Expected, Spool, Undo, Writes, draft, parquet, still_there, unique,
};

/// The name of the upload that gives a table without rows its variables.
const COLUMNS: &str = "columns";

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
        if let Some(old) = existing {
            self.replace(&dataset, &old, &columns, &spool).await?;
        } else {
            let name = self.reference.name();
            self.fill(&dataset, name, &columns, &spool).await?;
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

    /// Makes a table and fills it, or leaves none.
    async fn fill(
        &self,
        dataset: &Dataset,
        name: &str,
        columns: &Columns,
        spool: &Spool,
    ) -> Result<Table> {
        let new = NewTable {
            name: name.to_owned(),
            ..NewTable::default()
        };
        let reference = self.reference.parent().table(name).map_err(refused)?;
        let asked = Undo::new(self.writes, left(self.client.clone(), reference));
        let table = match self.client.create_table(&dataset.uri, &new).await {
            Ok(table) => table,
            Err(error) if error.status().is_some_and(|status| status < 500) => {
                asked.keep();
                return Err(failed(error));
            }
            Err(error) => return Err(asked.because_of(failed(error)).await),
        };
        let undo = Undo::new(
            self.writes,
            delete(self.client.clone(), table.uri.clone(), self.named(name)),
        );
        asked.keep();
        match self.fill_with(&table, name, columns, spool).await {
            Ok(()) => {
                undo.keep();
                Ok(table)
            }
            Err(error) => Err(undo.because_of(error).await),
        }
    }

    async fn fill_with(
        &self,
        table: &Table,
        name: &str,
        columns: &Columns,
        spool: &Spool,
    ) -> Result<()> {
        if spool.rows == 0 {
            // Variables without rows: what a stream upload is before its first rows (redivis-api §6.4).
            let fields = columns.variables().map(|(name, variable)| UploadField {
                name: name.to_owned(),
                variable_type: variable.clone(),
            });
            let request = UploadRequest {
                name: COLUMNS.to_owned(),
                upload_type: Some("stream".to_owned()),
                schema: Some(fields.collect()),
                ..UploadRequest::default()
            };
            let upload = self.client.create_upload(&table.uri, &request, None).await;
            upload.map_err(failed)?;
            return Ok(());
        }
        let destination = Destination {
            client: self.client.clone(),
            table: self.named(name),
            uri: table.uri.clone(),
            writes: Arc::clone(self.writes),
        };
        let content = Content::file(spool.path()).await.map_err(failed)?;
        let request = parquet(unique("create"));
        let progress = Arc::new(SendProgress::default());
        destination
            .upload(&request, &content, &Expected::rows(spool.rows), &progress)
            .await?;
        Ok(())
    }

    /// Fills a table of another name, and puts it in the place of the old one only then.
    async fn replace(
        &self,
        dataset: &Dataset,
        old: &Table,
        columns: &Columns,
        spool: &Spool,
    ) -> Result<()> {
        let aside = unique(&format!("{}_new", self.reference.name())).replace('-', "_");
        let new = self.fill(dataset, &aside, columns, spool).await?;
        let name = self.named(&aside);
        let undo = Undo::new(
            self.writes,
            delete(self.client.clone(), new.uri.clone(), name.clone()),
        );
        if let Err(error) = self.client.delete_table(&old.uri).await {
            return Err(undo.because_of(failed(error)).await);
        }
        // From here on the new table is all there is.
        undo.keep();
        let renamed = TableChanges {
            name: Some(old.name.clone()),
            ..TableChanges::default()
        };
        match self.client.update_table(&new.uri, &renamed).await {
            Ok(_) => {
                self.writes.changed();
                Ok(())
            }
            Err(error) => Err(still_there(
                failed(error),
                format!(
                    "the old table is deleted, and the rows are in {name}: rename it to {}",
                    old.name
                ),
            )),
        }
    }

    /// A table of the same dataset, for people.
    fn named(&self, name: &str) -> String {
        format!("{}.{name}", self.reference.parent())
    }
}

/// Looks for a table whose creation was not answered. It may as well be somebody else's, so it is not deleted.
async fn left(client: Client, table: TableReference) -> Option<String> {
    match client.table(&table).await {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        _ => Some(format!(
            "the table {table} may be left, without rows: remove it with DROP TABLE redivis.'{table}'"
        )),
    }
}

async fn delete(client: Client, uri: String, name: String) -> Option<String> {
    match client.delete_table(&uri).await {
        Ok(()) => None,
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => Some(format!(
            "the table {name} may be left ({error}): remove it with DROP TABLE redivis.'{name}'"
        )),
    }
}
