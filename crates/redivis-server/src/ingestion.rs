//! Reading in what was uploaded, in the order it came, a few at a time, while requests are answered.
//!
//! An upload that is being read in when the server ends is read in again at the next start: until its rows are there,
//! its bytes are.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use md5::{Digest, Md5};
use tokio::{sync::Notify, task::spawn_blocking};
use tokio_util::sync::CancellationToken;

use crate::{
    catalog::{Catalog, Work},
    database::DatabaseError,
    storage::{IngestError, Ingested, UploadOptions, ingest},
    temporary::TempUploads,
    token::hex,
};

/// Uploads that are read in at a time.
const WORKERS: usize = 2;
/// How long to wait after the database failed.
const PAUSE: Duration = Duration::from_secs(1);

/// The work, shared by those who do it.
#[derive(Debug)]
pub(crate) struct Ingestion {
    catalog: Arc<Catalog>,
    temporary: TempUploads,
    arrived: Notify,
    /// Held by the worker that merges files.
    merging: Mutex<()>,
    stopping: CancellationToken,
}

impl Ingestion {
    /// Starts to work off what is queued, until the server stops.
    pub(crate) fn start(
        catalog: Arc<Catalog>,
        temporary: TempUploads,
        stopping: CancellationToken,
    ) -> Arc<Self> {
        let ingestion = Arc::new(Ingestion {
            catalog,
            temporary,
            arrived: Notify::new(),
            merging: Mutex::default(),
            stopping,
        });
        for _ in 0..WORKERS {
            tokio::spawn(Arc::clone(&ingestion).work());
        }
        ingestion
    }

    /// Says that an upload was queued.
    pub(crate) fn arrived(&self) {
        self.arrived.notify_one();
    }

    async fn work(self: Arc<Self>) {
        while !self.stopping.is_cancelled() {
            let worker = Arc::clone(&self);
            let work = move || worker.next().map(|done| done || worker.merge());
            let worked = spawn_blocking(work).await;
            let pause = match worked {
                Ok(Ok(true)) => continue,
                Ok(Ok(false)) => None,
                Ok(Err(error)) => {
                    tracing::error!("an upload could not be read in: {error}");
                    Some(PAUSE)
                }
                Err(error) => {
                    tracing::error!("reading in an upload broke off: {error}");
                    Some(PAUSE)
                }
            };
            tokio::select! {
                () = self.arrived.notified() => {}
                () = self.stopping.cancelled() => {}
                () = tokio::time::sleep(pause.unwrap_or_default()), if pause.is_some() => {}
            }
        }
    }

    /// Reads in the next upload; whether there was one.
    fn next(&self) -> Result<bool, DatabaseError> {
        let Some(work) = self.catalog.next_upload()? else {
            return Ok(false);
        };
        let outcome = self.read_in(&work);
        // What is not noted would not be known of before the next start.
        while let Err(error) = self.note(&work, &outcome) {
            tracing::error!("what became of an upload cannot be noted: {error}");
            if self.stopping.is_cancelled() {
                break;
            }
            std::thread::sleep(PAUSE);
        }
        Ok(true)
    }

    /// Merges small files, which is nobody's concern if it fails; whether there were any.
    fn merge(&self) -> bool {
        let Ok(_alone) = self.merging.try_lock() else {
            return false;
        };
        let stop = || self.stopping.is_cancelled();
        self.catalog.merge(&stop).unwrap_or_else(|error| {
            tracing::warn!("files of inserted rows could not be merged: {error}");
            false
        })
    }

    fn note(
        &self,
        work: &Work,
        outcome: &Result<(Ingested, String), IngestError>,
    ) -> Result<(), DatabaseError> {
        match outcome {
            Ok((ingested, hash)) => self.catalog.complete_upload(work, ingested, hash),
            // It stays what it is, and is begun again at the next start.
            Err(IngestError::Stopped) => Ok(()),
            Err(error) => self.catalog.fail_upload(work, &error.to_string()),
        }
    }

    fn read_in(&self, work: &Work) -> Result<(Ingested, String), IngestError> {
        let options: UploadOptions =
            serde_json::from_value(work.options.clone().into()).map_err(IngestError::rejected)?;
        let source = self.temporary.taken(&work.temporary);
        let source = source.map_err(|error| IngestError::Io(std::io::Error::other(error)))?;
        let stop = || self.stopping.is_cancelled();
        let hash = digest(&source)?;
        let ingested = ingest(&source, &options, self.catalog.rows_folder(), &stop)?;
        Ok((ingested, hash))
    }
}

/// The MD5 of a file in hexadecimal digits, as clients compare it.
fn digest(path: &Path) -> Result<String, std::io::Error> {
    let mut digest = Md5::new();
    std::io::copy(&mut std::fs::File::open(path)?, &mut Digesting(&mut digest))?;
    Ok(hex(&digest.finalize()))
}

/// Takes what is written to it into a digest.
struct Digesting<'a>(&'a mut Md5);

impl std::io::Write for Digesting<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
