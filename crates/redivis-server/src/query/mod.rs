//! Queries: asked, waited for, run a few at a time, and remembered with their results for some days.
//!
//! A query that cannot be parsed is a failed one like any other, and no refusal of the request that asked it: all
//! official clients tell its `errorMessage`, and the documented life cycle has no other place for it (redivis-api §7).
//! What was not finished when the server ended is run again by the next one.

mod dialect;
mod engine;
mod error;
mod function;
mod operator;
mod pauses;
mod record;
mod table;
mod tables;
mod threads;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use tokio::{sync::watch, task::spawn_blocking};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

pub(crate) use dialect::CHARACTERS;
pub(crate) use record::{Query, Status};

use crate::{
    catalog::{Access, Catalog, Upload, UploadStatus, Variable},
    database::{Database, DatabaseError},
    storage::{StorageError, Stored, VariableType},
};
use engine::Engine;
use error::QueryError;
use threads::Threads;

/// Queries of one user that run at the same time (redivis-api §1.4).
const RUNNING: usize = 5;

/// How long results are kept. The documentation does not say.
pub(crate) const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How often results are looked through for old ones.
const SWEEP: Duration = Duration::from_secs(60 * 60);

/// What somebody asks.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) user: String,
    pub(crate) text: String,
    pub(crate) default_dataset: Option<String>,
    /// What the scopes of the token allow.
    pub(crate) access: Access,
}

/// A completed query's rows, readable like those of an upload.
#[derive(Debug)]
pub(crate) struct QueryResult {
    pub(crate) query: Query,
    pub(crate) upload: Upload,
}

/// All queries of a server.
#[derive(Debug, Clone)]
pub(crate) struct Queries(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    database: Arc<Database>,
    engine: Engine,
    threads: Threads,
    line: Mutex<Line>,
    stopping: CancellationToken,
}

/// Who runs, and who waits.
#[derive(Debug, Default)]
struct Line {
    running: HashMap<String, usize>,
    waiting: HashMap<String, VecDeque<Query>>,
    /// Told when a query is finished, by its id.
    unfinished: HashMap<String, watch::Sender<bool>>,
}

impl Queries {
    /// Takes up what an earlier server left. Blocks on the disk.
    pub(crate) fn start(
        state: &Path,
        database: Arc<Database>,
        catalog: Arc<Catalog>,
        stopping: CancellationToken,
    ) -> io::Result<Self> {
        let queries = Queries(Arc::new(Inner {
            engine: Engine::new(state, catalog)?,
            threads: Threads::start()?,
            database,
            line: Mutex::default(),
            stopping,
        }));
        queries.sweep().map_err(io::Error::other)?;
        let left = queries
            .0
            .database
            .read(Query::unfinished)
            .map_err(io::Error::other)?;
        for query in left {
            queries.enqueue(query);
        }
        let sweeping = queries.clone();
        queries.0.threads.spawn(async move {
            let stopping = sweeping.0.stopping.clone();
            while stopping
                .run_until_cancelled(tokio::time::sleep(SWEEP))
                .await
                .is_some()
            {
                let queries = sweeping.clone();
                let swept = spawn_blocking(move || queries.sweep()).await;
                if let Ok(Err(error)) = swept {
                    tracing::warn!("old query results could not be removed: {error}");
                }
            }
        });
        Ok(queries)
    }

    /// Remembers a query and runs it when its turn comes. Blocks on the disk.
    pub(crate) fn ask(&self, asked: Asked) -> Result<Query, DatabaseError> {
        let id = crate::token::random_name().map_err(|error| {
            DatabaseError::Sqlite(rusqlite::Error::ToSqlConversionFailure(error.into()))
        })?;
        let query = Query {
            id,
            user: asked.user,
            text: asked.text,
            default_dataset: asked.default_dataset,
            // Changing something is no way of reading more.
            access: asked.access.min(Access::Data),
            status: Status::Queued,
            error: None,
            is_public: false,
            schema: Vec::new(),
            created_at: now(),
            finished_at: None,
        };
        self.0.database.write(|change| query.insert(change))?;
        self.enqueue(query.clone());
        Ok(query)
    }

    /// Waits until a query is finished, or as long as this.
    pub(crate) async fn wait(&self, id: &str, longest: Duration) {
        let watching = self.line().unfinished.get(id).map(watch::Sender::subscribe);
        if let Some(mut watching) = watching {
            // An error means that the sender is gone, and the query finished.
            let finished = watching.wait_for(|finished| *finished);
            let _ = tokio::time::timeout(longest, finished).await;
        }
    }

    /// The query of this id, if it is this user's. Blocks on the disk.
    pub(crate) fn find(&self, id: &str, user: &str) -> Result<Option<Query>, DatabaseError> {
        let query = self.0.database.read(|reading| Query::find(reading, id))?;
        Ok(query.filter(|query| query.user == user))
    }

