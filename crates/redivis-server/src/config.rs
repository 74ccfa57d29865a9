//! What a server serves, where it listens and what it enforces.
//!
//! Plain data with the service's own values as defaults, so that a test can change one field and start.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

/// How a [`Server`](crate::Server) is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// The data folder; `None` serves from a temporary folder that goes away with the server.
    pub directory: Option<PathBuf>,
    /// Whether to serve the sample data as `demo.nycflights13`, besides what the folder holds.
    pub sample: bool,
    /// The address to listen on; port 0 takes a free one. Loopback by default.
    pub listen: SocketAddr,
    /// How long a read session lives; 6 hours on the service (redivis-api §5.1).
    pub session_ttl: Duration,
    /// How long temp uploads and their sessions take bytes; 24 hours on the service (redivis-api §6.3).
    pub temp_upload_ttl: Duration,
    /// How long the server waits for a client that sends nothing of a request, or takes nothing of an answer.
    pub patience: Duration,
    /// Requests a minute allowed per token (or address, without a token); `None` allows any number.
    pub requests_per_minute: Option<u32>,
    /// Whom the login page logs in, without asking who opens it; `None` for no login.
    pub login: Option<String>,
    /// How long a login's access tokens are valid.
    pub access_token_ttl: Duration,
    /// A JSON file of tokens; `None` makes one token on first start and keeps it in the folder.
    pub tokens: Option<PathBuf>,
}

impl Config {
    /// Serves the data folder `path`.
    pub fn directory(path: impl Into<PathBuf>) -> Self {
        Config {
            directory: Some(path.into()),
            sample: false,
            ..Config::sample()
        }
    }

    /// Serves the sample data, from a temporary folder.
    pub fn sample() -> Self {
        Config {
            directory: None,
            sample: true,
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            session_ttl: Duration::from_secs(6 * 60 * 60),
            temp_upload_ttl: Duration::from_secs(24 * 60 * 60),
            patience: Duration::from_secs(2 * 60),
            requests_per_minute: Some(1000),
            login: None,
            access_token_ttl: Duration::from_secs(60 * 60),
            tokens: None,
        }
    }
}
