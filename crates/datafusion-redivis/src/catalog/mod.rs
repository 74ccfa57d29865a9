//! The names under which DataFusion finds tables of Redivis.
//!
//! | written | found by |
//! |---|---|
//! | `redivis.'owner.dataset.table'` | [`ReferenceSchema`] |
//! | `` `owner.dataset.table` ``, and `table` with a default dataset or workflow | [`DefaultSchema`] |
//! | `owner.dataset.table` | [`OwnerList`] |
//! | `CREATE EXTERNAL TABLE t STORED AS REDIVIS …` | [`RedivisTableFactory`] |
//! | `'redivis://owner.dataset.table/2019/*.parquet'` | [`store`] |
//!
//! In: names. Out: tables of [`table`](crate::table), remembered by [`metadata`]. Each stands before or beside what the session
//! has already, and local names win. Uses `table` and what is below it.

mod default_schema;
mod factory;
mod local;
mod metadata;
mod owners;
mod references;
pub(crate) mod store;

pub(crate) use self::default_schema::{DefaultSchema, Session};
pub(crate) use self::factory::RedivisTableFactory;
pub(crate) use self::local::LocalList;
pub use self::metadata::DefaultParent;
pub(crate) use self::metadata::{Lookup, PlannedQuery};
pub(crate) use self::owners::OwnerList;
pub(crate) use self::references::ReferenceSchema;

/// The schema whose table names are references.
pub(crate) const SCHEMA: &str = "redivis";
