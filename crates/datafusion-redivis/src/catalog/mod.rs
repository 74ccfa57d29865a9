//! The names under which DataFusion finds tables of Redivis.
//!
//! | written | found by |
//! |---|---|
//! | `redivis.'owner.dataset.table'` | [`ReferenceSchema`] |
//! | `` `owner.dataset.table` ``, and `table` with a default dataset or workflow | [`DefaultSchema`] |
//! | `owner.dataset.table` | [`OwnerCatalogList`] |
//! | `CREATE EXTERNAL TABLE t STORED AS REDIVIS …` | [`RedivisTableFactory`] |
//! | `'redivis://owner.dataset.table/2019/*.parquet'` | [`store`] |
//!
//! In: names. Out: tables of [`table`](crate::table), remembered by [`metadata`]. Each stands before or beside what the session
//! has already, and local names win. Uses `table` and what is below it.

mod ahead;
mod default_schema;
mod factory;
mod local;
mod metadata;
mod owners;
mod references;
mod registration;
mod results;
pub(crate) mod store;

pub(crate) use self::ahead::Ahead;
pub use self::default_schema::DefaultSchema;
pub use self::factory::RedivisTableFactory;
pub(crate) use self::local::LocalList;
pub use self::metadata::{DefaultParent, MetadataCache};
pub use self::owners::OwnerCatalogList;
pub use self::references::ReferenceSchema;
pub(crate) use self::registration::{Registration, Registrations};
pub(crate) use self::results::{PlannedQuery, Purpose};

/// The schema of references, unless another name is chosen.
pub(crate) const SCHEMA: &str = "redivis";
