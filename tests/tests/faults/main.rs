//! Faults between the client and the service: whatever breaks, a read gives every row once and every byte that is sent
//! arrives once, or it is said clearly why not.
//!
//! Each test lets a proxy break the connection to a real server, and compares what is read or stored on one side with the
//! other. All has a time limit, since what hangs is as bad as what loses rows.

mod anonymous;
mod arrow_body;
mod connection;
mod counts;
mod credentials;
mod cuts;
mod executions;
mod nonsense;
mod refusals;
mod replacing;
mod sending;
mod sessions;
mod waits;
mod wire;
mod writes;
