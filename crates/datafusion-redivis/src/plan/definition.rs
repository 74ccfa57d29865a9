//! `CREATE TABLE` and `DROP TABLE` for tables on Redivis.
//!
//! DataFusion defines tables of the session; a name of Redivis means a table there, in the version that is not released yet.
//! Like every write it is all or nothing: the query has run before the table is made.

mod declared;

use std::sync::Arc;

use datafusion::common::{DataFusionError, Result, exec_err, not_impl_err, plan_err};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{CreateMemoryTable, DropTable, EmptyRelation, LogicalPlan};
use datafusion::physical_plan::execute_stream;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{self, Ident, ObjectName, ObjectType};
use redivis::resource::Table;
use redivis::{Client, ErrorKind, TableReference, Version};

use self::declared::Declared;
pub(crate) use self::declared::plan;
use crate::error::{failed, refused};
use crate::write::{Columns, Spool, TableRows, Writes, draft};

/// The schema of the names of tables that are being defined. There is no such schema: DataFusion would look a name up before
/// it defines it, which costs a request and fails.
const DEFINED: &str = "defined on redivis";

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
        let rows = TableRows {
            client: self.client,
            writes: self.writes,
            reference: &self.reference,
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
