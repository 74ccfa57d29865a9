//! Resumable sessions: bytes in as many requests as it takes (redivis-api §6.3).
//!
//! What arrived is kept, whatever ends a request, and is on the disk before it is confirmed. Bytes that are there already
//! are skipped, so that a client which goes on too early changes nothing.

use std::{
    fs::{File, OpenOptions},
    io,
    pin::pin,
};

use bytes::Bytes;
use futures::{Stream, StreamExt};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    Record, TempUploads,
    error::TempUploadError,
    growing::{Growing, Wanted, blocking},
    range::ContentRange,
    turn::Turn,
};
use crate::{durable, token::random_name};

/// What all chunks but the last are a multiple of.
const CHUNK: u64 = 256 << 10;

/// How far a session came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// All bytes are there.
    Complete,
    /// The first so many are there.
    Partial(u64),
}

impl TempUploads {
    /// Starts a session for a temp upload, in place of an earlier one; returns its id.
    pub(crate) async fn start(
        &self,
        id: &str,
        length: Option<u64>,
    ) -> Result<String, TempUploadError> {
        let uploads = self.clone();
        let id = id.to_owned();
        blocking(move || {
            let record = uploads.database.read(|rows| Record::find(rows, &id))?;
            record.is_open()?;
            check_total(&record, length)?;
            if !record.is_resumable {
                return Err(TempUploadError::Mismatch(
                    "This temp upload is not resumable: PUT its bytes, or create it with `resumable: true`"
                        .to_owned(),
                ));
            }
            let (session, file) = (random_name()?, random_name()?);
            let path = uploads.folder.join(&file);
            File::create_new(&path)
                .and_then(|_| durable::sync_folder_of(&path))
                .map_err(TempUploadError::Io)?;
            let former = uploads.database.write(|change| {
                let former = Record::find(change, &id)?;
                former.is_open()?;
                change
                    .prepare_cached(
                        "UPDATE temporary_upload SET session = ?, session_file = ?, file = NULL, expires_at = ? WHERE id = ?",
                    )?
                    .execute(params![session, file, uploads.expiry(), id])?;
                Ok::<_, TempUploadError>(former)
            });
            match former {
                Ok(former) => uploads.unlink_all(&former),
                Err(error) => {
                    uploads.unlink(&file);
                    return Err(error);
                }
            }
            Ok(session)
        })
        .await
    }

    /// How far a session came. What is said to be there is on the disk.
    pub(crate) async fn progress(
        &self,
        session: &str,
        total: Option<u64>,
    ) -> Result<Progress, TempUploadError> {
        let uploads = self.clone();
        let session = session.to_owned();
        blocking(move || {
            let (record, file) = uploads.open(&session)?;
            check_total(&record, total)?;
            // The file may be growing: what is counted before is on the disk after.
            let length = file.metadata().map_err(TempUploadError::Io)?.len();
            uploads.confirm(&record, &file, length)
        })
        .await
    }

    /// Takes the bytes of a range; without a range, all of them.
    pub(crate) async fn send(
        &self,
        session: &str,
        range: Option<ContentRange>,
        body_length: Option<u64>,
        body: &mut (impl Stream<Item = io::Result<Bytes>> + Send + Unpin),
    ) -> Result<Progress, TempUploadError> {
        let turn = self.turns.next(session).await;
        let turn = turn.ok_or(TempUploadError::Superseded)?;
        let ended = turn.ended();
        let uploads = self.clone();
        let id = session.to_owned();
        let (record, growing) = blocking(move || {
            let (record, file) = uploads.open(&id)?;
            let growing: Growing<Turn> =
                Growing::at_end(file, turn).map_err(TempUploadError::Io)?;
            Ok((record, growing))
        })
        .await?;
        let there = growing.length;
        let (start, end) = place(&record, range, there)?;
        let length = end - start;
        if let Some(announced) = body_length
            && announced != length
        {
            return Err(TempUploadError::Mismatch(format!(
                "`Content-Range` is of {length} bytes, and the body has {announced}"
            )));
        }
        let wanted = Wanted {
            skip: there - start,
            exactly: Some(length),
            limit: length,
        };
        let mut body = pin!(body.take_until(ended.clone().cancelled_owned()));
        let (growing, outcome) = growing.pour(&mut body, wanted).await?;
        let uploads = self.clone();
        let progress = blocking(move || {
            let Growing {
                file,
                length,
                right,
            } = growing;
            let progress = uploads.confirm(&record, &file, length);
            drop(right);
            progress
        })
        .await?;
        match outcome {
            Err(_) if ended.is_cancelled() => Err(TempUploadError::Superseded),
            Err(error) => Err(error),
            Ok(()) => Ok(progress),
        }
    }

