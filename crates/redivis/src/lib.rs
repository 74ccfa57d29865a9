//! An async client of the [Redivis](https://redivis.com) REST API: find tables, and read their rows as Arrow.
//!
//! ```no_run
//! use futures::TryStreamExt;
//! use redivis::read::{ReadSessionRequest, variables_schema};
//! use redivis::{Client, TableReference};
//!
//! # async fn example() -> redivis::Result<()> {
//! // REDIVIS_API_TOKEN and REDIVIS_API_ENDPOINT, as for the official clients.
//! let client = Client::from_env()?;
//! let reference: TableReference = match "demo.nycflights13.flights".parse() {
//!     Ok(reference) => reference,
//!     Err(reason) => return Ok(eprintln!("{reason}")),
//! };
//! let table = client.table(&reference).await?;
//! let schema = variables_schema(&client.variables(&table.uri).await?);
//!
//! let request = ReadSessionRequest {
//!     requested_stream_count: Some(4),
//!     ..ReadSessionRequest::default()
//! };
//! let session = client.create_read_session(&table.uri, &request).await?;
//! for stream in &session.streams {
//!     let mut batches = client.read_arrow(stream, schema.clone());
//!     while let Some(batch) = batches.try_next().await? {
//!         println!("{} rows", batch.num_rows());
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What it takes care of
//!
//! - **References** ([`TableReference`], [`DatasetReference`], [`WorkflowReference`]) are checked before anything is sent.
//! - **Rows** arrive once each, in the schema that was asked for, or the read fails: see [`read`].
//! - **Failures** that pass are tried again as the [`RetryPolicy`] says; the others come at once, as an [`Error`] with the
//!   service's own words.
//! - **The token** ([`Token`]) goes to the endpoint's host only, also when it redirects, and into no message or `Debug`.
//!
//! Connections are HTTP/1.1: a read stream is one long answer, and its own connection lets TCP hold the service back while the
//! reader is busy. Nothing runs in the background; a future or stream that is dropped closes its connection.
//!
//! Facts about the API are cited by their section in `redivis-api.md`.

pub use client::{Client, ClientBuilder};
pub use credentials::Token;
pub use error::{Error, ErrorKind, Result};
pub use reference::{DatasetReference, ReferenceError, TableReference, Version, WorkflowReference};
pub use retry::RetryPolicy;

pub mod cast;
mod client;
mod credentials;
mod error;
mod page;
pub mod read;
mod reference;
mod request;
pub mod resource;
mod retry;
mod step;
pub mod write;
