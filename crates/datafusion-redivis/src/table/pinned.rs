//! Whether a query on Redivis gives the same whenever it runs, so that a result of it need not be asked for again.
//!
//! It does where all its tables are of released versions that it names, and it asks for neither the time nor chance. Whatever
//! can't be read, or is not known to be so, counts as what may change: to run a query again costs time, to show what was true
//! an hour ago costs trust.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, ObjectName, Query, SetExpr, Statement, TableFactor, Visit, Visitor,
};
use datafusion::sql::sqlparser::dialect::BigQueryDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use redivis::resource::QueryRequest;
use redivis::{DatasetReference, TableReference, Version};

/// What gives something else each time, as a function or without parentheses.
const VOLATILE: &[&str] = &[
    "CURRENT_DATE",
    "CURRENT_DATETIME",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "GENERATE_UUID",
    "RAND",
    "SESSION_USER",
    "TABLESAMPLE",
    "SYSTEM_TIME",
];

/// Whether the query gives the same whenever it runs.
pub(super) fn is_pinned(request: &QueryRequest) -> bool {
    let dialect = BigQueryDialect {};
    let Ok(tokens) = Tokenizer::new(&dialect, &request.query).tokenize() else {
        return false;
    };
    let is_volatile = |token: &Token| match token {
        // Parameters and system variables are words to this dialect.
        Token::Word(word) if word.value.starts_with('@') => true,
        Token::Word(word) => VOLATILE
            .iter()
            .any(|name| name.eq_ignore_ascii_case(&word.value)),
        Token::AtSign | Token::Placeholder(_) => true,
        _ => false,
    };
    if tokens.iter().any(is_volatile) {
        return false;
    }
    let statements = Parser::new(&dialect).with_tokens(tokens).parse_statements();
    let Ok([statement @ Statement::Query(_)]) = statements.as_deref() else {
        return false;
    };
    let mut tables = Tables {
        bare: bare_names(request),
    };
    statement.visit(&mut tables).is_continue()
}

/// Whether a table without its dataset is one of a released version, or no table but a name that the query makes. Where there
/// is a default that may change, it might be either.
fn bare_names(request: &QueryRequest) -> bool {
    match (&request.default_workflow, &request.default_dataset) {
        (Some(_), _) => false,
        (None, None) => true,
        (None, Some(dataset)) => {
            let dataset = dataset.parse::<DatasetReference>();
            dataset.is_ok_and(|dataset| is_numbered(dataset.version()))
        }
    }
}

fn is_numbered(version: Option<Version>) -> bool {
    matches!(version, Some(Version::Numbered { .. }))
}

/// Ends the walk at what may change.
struct Tables {
    bare: bool,
}

impl Tables {
    fn may_change(&self, name: &ObjectName) -> bool {
        let parts: Option<Vec<&str>> = name
            .0
            .iter()
            .map(|part| Some(part.as_ident()?.value.as_str()))
            .collect();
        let Some(parts) = parts else {
            return true;
        };
        let name = parts.join(".");
        if name.contains('*') {
            return true;
        }
        match name.contains('.') {
            false => !self.bare,
            true => {
                let table = name.parse::<TableReference>();
                !table.is_ok_and(|table| is_numbered(table.version()))
            }
        }
    }
}

fn end_if(changes: bool) -> ControlFlow<()> {
    match changes {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    }
}

