//! The one read session that the partitions of a plan share.
//!
//! The rows of a table are spread over the streams of one session, so all partitions must read the same one: the streams of
//! another session do not line up with them. It is made by the first partition that is polled, and may be replaced by
//! another only as long as nothing that any partition read of it was used.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use redivis::Result;
use redivis::read::{ReadSession, ReadStreamInfo};
use tokio::sync::Mutex;

/// A cell for the read session of a plan; empty until the first partition asks.
#[derive(Debug, Default)]
pub(crate) struct SharedSession(Mutex<Option<Arc<OpenSession>>>);

impl SharedSession {
    /// The session, made by `create` if there is none yet; others wait meanwhile.
    pub(crate) async fn get<F>(&self, create: F) -> Result<Arc<OpenSession>>
    where
        F: Future<Output = Result<ReadSession>>,
    {
        let mut cell = self.0.lock().await;
        let replaces = match &*cell {
            Some(open) if !open.is_abandoned() => return Ok(Arc::clone(open)),
            abandoned => abandoned.is_some(),
        };
        let open = Arc::new(OpenSession {
            session: create.await?,
            use_of: AtomicU8::new(UNUSED),
            replaces,
            counts: StdMutex::default(),
        });
        *cell = Some(Arc::clone(&open));
        Ok(open)
    }
}

const UNUSED: u8 = 0;
const USED: u8 = 1;
const ABANDONED: u8 = 2;

/// A read session, and whether any of its rows were used.
#[derive(Debug)]
pub(crate) struct OpenSession {
    session: ReadSession,
    use_of: AtomicU8,
    /// Whether it was made because an earlier one expired; a second replacement would help no more than the first.
    replaces: bool,
    /// How many rows each partition had that came to the end of its streams.
    counts: StdMutex<BTreeMap<usize, u64>>,
}

impl OpenSession {
    /// The streams that belong to `partition` of `partitions`: every one of them to exactly one partition.
    pub(crate) fn streams_of(
        &self,
        partition: usize,
        partitions: usize,
    ) -> impl Iterator<Item = ReadStreamInfo> {
        self.session
            .streams
            .iter()
            .skip(partition)
            .step_by(partitions)
            .cloned()
    }

    /// How long ago it was made.
    pub(crate) fn age(&self) -> Duration {
        self.session.created.elapsed()
    }

    /// Claims the session before something read of it is handed on; false if another partition has abandoned it.
    pub(crate) fn claim(&self) -> bool {
        self.exchange(USED)
    }

    /// Whether anything read of it was handed on.
    pub(crate) fn is_used(&self) -> bool {
        self.use_of.load(Ordering::Acquire) == USED
    }

    /// Gives the session up in favour of a new one; false if any partition has used it.
    pub(crate) fn abandon(&self) -> bool {
        !self.replaces && self.exchange(ABANDONED)
    }

    /// Notes how many rows `partition` of `partitions` had in all; the rows of all of them when it was the last.
    ///
    /// Each execution of the plan counts afresh. Where one was not read to its end, what it left is what the next one finds.
    pub(crate) fn count(&self, partition: usize, partitions: usize, rows: u64) -> Option<u64> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.insert(partition, rows);
        (counts.len() == partitions).then(|| std::mem::take(&mut *counts).values().sum())
    }

    fn is_abandoned(&self) -> bool {
        self.use_of.load(Ordering::Acquire) == ABANDONED
    }

    fn exchange(&self, to: u8) -> bool {
        let outcome = self
            .use_of
            .compare_exchange(UNUSED, to, Ordering::AcqRel, Ordering::Acquire);
        outcome.is_ok() || outcome == Err(to)
    }
}
