//! `datafusion-redivis` against a local Redivis, over HTTP.
//!
//! One binary, because each links all of DataFusion.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "clippy knows test functions, and not what they share"
)]

mod batches;
mod by_hand;
mod cache;
mod casts;
mod composition;
mod explain;
mod identifiers;
mod insert;
mod names;
mod options;
mod round_trip;
mod runtime;
mod scan;
mod support;
mod write;
