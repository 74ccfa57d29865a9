//! Identifiers without regard to case: `SELECT stationid` finds `StationID`, and the header says `StationID`.
//!
//! Redivis's variable names are case-insensitive, DataFusion's columns are not, and SQL folds what is not quoted to lower
//! case. So before a statement is planned, each identifier that names no column as it is written, but exactly one column
//! without regard to case, is put in that column's spelling. Identifiers that match a column exactly are never touched, and
//! where two columns match, or the columns can't be known, DataFusion gets the identifier as it was written.
//!
//! Names that a join merges (`USING`, `NATURAL`) are resolved here too, as DataFusion takes either side's column for both.
//!
//! In: a parsed statement, and the columns of the tables that it names. Out: the same statement. [`walk`] goes through queries
//! and expressions, in [`from`] and [`projection`] too; [`names`] knows the tables and [`scope`] the columns; [`using`] and
//! [`wildcard`] tell what joins and `*` make of them. Uses `statement`.

mod from;
mod names;
mod projection;
mod scope;
mod using;
mod walk;
mod wildcard;

#[cfg(test)]
pub(super) mod tests;

use datafusion::common::Result;
use datafusion::sql::parser::{CopyToSource, Statement};

pub(crate) use self::names::Names;
use self::walk::Walk;
use super::statement::{self, Body};

/// Puts the identifiers of a statement in the spelling of the columns that they mean.
///
/// Fails where DataFusion would silently do something else than the statement says.
pub(crate) fn respell(statement: &mut Statement, names: &Names) -> Result<()> {
    let mut walk = Walk::new(names);
    match statement::body(statement) {
        Body::Sql(statement) => walk.statement(statement),
        Body::CopyTo(copy) => match &mut copy.source {
            CopyToSource::Query(query) => walk.query(query, None).map(drop),
            CopyToSource::Relation(_) => Ok(()),
        },
        Body::CreateExternalTable(_) | Body::Reset => Ok(()),
    }
}
