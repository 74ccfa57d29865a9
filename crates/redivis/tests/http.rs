//! The client over real sockets: a scripted server answers each connection with exactly the bytes a test wants.
//!
//! Scripted rather than a framework's server, since what matters here are answers that no framework would send.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "http/continuity.rs"]
mod continuity;
#[path = "http/files.rs"]
mod files;
#[path = "http/hints.rs"]
mod hints;
#[path = "http/metadata.rs"]
mod metadata;
#[cfg(unix)]
#[path = "http/oauth.rs"]
mod oauth;
#[path = "http/queries.rs"]
mod queries;
#[path = "http/releases.rs"]
mod releases;
#[path = "http/rows.rs"]
mod rows;
#[path = "http/script.rs"]
mod script;
#[path = "http/sending.rs"]
mod sending;
#[path = "http/steps.rs"]
mod steps;
#[path = "http/streams.rs"]
mod streams;
#[path = "http/tokens.rs"]
mod tokens;
#[path = "http/trust.rs"]
mod trust;
#[path = "http/uploads.rs"]
mod uploads;
#[path = "http/waits.rs"]
mod waits;
#[path = "http/workflows.rs"]
mod workflows;
