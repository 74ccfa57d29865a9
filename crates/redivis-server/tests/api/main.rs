//! The server over HTTP: what it answers, to whom, and that no row is lost or repeated.
//!
//! One binary, because each would link Arrow and Parquet again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod access;
mod errors;
mod exports;
mod files;
mod hostile;
mod life;
mod login;
mod payloads;
mod program;
mod queries;
mod r_client;
mod raw_files;
mod slow;
mod streams;
mod support;
mod temp_uploads;
mod uploads;
mod walk;
