//! A running server: bound when started, stopped when asked or dropped.
//!
//! It owns everything that lives as long as it does, the temporary folder included.

use std::{
    fmt,
    fs::{File, TryLockError},
    future::Future,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    Config, Error,
    catalog::Catalog,
    database::{Database, DatabaseError},
    durable,
    export::Exports,
    http,
    ingestion::Ingestion,
    login::Logins,
    query::Queries,
    raw_file::RawFiles,
    sample,
    session::ReadSessions,
    storage::Storage,
    temporary::TempUploads,
    token::Tokens,
};

/// A running server. Stops when dropped; [`Server::stop`] also waits for requests that are being answered.
pub struct Server {
    endpoint: String,
    address: SocketAddr,
    directory: PathBuf,
    routes: Vec<String>,
    token: Option<String>,
    token_file: Option<PathBuf>,
    stopping: DropGuard,
    serving: JoinHandle<()>,
    _lock: File,
    _temporary: Option<TempDir>,
}

impl Server {
    /// Starts a server; it accepts connections when this returns.
    ///
    /// # Errors
    /// When the folder or the tokens file cannot be used, or the address cannot be bound.
    pub async fn start(config: Config) -> Result<Server, Error> {
        let listen = config.listen;
        let prepared = tokio::task::spawn_blocking(move || Prepared::new(config))
            .await
            .map_err(|join| Error::Folder {
                action: "prepare",
                path: PathBuf::new(),
                source: std::io::Error::other(join),
            })??;

        let listen_error = |source| Error::Listen {
            address: listen,
            source,
        };
        let listener = TcpListener::bind(listen).await.map_err(listen_error)?;
        let address = listener.local_addr().map_err(listen_error)?;
        let origin = format!("http://{address}");
        let endpoint = format!("{origin}/api/v1");

        let stopping = CancellationToken::new();
        let (queries, exports) = {
            let (state, stopping) = (prepared.state.clone(), stopping.clone());
            let (database, catalog) = (
                Arc::clone(&prepared.database),
                Arc::clone(&prepared.catalog),
            );
            let start = move || {
                let queries = Queries::start(
                    &state,
                    Arc::clone(&database),
                    Arc::clone(&catalog),
                    stopping.clone(),
                )?;
                let exports = Exports::start(&state, database, catalog, queries.clone(), stopping)?;
                Ok((queries, exports))
            };
            let started = tokio::task::spawn_blocking(start)
                .await
                .unwrap_or_else(|join| Err(std::io::Error::other(join)));
            started.map_err(|source| Error::Folder {
                action: "take up the queries and exports in",
                path: prepared.state.clone(),
                source,
            })?
        };
        let (service, routes) = http::service(http::Api {
            origin,
            catalog: Arc::clone(&prepared.catalog),
            sessions: ReadSessions::new(prepared.config.session_ttl),
            queries,
            exports,
            temporary: prepared.temporary_uploads.clone(),
            ingestion: Ingestion::start(
                Arc::clone(&prepared.catalog),
                prepared.temporary_uploads.clone(),
                stopping.clone(),
            ),
            raw_files: prepared.raw_files.clone(),
            tokens: prepared.tokens,
            logins: Logins::new(
                prepared.database,
                prepared.config.login,
                prepared.config.access_token_ttl,
            ),
            rate: http::RateLimit::new(prepared.config.requests_per_minute),
        });
        let patience = prepared.config.patience;
        let serving = tokio::spawn(http::serve(listener, service, patience, stopping.clone()));
        // Broken files are told of at the start rather than when somebody first asks for them.
        tokio::spawn(prepared.raw_files.keep_purging(stopping.clone()));
        tokio::spawn(prepared.temporary_uploads.keep_purging(stopping.clone()));
        let checking = stopping.clone();
        tokio::task::spawn_blocking(move || {
            if let Err(error) = prepared.catalog.check(&|| checking.is_cancelled()) {
                tracing::warn!("the data could not be checked: {error}");
            }
        });

        Ok(Server {
            endpoint,
            address,
            directory: prepared.directory,
            routes,
            token: prepared.token,
            token_file: prepared.token_file,
            stopping: stopping.drop_guard(),
            serving,
            _lock: prepared.lock,
            _temporary: prepared.temporary,
        })
    }

    /// The base URL for clients, as in `http://127.0.0.1:49152/api/v1`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The address the server listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The folder the server keeps its data in.
    pub fn directory(&self) -> &std::path::Path {
        &self.directory
    }

