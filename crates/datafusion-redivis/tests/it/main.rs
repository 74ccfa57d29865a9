//! `datafusion-redivis` against a local Redivis, over HTTP.
//!
//! One binary, because each links all of DataFusion.

mod example;
mod explain;
mod identifiers;
mod names;
mod options;
mod scan;
mod support;
