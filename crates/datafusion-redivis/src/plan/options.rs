//! Which statements an application lets through, on Redivis as locally.
//!
//! DataFusion's [`SQLOptions`] judge its own nodes and let others pass. What they allow is found out by asking them about
//! nodes of each kind.

use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DFSchema, Result, TableReference, plan_err};
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::logical_plan::builder::LogicalTableSource;
use datafusion::logical_expr::{
    DdlStatement, Deallocate, DmlStatement, DropTable, EmptyRelation, LogicalPlan, Statement,
    WriteOp,
};

use super::statement::{Action, RedivisStatement};

/// Fails for a plan that has anything which the options do not allow, as `SQLOptions::verify_plan` does, and for statements on
/// Redivis as for their local counterparts. A procedure is a statement, and DDL or DML besides, by what it does.
pub(crate) fn verify(options: &SQLOptions, plan: &LogicalPlan) -> Result<()> {
    options.verify_plan(plan)?;
    let (ddl, dml, statements) = (
        options.verify_plan(&definition()).is_ok(),
        options.verify_plan(&write()).is_ok(),
        options.verify_plan(&statement()).is_ok(),
    );
    plan.apply_with_subqueries(|node| {
        match RedivisStatement::of(node).map(|statement| &statement.action) {
            Some(Action::Create(_)) if !ddl => plan_err!("DDL not supported: CreateMemoryTable"),
            Some(Action::Drop(_)) if !ddl => plan_err!("DDL not supported: DropTable"),
            Some(Action::Copy(_)) if !dml => plan_err!("DML not supported: COPY"),
            Some(Action::Call(_)) if !statements => plan_err!("Statement not supported: CALL"),
            Some(Action::Call(call)) if !ddl && call.defines() => {
                plan_err!("DDL not supported: CALL")
            }
            Some(Action::Call(call)) if !dml && !call.defines() => {
                plan_err!("DML not supported: CALL")
            }
            _ => Ok(TreeNodeRecursion::Continue),
        }
    })?;
    Ok(())
}

fn definition() -> LogicalPlan {
    LogicalPlan::Ddl(DdlStatement::DropTable(DropTable {
        name: TableReference::bare("t"),
        if_exists: true,
        schema: Arc::clone(DFSchema::empty_ref()),
    }))
}

fn write() -> LogicalPlan {
    LogicalPlan::Dml(DmlStatement::new(
        TableReference::bare("t"),
        Arc::new(LogicalTableSource::new(Arc::new(Schema::empty()))),
        WriteOp::Delete,
        Arc::new(LogicalPlan::EmptyRelation(EmptyRelation {
            produce_one_row: false,
            schema: Arc::clone(DFSchema::empty_ref()),
        })),
    ))
}

fn statement() -> LogicalPlan {
    LogicalPlan::Statement(Statement::Deallocate(Deallocate {
        name: "p".to_owned(),
    }))
}
