//! The queries that Redivis runs for a session now, and those that it goes on with though nobody waits any more.
//!
//! Whoever shows progress looks here while a statement is planned or executed; and since there is nothing to call that
//! stops a query, whoever stops waiting is told which goes on. Uses nothing of this crate.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redivis::resource::{JobStatus, Query};

/// How many queries are remembered that have ended: more than a statement is likely to name.
const REMEMBERED: usize = 64;

/// A query that Redivis runs for a session; see [`Redivis::running`](crate::Redivis::running).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunningQuery {
    /// What the service calls it: `queries/` and its id; `None` before it has answered.
    pub name: Option<String>,
    /// How far it is, as the service said last; `None` before it has answered.
    pub status: Option<JobStatus>,
    /// When it was sent.
    pub since: Instant,
}

impl RunningQuery {
    /// How long it has been waited for.
    pub fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }

    /// What to tell whoever stopped waiting for it.
    pub(crate) fn left(&self) -> String {
        match &self.name {
            Some(name) => {
                format!("{name} goes on at Redivis, which offers no way to cancel a query")
            }
            None => {
                "a query had been sent: it may go on at Redivis, which offers no way to cancel one"
                    .to_owned()
            }
        }
    }

    fn name(query: &Query) -> String {
        query.uri.trim_start_matches('/').to_owned()
    }
}

/// The queries of one endpoint.
#[derive(Debug, Default)]
pub(crate) struct Running(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    next: u64,
    waited_for: BTreeMap<u64, RunningQuery>,
    left: Vec<RunningQuery>,
    /// When the last ones were sent, and how long they were waited for.
    ended: VecDeque<(Instant, Duration)>,
}

impl Running {
    /// Notes that a query is sent.
    pub(crate) fn begin(self: &Arc<Self>) -> Wait {
        let mut state = self.lock();
        let key = state.next;
        state.next += 1;
        let query = RunningQuery {
            name: None,
            status: None,
            since: Instant::now(),
        };
        state.waited_for.insert(key, query);
        Wait {
            running: Arc::clone(self),
            key,
        }
    }

    /// Those that are waited for, the oldest first.
    pub(crate) fn now(&self) -> Vec<RunningQuery> {
        self.lock().waited_for.values().cloned().collect()
    }

    /// Those that nobody waits for any more, once.
    pub(crate) fn take_left(&self) -> Vec<RunningQuery> {
        std::mem::take(&mut self.lock().left)
    }

    /// How long queries were waited for that were sent since then and have ended.
    pub(crate) fn waited_since(&self, start: Instant) -> Duration {
        let state = self.lock();
        let since = state.ended.iter().filter(|(sent, _)| *sent >= start);
        since.map(|(_, waited)| *waited).sum()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody waits for a query; dropped before its end, the query is left.
#[derive(Debug)]
pub(crate) struct Wait {
    running: Arc<Running>,
    key: u64,
}

impl Wait {
    /// Notes an answer of the service.
    pub(crate) fn saw(&self, query: &Query) {
        if let Some(known) = self.running.lock().waited_for.get_mut(&self.key) {
            known.name = Some(RunningQuery::name(query));
            known.status = Some(query.status);
        }
    }

    /// The wait is over: whatever came of it, whoever asked is told.
    pub(crate) fn end(self) {
        let mut state = self.running.lock();
        if let Some(query) = state.waited_for.remove(&self.key) {
            state.ended.truncate(REMEMBERED - 1);
            state.ended.push_front((query.since, query.elapsed()));
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let mut state = self.running.lock();
        if let Some(query) = state.waited_for.remove(&self.key) {
            state.left.push(query);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_stops_waiting_leaves_the_query() {
        let running = Arc::<Running>::default();
        let (ended, dropped) = (running.begin(), running.begin());
        let query: Query =
            serde_json::from_str(r#"{"uri":"/queries/7","status":"queued"}"#).unwrap();
        dropped.saw(&query);
        assert_eq!(running.now().len(), 2);
        let before = running.now()[0].since;
        ended.end();
        drop(dropped);
        assert!(running.waited_since(before) > Duration::ZERO);
        assert_eq!(running.waited_since(Instant::now()), Duration::ZERO);
        assert_eq!(running.now(), []);
        let left = running.take_left();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].name.as_deref(), Some("queries/7"));
        assert_eq!(left[0].status, Some(JobStatus::Queued));
        assert_eq!(running.take_left(), []);
    }
}
