//! An async client of the Redivis REST API.
pub use client::{Client, ClientBuilder};
pub use credentials::Token;
pub use error::{Error, ErrorKind, Result};
pub use reference::{DatasetReference, ReferenceError, TableReference, Version, WorkflowReference};
pub use retry::RetryPolicy;

mod client;
mod credentials;
mod error;
mod page;
pub mod read;
mod reference;
mod request;
pub mod resource;
mod retry;
