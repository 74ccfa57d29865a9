//! The results of queries that ran on Redivis for a session: those of statements that are being planned, by their names, and the
//! last ones by the text that they are of.
//!
//! A query over pinned versions gives the same result again, so it runs once a session. Of any other, only `EXPLAIN` takes the
//! result of the last run, as it reads none of it. Nothing is held but what is needed to plan: rows stay at the service.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;
use redivis::resource::QueryRequest;

use crate::table::RedivisQuery;

/// How many texts are remembered with their results.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(100).unwrap();

/// What a result is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To be read.
    Read,
    /// To tell what would be read.
    Explain,
}

/// The results of queries.
#[derive(Debug)]
pub(super) struct Results {
    /// Those that statements name, with how many do.
    planned: Mutex<HashMap<String, (Arc<RedivisQuery>, usize)>>,
    last: Mutex<LruCache<QueryRequest, Arc<RedivisQuery>>>,
}

impl Default for Results {
    fn default() -> Self {
        Self {
            planned: Mutex::default(),
            last: Mutex::new(LruCache::new(REMEMBERED)),
        }
    }
}

impl Results {
    /// The result that serves instead of running the query.
    pub(super) fn instead(
        &self,
        request: &QueryRequest,
        purpose: Purpose,
    ) -> Option<Arc<RedivisQuery>> {
        let mut last = locked(&self.last);
        let query = last.get(request)?;
        let serves = query.is_pinned() || purpose == Purpose::Explain;
        serves.then(|| Arc::new(query.reused()))
    }

    /// Remembers the result of the query's last run.
    pub(super) fn remember(&self, request: QueryRequest, query: &Arc<RedivisQuery>) {
        locked(&self.last).put(request, Arc::clone(query));
    }

    pub(super) fn forget(&self) {
        locked(&self.last).clear();
    }

    /// Makes a result known by its name as long as what is returned lives.
    pub(super) fn plan(self: &Arc<Self>, query: Arc<RedivisQuery>) -> PlannedQuery {
        let name = query.name().to_owned();
        let mut planned = locked(&self.planned);
        let (known, statements) = planned
            .entry(name.clone())
            .or_insert_with(|| (Arc::clone(&query), 0));
        *known = query;
        *statements += 1;
        PlannedQuery {
            name,
            results: Arc::clone(self),
        }
    }

    /// The result of this name, of a statement that is being planned.
    pub(super) fn planned(&self, name: &str) -> Option<Arc<RedivisQuery>> {
        let planned = locked(&self.planned);
        planned.get(name).map(|(query, _)| Arc::clone(query))
    }
}

/// A query's result that is known by its name as long as this lives.
#[derive(Debug)]
pub(crate) struct PlannedQuery {
    pub(crate) name: String,
    results: Arc<Results>,
}

impl Drop for PlannedQuery {
    fn drop(&mut self) {
        let mut planned = locked(&self.results.planned);
        if let Some((_, statements)) = planned.get_mut(&self.name) {
            *statements -= 1;
            if *statements == 0 {
                planned.remove(&self.name);
            }
        }
    }
}

/// No code panics while it holds one of these locks, and the maps are valid at any moment.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
