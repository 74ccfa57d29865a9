//! Redivis tables in DataFusion.
//!
//! One call makes a `SessionContext` speak Redivis. A table is read in parallel, one DataFusion partition for each read
//! stream; the columns and the limit that a query needs are asked of the service, and joins with local files, views,
//! windows and the rest are DataFusion's.
//!
//! ```
//! use datafusion::prelude::SessionContext;
//! use redivis::Client;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = redivis_server::Server::start(redivis_server::Config::sample()).await?;
//! # let mut builder = Client::builder().endpoint(server.endpoint());
//! # if let Some(token) = server.token() { builder = builder.token(redivis::Token::new(token)); }
//! # let client = builder.build()?;
//! # /*
//! let client = Client::from_env()?;
//! # */
//! let ctx = SessionContext::new();
//! let redivis = datafusion_redivis::register(&ctx, client)?;
//!
//! let flights = redivis
//!     .sql("SELECT Carrier, count(*) AS flights FROM redivis.'demo.nycflights13.flights' GROUP BY 1 ORDER BY 2 DESC LIMIT 3")
//!     .await?;
//! datafusion::assert_batches_eq!(
//!     [
//!         "+---------+---------+",
//!         "| carrier | flights |",
//!         "+---------+---------+",
//!         "| UA      | 58665   |",
//!         "| B6      | 54635   |",
//!         "| EV      | 54173   |",
//!         "+---------+---------+",
//!     ],
//!     &flights.collect().await?
//! );
//! # server.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! # Names
//!
//! | written | meaning |
//! |---|---|
//! | `redivis.'owner.dataset.table'` | the table; also with double quotes |
//! | `` `owner.dataset.table` `` | the same, as in Redivis's own SQL |
//! | `owner.dataset.table`, `"owner"."dataset:v1_0"."table"` | the same, as catalog, schema and table |
//! | `redivis('owner.dataset.table')` | the same, as a function |
//! | `CREATE EXTERNAL TABLE t STORED AS REDIVIS LOCATION 'owner.dataset.table' OPTIONS (version 'v1_0')` | `t`, from then on |
//! | `table` | the table of a default dataset or workflow, see [`Redivis::set_default_parent`] |
//! | `redivis_query('SELECT …')` | the result of a query that runs on Redivis |
//!
//! Local names win over remote ones. All of them work in [`Redivis::sql`]; `SessionContext::sql` knows them too, except for
//! the functions, and takes identifiers as DataFusion does, with regard to case.
//!
//! # What is read
//!
//! A name costs one request for the table and one for every 1,000 of its variables, once a session. Planning and `EXPLAIN`
//! send nothing else; a `count(*)` of a released table is answered from what is known. See [`RedivisScanExec`] for how rows
//! come, and [`RedivisOptions`] for `SET redivis.…`.
//!
//! # Writing
//!
//! | written | what happens |
//! |---|---|
//! | `INSERT INTO redivis.'owner.dataset:next.table' SELECT …`, `… VALUES …` | one upload to the table, or none |
//! | `INSERT OVERWRITE …` | the upload takes the place of the table's others, where its merge strategy is `replace` |
//! | `CREATE TABLE redivis.'owner.dataset:next.table' AS SELECT …` | a new table with its rows, or none |
//! | `CREATE TABLE redivis.'…' (a BIGINT, b VARCHAR)` | a new table with variables alone |
//! | `DROP TABLE redivis.'…'` | deletes a table of the version that is not released |
//! | `COPY (SELECT …) TO 'redivis://owner.dataset:next.table/name.parquet'` | an upload of that name; a file, if the table is a file index |
//! | `SELECT … FROM 'redivis://owner.dataset.files/2019/*.parquet'` | files of a file index table |
//! | `CALL redivis.create_dataset('owner.dataset')`, `next_version`, `release('owner.dataset', 'notes')`, `create_file_index`, `delete_upload` | steps of a dataset's life |
//!
//! Only a version that is not released can be written to. Rows are written to a temporary file first, in constant memory, then
//! sent; the count is told once Redivis has read in as many. Values are never converted silently: what a variable cannot hold
//! is refused with its column and row, before anything is sent ([`WriteError`]). Columns are matched by name, without regard
//! to case; variables that the query lacks are null; a query without rows makes no upload. The geography of a row is text
//! (WKT). A write that fails or is dropped halfway is taken back, see [`Redivis::settle`]; where that fails too, the error says
//! what is left. `SET redivis.upload_name` names the upload.
//!
//! Definitions, procedures and the checked `COPY` need [`Redivis::sql`]; `SessionContext::sql` knows `INSERT` and, with the
//! colons of references written `%3A`, `redivis://`.
//!
//! # Errors
//!
//! Failures of the service are [`DataFusionError::External`](datafusion::common::DataFusionError::External) with the
//! [`redivis::Error`] inside, unchanged; what is not a reference is refused with a [`redivis::ReferenceError`] before
//! anything is sent. What only the streams of a scan together show is a [`ScanError`].

mod catalog;
mod connection;
mod error;
mod options;
mod plan;
mod scan;
mod session;
mod sql;
mod table;
mod write;

pub use catalog::store::RedivisObjectStoreRegistry;
pub use catalog::{
    DefaultParent, DefaultSchema, MetadataCache, OwnerCatalogList, RedivisTableFactory,
    ReferenceSchema,
};
pub use error::{ScanError, WriteError};
pub use options::RedivisOptions;
pub use plan::{RedivisExtensionPlanner, RedivisPlanner, RedivisStatement, StatementKind};
pub use scan::RedivisScanExec;
pub use session::{Redivis, RedivisBuilder, register};
pub use sql::functions::{RedivisQueryFunction, RedivisTableFunction};
pub use table::{RedivisQuery, RedivisTable};
