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
//! | `redivis.owner.dataset.table` | the same, in [`Redivis::sql`] |
//! | `redivis('owner.dataset.table')` | the same, as a function |
//! | `CREATE EXTERNAL TABLE t STORED AS REDIVIS LOCATION 'owner.dataset.table' OPTIONS (version 'v1_0')` | `t`, from then on |
//! | `table` | the table of a default dataset or workflow, see [`Redivis::set_default_parent`] |
//! | `redivis_query('SELECT …')` | the result of a query that runs on Redivis |
//!
//! Local names win over remote ones.
//!
//! # Statements
//!
//! [`Redivis::sql`] knows everything. `SessionContext::sql`, which other libraries call, knows what DataFusion leaves room for:
//!
//! | statement | `Redivis::sql` | `SessionContext::sql` |
//! |---|---|---|
//! | `SELECT` with the names above | yes; identifiers without regard to case | yes, but for the functions (`redivis('…')` of a table that was used already works); identifiers as DataFusion has them |
//! | `OUTER JOIN … USING`, `NATURAL` | the merged column has the value of the side that is kept, of whichever there is in a full join | as DataFusion has it: the key of a row without a match may be null |
//! | `INSERT INTO`, `INSERT OVERWRITE` | checked value by value | the same; casts that DataFusion puts in are taken out again |
//! | `CREATE TABLE redivis.'…'`, `DROP TABLE redivis.'…'` | on Redivis | refused |
//! | `CALL redivis.…` | on Redivis | refused |
//! | `COPY … TO 'redivis://…'` | checked, one upload or file | through the object store: complete or not at all; colons of references written `%3A`; the rows are not counted |
//! | `FROM 'redivis://…/*.parquet'` | files of a file index table | the same |
//! | `UPDATE`, `DELETE`, `TRUNCATE` on Redivis | refused, with what to write instead | the same |
//! | `CREATE TABLE t`, `CREATE VIEW v`, `DROP …` | local | local; `t` and `v` must not be tables of a default dataset |
//! | `CREATE DATABASE x`, `CREATE SCHEMA x.y` | local | refused as existing (`IF NOT EXISTS`: nothing to do): any `x` may be an owner, who has any `y` |
//! | `SET redivis.…`, `EXPLAIN`, `PREPARE`, everything else | as DataFusion | as DataFusion |
//!
//! What changes something on Redivis is a [`RedivisStatement`] in the plan, or DataFusion's `INSERT` node over a
//! [`RedivisTable`]. Such plans can be made with [`Redivis::plan`], looked at, explained (which changes nothing), run with
//! `SessionContext::execute_logical_plan`, and refused: [`Redivis::sql_with_options`] takes DataFusion's `SQLOptions`, and
//! statements on Redivis count as what they are.
//!
//! # What is read
//!
//! A name costs one request for the table and one for every 1,000 of its variables, once a session. Planning and `EXPLAIN`
//! send nothing else (but a `redivis_query`, whose columns only its run tells, is run to plan the statement, and its result
//! used: once a session where [nothing of it can change](RedivisQuery::is_pinned); `EXPLAIN` takes whichever ran last); a
//! `count(*)` of a released table is answered from what is known. See [`RedivisScanExec`] for how rows come, and
//! [`RedivisOptions`] for `SET redivis.…`.
//!
//! # What runs on Redivis
//!
//! Read sessions cannot filter: a `WHERE` over a table reads the table. With `SET redivis.pushdown = 'auto'`, or
//! [`Pushdown::Auto`] in [`RedivisOptions::pushdown`], the largest parts of a plan that can be said in Redivis's own SQL with the
//! same meaning, and are sooner there, run there as one query each, whose result is read like a table
//! ([`RedivisQueryExec`]): filters, expressions, aggregates and grouping sets, `DISTINCT`, the first rows of an order, windows,
//! unions, all joins, subqueries. `'always'` runs all that can be said; `'off'`, the default, nothing.
//!
//! - **The same answer.** An expression is sent only where BigQuery documents the meaning that it has in DataFusion, and is
//!   said so that it keeps it: NaN is the largest number and equal to itself, a quotient of floats by zero is infinite, integers
//!   divide towards zero, nulls stand where DataFusion puts them. What has another meaning there (`upper` of letters outside
//!   ASCII, `greatest` of nulls, medians, regular expressions, casts from text) stays here: filters are split. Where BigQuery fails
//!   and DataFusion goes on, as with integers that overflow, the query fails. Rows are the same as those that would be read: tables are named with their
//!   versions and ids, and only released versions are.
//! - **Worth it.** `auto` compares what would be read, from the tables' counts, with the time that a query takes
//!   (`redivis.query_cost`, else what the session's queries took, at first 5 s) and the size of its answer, for which it asks for
//!   the statistics of the variables that predicates compare, once a session. Small tables cost no request.
//! - **Told.** `EXPLAIN` shows the SQL, why what is above it is done here, or why a table is read; it runs nothing.
//! - **Safe.** Values and names are quoted in one place; what cannot be quoted beyond doubt is not sent. A query that fails
//!   before its first row is told in a warning, and the tables are read (`auto`), or is an error (`always`).
//!
//! The rules of an order: rows of a result come over several streams, so a sort is repeated here over the few rows that are left.
//! Whoever has a query planner of their own puts [`RedivisPlanner`] before it, as [`register`] does.
//!
//! # What need not be read again
//!
//! With `SET redivis.cache = on`, or [`RedivisOptions::cache`] given to [`RedivisBuilder::options`], the variables of a released
//! version that a scan read to its end are kept as Parquet files, and later scans of them are DataFusion's own Parquet scans, which
//! `EXPLAIN` shows as `cached`. It is off by default: data may be under a use agreement that says where copies may lie.
//!
//! Files are kept by endpoint, account, table and version in [`RedivisOptions::cache_dir`], a folder of this user's alone, up to
//! [`RedivisOptions::cache_size`]; processes may share it. The account is asked for beside the first table, since tokens change
//! (`GET /users/me`), and where the service does not tell it the cache is not used. Before the first row of a table in a session,
//! the service is asked whether the account may read it. A file that was damaged is a [`CacheError`] where rows of it are out
//! already; else the table is read again.
//!
//! `CALL redivis.cache('owner.dataset:v1_0.table', ['a', 'b'])` reads ahead, `CALL redivis.forget('owner.dataset.table')` removes,
//! [`Redivis::cached`] lists. With a client that is [offline](redivis::Client::offline), tables and rows come from the cache alone,
//! as the account that used it last saw them.
//!
//! # Writing
//!
//! | written | what happens |
//! |---|---|
//! | `INSERT INTO redivis.'owner.dataset:next.table' SELECT …`, `… VALUES …` | one upload to the table, or none |
//! | `INSERT OVERWRITE …` | the upload takes the place of the table's others, where its merge strategy is `replace` |
//! | `CREATE TABLE redivis.'owner.dataset:next.table' AS SELECT …` | a new table with its rows, or none |
//! | `CREATE TABLE redivis.'…' (a BIGINT, b VARCHAR)` | a new table with variables alone |
//! | `CREATE OR REPLACE TABLE redivis.'…' AS SELECT …` | these rows alone; a table that an earlier version has keeps its id, labels and descriptions, and its merge strategy becomes `replace` |
//! | `DROP TABLE redivis.'…'` | deletes a table of the version that is not released |
//! | `COPY (SELECT …) TO 'redivis://owner.dataset:next.table/name.parquet'` | an upload of that name; a file, if the table is a file index |
//! | `SELECT … FROM 'redivis://owner.dataset.files/2019/*.parquet'` | files of a file index table |
//! | `CALL redivis.create_dataset('owner.dataset')`, `next_version`, `release('owner.dataset', 'notes')`, `create_table`, `create_file_index`, `delete_upload` | steps of a dataset's life |
//!
//! Only a version that is not released can be written to. Rows are written to a temporary file first, in constant memory, then
//! sent; the count is told once Redivis has read in as many. Values are never converted silently: what a variable cannot hold
//! is refused with its column and row, before anything is sent ([`WriteError`]). Columns are matched by name, without regard
//! to case; variables that the query lacks are null; a query without rows makes no upload. The geography of a row is text
//! (WKT). A write that fails or is dropped halfway is taken back, see [`Redivis::settle`]; where that fails too, the error says
//! what is left. `SET redivis.upload_name` names the upload, and
//! `SET redivis.upload_compression = 'zstd'` sends fewer bytes than the default, Snappy.
//!
//! # Composition
//!
//! [`register`] wires everything, and may be called again: with a client for the same endpoint (a rotated token), it replaces
//! the client for all that exists. [`RedivisBuilder`] does the same with choices: a schema name, which lets several endpoints
//! live in one session; the size and age of the metadata cache; options; a default dataset; into a `SessionContext`, or into a
//! `SessionStateBuilder` before there is one.
//!
//! ```
//! use datafusion::execution::SessionStateBuilder;
//! use datafusion::prelude::SessionContext;
//! use datafusion_redivis::{Redivis, RedivisBuilder};
//!
//! # fn example(client: redivis::Client) -> Result<(), Box<dyn std::error::Error>> {
//! let state = SessionStateBuilder::new_with_default_features();
//! let state = RedivisBuilder::new(client)
//!     .metadata_max_age(std::time::Duration::from_secs(60))
//!     .build_into(state)?;
//! let ctx = SessionContext::new_with_state(state.build());
//! let redivis = Redivis::of(&ctx).ok_or("no endpoint")?;
//! # Ok(())
//! # }
//! ```
//!
//! An application with a catalog of its own takes the parts. All that speak of one endpoint share a [`MetadataCache`]:
//!
//! | part | what DataFusion calls it | gives |
//! |---|---|---|
//! | [`RedivisTable`], [`RedivisQuery`] | table provider | one table, one query's result |
//! | [`ReferenceSchema`] | schema provider | tables by reference |
//! | [`DefaultSchema`] | schema provider | the same behind local tables, and a default dataset's |
//! | [`OwnerCatalogList`] | catalog provider list | owners behind local catalogs |
//! | [`RedivisTableFactory`] | table provider factory | `STORED AS REDIVIS` |
//! | [`RedivisTableFunction`], [`RedivisQueryFunction`] | table functions | `redivis('…')`, `redivis_query('…')` |
//! | [`RedivisObjectStoreRegistry`] | object store registry | `redivis://` |
//! | [`RedivisExtensionPlanner`], [`RedivisPlanner`] | extension planner, query planner | statements on Redivis |
//!
//! ```
//! use std::sync::Arc;
//! use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider};
//! use datafusion::prelude::SessionContext;
//! use datafusion_redivis::{MetadataCache, ReferenceSchema};
//!
//! # fn example(client: redivis::Client) -> datafusion::common::Result<()> {
//! let research = MemoryCatalogProvider::new();
//! let metadata = Arc::new(MetadataCache::new(client));
//! research.register_schema("remote", Arc::new(ReferenceSchema::new(metadata)))?;
//! let ctx = SessionContext::new();
//! ctx.register_catalog("research", Arc::new(research));
//! // ctx.sql("SELECT … FROM research.remote.\"demo.nycflights13.flights\"")
//! # Ok(())
//! # }
//! ```
//!
//! The `examples` folder has whole programs: a join with a local file, two endpoints in one session, a web service that answers
//! read-only SQL within limits, the DataFrame API alone, and a table provider without a catalog.
//!
//! # Errors
//!
//! Failures of the service are [`DataFusionError::External`](datafusion::common::DataFusionError::External) with the
//! [`redivis::Error`] inside, unchanged; what is not a reference is refused with a [`redivis::ReferenceError`] before
//! anything is sent. What only the streams of a scan together show is a [`ScanError`]; a query that Redivis did not run to its end
//! is a [`QueryError`] with its text. Who waits for one sees [how far it is](Redivis::running).

mod access;
mod cache;
mod catalog;
mod connection;
mod error;
mod io;
mod options;
mod plan;
mod pushdown;
mod running;
mod scan;
mod session;
mod sql;
mod table;
mod write;

pub use cache::CachedTable;
pub use catalog::store::RedivisObjectStoreRegistry;
pub use catalog::{
    DefaultParent, DefaultSchema, MetadataCache, OwnerCatalogList, RedivisTableFactory,
    ReferenceSchema,
};
pub use error::{CacheError, QueryError, ScanError, WriteError};
pub use options::{CheckRowCounts, Pushdown, RedivisOptions, UploadCompression};
pub use plan::{RedivisExtensionPlanner, RedivisPlanner, RedivisStatement, StatementKind};
pub use pushdown::RedivisQueryExec;
pub use running::RunningQuery;
pub use scan::RedivisScanExec;
pub use session::{Redivis, RedivisBuilder, register};
pub use sql::functions::{RedivisQueryFunction, RedivisTableFunction};
pub use table::{RedivisQuery, RedivisTable};
