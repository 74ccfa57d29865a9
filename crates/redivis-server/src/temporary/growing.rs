//! A file that grows by a body's bytes as they come.
//!
//! Each write happens off the runtime's threads, one at a time: the connection waits meanwhile, so that no more than one
//! piece is in memory. What gives the right to write goes along with the write: should the request be dropped, the
//! right ends only after the write did.

use std::{
    fs::File,
    io::{self, Seek, SeekFrom, Write},
};

use bytes::Bytes;
use futures::{Stream, StreamExt};
use tokio::task::spawn_blocking;

use super::error::TempUploadError;

/// The file, and what gives the right to write to it.
#[derive(Debug)]
pub(super) struct Growing<R> {
    pub(super) file: File,
    pub(super) length: u64,
    pub(super) right: R,
}

/// Which of a body's bytes are wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// Bytes at its start that are there already.
    pub(super) skip: u64,
    /// Bytes that it has to have, those to skip included; `None` for any number up to the limit.
    pub(super) exactly: Option<u64>,
    /// Bytes that it may have.
    pub(super) limit: u64,
}

impl<R: Send + 'static> Growing<R> {
    /// Goes on at the file's end. Blocks.
    pub(super) fn at_end(mut file: File, right: R) -> io::Result<Self> {
        let length = file.seek(SeekFrom::End(0))?;
        Ok(Growing {
            file,
            length,
            right,
        })
    }

    /// Writes the wanted bytes of a body; returns the file in any case, with what arrived.
    pub(super) async fn pour(
        mut self,
        body: &mut (impl Stream<Item = io::Result<Bytes>> + Send + Unpin),
        wanted: Wanted,
    ) -> Result<(Self, Result<(), TempUploadError>), TempUploadError> {
        let mut seen = 0u64;
        while let Some(piece) = body.next().await {
            let mut piece = match piece {
                Ok(piece) => piece,
                Err(error) => return Ok((self, Err(TempUploadError::Cut(error)))),
            };
            let excess = (seen + piece.len() as u64).saturating_sub(wanted.limit);
            if excess > 0 {
                piece.truncate(piece.len() - usize::try_from(excess).unwrap_or(piece.len()));
            }
            let skipped = wanted.skip.saturating_sub(seen).min(piece.len() as u64);
            seen += piece.len() as u64;
            piece = piece.slice(usize::try_from(skipped).unwrap_or(piece.len())..);
            if !piece.is_empty() {
                let written;
                (self, written) = self.write(piece).await?;
                if let Err(error) = written {
                    return Ok((self, Err(TempUploadError::Io(error))));
                }
            }
            if excess > 0 {
                let limit = wanted.limit;
                return Ok((self, Err(TempUploadError::TooLarge { limit })));
            }
        }
        let outcome = match wanted.exactly {
            Some(exactly) if seen != exactly => Err(TempUploadError::Mismatch(format!(
                "{exactly} bytes were announced, and the body has {seen}"
            ))),
            _ => Ok(()),
        };
        Ok((self, outcome))
    }

    async fn write(mut self, piece: Bytes) -> Result<(Self, io::Result<()>), TempUploadError> {
        blocking(move || {
            let written = self.file.write_all(&piece);
            if written.is_ok() {
                self.length += piece.len() as u64;
            }
            Ok((self, written))
        })
        .await
    }
}

/// Runs what blocks on the disk.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, TempUploadError> + Send + 'static,
) -> Result<T, TempUploadError> {
    spawn_blocking(work)
        .await
        .map_err(|error| TempUploadError::Io(io::Error::other(error)))?
}
