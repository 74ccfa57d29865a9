//! SQL over Redivis tables: the examples, the behaviour of names and limits, TPC-H, and what a statement asks of the
//! service. One binary, because each that links DataFusion takes long to link.

mod acceptance;
mod cache;
mod embedding;
mod examples;
mod explain;
mod exported;
mod joins;
mod logic;
mod others;
mod pushdown;
mod query;
mod replace;
mod requests;
mod round_trips;
mod runtimes;
mod session;
mod tpch;
mod write;
