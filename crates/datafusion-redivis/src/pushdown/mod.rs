//! Plans, or parts of them, as queries that run on Redivis.
//!
//! In: a plan that DataFusion's optimizer is done with. Out: the same plan, where the largest parts over tables of one endpoint
//! that can be said in BigQuery's dialect with the same meaning, and are worth it, are scans of queries. What can't be said
//! stays where it is, and `EXPLAIN` says why.
//!
//! | | |
//! |---|---|
//! | [`place`](self::place) | finds the parts, and puts statements in their places |
//! | [`relation`], [`join`], [`grouping_sets`] | operators, as [`block`]s of a SELECT |
//! | [`expression`], [`compare`], [`function`], [`aggregate`], [`window`] | what may be said, and how |
//! | [`sql`] | values, names and types as text |
//! | [`cost`], [`estimate`] | whether a query is sooner than reading |
//! | [`table`], [`exec`] | the statement in the plan, and its execution |
//!
//! It uses `table` and what is below it.

mod aggregate;
mod block;
mod compare;
mod cost;
mod estimate;
mod exec;
mod explained;
mod expression;
mod function;
mod grouping_sets;
mod join;
mod place;
mod pushed;
mod refusal;
mod relation;
mod sql;
mod table;
mod translator;
mod window;

pub use self::exec::RedivisQueryExec;
pub(crate) use self::place::push_down;
