//! References without quotes: `redivis.owner.dataset.table` is `redivis.'owner.dataset.table'`.
//!
//! DataFusion knows names of three parts at most; so these are put together before a statement is planned.

use std::convert::Infallible;
use std::ops::ControlFlow;

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{Ident, ObjectName, VisitorMut};

use super::statement;

/// Quotes the references in a statement whose first part is one of Redivis's schemas.
pub(crate) fn quote(statement: &mut Statement, is_schema: impl Fn(&str) -> bool) {
    let ControlFlow::Continue(()) = statement::visit(statement, &mut Quotes(is_schema));
}

struct Quotes<F>(F);

impl<F: Fn(&str) -> bool> VisitorMut for Quotes<F> {
    type Break = Infallible;

    fn pre_visit_relation(&mut self, name: &mut ObjectName) -> ControlFlow<Infallible> {
        let parts: Option<Vec<&Ident>> = name.0.iter().map(|part| part.as_ident()).collect();
        if let Some([schema, owner, parent, table]) = parts.as_deref()
            && (self.0)(&folded(schema))
        {
            let reference = format!("{}.{}.{}", owner.value, parent.value, table.value);
            *name = ObjectName::from(vec![(*schema).clone(), Ident::with_quote('"', reference)]);
        }
        ControlFlow::Continue(())
    }
}

fn folded(ident: &Ident) -> String {
    match ident.quote_style {
        None => ident.value.to_lowercase(),
        Some(_) => ident.value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use datafusion::sql::parser::DFParser;

    use super::*;

    #[test]
    fn references_of_four_parts_are_quoted_wherever_tables_are() {
        for (written, quoted) in [
            (
                "SELECT t.x FROM redivis.o.d.t AS t",
                r#"SELECT t.x FROM redivis."o.d.t" AS t"#,
            ),
            (
                r#"EXPLAIN SELECT * FROM Redivis.o."d:v1_0"."My t" JOIN a.b.c USING (x)"#,
                r#"EXPLAIN SELECT * FROM Redivis."o.d:v1_0.My t" JOIN a.b.c USING(x)"#,
            ),
            (
                r#"PREPARE p AS INSERT INTO redivis.o."d:next".t SELECT * FROM redivis.o.d.t"#,
                r#"PREPARE p AS INSERT INTO redivis."o.d:next.t" SELECT * FROM redivis."o.d.t""#,
            ),
            (
                r#"CREATE TABLE redivis.o."d:next".t AS SELECT 1"#,
                r#"CREATE TABLE redivis."o.d:next.t" AS SELECT 1"#,
            ),
            (
                r#"DROP TABLE IF EXISTS redivis.o."d:next".t, local"#,
                r#"DROP TABLE IF EXISTS redivis."o.d:next.t", local"#,
            ),
            (
                "COPY redivis.o.d.t TO 'x.csv'",
                r#"COPY redivis."o.d.t" TO x.csv"#,
            ),
            ("DESCRIBE redivis.o.d.t", r#"DESCRIBE redivis."o.d.t""#),
            ("SELECT * FROM other.o.d.t", "SELECT * FROM other.o.d.t"),
            ("SELECT * FROM redivis.o.d", "SELECT * FROM redivis.o.d"),
            (
                "SELECT redivis.o.d.t FROM redivis",
                "SELECT redivis.o.d.t FROM redivis",
            ),
        ] {
            let mut statement = DFParser::parse_sql(written).unwrap().pop_front().unwrap();
            quote(&mut statement, |schema| schema == "redivis");
            assert_eq!(statement.to_string(), quoted);
        }
    }
}
