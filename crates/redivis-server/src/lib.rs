//! A local Redivis: the service's REST API over a directory of files, for offline work, teaching and tests.
//!
//! Requests, answers and errors are the service's, strict about what is accepted, so that the official clients run
//! against it unmodified. What it does not support is answered with 501 and the name of what is missing.
//!
//! A server on a free port in three lines:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), redivis_server::Error> {
//! use redivis_server::{Config, Server};
//!
//! let server = Server::start(Config::sample()).await?;
//! println!("REDIVIS_API_ENDPOINT={}", server.endpoint());
//! server.stop().await;
//! # Ok(()) }
//! ```
//!
//! `DIR/<owner>/<dataset>/<table>.{parquet,csv,ndjson,arrow}` appear as datasets released as `v1_0`, and
//! `DIR/<owner>/<dataset>/next/<table>/<upload>.…` as the unreleased next version with one file per upload.
//! A `<table>.json` beside a file describes the table and its variables, a `dataset.json` the dataset.

mod catalog;
mod config;
mod database;
mod durable;
mod error;
mod export;
mod http;
mod ingestion;
mod login;
mod number;
mod query;
mod raw_file;
mod reference;
mod sample;
mod server;
mod session;
mod storage;
mod temporary;
mod token;

pub use config::Config;
pub use error::Error;
pub use server::Server;
