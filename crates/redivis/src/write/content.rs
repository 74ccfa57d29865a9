//! What is sent: bytes that can be read again from any position, without holding them all.
//!
//! An interrupted upload goes on in the middle, perhaps in another process, so the bytes must be the same ones then. A file is
//! therefore remembered with its size and times, and compared whenever it is read.

use std::fmt;
use std::io::{self, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use crate::error::{Error, ErrorKind, Result, Retry};

/// What is read at a time.
const PIECE: usize = 64 << 10;
/// What is given to the connection at a time. It takes several before it writes them, and only when all are written it takes
/// others: small ones show that a slow line moves.
const SLICE: usize = 8 << 10;

/// Bytes that can be read again from any position. Cheap to clone.
#[derive(Clone)]
pub struct Content(Source);

#[derive(Clone)]
enum Source {
    Bytes(Bytes),
    File(Arc<Snapshot>),
}

/// A file as it was when it was first looked at.
struct Snapshot {
    path: PathBuf,
    size: u64,
    modified: Option<SystemTime>,
}

impl Content {
    /// A file, as it is now: that it changes later is an error.
    ///
    /// Fails with [`ErrorKind::Invalid`] for what cannot be opened or is no regular file, since a pipe cannot be read again.
    pub async fn file(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let metadata = match File::open(&path).await {
            Ok(file) => file.metadata().await,
            Err(error) => Err(error),
        }
        .map_err(|error| unreadable(&path, error))?;
        if !metadata.is_file() {
            return Err(refused(&path, "it is no regular file"));
        }
        Ok(Self(Source::File(Arc::new(Snapshot {
            size: metadata.len(),
            modified: metadata.modified().ok(),
            path,
        }))))
    }

    /// Bytes in memory.
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self(Source::Bytes(bytes.into()))
    }

    /// What it is called in messages.
    pub(super) fn name(&self) -> String {
        match &self.0 {
            Source::Bytes(bytes) => format!("{} bytes", bytes.len()),
            Source::File(snapshot) => snapshot.path.display().to_string(),
        }
    }

    /// How many bytes there are.
    pub fn len(&self) -> u64 {
        match &self.0 {
            Source::Bytes(bytes) => bytes.len() as u64,
            Source::File(snapshot) => snapshot.size,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// When the file was last changed, to recognize it in another process; `None` for bytes in memory.
    pub fn modified(&self) -> Option<SystemTime> {
        match &self.0 {
            Source::Bytes(_) => None,
            Source::File(snapshot) => snapshot.modified,
        }
    }

    /// The bytes from `start` up to `end`, exactly, piece by piece; read as they are asked for, off the runtime's threads.
    pub(super) fn read(&self, start: u64, end: u64) -> BoxStream<'static, Result<Bytes>> {
        match &self.0 {
            Source::Bytes(bytes) => {
                let (start, end) = (position(start, bytes.len()), position(end, bytes.len()));
                stream::iter(slices(bytes.slice(start.min(end)..end))).boxed()
            }
            Source::File(snapshot) => {
                let snapshot = Arc::clone(snapshot);
                stream::once(async move { FileRange::open(snapshot, start, end).await })
                    .map_ok(|range| {
                        stream::try_unfold(range, |mut range| async move {
                            Ok(range.next().await?.map(|piece| (piece, range)))
                        })
                    })
                    .try_flatten()
                    .map_ok(|piece| stream::iter(slices(piece)))
                    .try_flatten()
                    .boxed()
            }
        }
    }
}

/// Bytes in small slices.
fn slices(mut bytes: Bytes) -> impl Iterator<Item = Result<Bytes>> {
    std::iter::from_fn(move || {
        let slice = bytes.split_to(bytes.len().min(SLICE));
        (!slice.is_empty()).then_some(Ok(slice))
    })
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Bytes(bytes) => write!(f, "Content({} bytes)", bytes.len()),
            Source::File(snapshot) => {
                write!(
                    f,
                    "Content({}, {} bytes)",
                    snapshot.path.display(),
                    snapshot.size
                )
            }
        }
    }
}

/// A part of a file being read.
struct FileRange {
    snapshot: Arc<Snapshot>,
    file: File,
    left: u64,
}

impl FileRange {
    async fn open(snapshot: Arc<Snapshot>, start: u64, end: u64) -> Result<Self> {
        let failed = |error| unreadable(&snapshot.path, error);
        let mut file = File::open(&snapshot.path).await.map_err(failed)?;
        snapshot.check(&file).await?;
        file.seek(SeekFrom::Start(start)).await.map_err(failed)?;
        file.set_max_buf_size(PIECE);
        Ok(Self {
            left: end.saturating_sub(start),
            file,
            snapshot,
        })
    }

    async fn next(&mut self) -> Result<Option<Bytes>> {
        if self.left == 0 {
            return Ok(None);
        }
        let mut piece = vec![0; position(self.left, PIECE)];
        match self.file.read_exact(&mut piece).await {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(self.snapshot.changed());
            }
            Err(error) => return Err(unreadable(&self.snapshot.path, error)),
        }
        self.left -= piece.len() as u64;
        if self.left == 0 {
            // Before the last piece goes out, so that a changed file never completes.
            self.snapshot.check(&self.file).await?;
        }
        Ok(Some(piece.into()))
    }
}

impl Snapshot {
    /// Fails if the file is not the one that was first looked at.
    async fn check(&self, file: &File) -> Result<()> {
        let now = file
            .metadata()
            .await
            .map_err(|error| unreadable(&self.path, error))?;
        if now.len() != self.size || now.modified().ok() != self.modified {
            return Err(self.changed());
        }
        Ok(())
    }

    fn changed(&self) -> Error {
        refused(
            &self.path,
            "the file changed while it was sent; send it again when nothing writes to it any more",
        )
    }
}

/// A position in the file as one in memory, at most `limit`.
fn position(bytes: u64, limit: usize) -> usize {
    usize::try_from(bytes).map_or(limit, |bytes| bytes.min(limit))
}

fn refused(path: &Path, message: &str) -> Error {
    Error::new(
        "send file",
        path.display().to_string(),
        ErrorKind::Invalid,
        message,
    )
    .with_retry(Retry::No)
}

fn unreadable(path: &Path, error: io::Error) -> Error {
    refused(path, &format!("it cannot be read: {error}")).with_source(error)
}
