//! A file that is written in parts: put together on disk, in order, and sent when it is complete.
//!
//! The service wants to know the size first, and a resumable upload must be able to go back; so the parts go to a temporary
//! file of the session. Nothing is sent before the last one is there, and what is dropped halfway was never sent.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{DataFusionError, Result as DataFusionResult, exec_datafusion_err};
use datafusion::execution::SpillFile;
use futures::FutureExt;
use object_store::path::Path;
use object_store::{MultipartUpload, PutPayload, PutResult, Result, UploadPart};
use redivis::write::Content;
use tokio::sync::{mpsc, oneshot};

use super::error::{failed, other};
use super::target::Target;
use super::{WRITTEN, upload_type};
use crate::write::Expected;

/// Makes a temporary file of the session.
pub(crate) type NewSpool = Arc<dyn Fn() -> DataFusionResult<Arc<dyn SpillFile>> + Send + Sync>;

/// A part, and where to tell that it is on disk. The caller has bounded how many wait.
type Part = (PutPayload, oneshot::Sender<()>);

/// A file being put together.
pub(super) struct Parts {
    target: Target,
    location: Path,
    spool: Arc<dyn SpillFile>,
    first: Option<u8>,
    /// Until the file is complete or given up.
    writing: Option<(
        mpsc::UnboundedSender<Part>,
        SpawnedTask<DataFusionResult<()>>,
    )>,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts")
            .field("table", &self.target.destination.table)
            .field("location", &self.location)
            .finish_non_exhaustive()
    }
}

impl Parts {
    pub(super) fn new(target: Target, location: Path, spool: &NewSpool) -> Result<Self> {
        let spool = spool().map_err(other)?;
        let (sender, mut receiver) = mpsc::unbounded_channel::<Part>();
        let file = Arc::clone(&spool);
        let writing = SpawnedTask::spawn_blocking(move || {
            let mut writer = file.open_writer()?;
            while let Some((payload, written)) = receiver.blocking_recv() {
                for bytes in &payload {
                    writer.write_all(bytes)?;
                }
                // Whoever asked may be gone.
                let _ = written.send(());
            }
            writer.flush()?;
            writer.finish()
        });
        Ok(Self {
            target,
            location,
            spool,
            first: None,
            writing: Some((sender, writing)),
        })
    }
}

fn ended() -> object_store::Error {
    other(exec_datafusion_err!(
        "the file cannot be put together in a temporary file: the disk may be full"
    ))
}

#[async_trait]
impl MultipartUpload for Parts {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let mut bytes = data.iter().flatten();
        self.first = self.first.or_else(|| bytes.next().copied());
        let (written, on_disk) = oneshot::channel();
        // Queued now and not when the future is polled: that is the order of the parts.
        let queued = match &self.writing {
            Some((sender, _)) => sender.send((data, written)).is_ok(),
            None => false,
        };
        async move {
            match queued && on_disk.await.is_ok() {
                true => Ok(()),
                false => Err(ended()),
            }
        }
        .boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let Some((sender, writing)) = self.writing.take() else {
            return Err(ended());
        };
        drop(sender);
        let written = writing.join().await;
        written
            .map_err(|error| other(DataFusionError::ExecutionJoin(Box::new(error))))?
            .map_err(other)?;
        let path = self.spool.path().ok_or_else(|| {
            other(exec_datafusion_err!(
                "writing to Redivis needs a local temporary file, and this session's are elsewhere"
            ))
        })?;
        let content = Content::file(path).await;
        let content = content.map_err(|error| failed(self.location.as_ref(), error))?;
        let upload_type = upload_type(&self.location, self.first);
        let expected = Expected::default();
        let written = self
            .target
            .write(&self.location, &content, upload_type, &expected);
        written.await.map_err(other)?;
        Ok(WRITTEN)
    }

    async fn abort(&mut self) -> Result<()> {
        self.writing = None;
        Ok(())
    }
}