    /// The paths of all endpoints, as in `/api/v1/datasets/{dataset}`: for tests that try every one.
    pub fn routes(&self) -> &[String] {
        &self.routes
    }

    /// The secret of the token made on first start; `None` when tokens come from a file.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Where the first start wrote its token; `None` when tokens come from a file.
    pub fn token_file(&self) -> Option<&std::path::Path> {
        self.token_file.as_deref()
    }

    /// Accepts no more requests, and waits up to 5 seconds for those that are being answered.
    pub fn stop(self) -> impl Future<Output = ()> + Send {
        let Server {
            stopping,
            serving,
            _lock: lock,
            _temporary: temporary,
            ..
        } = self;
        async move {
            drop(stopping);
            if let Err(error) = serving.await {
                tracing::error!(%error, "the server failed");
            }
            drop(lock);
            drop(temporary);
        }
    }
}

/// Without the token: what is shown for debugging ends in logs.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("endpoint", &self.endpoint)
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}

/// What a server needs before it listens; made off the runtime's threads because it touches the disk.
struct Prepared {
    config: Config,
    directory: PathBuf,
    state: PathBuf,
    /// Locked as long as the server lives, so that no other one serves the folder.
    lock: File,
    database: Arc<Database>,
    catalog: Arc<Catalog>,
    temporary_uploads: TempUploads,
    raw_files: RawFiles,
    tokens: Tokens,
    token: Option<String>,
    token_file: Option<PathBuf>,
    temporary: Option<TempDir>,
}

impl Prepared {
    fn new(config: Config) -> Result<Self, Error> {
        let failed = |action, path: &PathBuf| {
            let path = path.clone();
            move |source| Error::Folder {
                action,
                path,
                source,
            }
        };
        let (directory, temporary) = match &config.directory {
            Some(directory) => (
                directory
                    .canonicalize()
                    .map_err(failed("open the data folder", directory))?,
                None,
            ),
            None => {
                let temporary = tempfile::Builder::new()
                    .prefix("redivis-")
                    .tempdir()
                    .map_err(failed("create a folder in", &std::env::temp_dir()))?;
                (temporary.path().to_path_buf(), Some(temporary))
            }
        };
        std::fs::read_dir(&directory).map_err(failed("read", &directory))?;

        let state = directory.join(".redivis");
        durable::create_folder(&state).map_err(failed("create", &state))?;
        let lock = lock(&directory, &state.join("lock"))?;
        // Folders of the database's files are swept by those who know what it names.
        let converted = state.join("converted");
        for folder in [&state, &converted] {
            durable::sweep(folder).map_err(failed("clear", folder))?;
        }
        let path = state.join("catalog.sqlite");
        let unusable = |error: DatabaseError| Error::Database {
            path: path.clone(),
            reason: error.to_string(),
        };
        let database = Arc::new(Database::open(&path).map_err(unusable)?);
        let folder = state.join("temporary");
        let temporary_uploads = TempUploads::new(
            Arc::clone(&database),
            folder.clone(),
            config.temp_upload_ttl,
        )
        .map_err(|error| failed("use", &folder)(std::io::Error::other(error)))?;
        let folder = state.join("files");
        let raw_files = RawFiles::new(Arc::clone(&database), folder.clone())
            .map_err(|error| failed("use", &folder)(std::io::Error::other(error)))?;
        let (tokens, token, token_file) = match &config.tokens {
            Some(path) => (Tokens::from_file(path)?, None, None),
            None => {
                let (tokens, secret, path) = Tokens::first_start(&state)?;
                (tokens, Some(secret), Some(path))
            }
        };
        let mut roots = vec![directory.clone()];
        if config.sample {
            roots.push(sample::extract(&state)?);
        }
        let rows = state.join("rows");
        durable::create_folder(&rows).map_err(failed("create", &rows))?;
        let storage = Storage::new(converted);
        let catalog = Catalog::new(
            roots,
            Arc::clone(&database),
            rows,
            temporary_uploads.clone(),
            storage,
        );
        let catalog = Arc::new(catalog.map_err(unusable)?);
        Ok(Prepared {
            config,
            directory,
            state,
            lock,
            database,
            catalog,
            temporary_uploads,
            raw_files,
            tokens,
            token,
            token_file,
            temporary,
        })
    }
}

/// Takes the data folder for one server; the lock goes with the process, however it ends.
fn lock(directory: &Path, path: &Path) -> Result<File, Error> {
    let failed = |source| Error::Folder {
        action: "lock",
        path: path.to_path_buf(),
        source,
    };
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse {
            path: directory.to_path_buf(),
        }),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}
