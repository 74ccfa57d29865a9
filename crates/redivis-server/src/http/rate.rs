//! The rate limit: so many requests in each minute per token, or per address without one (redivis-api §1.4).
//!
//! A minute is a fixed window that starts with its first request, which is what `X-RateLimit-*` can tell truthfully.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

const WINDOW: Duration = Duration::from_secs(60);
/// Windows that are kept before ended ones are removed.
const KEPT: usize = 10_000;

/// Who a request counts for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Requester {
    Token([u8; 32]),
    Address(IpAddr),
}

/// What is left of a requester's minute.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    pub(super) limit: u32,
    pub(super) remaining: u32,
    /// Seconds until the next minute, if this one is used up.
    pub(super) exceeded: Option<u64>,
}

/// Counts requests.
#[derive(Debug)]
pub(crate) struct RateLimit {
    limit: Option<u32>,
    windows: Mutex<HashMap<Requester, (Instant, u32)>>,
}

impl RateLimit {
    /// A limit of requests a minute; `None` for none.
    pub(crate) fn new(limit: Option<u32>) -> Self {
        RateLimit {
            limit,
            windows: Mutex::default(),
        }
    }

    /// Counts one request; `None` if there is no limit.
    pub(super) fn count(&self, requester: Requester) -> Option<Allowance> {
        let limit = self.limit?;
        let now = Instant::now();
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= KEPT {
            windows.retain(|_, (start, _)| now.duration_since(*start) < WINDOW);
        }
        let (start, used) = windows.entry(requester).or_insert((now, 0));
        if now.duration_since(*start) >= WINDOW {
            (*start, *used) = (now, 0);
        }
        let exceeded = *used >= limit;
        if !exceeded {
            *used += 1;
        }
        let left = WINDOW.saturating_sub(now.duration_since(*start));
        Some(Allowance {
            limit,
            remaining: limit - *used,
            exceeded: exceeded.then(|| left.as_secs() + 1),
        })
    }
}
