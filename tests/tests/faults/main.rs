//! Faults between the client and the service: whatever breaks, a read gives every row once, or says clearly why it cannot.
//!
//! Each test lets a proxy break the connection to a real server, and compares what is read with what was stored. Every read
//! has a time limit, since a read that hangs is as bad as one that loses rows.

mod anonymous;
mod arrow_body;
mod credentials;
mod cuts;
mod nonsense;
mod refusals;
mod sessions;
mod waits;
mod wire;
