//! Temp uploads: bytes on their way in, until an upload or a raw file is made of them (redivis-api §6.2).
//!
//! They survive the server. A row says what was announced; the bytes lie in a file of their own, which gets its place in
//! the row once they are all on the disk. A resumable session's file grows in place, and its length is how far it came.

mod error;
mod growing;
mod purge;
mod range;
mod record;
mod session;
#[cfg(test)]
mod tests;
mod turn;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures::Stream;
use rusqlite::{Connection, Transaction, params};
use tempfile::TempPath;

pub(crate) use error::TempUploadError;
pub(crate) use range::ContentRange;
pub(crate) use session::Progress;

use crate::{database::Database, durable, token::random_name};
use growing::{Growing, Wanted, blocking};
use record::Record;
use turn::Turns;

/// The temp uploads of a server.
#[derive(Debug, Clone)]
pub(crate) struct TempUploads {
    database: Arc<Database>,
    folder: Arc<Path>,
    lifetime: Duration,
    turns: Arc<Turns>,
}

/// What somebody announces to send.
#[derive(Debug)]
pub(crate) struct NewTempUpload {
    pub(crate) size: u64,
    pub(crate) is_resumable: bool,
}

/// The complete bytes of a temp upload.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) path: PathBuf,
    pub(crate) size: u64,
}

/// Bytes that came along with a request. They are deleted with this, unless they are kept.
#[derive(Debug)]
pub(crate) struct Inline {
    name: String,
    pub(crate) size: u64,
    file: TempPath,
}

impl Inline {
    /// Leaves the bytes where they are, once a row names them.
    pub(crate) fn keep(self) -> io::Result<()> {
        self.file.keep().map(drop).map_err(|error| error.error)
    }
}

impl TempUploads {
    /// The temp uploads that the folder holds; what nobody needs of it is deleted. Blocks.
    pub(crate) fn new(
        database: Arc<Database>,
        folder: PathBuf,
        lifetime: Duration,
    ) -> Result<Self, TempUploadError> {
        durable::create_folder(&folder).map_err(TempUploadError::Io)?;
        let uploads = TempUploads {
            database,
            folder: folder.into(),
            lifetime,
            turns: Arc::default(),
        };
        uploads.purge()?;
        uploads.sweep()?;
        Ok(uploads)
    }

    /// Announces some; returns their ids in the same order. Blocks.
    pub(crate) fn create(
        &self,
        user: &str,
        uploads: &[NewTempUpload],
    ) -> Result<Vec<String>, TempUploadError> {
        let expires_at = self.expiry();
        self.database.write(|change| {
            let mut insert = change.prepare_cached(
                "INSERT INTO temporary_upload (id, user, size, is_resumable, expires_at) VALUES (?, ?, ?, ?, ?)",
            )?;
            let mut ids = Vec::with_capacity(uploads.len());
            for upload in uploads {
                let id = random_name()?;
                insert.execute(params![
                    id,
                    user,
                    upload.size.cast_signed(),
                    upload.is_resumable,
                    expires_at
                ])?;
                ids.push(id);
            }
            Ok(ids)
        })
    }

    /// Takes all bytes of a temp upload that is not resumable.
    pub(crate) async fn put(
        &self,
        id: &str,
        length: Option<u64>,
        body: &mut (impl Stream<Item = io::Result<Bytes>> + Send + Unpin),
    ) -> Result<(), TempUploadError> {
        let uploads = self.clone();
        let wanted = id.to_owned();
        let record = blocking(move || {
            let record = uploads.database.read(|rows| Record::find(rows, &wanted))?;
            record.is_open()?;
            Ok(record)
        })
        .await?;
        if record.is_resumable {
            return Err(TempUploadError::Mismatch(
                "This temp upload is resumable: start a session with `x-goog-resumable: start`"
                    .to_owned(),
            ));
        }
        let size = record.size;
        if let Some(length) = length
            && length != size
        {
            if length == 0 && record.file.is_some() {
                return Ok(());
            }
            return Err(TempUploadError::Mismatch(format!(
                "{size} bytes were announced, and the body has {length}"
            )));
        }
        let (file, received) = match self.receive(body, Some(size), size).await {
            Ok(received) => received,
            // The Python client sends an empty body when it tries again, the first one being used up (redivis-api §6.2).
            // If the bytes are here, it was only the answer that it missed.
            Err((0, TempUploadError::Mismatch(_))) if record.file.is_some() => return Ok(()),
            Err((_, error)) => return Err(error),
        };
        debug_assert_eq!(received, size);
        let uploads = self.clone();
        blocking(move || uploads.complete(&record.id, &file)).await
    }

    /// Stores a body that came along with the request that uses it.
    pub(crate) async fn store(
        &self,
        body: &mut (impl Stream<Item = io::Result<Bytes>> + Send + Unpin),
        limit: u64,
    ) -> Result<Inline, TempUploadError> {
        let (name, size) = self
            .receive(body, None, limit)
            .await
            .map_err(|(_, error)| error)?;
        let file = TempPath::try_from_path(self.folder.join(&name)).map_err(TempUploadError::Io)?;
        Ok(Inline { name, size, file })
    }

    /// Makes stored bytes a temp upload that is taken, in the caller's transaction; its id.
    pub(crate) fn adopt(
        &self,
        change: &Transaction<'_>,
        inline: &Inline,
        user: &str,
    ) -> Result<String, TempUploadError> {
        let id = random_name()?;
        change
            .prepare_cached(
                "INSERT INTO temporary_upload (id, user, size, is_resumable, is_taken, expires_at, file)
                 VALUES (?, ?, ?, 0, 1, ?, ?)",
            )?
            .execute(params![id, user, inline.size.cast_signed(), now(), inline.name])?;
        Ok(id)
    }

