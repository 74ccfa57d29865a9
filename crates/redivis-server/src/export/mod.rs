//! Exports: the rows of a table, an upload or a query's result as files to download (redivis-api §3.6, §6.6).
//!
//! They are written by two threads at most, in the order in which they were asked for. What is not finished when the
//! server ends is written anew by the next one, and what is old is removed.

mod format;
mod record;

use std::{
    collections::{HashMap, HashSet},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::Semaphore, task::spawn_blocking};
use tokio_util::sync::CancellationToken;

pub(crate) use format::FileFormat;
pub(crate) use record::Export;

use crate::{
    catalog::Catalog,
    database::{Database, DatabaseError},
    durable,
    query::{Queries, Status, now},
    reference::TableReference,
    storage::{RowScan, Segment, Selection, VariableType, schema_of},
};
use format::Files;

/// Exports that are written at the same time.
const WRITING: usize = 2;

/// How long the files of an export are kept. The documentation does not say.
pub(crate) const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// How often exports are looked through for old ones.
const SWEEP: Duration = Duration::from_secs(60 * 60);

/// What somebody wants to have.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) user: String,
    pub(crate) parent: String,
    pub(crate) name: String,
    pub(crate) format: FileFormat,
    pub(crate) is_public: bool,
}

/// All exports of a server.
#[derive(Debug, Clone)]
pub(crate) struct Exports(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    database: Arc<Database>,
    catalog: Arc<Catalog>,
    queries: Queries,
    turns: Semaphore,
    /// Percent that are written of those that are being written.
    progress: Mutex<HashMap<String, u8>>,
    stopping: CancellationToken,
}

/// Names and types of what is exported.
type Columns = Vec<(String, VariableType)>;

impl Exports {
    /// Takes up what an earlier server left. Blocks on the disk; needs a runtime.
    pub(crate) fn start(
        state: &Path,
        database: Arc<Database>,
        catalog: Arc<Catalog>,
        queries: Queries,
        stopping: CancellationToken,
    ) -> io::Result<Self> {
        let folder = state.join("exports");
        durable::create_folder(&folder)?;
        let exports = Exports(Arc::new(Inner {
            folder,
            database,
            catalog,
            queries,
            turns: Semaphore::new(WRITING),
            progress: Mutex::default(),
            stopping,
        }));
        exports.sweep().map_err(io::Error::other)?;
        let unfinished = exports.0.database.read(Export::unfinished);
        let unfinished = unfinished.map_err(|error: DatabaseError| io::Error::other(error))?;
        for export in unfinished {
            exports.enqueue(export);
        }
        let sweeping = exports.clone();
        tokio::spawn(async move {
            let stopping = sweeping.0.stopping.clone();
            let pause = || stopping.run_until_cancelled(tokio::time::sleep(SWEEP));
            while pause().await.is_some() {
                let exports = sweeping.clone();
                if let Ok(Err(error)) = spawn_blocking(move || exports.sweep()).await {
                    tracing::warn!("old exports could not be removed: {error}");
                }
            }
        });
        Ok(exports)
    }

    /// Remembers an export and writes it when its turn comes. Blocks on the disk; needs a runtime.
    pub(crate) fn ask(&self, wanted: Wanted) -> Result<Export, DatabaseError> {
        let id = crate::token::random_name().map_err(|error| {
            DatabaseError::Sqlite(rusqlite::Error::ToSqlConversionFailure(error.into()))
        })?;
        let export = Export {
            id,
            user: wanted.user,
            parent: wanted.parent,
            name: wanted.name,
            format: wanted.format,
            is_public: wanted.is_public,
            status: Status::Queued,
            error: None,
            file_count: None,
            size: None,
            created_at: now(),
            finished_at: None,
        };
        self.0.database.write(|change| export.insert(change))?;
        self.enqueue(export.clone());
        Ok(export)
    }

    /// The export of this id, if it is this user's. Blocks on the disk.
    pub(crate) fn find(&self, id: &str, user: &str) -> Result<Option<Export>, DatabaseError> {
        let export = self.0.database.read(|reading| Export::find(reading, id))?;
        Ok(export.filter(|export| export.user == user))
    }

    /// How much of an export is written.
    pub(crate) fn percent(&self, export: &Export) -> u8 {
        match export.status {
            Status::Completed => 100,
            _ => self.progress().get(&export.id).copied().unwrap_or(0),
        }
    }

    /// Where a file of a completed export is.
    pub(crate) fn file(&self, export: &Export, part: u64) -> PathBuf {
        let name = Files::name(part, export.format);
        self.folder(&export.id).join(name)
    }

    fn folder(&self, id: &str) -> PathBuf {
        self.0.folder.join(id)
    }

