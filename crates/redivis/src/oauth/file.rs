//! Grants in a file that only its owner can read, by endpoint; shared by processes.
//!
//! It is written aside and renamed, so a reader finds the old or the new one; who changes it holds the lock of a file beside it, so
//! no change is lost.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind as IoErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use super::grant::Grant;
use crate::error::{Error, ErrorKind, Result};

/// Longer than another process takes to renew a login.
const LOCKED_FOR: Duration = Duration::from_secs(180);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A file of credentials. It need not exist yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialsFile(PathBuf);

#[derive(Default, Serialize, Deserialize)]
struct Content {
    /// By endpoint: what one has granted is sent to no other.
    logins: BTreeMap<String, Grant>,
}

impl CredentialsFile {
    /// The file at a path.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What was granted at an endpoint ([`Client::endpoint`](crate::Client::endpoint)).
    pub async fn get(&self, endpoint: &str) -> Result<Option<Grant>> {
        let mut content = self.blocking("read", read).await?;
        Ok(content.logins.remove(endpoint))
    }

    /// Keeps what was granted at an endpoint, instead of what was before.
    pub async fn set(&self, endpoint: &str, grant: &Grant) -> Result<()> {
        self.lock().await?.set(endpoint, grant).await
    }

    /// Forgets what was granted at an endpoint; whether there was anything.
    pub async fn remove(&self, endpoint: &str) -> Result<bool> {
        if self.get(endpoint).await?.is_none() {
            return Ok(false);
        }
        let _locked = self.lock().await?;
        let endpoint = endpoint.to_owned();
        let change = move |path: &Path| {
            let mut content = read(path)?;
            let removed = content.logins.remove(&endpoint).is_some();
            write(path, &content)?;
            Ok(removed)
        };
        self.blocking("change", change).await
    }

    /// Waits until no other process changes it.
    pub(super) async fn lock(&self) -> Result<Locked<'_>> {
        let open = |path: &Path| {
            if let Some(folder) = path.parent() {
                private_folder(folder)?;
            }
            let mut name = path.as_os_str().to_owned();
            name.push(".lock");
            File::options().create(true).append(true).open(name)
        };
        let lock = self.blocking("lock", open).await?;
        let until = Instant::now() + LOCKED_FOR;
        loop {
            match lock.try_lock() {
                Ok(()) => {
                    return Ok(Locked {
                        file: self,
                        _lock: lock,
                    });
                }
                Err(TryLockError::WouldBlock) if Instant::now() < until => sleep(LOOK_AGAIN).await,
                Err(TryLockError::WouldBlock) => {
                    let busy = io::Error::other("another process does not let go of it");
                    return Err(self.error("lock", busy));
                }
                Err(TryLockError::Error(error)) => return Err(self.error("lock", error)),
            }
        }
    }

    async fn blocking<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T> {
        let path = self.0.clone();
        let done = tokio::task::spawn_blocking(move || work(&path)).await;
        let done = done.unwrap_or_else(|error| Err(io::Error::other(error)));
        done.map_err(|error| self.error(operation, error))
    }

    fn error(&self, operation: &'static str, error: io::Error) -> Error {
        let path = self.0.display().to_string();
        Error::new(operation, path, ErrorKind::Configuration, error.to_string()).with_source(error)
    }
}

/// The file, as long as nobody else may change it.
pub(super) struct Locked<'a> {
    file: &'a CredentialsFile,
    _lock: File,
}

impl Locked<'_> {
    pub(super) async fn get(&self, endpoint: &str) -> Result<Option<Grant>> {
        self.file.get(endpoint).await
    }

    pub(super) async fn set(&self, endpoint: &str, grant: &Grant) -> Result<()> {
        let (endpoint, grant) = (endpoint.to_owned(), grant.clone());
        let change = move |path: &Path| {
            let mut content = read(path)?;
            content.logins.insert(endpoint, grant);
            write(path, &content)
        };
        self.file.blocking("change", change).await
    }
}

fn read(path: &Path) -> io::Result<Content> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == IoErrorKind::NotFound => return Ok(Content::default()),
        Err(error) => return Err(error),
    };
    warn_of_readers(path);
    // The words of the JSON reader may repeat a secret.
    serde_json::from_slice(&text).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        io::Error::other(format!("it is no file of credentials: {place}"))
    })
}

fn write(path: &Path, content: &Content) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    // Made with mode 0600.
    let mut aside = tempfile::Builder::new()
        .prefix(".credentials-")
        .tempfile_in(folder)?;
    serde_json::to_writer_pretty(&mut aside, content)?;
    aside.write_all(b"\n")?;
    aside.as_file().sync_all()?;
    aside.persist(path)?;
    Ok(())
}

fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder)
}

/// Somebody has made it readable for others; it is not made so here.
fn warn_of_readers(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path).map(|metadata| metadata.permissions().mode());
        if mode.is_ok_and(|mode| mode & 0o077 != 0) {
            tracing::warn!(path = %path.display(), "others may read these credentials; chmod 600 takes that back");
        }
    }
    #[cfg(not(unix))]
    let _ = path;
}
