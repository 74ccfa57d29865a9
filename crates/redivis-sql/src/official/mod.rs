//! A query in the words of the official clients, for who goes on in Python or R.
//!
//! A look at one table is a call with its variables and its limit, which costs no query. Anything else runs on Redivis, in
//! Redivis's dialect, with its tables named as there; what Redivis can't see can't be said.

mod names;
mod plain;
mod python;
mod r;

use datafusion::sql::parser::Statement as Parsed;
use datafusion::sql::sqlparser::ast::Statement;

use crate::failure::{Failure, Refusal};
use crate::layout::laid_out;
use crate::session::Session;

/// What a query is to the official clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// Rows of a table.
    Table {
        reference: String,
        /// All of them for none.
        variables: Vec<String>,
        limit: Option<u64>,
    },
    /// A query that runs on Redivis.
    Query(String),
}

impl Said {
    /// What a statement says; refused where they have no words for it.
    pub(crate) fn of(session: &Session, sql: &str) -> Result<Self, Failure> {
        let state = session.context.state();
        let dialect = state.config().options().sql_parser.dialect;
        let parsed = state.sql_to_statement(sql, &dialect)?;
        let Parsed::Statement(statement) = parsed else {
            return Err(no_query());
        };
        let mut statement = *statement;
        let Statement::Query(query) = &mut statement else {
            return Err(no_query());
        };
        if let Some(remote) = plain::remote_query(query) {
            return Ok(Self::Query(remote));
        }
        names::spell_out(session, query)?;
        Ok(match plain::table(query) {
            Some(table) => table,
            None => Self::Query(laid_out(&query.to_string())),
        })
    }
}

fn no_query() -> Failure {
    refused(
        "this is no query",
        "the official clients read tables and run queries: SELECT …",
    )
}

fn refused(message: impl Into<String>, hint: &str) -> Failure {
    Failure::Refused(Refusal {
        message: message.into(),
        hint: Some(hint.to_owned()),
        at: None,
    })
}
