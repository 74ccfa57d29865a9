//! The official clients, unmodified, against the server binary.

mod files;
mod lives;
mod login;
mod queries;
mod reading;
mod round_trips;
mod vectors;

/// The newest version, which reads small tables in one request.
const NEWEST: &str = "0.21.1";
/// The last version that always opens read sessions and knows no end-of-stream sentinel.
const SESSIONS_ONLY: &str = "0.20.10";
