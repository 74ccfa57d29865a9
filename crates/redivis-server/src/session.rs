//! Read sessions: which rows each stream has, who may read it, and how far it was read (redivis-api §5.1, §5.2).
//!
//! They live in memory: a session is a promise for some hours, not data. Their number is bounded and what expired goes.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use arrow::datatypes::SchemaRef;

use crate::storage::{Format, Segment};

/// Streams that are open at most; more are refused until some expire.
const STREAMS: usize = 100_000;

/// One read stream.
#[derive(Debug)]
pub(crate) struct ReadStream {
    pub(crate) format: Format,
    pub(crate) schema: SchemaRef,
    pub(crate) segments: Vec<Segment>,
    /// The user who created the session, the only one to read it unless anonymous access is allowed.
    pub(crate) creator: String,
    pub(crate) allow_anonymous: bool,
    /// Whether the rows are public, so that the creator needs no scope for them.
    pub(crate) public: bool,
    /// Addresses that may read it; empty for all.
    pub(crate) allowed_ips: Vec<IpAddr>,
    /// Rows sent so far, over all requests: how far an offset may go.
    sent: AtomicU64,
}

impl ReadStream {
    pub(crate) fn new(
        format: Format,
        schema: SchemaRef,
        segments: Vec<Segment>,
        creator: String,
    ) -> Self {
        ReadStream {
            format,
            schema,
            segments,
            creator,
            allow_anonymous: false,
            public: false,
            allowed_ips: Vec::new(),
            sent: AtomicU64::new(0),
        }
    }

    pub(crate) fn rows(&self) -> u64 {
        self.segments.iter().map(Segment::len).sum()
    }

    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Acquire)
    }

    /// Notes that the rows before `row` were sent.
    pub(crate) fn note_sent(&self, row: u64) {
        self.sent.fetch_max(row, Ordering::AcqRel);
    }
}

/// The sessions' streams, by id.
#[derive(Debug)]
pub(crate) struct ReadSessions {
    ttl: Duration,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    streams: HashMap<String, (Instant, Arc<ReadStream>)>,
    /// Ids by the time they expire; the earliest first, because all live equally long.
    expiring: VecDeque<(Instant, String)>,
}

impl Open {
    fn purge(&mut self, now: Instant) {
        while self.expiring.front().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, id)) = self.expiring.pop_front() {
                self.streams.remove(&id);
            }
        }
    }
}

/// Why a session could not be opened.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Too many streams are open.
    Full,
    /// The operating system gave no random bytes for ids.
    Random(getrandom::Error),
}

impl ReadSessions {
    pub(crate) fn new(ttl: Duration) -> Self {
        ReadSessions {
            ttl,
            open: Mutex::default(),
        }
    }

    pub(crate) fn ttl(&self) -> Duration {
        self.ttl
    }

    /// Opens a session; returns the ids of its streams in their order, and when they expire.
    pub(crate) fn open(
        &self,
        streams: impl IntoIterator<Item = Arc<ReadStream>>,
    ) -> Result<(Vec<String>, SystemTime), Refused> {
        let named: Vec<(String, Arc<ReadStream>)> = streams
            .into_iter()
            .map(|stream| Ok((crate::token::random_name()?, stream)))
            .collect::<Result<_, _>>()
            .map_err(Refused::Random)?;
        let now = Instant::now();
        let expires = now + self.ttl;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.purge(now);
        if open.streams.len() + named.len() > STREAMS {
            return Err(Refused::Full);
        }
        let mut ids = Vec::with_capacity(named.len());
        for (id, stream) in named {
            open.expiring.push_back((expires, id.clone()));
            open.streams.insert(id.clone(), (expires, stream));
            ids.push(id);
        }
        Ok((ids, SystemTime::now() + self.ttl))
    }

    /// The stream of this id, unless it expired.
    pub(crate) fn stream(&self, id: &str) -> Option<Arc<ReadStream>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.purge(Instant::now());
        open.streams.get(id).map(|(_, stream)| Arc::clone(stream))
    }
}
