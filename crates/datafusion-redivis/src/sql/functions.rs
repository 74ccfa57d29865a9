//! The table functions `redivis('owner.dataset.table')` and `redivis_query('SELECT …')`.
//!
//! DataFusion calls table functions while it plans, where nothing can wait for the network. So the calls in a statement are
//! replaced by names of tables before it is planned; the functions themselves only answer from what is known already, and
//! otherwise say what to write.

use std::collections::HashMap;
use std::convert::Infallible;
use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::Expr;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    self, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, TableFactor,
    VisitorMut,
};

use super::statement;
use crate::catalog::{MetadataCache, PlannedQuery, Purpose, Registration, SCHEMA};

/// What is added to a schema's name to name the function that runs SQL there.
const QUERY_SUFFIX: &str = "_query";

/// The name of the function that runs SQL on the endpoint behind a schema.
pub(crate) fn query_function(schema: &str) -> String {
    format!("{schema}{QUERY_SUFFIX}")
}

/// `redivis('owner.dataset.table')`, as DataFusion calls it.
#[derive(Debug)]
pub struct RedivisTableFunction {
    metadata: Arc<MetadataCache>,
}

impl RedivisTableFunction {
    /// Tables of what a cache has found already.
    pub fn new(metadata: Arc<MetadataCache>) -> Self {
        Self { metadata }
    }
}

impl TableFunctionImpl for RedivisTableFunction {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let [Expr::Literal(ScalarValue::Utf8(Some(reference)), _)] = args.exprs() else {
            return plan_err!("{SCHEMA} takes one reference: {SCHEMA}('owner.dataset.table')");
        };
        match self.metadata.cached(reference)? {
            Some(table) => Ok(table),
            None => plan_err!(
                "{SCHEMA}('{reference}') has to ask Redivis, which can't be done while planning: write FROM \
                 {SCHEMA}.'{reference}', or run the statement through datafusion_redivis::Redivis::sql"
            ),
        }
    }
}

/// `redivis_query('SELECT …')`, as DataFusion calls it: it only says where such a statement can be run.
#[derive(Debug, Default)]
pub struct RedivisQueryFunction;

impl TableFunctionImpl for RedivisQueryFunction {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let name = query_function(SCHEMA);
        match args.exprs() {
            [Expr::Literal(ScalarValue::Utf8(Some(_)), _)] => plan_err!(
                "{name} has to wait for Redivis, which can't be done while planning: run the statement through \
                 datafusion_redivis::Redivis::sql"
            ),
            _ => plan_err!("{name} takes one query: {name}('SELECT …')"),
        }
    }
}

/// Replaces the calls in a statement by names of tables, having run the queries among them, one after the other.
///
/// The names of queries' results are good as long as what is returned lives.
pub(crate) async fn resolve(
    statement: &mut Statement,
    Registration { schema, metadata }: &Registration,
) -> Result<Vec<PlannedQuery>> {
    let query = query_function(schema);
    let purpose = match statement {
        Statement::Explain(explain) if !explain.options.analyze => Purpose::Explain,
        _ => Purpose::Read,
    };
    let mut texts: Vec<String> = vec![];
    visit(statement, |factor| {
        if let Some(reference) = argument(factor, schema) {
            rename(factor, schema, reference);
        } else if let Some(sql) = argument(factor, &query)
            && !texts.contains(&sql)
        {
            texts.push(sql);
        }
    });
    let mut queries: HashMap<String, PlannedQuery> = HashMap::new();
    for sql in texts {
        let result = metadata.run(sql.clone(), purpose).await?;
        queries.insert(sql, result);
    }
    visit(statement, |factor| {
        if let Some(sql) = argument(factor, &query)
            && let Some(query) = queries.get(&sql)
        {
            rename(factor, schema, query.name.clone());
        }
    });
    Ok(queries.into_values().collect())
}

