//! `CREATE TABLE` and `DROP TABLE` as DataFusion plans them, turned into what they mean on Redivis.
//!
//! DataFusion casts a query's columns to those that are declared: 1.5 becomes 1 before anything could refuse it. So a query
//! beside declared columns is planned as what it says, and its values are judged when they are written.

use std::sync::Arc;

use datafusion::common::{Result, internal_err, not_impl_err, plan_err};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{CreateMemoryTable, DdlStatement, EmptyRelation, LogicalPlan};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{self, Ident, ObjectName, ObjectType};
use redivis::{TableReference, Version};

use super::{CreateTable, DropTable};
use crate::catalog::{MetadataCache, Registration, Registrations};
use crate::error::refused;
use crate::plan::insert::{checked, named};
use crate::plan::statement::{Action, RedivisStatement};
use crate::plan::within::within;

/// The catalog of the names of tables that are being defined. There is none: DataFusion would look a name up before it
/// defines it, which costs a request and fails.
const DEFINED: &str = "defined on redivis";

/// Marks the name that a statement defines if it is one of Redivis, which `remote` knows.
pub(crate) fn mark(
    statement: &mut ast::Statement,
    remote: impl Fn(&ObjectName) -> Result<Option<(Registration, TableReference)>>,
) -> Result<()> {
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
        if let Some((registration, reference)) = remote(name)? {
            let parts = [DEFINED, &registration.schema, &reference.to_string()];
            *name = ObjectName::from(parts.map(|part| Ident::with_quote('"', part)).to_vec());
        }
    }
    Ok(())
}

/// The table of a name that was marked; `None` for others. Fails unless the reference names the version that can be changed.
fn marked(
    name: &datafusion::common::TableReference,
    registrations: &Registrations,
) -> Result<Option<(Arc<MetadataCache>, TableReference)>> {
    let schema = name.schema().filter(|_| name.catalog() == Some(DEFINED));
    let Some(Registration { metadata, .. }) = schema.and_then(|it| registrations.get(it)) else {
        return Ok(None);
    };
    let reference: TableReference = name.table().parse().map_err(refused)?;
    if reference.version() != Some(Version::Next) || reference.parent().is_sample() {
        let (next, dataset) = (reference.in_next_version(), reference.parent().by_name());
        return plan_err!(
            "tables are created and dropped in the version that is not released yet: write redivis.'{next}'. CALL \
             redivis.next_version('{dataset}') opens it"
        );
    }
    Ok(Some((metadata, reference)))
}

/// Plans a definition by columns and by a query, if it is of a table on Redivis. `around` is what may explain or prepare it,
/// with its query alone.
pub(in crate::plan) async fn plan(
    state: &SessionState,
    create: ast::CreateTable,
    around: Statement,
    registrations: &Registrations,
) -> Result<Option<LogicalPlan>> {
    let catalog = create.name.0.first().and_then(|part| part.as_ident());
    if create.columns.is_empty() || catalog.is_none_or(|catalog| catalog.value != DEFINED) {
        return Ok(None);
    }
    let columns = ast::Statement::CreateTable(create);
    let columns = Statement::Statement(Box::new(columns));
    let LogicalPlan::Ddl(DdlStatement::CreateMemoryTable(create)) =
        state.statement_to_plan(columns).await?
    else {
        return internal_err!("the definition of a table is planned as something else");
    };
    let columns = create.input.schema();
    let names = columns.fields().iter().map(|field| field.name().clone());
    let names = Some(names.collect());
    let around = state.statement_to_plan(around).await?;
    within(around, &|query| {
        let query = named(checked(query, state)?, &create.name, &names)?;
        match create_table(&create, Some((query, Arc::clone(columns))), registrations)? {
            Some(plan) => Ok(plan),
            None => internal_err!("the name of a table that is being defined means another"),
        }
    })
    .map(Some)
}

/// The definition on Redivis that a plan of DataFusion's is; `None` for all other plans.
pub(crate) fn statement(
    plan: &LogicalPlan,
    registrations: &Registrations,
) -> Result<Option<LogicalPlan>> {
    match plan {
        LogicalPlan::Ddl(DdlStatement::CreateMemoryTable(create)) => {
            create_table(create, None, registrations)
        }
        LogicalPlan::Ddl(DdlStatement::DropTable(drop)) => match marked(&drop.name, registrations)?
        {
            Some((metadata, reference)) => {
                let action = Action::Drop(DropTable {
                    reference,
                    if_exists: drop.if_exists,
                });
                RedivisStatement::plan(action, metadata, None).map(Some)
            }
            None => Ok(None),
        },
        _ => Ok(None),
    }
}

fn create_table(
    create: &CreateMemoryTable,
    declared: Option<(LogicalPlan, datafusion::common::DFSchemaRef)>,
    registrations: &Registrations,
) -> Result<Option<LogicalPlan>> {
    let Some((metadata, reference)) = marked(&create.name, registrations)? else {
        return Ok(None);
    };
    refuse_what_redivis_has_not(create)?;
    let (query, columns) = match declared {
        Some((query, columns)) => (query, Some(columns)),
        None => (create.input.as_ref().clone(), None),
    };
    let action = Action::Create(CreateTable {
        reference,
        columns,
        if_not_exists: create.if_not_exists,
        or_replace: create.or_replace,
    });
    RedivisStatement::plan(action, metadata, Some(query)).map(Some)
}

/// Fails for what a definition says and no table on Redivis does.
fn refuse_what_redivis_has_not(create: &CreateMemoryTable) -> Result<()> {
    let declared = match create.input.as_ref() {
        LogicalPlan::EmptyRelation(EmptyRelation {
            produce_one_row: false,
            schema,
        }) => Some(schema),
        _ => None,
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
