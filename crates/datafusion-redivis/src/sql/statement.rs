//! What a statement says, inside of what explains or prepares it, and the walk over all of it.

use std::ops::ControlFlow;

use datafusion::common::Result;
use datafusion::sql::parser::{CopyToSource, CopyToStatement, CreateExternalTable, Statement};
use datafusion::sql::sqlparser::ast::{self, DescribeAlias, Query, VisitMut, VisitorMut};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;

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

/// Describes the table that `SHOW COLUMNS` names.
///
/// DataFusion would look for it in its list of tables, which has none of Redivis.
pub(crate) fn describe_columns(statement: &mut Statement) {
    if let Body::Sql(statement) = body(statement)
        && let ast::Statement::ShowColumns { show_options, .. } = statement
        && show_options.filter_position.is_none()
        && let Some(table_name) = show_options.show_in.take().and_then(|of| of.parent_name)
    {
        *statement = ast::Statement::ExplainTable {
            describe_alias: DescribeAlias::Describe,
            hive_format: None,
            has_table_keyword: false,
            table_name,
        };
    }
}

/// A query of the program's own.
pub(crate) fn query(sql: &'static str) -> Result<Box<Query>> {
    let parser = Parser::new(&GenericDialect {}).try_with_sql(sql);
    Ok(parser.and_then(|mut parser| parser.parse_query())?)
}

/// What a statement does with a query, and the whole statement with the query alone in its place, for DataFusion to plan what
/// stands around it; `None` for queries and for what takes none. A `CALL`, which DataFusion has no plan for, counts as one
/// with any query.
pub(crate) fn take(statement: &Statement) -> Result<Option<(ast::Statement, Statement)>> {
    let mut around = statement.clone();
    let Body::Sql(body) = body(&mut around) else {
        return Ok(None);
    };
    let taken = match body {
        ast::Statement::Insert(insert) => insert.source.take(),
        ast::Statement::CreateTable(create) => create.query.take(),
        ast::Statement::Call(_) => Some(query("SELECT 1")?),
        _ => None,
    };
    let Some(taken) = taken else {
        return Ok(None);
    };
    let body = std::mem::replace(body, ast::Statement::Query(taken));
    Ok(Some((body, around)))
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
