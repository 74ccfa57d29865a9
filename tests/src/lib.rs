//! What the end-to-end tests share: the built binaries, running servers, a proxy on the wire, and the official clients.
//!
//! The tests use the software as its users do, from outside: processes, HTTP, files. Nothing in here stands in for a
//! part of the product.

pub mod bench;
pub mod binaries;
pub mod duckdb;
pub mod node;
pub mod process;
pub mod proxy;
pub mod python;
pub mod scratch;
pub mod server;
pub mod sqlglot;
pub mod tunnel;
