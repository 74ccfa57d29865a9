//! Rows in: from a query's batches to one upload of a table, or none.
//!
//! In: batches, and the table that they are for. Out: an upload that is complete, or an error and a table as it was. Uses
//! `error` only.

mod casts;
mod columns;
pub(crate) mod draft;
mod name;
mod replacing;
mod sink;
mod spool;
mod table;
mod target;
mod undo;
mod upload;

pub(crate) use self::casts::{fits, stored, variable_type};
pub(crate) use self::columns::Columns;
pub(crate) use self::name::{UploadName, unique};
pub(crate) use self::sink::RedivisSink;
pub(crate) use self::spool::Spool;
pub(crate) use self::table::TableRows;
pub(crate) use self::target::{check_insertable, check_writable};
pub(crate) use self::undo::{Writes, still_there};
pub(crate) use self::upload::{Destination, Expected};
