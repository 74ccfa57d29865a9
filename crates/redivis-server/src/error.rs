//! Why a server could not start.
//!
//! Errors of single requests are answers, not values of this type: see `http::error`.

use std::{io, net::SocketAddr, path::PathBuf};

/// Why [`Server::start`](crate::Server::start) failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The data folder, or a file the server keeps in it, could not be used.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Folder {
        /// What was being done, as in "read" or "create".
        action: &'static str,
        /// The folder or file.
        path: PathBuf,
        /// What the operating system answered.
        source: io::Error,
    },
    /// Another server uses the data folder.
    #[error("`{}` is in use by another redivis-server; stop it, or serve another folder", path.display())]
    InUse {
        /// The data folder.
        path: PathBuf,
    },
    /// The server's own records, in the data folder, could not be used.
    #[error("cannot open `{}`: {reason}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The tokens file is not what it should be.
    #[error("the tokens file `{}` is not valid: {reason}", path.display())]
    Tokens {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The address could not be bound.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the operating system answered.
        source: io::Error,
    },
    /// The operating system gave no random bytes for a token.
    #[error("cannot make a token: {0}")]
    Random(#[from] getrandom::Error),
}
