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
//! - **The token** ([`Token`], or what a [`TokenSource`] gives at the moment) goes to the endpoint's own origin, and into no
//!   message or `Debug`. Another host of the endpoint's registered domain, which the service names for uploads or redirects a
//!   download to, is told it over https once it has refused (401, 403) a request without; nobody else ever is. A request that is
//!   refused for its token (401) is sent once more, where the source has another one then; requests at the same time wait for
//!   one renewal.
//!
//! # The way to the service
//!
//! - **Proxies**: `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY` name one (`http://user:password@host:port`), `NO_PROXY` the hosts,
//!   domains and networks that are reached without, as for curl. An endpoint on this machine (`localhost`, `127.0.0.1`) is always.
//! - **Certificates** are checked against those that the system trusts. `SSL_CERT_FILE` (a PEM file) and `SSL_CERT_DIR` (a folder
//!   of them) name others, which are then the only ones on Linux.
//! - What cannot be reached is an [`ErrorKind::Transport`] that names the host and port that was tried, and the proxy.
//! - [`ClientBuilder::http_client`] takes a client with settings of its own for all of this.
//!
//! Connections are HTTP/1.1: a read stream is one long answer, and its own connection lets TCP hold the service back while the
//! reader is busy. Nothing runs in the background; a future or stream that is dropped closes its connection.
//!
//! A person signs in by [`oauth`]'s device flow; programs have a token.
//!
//! Facts about the API are cited by their section in `redivis-api.md`.

pub use client::{Client, ClientBuilder};
pub use credentials::{Token, TokenSource};
pub use error::{Error, ErrorKind, Result};
pub use reference::{DatasetReference, ReferenceError, TableReference, Version, WorkflowReference};
pub use retry::RetryPolicy;

mod authorization;
pub mod cast;
mod client;
mod credentials;
mod endpoint;
mod error;
pub mod oauth;
mod page;
pub mod read;
mod reference;
mod request;
pub mod resource;
mod retry;
mod route;
mod step;
pub mod write;
