//! One file on its way to an upload, with what is kept in case the way is interrupted.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::common::exec_datafusion_err;
use redivis::resource::{Table, Upload as Uploaded};
use redivis::write::{Content, NewTempUpload, OnConflict, SessionUrl, TempUpload};
use redivis::{Client, ErrorKind, TableReference};

use super::Upload;
use super::board::{Board, Line, Stage};
use super::kept::{Kept, Key, Store};
use crate::blocking::blocking;
use crate::failure::{Failure, external};
use crate::report::narrate;

/// How many sessions are opened for one file before a service that keeps losing them is given up.
const MAX_SESSIONS: u32 = 3;

/// What all files of a run have in common.
pub(super) struct Run {
    pub(super) client: Client,
    pub(super) reference: TableReference,
    pub(super) table: Table,
    pub(super) options: Upload,
    pub(super) board: Arc<Board>,
    pub(super) store: Option<Store>,
}

/// A file of the run.
pub(super) struct File {
    pub(super) line: Arc<Line>,
    pub(super) name: String,
    pub(super) content: Content,
    /// Where another run has begun to send it.
    pub(super) kept: Option<(Kept, PathBuf)>,
}

impl File {
    pub(super) fn announced(&self) -> NewTempUpload {
        NewTempUpload::new(&self.name, self.content.len())
    }
}

impl Run {
    /// Which bytes go where.
    pub(super) fn key(&self, path: &Path, name: &str, content: &Content) -> Key {
        Key {
            endpoint: self.client.endpoint().to_owned(),
            table: self.table.uri.clone(),
            name: name.to_owned(),
            path: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
            size: content.len(),
            modified: content.modified(),
        }
    }

    /// Brings a file to its upload, and waits until its rows are there.
    pub(super) async fn upload(&self, mut file: File, place: TempUpload) -> Result<(), Failure> {
        let done = match self.there(&file).await? {
            Some(there) => self.take(&mut file, &there).await,
            None => self.bring(file, place).await,
        };
        done.map_err(external)
    }

    async fn take(&self, file: &mut File, there: &Uploaded) -> redivis::Result<()> {
        let uploaded = self.client.wait_for_upload(there).await?;
        self.done(file, &uploaded, "was there already").await;
        Ok(())
    }

    async fn bring(&self, mut file: File, place: TempUpload) -> redivis::Result<()> {
        let table = &self.table.uri;
        let request = self.options.request(&file.name);
        let sent = self.send(&mut file, place).await?;
        let upload = self
            .client
            .create_upload(table, &request, Some(&sent))
            .await?;
        file.line.set(Stage::Reading);
        match self.client.wait_for_upload(&upload).await {
            Ok(uploaded) => {
                self.done(&mut file, &uploaded, "uploaded").await;
                Ok(())
            }
            Err(error) => {
                if error.kind() == ErrorKind::Invalid {
                    // The service has judged these bytes: there is nothing to go on with.
                    file.line.set(Stage::Done);
                    self.forget(&mut file).await;
                    if self.options.remove_on_fail {
                        self.client.delete_upload(&upload.uri).await?;
                    } else {
                        narrate(format_args!(
                            "{}: the upload failed and is still there; CALL redivis.delete_upload('{}', '{}') deletes it",
                            file.line.path.display(),
                            self.reference,
                            upload
                                .name
                                .as_deref()
                                .unwrap_or(&file.name)
                                .replace('\'', "''"),
                        ));
                    }
                }
                Err(error)
            }
        }
    }

    /// The upload that makes sending needless: by `--if-not-exists`, or because the run before came that far. An error where
    /// nobody said what to do with the one that has the name.
    async fn there(&self, file: &File) -> Result<Option<Uploaded>, Failure> {
        let there = self.client.find_upload(&self.table.uri, &file.name).await;
        let there = there.map_err(external)?;
        let size = Some(file.content.len());
        match (&there, self.options.request(&file.name).on_conflict) {
            (Some(same), _) if self.options.resume && same.size == size => Ok(there),
            (_, OnConflict::Skip) => Ok(there),
            (Some(_), OnConflict::Fail) => Err(Failure::from(exec_datafusion_err!(
                "{} has an upload `{}` already; give another name with --name, or say what to do with --rename-on-conflict, \
                 --replace-on-conflict or --if-not-exists",
                self.reference,
                file.name
            ))),
            _ => Ok(None),
        }
    }

    /// Sends the bytes: to where another run has begun to, or to a place of their own.
    async fn send(&self, file: &mut File, place: TempUpload) -> redivis::Result<TempUpload> {
        let (content, progress) = (file.content.clone(), Arc::clone(&file.line.progress));
        if let Some((kept, _)) = &file.kept {
            let session = SessionUrl::from_secret(kept.session.as_str());
            match self.client.resume(&session, &content, &progress).await {
                Ok(()) => {
                    let id = kept.temp_upload.as_str();
                    return Ok(TempUpload::sent_before(id, &file.name, content.len()));
                }
                Err(error) if error.kind() == ErrorKind::NotFound => self.forget(file).await,
                Err(error) => return Err(error),
            }
        }
        if !place.is_resumable() || content.is_empty() {
            self.client.send(&place, &content, &progress).await?;
            return Ok(place);
        }
        let mut sessions = 0;
        loop {
            sessions += 1;
            let session = self.client.open_session(&place).await?;
            self.keep(file, &place, &session).await;
            match self.client.resume(&session, &content, &progress).await {
                Err(error) if error.kind() == ErrorKind::NotFound && sessions < MAX_SESSIONS => {
                    self.forget(file).await;
                }
                end => return end.map(|()| place),
            }
        }
    }

    async fn done(&self, file: &mut File, uploaded: &Uploaded, how: &str) {
        file.line.set(Stage::Done);
        self.forget(file).await;
        let rows = match uploaded.num_rows {
            Some(rows) => format!(", {}", crate::amounts::rows(rows)),
            None => String::new(),
        };
        let path = file.line.path.display();
        let named = match &uploaded.name {
            Some(name) if *name != file.name => format!(" as {name}"),
            _ => String::new(),
        };
        narrate(format_args!("{path}: {how}{named}{rows}"));
    }

    /// Keeps the session for another run. That it cannot be kept is no reason not to send.
    async fn keep(&self, file: &mut File, place: &TempUpload, session: &SessionUrl) {
        let Some(store) = self.store.clone() else {
            return;
        };
        let kept = Kept {
            key: self.key(&file.line.path, &file.name, &file.content),
            temp_upload: place.id().to_owned(),
            session: session.secret().to_owned(),
        };
        let written = blocking(move || Ok::<_, io::Error>((store.keep(&kept)?, kept))).await;
        match written {
            Ok((path, kept)) => file.kept = Some((kept, path)),
            Err(error) => narrate(format_args!(
                "warning: {} can't be resumed if it is interrupted: {error}",
                file.line.path.display()
            )),
        }
    }

    async fn forget(&self, file: &mut File) {
        if let Some((_, path)) = file.kept.take()
            && let Err(error) = tokio::fs::remove_file(&path).await
            && error.kind() != io::ErrorKind::NotFound
        {
            narrate(format_args!(
                "warning: can't remove {}: {error}",
                path.display()
            ));
        }
    }
}
