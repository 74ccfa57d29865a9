//! `CREATE TABLE` and `DROP TABLE` for tables on Redivis.
//!
//! DataFusion defines tables of the session; a name of Redivis means a table there, in the version that is not released yet.
//! Like every write it is all or nothing: the query has run before the table is made, and a table that could not be filled
//! is deleted again.

mod declared;

use std::sync::Arc;

use datafusion::common::{DataFusionError, Result, exec_err, not_impl_err, plan_err};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{CreateMemoryTable, DropTable, EmptyRelation, LogicalPlan};
use datafusion::physical_plan::execute_stream;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{self, Ident, ObjectName, ObjectType};
use redivis::resource::{Dataset, NewTable, Table, TableChanges};
use redivis::write::{Content, SendProgress, UploadField, UploadRequest};
use redivis::{Client, ErrorKind, TableReference, Version};

use self::declared::Declared;
pub(crate) use self::declared::plan;
use crate::error::{failed, refused};
use crate::write::{
    Columns, Destination, Expected, Spool, Undo, Writes, draft, parquet, still_there, unique,
};

/// The schema of the names of tables that are being defined. There is no such schema: DataFusion would look a name up before
/// it defines it, which costs a request and fails.
const DEFINED: &str = "defined on redivis";

/// The name of the upload that gives a table without rows its variables.
const COLUMNS: &str = "columns";

/// Marks the name that a statement defines, or explains the definition of, if it is one of Redivis, which `remote` knows.
pub(crate) fn name(
    statement: &mut Statement,
    remote: impl Fn(&ObjectName) -> Result<Option<TableReference>>,
) -> Result<()> {
    let statement = match statement {
        Statement::Explain(explain) => return name(&mut explain.statement, remote),
        Statement::Statement(statement) => statement.as_mut(),
        _ => return Ok(()),
    };
    let names = match statement {
        ast::Statement::CreateTable(create) => std::slice::from_mut(&mut create.name),
        ast::Statement::Drop {
            object_type: ObjectType::Table,
            names,
            ..
        } => names.as_mut_slice(),
        _ => return Ok(()),
    };
    for name in names {
        if let Some(reference) = remote(name)? {
            let reference = Ident::with_quote('"', reference.to_string());
            *name = ObjectName::from(vec![Ident::with_quote('"', DEFINED), reference]);
        }
    }
    Ok(())
}

/// Whether a name is that of a table on Redivis that is being defined.
fn is_marked(name: &ObjectName) -> bool {
    let schema = name.0.first().and_then(|part| part.as_ident());
    schema.is_some_and(|schema| schema.value == DEFINED)
}

/// A table on Redivis that a statement defines.
#[derive(Debug)]
pub(crate) struct Definition<'a> {
    client: &'a Client,
    writes: &'a Arc<Writes>,
    reference: TableReference,
}

impl<'a> Definition<'a> {
    /// The table of a name that was marked; `None` for others. Fails unless the reference names the version that can be
    /// changed.
    pub(crate) fn of(
        name: &datafusion::common::TableReference,
        client: &'a Client,
        writes: &'a Arc<Writes>,
    ) -> Result<Option<Self>> {
        if name.schema() != Some(DEFINED) {
            return Ok(None);
        }
        let reference: TableReference = name.table().parse().map_err(refused)?;
        if reference.version() != Some(Version::Next) || reference.parent().is_sample() {
            let next = format!(
                "{}.{}:next.{}",
                reference.owner(),
                reference.parent().name(),
                reference.name()
            );
            return plan_err!(
                "tables are created and dropped in the version that is not released yet: write redivis.'{next}'. CALL \
                 redivis.next_version('{}.{}') opens it",
                reference.owner(),
                reference.parent().name()
            );
        }
        Ok(Some(Self {
            client,
            writes,
            reference,
        }))
    }

    /// `CREATE TABLE`: with the rows of a query, with columns alone, or with both. Returns the number of rows, or `None` where
    /// the table was there and is left as it is.
    pub(crate) async fn create(
        self,
        state: &SessionState,
        create: CreateMemoryTable,
    ) -> Result<Option<u64>> {
        refuse_what_redivis_has_not(&create)?;
        let (input, columns) = match Declared::of(&create.input) {
            None => {
                let input = state.optimize(&create.input)?;
                let columns = Columns::of_query(input.schema().as_arrow())?;
                (input, columns)
            }
            Some(declared) => {
                let input = state.optimize(&declared.query)?;
                let columns = Columns::of_query(declared.columns.as_arrow())?;
                let name = self.reference.to_string();
                let columns =
                    Columns::of_table(input.schema().as_arrow(), &name, columns.variables())?;
                (input, columns)
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
        let plan = state.create_physical_plan(&input).await?;
        let context = state.task_ctx();
        let rows = execute_stream(plan, Arc::clone(&context))?;
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
    pub(crate) async fn drop(self, drop: &DropTable) -> Result<()> {
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

/// Fails for what a definition says and no table on Redivis does.
fn refuse_what_redivis_has_not(create: &CreateMemoryTable) -> Result<(), DataFusionError> {
    let declared = match create.input.as_ref() {
        LogicalPlan::EmptyRelation(EmptyRelation {
            produce_one_row: false,
            schema,
        }) => Some(schema),
        input => Declared::of(input).map(|declared| &declared.columns),
    };
    let required =
        declared.is_some_and(|columns| columns.fields().iter().any(|field| !field.is_nullable()));
    if required || create.constraints.iter().next().is_some() || !create.column_defaults.is_empty()
    {
        return plan_err!(
            "tables on Redivis have no keys, constraints and defaults; leave them out"
        );
    }
    if create.temporary {
        return not_impl_err!("there are no temporary tables on Redivis");
    }
    Ok(())
}