    fn progress(&self) -> std::sync::MutexGuard<'_, HashMap<String, u8>> {
        let progress = self.0.progress.lock();
        progress.unwrap_or_else(PoisonError::into_inner)
    }

    fn enqueue(&self, mut export: Export) {
        let exports = self.clone();
        tokio::spawn(async move {
            let stopping = exports.0.stopping.clone();
            let Some(Ok(_turn)) = stopping
                .run_until_cancelled(exports.0.turns.acquire())
                .await
            else {
                return;
            };
            let exports = exports.clone();
            // The turn is over when the thread is.
            let _ = spawn_blocking(move || exports.carry_out(&mut export)).await;
        });
    }

    fn carry_out(&self, export: &mut Export) {
        export.status = Status::Running;
        self.save(export);
        match self.write(export) {
            // Left as it is, it is written anew by the next server.
            Ok(None) => return,
            Ok(Some((count, size))) => {
                export.status = Status::Completed;
                (export.file_count, export.size) = (Some(count), Some(size));
            }
            Err(error) => {
                export.status = Status::Failed;
                export.error = Some(error);
            }
        }
        export.finished_at = Some(now());
        self.save(export);
        self.progress().remove(&export.id);
    }

    fn save(&self, export: &Export) {
        if let Err(error) = self.0.database.write(|change| export.update(change)) {
            tracing::error!("what became of an export could not be saved: {error}");
        }
    }

    /// Writes the files; returns their number and size, or nothing if the server stops.
    fn write(&self, export: &Export) -> Result<Option<(u64, u64)>, String> {
        let unwritten = |error: io::Error| format!("The files could not be written: {error}");
        let folder = self.folder(&export.id);
        if folder.exists() {
            std::fs::remove_dir_all(&folder).map_err(unwritten)?;
        }
        durable::create_folder(&folder).map_err(unwritten)?;
        let (columns, segments) = self.rows_of(export)?;
        let total: u64 = segments.iter().map(Segment::len).sum();
        let schema = schema_of(columns.iter().map(|(name, kind)| (name.as_str(), *kind)));
        let mut files = Files::new(folder, export.format, schema);
        let mut scan = RowScan::new(segments, 0);
        let mut rows = 0;
        while let Some(batch) = scan.next_batch().map_err(|error| error.to_string())? {
            if self.0.stopping.is_cancelled() {
                return Ok(None);
            }
            files.write(&batch).map_err(unwritten)?;
            rows += batch.num_rows() as u64;
            let percent = u8::try_from(rows * 100 / total.max(1)).unwrap_or(100);
            self.progress().insert(export.id.clone(), percent.min(99));
        }
        files.finish().map_err(unwritten)?;
        Ok(Some((files.count, files.size)))
    }

    /// The columns and rows of what is exported, looked up by the place where it is found.
    fn rows_of(&self, export: &Export) -> Result<(Columns, Vec<Segment>), String> {
        let missing = || format!("{} does not exist any more", export.parent);
        let path = export.parent.trim_start_matches('/');
        let (variables, uploads) = if let Some(id) = path.strip_prefix("queries/") {
            let queries = &self.0.queries;
            let query = queries.find(id, &export.user).map_err(|e| e.to_string())?;
            let query = query.ok_or_else(missing)?;
            let upload = queries.result(query).map_err(|e| e.to_string())?.upload;
            (upload.variables.clone(), vec![upload])
        } else {
            let path = path.strip_prefix("tables/").ok_or_else(missing)?;
            let (table, upload) = match path.split_once("/uploads/") {
                Some((table, upload)) => (table, Some(upload)),
                None => (path, None),
            };
            let reference = TableReference::parse(table).map_err(|e| e.to_string())?;
            let catalog = &self.0.catalog;
            let dataset = catalog
                .dataset(&reference.dataset)
                .map_err(|e| e.to_string())?;
            let dataset = dataset.ok_or_else(missing)?;
            let entry = catalog
                .table_of(&dataset, &reference)
                .map_err(|e| e.to_string())?;
            let table = catalog
                .open(entry.ok_or_else(missing)?)
                .map_err(|e| e.to_string())?;
            match upload {
                None => (table.variables.clone(), table.uploads.clone()),
                Some(name) => {
                    let upload = table.upload(name).ok_or_else(missing)?.clone();
                    (upload.variables.clone(), vec![upload])
                }
            }
        };
        let columns: Vec<(String, VariableType)> = variables
            .into_iter()
            .map(|variable| (variable.name, variable.kind))
            .collect();
        let named: Vec<(&str, VariableType)> = columns
            .iter()
            .map(|(name, kind)| (name.as_str(), *kind))
            .collect();
        let segments = uploads
            .iter()
            .flat_map(|upload| &upload.parts)
            .map(|stored| Segment {
                stored: Arc::clone(stored),
                selection: Arc::new(Selection::new(stored, &named)),
                rows: 0..stored.rows(),
            })
            .collect();
        Ok((columns, segments))
    }

    /// Forgets old exports, and removes folders that no export has.
    fn sweep(&self) -> Result<(), DatabaseError> {
        let oldest = now().saturating_sub(u64::try_from(KEPT.as_millis()).unwrap_or(u64::MAX));
        let change = |change: &rusqlite::Transaction<'_>| Export::forget_before(change, oldest);
        let known: HashSet<String> = self.0.database.write(change)?.into_iter().collect();
        let folders = std::fs::read_dir(&self.0.folder).into_iter().flatten();
        for folder in folders.flatten() {
            if !known.contains(folder.file_name().to_string_lossy().as_ref()) {
                // It only takes up space; failing to remove it harms nobody.
                let _ = std::fs::remove_dir_all(folder.path());
            }
        }
        Ok(())
    }
}