    /// Brings a body to a file of its own; returns its name and length, or how much of it came and why it is of no use.
    async fn receive(
        &self,
        body: &mut (impl Stream<Item = io::Result<Bytes>> + Send + Unpin),
        exactly: Option<u64>,
        limit: u64,
    ) -> Result<(String, u64), (u64, TempUploadError)> {
        let wanted = Wanted {
            skip: 0,
            exactly,
            limit,
        };
        let folder = Arc::clone(&self.folder);
        let aside = blocking(move || {
            let (file, path) = durable::aside_in(&folder)
                .map_err(TempUploadError::Io)?
                .into_parts();
            Growing::at_end(file, path).map_err(TempUploadError::Io)
        });
        let poured = aside.await.map_err(|error| (0, error))?.pour(body, wanted);
        let (aside, outcome) = poured.await.map_err(|error| (0, error))?;
        let length = aside.length;
        outcome.map_err(|error| (length, error))?;
        let folder = Arc::clone(&self.folder);
        let published = blocking(move || {
            let name = random_name()?;
            let aside = tempfile::NamedTempFile::from_parts(aside.file, aside.right);
            durable::publish(aside, &folder.join(&name)).map_err(TempUploadError::Io)?;
            Ok(name)
        });
        let name = published.await.map_err(|error| (length, error))?;
        Ok((name, length))
    }

    /// Notes that a file of the folder, which is on the disk, holds all bytes.
    fn complete(&self, id: &str, file: &str) -> Result<(), TempUploadError> {
        let former = self.database.write(|change| {
            let record = Record::find(change, id)?;
            record.is_open()?;
            change
                .prepare_cached(
                    "UPDATE temporary_upload SET file = ?, expires_at = ? WHERE id = ?",
                )?
                .execute(params![file, self.expiry(), id])?;
            Ok::<_, TempUploadError>(record.file)
        });
        match former {
            Ok(Some(former)) if former != file => self.unlink(&former),
            Ok(_) => {}
            Err(error) => {
                self.unlink(file);
                return Err(error);
            }
        }
        Ok(())
    }

    /// The complete bytes of a temp upload of this user. In the caller's transaction it is marked as taken, so that it
    /// neither expires nor is taken twice.
    pub(crate) fn take(
        &self,
        change: &Transaction<'_>,
        id: &str,
        user: &str,
    ) -> Result<Received, TempUploadError> {
        let received = self.usable(change, id, user)?;
        change
            .prepare_cached("UPDATE temporary_upload SET is_taken = 1 WHERE id = ?")?
            .execute([id])?;
        Ok(received)
    }

    /// Where the bytes of a temp upload are that was taken.
    pub(crate) fn taken(&self, id: &str) -> Result<PathBuf, TempUploadError> {
        let record = self.database.read(|rows| Record::find(rows, id))?;
        let file = record.file.ok_or(TempUploadError::Unknown)?;
        Ok(self.folder.join(file))
    }

    /// The same bytes before they are taken. Blocks.
    pub(crate) fn look(&self, id: &str, user: &str) -> Result<Received, TempUploadError> {
        self.database.read(|rows| self.usable(rows, id, user))
    }

    fn usable(&self, rows: &Connection, id: &str, user: &str) -> Result<Received, TempUploadError> {
        self.complete_bytes(rows, id, user)
            .map_err(|error| match error {
                TempUploadError::Io(_) | TempUploadError::Database(_) => error,
                error => TempUploadError::Unusable(Box::new(error)),
            })
    }

    fn complete_bytes(
        &self,
        rows: &Connection,
        id: &str,
        user: &str,
    ) -> Result<Received, TempUploadError> {
        let record = Record::find(rows, id)?;
        if record.user != user {
            return Err(TempUploadError::Unknown);
        }
        record.is_open()?;
        match record.file {
            Some(file) => Ok(Received {
                path: self.folder.join(file),
                size: record.size,
            }),
            None => Err(TempUploadError::Incomplete {
                received: match &record.session_file {
                    Some(file) => fs::metadata(self.folder.join(file))
                        .map_err(TempUploadError::Io)?
                        .len(),
                    None => 0,
                },
                size: record.size,
            }),
        }
    }

    /// Deletes a taken temp upload and its bytes, once they are not needed any more. Blocks.
    pub(crate) fn remove(&self, id: &str) {
        let removed = self.database.write(|change| {
            let record = Record::find(change, id)?;
            change.execute("DELETE FROM temporary_upload WHERE id = ?", [id])?;
            Ok::<_, TempUploadError>(record)
        });
        match removed {
            Ok(record) => self.unlink_all(&record),
            Err(TempUploadError::Unknown) => {}
            // It is only in the way.
            Err(error) => tracing::warn!("a temp upload that was used cannot be removed: {error}"),
        }
    }

    fn unlink_all(&self, record: &Record) {
        for file in record.file.iter().chain(&record.session_file) {
            self.unlink(file);
        }
    }

    /// Deletes a file of the folder that no row names. If that fails, the next start does it.
    fn unlink(&self, file: &str) {
        match fs::remove_file(self.folder.join(file)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!("a file of a temp upload cannot be deleted: {error}");
            }
            _ => {}
        }
    }

    fn expiry(&self) -> i64 {
        let lifetime = i64::try_from(self.lifetime.as_millis()).unwrap_or(i64::MAX);
        now().saturating_add(lifetime)
    }
}

/// Milliseconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}