/// The one text that the function of this name is called with; `None` if this is no such call.
fn argument(factor: &TableFactor, function: &str) -> Option<String> {
    let (name, args) = match factor {
        TableFactor::Table {
            name,
            args: Some(args),
            ..
        } => (name, &args.args),
        TableFactor::Function {
            name,
            args,
            with_ordinality: false,
            ..
        } => (name, args),
        TableFactor::TableFunction {
            expr: ast::Expr::Function(call),
            ..
        } => match &call.args {
            FunctionArguments::List(list) => (&call.name, &list.args),
            _ => return None,
        },
        _ => return None,
    };
    let ([part], [FunctionArg::Unnamed(FunctionArgExpr::Expr(ast::Expr::Value(value)))]) =
        (name.0.as_slice(), args.as_slice())
    else {
        return None;
    };
    if !part.as_ident()?.value.eq_ignore_ascii_case(function) {
        return None;
    }
    // Single or dollar quotes: what stands in double quotes is an identifier.
    value.value.clone().into_string()
}

/// Puts a table in the place of a call.
fn rename(factor: &mut TableFactor, schema: &str, table: String) {
    let table = ObjectName::from(vec![Ident::new(schema), Ident::with_quote('"', table)]);
    match factor {
        TableFactor::Table { name, args, .. } => {
            *name = table;
            *args = None;
        }
        TableFactor::Function { alias, .. } | TableFactor::TableFunction { alias, .. } => {
            *factor = TableFactor::Table {
                name: table,
                alias: alias.take(),
                args: None,
                with_hints: vec![],
                version: None,
                with_ordinality: false,
                partitions: vec![],
                json_path: None,
                sample: None,
                index_hints: vec![],
            };
        }
        _ => {}
    }
}

pub(super) fn visit(statement: &mut Statement, each: impl FnMut(&mut TableFactor)) {
    let ControlFlow::Continue(()) = statement::visit(statement, &mut EachFactor(each));
}

struct EachFactor<F>(F);

impl<F: FnMut(&mut TableFactor)> VisitorMut for EachFactor<F> {
    type Break = Infallible;

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Infallible> {
        (self.0)(factor);
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use datafusion::sql::parser::DFParser;

    use super::*;

    fn calls(sql: &str) -> (Vec<Option<String>>, String) {
        let mut statement = DFParser::parse_sql(sql).unwrap().pop_front().unwrap();
        let mut found = vec![];
        visit(&mut statement, |factor| {
            let call = argument(factor, SCHEMA);
            if let Some(reference) = call.clone() {
                rename(factor, SCHEMA, reference);
            }
            found.push(call);
        });
        (found, statement.to_string())
    }

    #[test]
    fn a_call_becomes_a_name_and_keeps_its_alias() {
        let (found, sql) =
            calls("SELECT * FROM Redivis('a.b.c') AS t JOIN redivis('a.b.d') USING (x)");
        assert_eq!(found, [Some("a.b.c".to_owned()), Some("a.b.d".to_owned())]);
        assert_eq!(
            sql,
            r#"SELECT * FROM redivis."a.b.c" AS t JOIN redivis."a.b.d" USING(x)"#
        );
    }

    #[test]
    fn calls_are_found_wherever_tables_are() {
        for sql in [
            "EXPLAIN ANALYZE SELECT * FROM redivis('a.b.c')",
            "COPY (SELECT * FROM redivis('a.b.c')) TO 'x.csv'",
            "CREATE VIEW v AS SELECT 1 WHERE EXISTS (SELECT 1 FROM redivis('a.b.c'))",
            "WITH t AS (SELECT 1 FROM redivis('a.b.c')) SELECT 1",
            "PREPARE p AS SELECT * FROM redivis('a.b.c')",
            "INSERT INTO t SELECT * FROM redivis('a.b.c')",
            "SELECT * FROM t, LATERAL redivis('a.b.c') AS u",
            "SELECT * FROM TABLE(redivis('a.b.c'))",
            "SELECT * FROM (t CROSS JOIN redivis($$a.b.c$$))",
            "SELECT * FROM redivis($tag$a.b.c$tag$)",
            "SELECT (SELECT max(x) FROM redivis('a.b.c')) UNION SELECT x FROM t",
        ] {
            assert!(calls(sql).1.contains(r#"redivis."a.b.c""#), "{sql}");
        }
    }

    #[test]
    fn other_calls_are_left_alone() {
        for sql in [
            "SELECT * FROM generate_series('a.b.c')",
            "SELECT * FROM redivis(x)",
            "SELECT * FROM redivis('a', 'b')",
            "SELECT * FROM redivis",
            "SELECT redivis('a.b.c')",
        ] {
            assert!(calls(sql).0.iter().all(Option::is_none), "{sql}");
        }
    }
}