    /// The rows of a completed query. Blocks on the disk.
    pub(crate) fn result(&self, query: Query) -> Result<QueryResult, StorageError> {
        let mut stored = Stored::open(self.0.engine.result(&query.id))?;
        let declared = query
            .schema
            .iter()
            .map(|(name, kind)| (name.to_lowercase(), *kind))
            .collect();
        stored.declare(&declared);
        let variables = query.schema.iter().map(variable).collect();
        let created = SystemTime::UNIX_EPOCH + Duration::from_millis(query.created_at);
        let upload = Upload {
            name: query.id.clone(),
            kind: "parquet".to_owned(),
            extension: "parquet".to_owned(),
            status: UploadStatus::Completed,
            error_message: None,
            is_inherited: false,
            size: Some(stored.identity().length),
            hash: None,
            bad_records: 0,
            options: serde_json::Map::new(),
            created,
            updated: created,
            parts: vec![Arc::new(stored)],
            variables,
        };
        Ok(QueryResult { query, upload })
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.0.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a query now, if its user runs few enough, or else later.
    fn enqueue(&self, query: Query) {
        let mut line = self.line();
        line.unfinished
            .insert(query.id.clone(), watch::Sender::new(false));
        let running = line.running.entry(query.user.clone()).or_default();
        if *running < RUNNING {
            *running += 1;
            self.spawn(query);
        } else {
            line.waiting
                .entry(query.user.clone())
                .or_default()
                .push_back(query);
        }
    }

    fn spawn(&self, query: Query) {
        let queries = self.clone();
        self.0.threads.spawn(async move {
            let stopping = queries.0.stopping.clone();
            // Stopped, it stays as it is in the database, and is run again by the next server.
            if stopping
                .run_until_cancelled(queries.carry_out(query.clone()))
                .await
                .is_some()
            {
                queries.next(&query);
            }
        });
    }

    async fn carry_out(&self, mut query: Query) {
        query.status = Status::Running;
        self.save(&query).await;
        // What goes wrong with one query must not end the server's turn for the others.
        let run = {
            let (queries, query) = (self.clone(), query.clone());
            async move { queries.0.engine.run(&query).await }
        };
        let outcome = match AbortOnDropHandle::new(tokio::spawn(run)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(QueryError::new("The server failed while it ran the query")),
        };
        query.finished_at = Some(now());
        match outcome {
            Ok(outcome) => {
                query.status = Status::Completed;
                query.schema = outcome.schema;
                query.is_public = outcome.is_public;
            }
            Err(error) => {
                query.status = Status::Failed;
                query.error = Some(error.in_text(&query.text).to_string());
            }
        }
        self.save(&query).await;
    }

    async fn save(&self, query: &Query) {
        let (queries, query) = (self.clone(), query.clone());
        let saved =
            spawn_blocking(move || queries.0.database.write(|change| query.update(change))).await;
        if let Ok(Err(error)) = saved {
            tracing::error!("what became of a query could not be saved: {error}");
        }
    }

    /// Lets the next of the same user run.
    fn next(&self, finished: &Query) {
        let mut line = self.line();
        if let Some(finished) = line.unfinished.remove(&finished.id) {
            finished.send_replace(true);
        }
        let waiting = line.waiting.get_mut(&finished.user);
        if let Some(query) = waiting.and_then(VecDeque::pop_front) {
            self.spawn(query);
            return;
        }
        line.waiting.remove(&finished.user);
        if let Some(running) = line.running.get_mut(&finished.user) {
            *running -= 1;
            if *running == 0 {
                line.running.remove(&finished.user);
            }
        }
    }

    /// Forgets old queries, and removes results that no query has.
    fn sweep(&self) -> Result<(), DatabaseError> {
        let oldest = now().saturating_sub(u64::try_from(KEPT.as_millis()).unwrap_or(u64::MAX));
        let known: HashSet<String> = self
            .0
            .database
            .write(|change| Query::forget_before(change, oldest))?
            .into_iter()
            .collect();
        let files = std::fs::read_dir(self.0.engine.results())
            .into_iter()
            .flatten();
        for file in files.flatten() {
            let path = file.path();
            let id = path.file_stem().unwrap_or_default().to_string_lossy();
            let writing = file.file_name().to_string_lossy().starts_with('.');
            let in_use = writing && !self.line().unfinished.is_empty();
            if !known.contains(id.as_ref())
                && !in_use
                && !self.line().unfinished.contains_key(id.as_ref())
            {
                // It only takes up space; failing to remove it harms nobody.
                let _ = std::fs::remove_file(path);
            }
        }
        Ok(())
    }
}

fn variable((name, kind): &(String, VariableType)) -> Variable {
    Variable {
        name: name.clone(),
        kind: *kind,
        label: None,
        description: None,
        value_labels: Vec::new(),
    }
}

/// Milliseconds since 1970.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0))
}