impl Visitor for Tables {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        end_if(!query.pipe_operators.is_empty() || matches!(*query.body, SetExpr::Table(_)))
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
        end_if(self.may_change(name))
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        end_if(match factor {
            TableFactor::Table {
                args,
                version,
                sample,
                ..
            } => args.is_some() || version.is_some() || sample.is_some(),
            TableFactor::Derived { sample, .. } => sample.is_some(),
            TableFactor::NestedJoin { .. } | TableFactor::UNNEST { .. } => false,
            _ => true,
        })
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        // Functions of somebody's own, and of models, may do anything.
        let Expr::Function(function) = expr else {
            return ControlFlow::Continue(());
        };
        let is_safe = |name: &ObjectName| {
            let first = name.0.first().and_then(|part| part.as_ident());
            first.is_some_and(|first| first.value.eq_ignore_ascii_case("SAFE"))
        };
        end_if(function.name.0.len() > 1 && !is_safe(&function.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(query: &str, dataset: Option<&str>, workflow: Option<&str>) -> QueryRequest {
        QueryRequest {
            query: query.to_owned(),
            default_dataset: dataset.map(str::to_owned),
            default_workflow: workflow.map(str::to_owned),
        }
    }

    fn pinned(query: &str) -> bool {
        is_pinned(&request(query, None, None))
    }

    #[test]
    fn tables_of_released_versions_do_not_change() {
        for query in [
            "SELECT 1",
            "SELECT * FROM `o.d:v1_0.t`",
            "SELECT * FROM `o.d:ab12:v1_0.t:cd34` AS a JOIN `o`.`d:v2_1`.`u` USING (x) -- rand()",
            "SELECT * FROM `o.d:sample:v1_0.t`;",
            "WITH a AS (SELECT DISTINCT x FROM `o.d:v1_0.t`) SELECT COUNT(*), SAFE.LOG(2) FROM a, UNNEST([1, 2]) AS n WHERE n IN \
             (SELECT y FROM `o.d:v1_0.u`) QUALIFY ROW_NUMBER() OVER (ORDER BY n) = 1",
            "(SELECT * EXCEPT (x) FROM `o.d:v1_0.t`) UNION ALL SELECT y FROM `o.d:v1_0.u` WHERE s LIKE '%current_date%'",
        ] {
            assert!(pinned(query), "{query}");
        }
    }

    #[test]
    fn all_else_may() {
        for query in [
            "SELECT * FROM `o.d.t`",
            "SELECT * FROM o.d.t",
            "SELECT * FROM `o.d:current.t`",
            "SELECT * FROM `o.d:next.t`",
            "SELECT * FROM `o.d:v1_0.t` JOIN `o.d.u` USING (x)",
            "SELECT * FROM `o.d:v1_0.t` WHERE x IN (SELECT y FROM `o.d.u`)",
            "SELECT (SELECT MAX(y) FROM `o.d.u`) FROM `o.d:v1_0.t`",
            "SELECT EXISTS(SELECT 1 FROM `o.d.u`), ARRAY(SELECT 1) FROM `o.d:v1_0.t`",
            "WITH a AS (SELECT * FROM `o.d.t`) SELECT * FROM a",
            "SELECT * FROM (SELECT * FROM `o.d.t`)",
            "SELECT * FROM `o.d:v1_0.t` UNION ALL SELECT * FROM `o.d.t`",
            "SELECT * FROM `o.d:v1_0.t_*`",
            "SELECT * FROM `o.d:v1_0.INFORMATION_SCHEMA.TABLES`",
            "SELECT * FROM `o.d:v1_0.t` FOR SYSTEM_TIME AS OF '2020-01-01'",
            "SELECT * FROM `o.d:v1_0.t` TABLESAMPLE SYSTEM (10 PERCENT)",
            "SELECT * FROM a.b(1)",
            "SELECT * FROM EXTERNAL_QUERY('a', 'SELECT 1')",
            "SELECT RAND() FROM `o.d:v1_0.t`",
            "SELECT CURRENT_DATE, x FROM `o.d:v1_0.t`",
            "SELECT current_timestamp() FROM `o.d:v1_0.t`",
            "SELECT * FROM `o.d:v1_0.t` WHERE day < Current_DateTime('UTC')",
            "SELECT SESSION_USER(), GENERATE_UUID()",
            "SELECT o.f(x) FROM `o.d:v1_0.t`",
            "SELECT @@version",
            "SELECT @x",
            "SELECT ?",
            "SELECT 1; SELECT 2",
            "CREATE TEMP FUNCTION f() AS (1); SELECT f()",
            "SELECT",
            "",
            "TABLE t",
            "FROM `o.d:v1_0.t` |> SELECT x",
        ] {
            assert!(!pinned(query), "{query}");
        }
    }

    #[test]
    fn bare_names_are_those_of_the_default() {
        let bare = "SELECT * FROM `my table:ab12` JOIN t USING (x)";
        let of = |dataset, workflow| is_pinned(&request(bare, dataset, workflow));
        assert!(of(Some("o.d:v1_0"), None));
        assert!(of(Some("o.d:ab12:v1_0"), None));
        assert!(!of(Some("o.d"), None));
        assert!(!of(Some("o.d:next"), None));
        assert!(!of(None, Some("o.w")));
        // A common table expression may have the name of a table.
        let own = "WITH t AS (SELECT * FROM t) SELECT * FROM t";
        assert!(!is_pinned(&request(own, Some("o.d"), None)));
        assert!(is_pinned(&request(own, Some("o.d:v1_0"), None)));
        let whole = "SELECT * FROM `o.d:v1_0.t`";
        assert!(is_pinned(&request(whole, Some("o.d"), None)));
    }
}
