//! Rows out: the plan node that reads a table or a query's result, one partition for each read stream.
//!
//! In: a [`Source`], a projection, a limit. Out: [`RedivisScanExec`], whose partitions yield record batches in the source's
//! schema, every row once. Uses `options`, `error`, `io` and `connection`.
//!
//! Planning costs nothing: the read session is made when the plan is executed, so that everything the optimizer
//! finds out until then (a later limit, a smaller projection) still reaches the service, and `EXPLAIN` sends nothing.
//!
//! `exec` is the node, `request` what it asks the service for, `execution` tells which partitions belong together, `session`
//! is what these share, `partition` reads one of them, `batches` gives the rows the form that operators want.

mod batches;
mod exec;
mod execution;
mod memory;
mod metrics;
mod partition;
mod request;
mod result;
mod session;
mod source;
pub(crate) mod statistics;
mod streams;

pub use self::exec::RedivisScanExec;
pub(crate) use self::result::QueryResult;
pub(crate) use self::source::Source;
pub(crate) use self::statistics::Size;