    /// A session's record and file.
    fn open(&self, session: &str) -> Result<(Record, File), TempUploadError> {
        let record = self.database.read(|rows| of_session(rows, session))?;
        record.is_open()?;
        let file = record.session_file.as_deref();
        let file = file.ok_or(TempUploadError::UnknownSession)?;
        let path = self.folder.join(file);
        match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => Ok((record, file)),
            // Another session took its place just now.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(TempUploadError::UnknownSession)
            }
            Err(error) => Err(TempUploadError::Io(error)),
        }
    }

    /// Brings the first `length` bytes to the disk, and notes if they are all.
    fn confirm(
        &self,
        record: &Record,
        file: &File,
        length: u64,
    ) -> Result<Progress, TempUploadError> {
        if record.file.is_some() {
            return Ok(Progress::Complete);
        }
        file.sync_all().map_err(TempUploadError::Io)?;
        if length < record.size {
            return Ok(Progress::Partial(length));
        }
        let completed = self.database.write(|change| {
            let now = Record::find(change, &record.id)?;
            now.is_open()?;
            if now.session_file != record.session_file {
                return Err(TempUploadError::UnknownSession);
            }
            change
                .prepare_cached(
                    "UPDATE temporary_upload SET file = session_file, expires_at = ? WHERE id = ?",
                )?
                .execute(params![self.expiry(), record.id])?;
            Ok::<_, TempUploadError>(())
        });
        completed.map(|()| Progress::Complete)
    }
}

fn of_session(rows: &Connection, session: &str) -> Result<Record, TempUploadError> {
    let found = rows
        .prepare_cached("SELECT * FROM temporary_upload WHERE session = ?")?
        .query_row([session], Record::of)
        .optional()?;
    found.ok_or(TempUploadError::UnknownSession)
}

/// Refuses a total other than the one that was announced.
fn check_total(record: &Record, total: Option<u64>) -> Result<(), TempUploadError> {
    match total {
        Some(total) if total != record.size => Err(TempUploadError::Mismatch(format!(
            "The temp upload was created for {} bytes, not {total}",
            record.size
        ))),
        _ => Ok(()),
    }
}

/// Where the bytes of a range go, if they may follow those that are there.
fn place(
    record: &Record,
    range: Option<ContentRange>,
    there: u64,
) -> Result<(u64, u64), TempUploadError> {
    let size = record.size;
    let (start, end) = match range {
        None => (0, size),
        Some(ContentRange::Probe { .. }) => (there, there),
        Some(range @ ContentRange::Bytes { start, end, .. }) => {
            check_total(record, range.total())?;
            (start, end)
        }
    };
    let refused = |reason: String| Err(TempUploadError::Mismatch(reason));
    if end > size {
        return refused(format!(
            "`Content-Range` ends at byte {end}, and the temp upload was created for {size}"
        ));
    }
    if start > there {
        return refused(format!(
            "`Content-Range` starts at byte {start}, and only {there} bytes are there; go on from there"
        ));
    }
    if end < size && !end.is_multiple_of(CHUNK) && !(end - start).is_multiple_of(CHUNK) {
        return refused(format!(
            "All chunks but the last must be multiples of {CHUNK} bytes, and this one has {}",
            end - start
        ));
    }
    Ok((start, end))
}
