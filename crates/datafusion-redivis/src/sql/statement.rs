//! What a statement says, inside of what explains or prepares it, and the walk over all of it.

use std::ops::ControlFlow;

use datafusion::sql::parser::{CopyToSource, CopyToStatement, CreateExternalTable, Statement};
use datafusion::sql::sqlparser::ast::{self, VisitMut, VisitorMut};

/// A statement without what explains or prepares it.
#[derive(Debug)]
pub(crate) enum Body<'s> {
    Sql(&'s mut ast::Statement),
    CopyTo(&'s mut CopyToStatement),
    CreateExternalTable(&'s mut CreateExternalTable),
    Reset,
}

/// The statement inside of `EXPLAIN` and `PREPARE`.
pub(crate) fn body(statement: &mut Statement) -> Body<'_> {
    match statement {
        Statement::Explain(explain) => body(&mut explain.statement),
        Statement::Statement(statement) => Body::Sql(innermost(statement)),
        Statement::CopyTo(copy) => Body::CopyTo(copy),
        Statement::CreateExternalTable(create) => Body::CreateExternalTable(create),
        Statement::Reset(_) => Body::Reset,
    }
}

fn innermost(statement: &mut ast::Statement) -> &mut ast::Statement {
    match statement {
        ast::Statement::Prepare { statement, .. } | ast::Statement::Explain { statement, .. } => {
            innermost(statement)
        }
        statement => statement,
    }
}

/// Visits all of a statement, and the names of tables also where the parser's own walk does not take them for such.
pub(crate) fn visit<V: VisitorMut>(
    statement: &mut Statement,
    visitor: &mut V,
) -> ControlFlow<V::Break> {
    match body(statement) {
        Body::Sql(statement) => {
            if let ast::Statement::Drop { names, .. } = statement {
                names
                    .iter_mut()
                    .try_for_each(|name| visitor.pre_visit_relation(name))?;
            }
            statement.visit(visitor)
        }
        Body::CopyTo(copy) => match &mut copy.source {
            CopyToSource::Query(query) => query.visit(visitor),
            CopyToSource::Relation(name) => visitor.pre_visit_relation(name),
        },
        Body::CreateExternalTable(create) => visitor.pre_visit_relation(&mut create.name),
        Body::Reset => ControlFlow::Continue(()),
    }
}
