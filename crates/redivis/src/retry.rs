//! When to try again, and when to stop.
//!
//! Deciding is kept apart from sending, so that metadata calls and read streams, which resume rather than repeat, follow
//! the same rules.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::error::{Error, Result, Retry};

/// How often an answer that makes no sense is asked for again.
const FEW_ATTEMPTS: u32 = 3;

/// How patient the client is with a service or network that fails.
///
/// Waits grow exponentially from `initial_backoff` to `max_backoff`, with jitter; a `Retry-After` sets the wait instead, up
/// to `max_retry_after`. Attempts and time are counted from the first failure after the last progress: a read stream starts
/// afresh whenever rows arrive, so a long read over a poor line succeeds while a dead one ends soon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts without progress, the first one included. 1 means: never try again.
    pub max_attempts: u32,
    /// About how long the first wait is.
    pub initial_backoff: Duration,
    /// The longest wait that is chosen here.
    pub max_backoff: Duration,
    /// The longest wait that the service may ask for.
    pub max_retry_after: Duration,
    /// No further attempt starts later than this after the first failure.
    pub max_elapsed: Duration,
}

impl Default for RetryPolicy {
    /// Ten attempts within three minutes.
    fn default() -> Self {
        Self {
            max_attempts: 10,
            initial_backoff: Duration::from_millis(500),
            max_backoff: Duration::from_secs(20),
            max_retry_after: Duration::from_secs(90),
            max_elapsed: Duration::from_secs(180),
        }
    }
}

impl RetryPolicy {
    /// Fails at the first error.
    pub fn never() -> Self {
        Self {
            max_attempts: 1,
            ..Self::default()
        }
    }
}

/// The failures since the last progress.
#[derive(Debug)]
pub(crate) struct Attempts {
    policy: RetryPolicy,
    failed: u32,
    since: Instant,
}

impl Attempts {
    pub(crate) fn new(policy: RetryPolicy) -> Self {
        Self {
            policy,
            failed: 0,
            since: Instant::now(),
        }
    }

    /// Something new arrived: failures before it no longer count.
    pub(crate) fn progress(&mut self) {
        self.failed = 0;
    }

    /// Waits as long as it should before the next attempt; the error comes back when there should be none.
    pub(crate) async fn wait_after(&mut self, error: Error) -> Result<()> {
        match self.next_wait(&error) {
            Some(wait) => {
                tracing::debug!(%error, attempt = self.failed, ?wait, "trying again");
                tokio::time::sleep(wait).await;
                Ok(())
            }
            None if self.failed > 1 => Err(error.with_tried(self.failed, self.since.elapsed())),
            None => Err(error),
        }
    }

    fn next_wait(&mut self, error: &Error) -> Option<Duration> {
        if self.failed == 0 {
            self.since = Instant::now();
        }
        self.failed += 1;
        let max_attempts = match error.retry() {
            Retry::No => return None,
            Retry::Few => self.policy.max_attempts.min(FEW_ATTEMPTS),
            Retry::Yes => self.policy.max_attempts,
        };
        if self.failed >= max_attempts {
            return None;
        }
        let wait = match error.retry_after() {
            Some(asked) => asked.min(self.policy.max_retry_after),
            None => self.backoff(),
        };
        (self.since.elapsed() + wait <= self.policy.max_elapsed).then_some(wait)
    }

    /// Between half and all of the exponential step: spread, so that many streams do not come back at once, yet never
    /// immediate.
    fn backoff(&self) -> Duration {
        let doublings = self.failed.saturating_sub(1).min(20);
        let step = self
            .policy
            .initial_backoff
            .saturating_mul(1 << doublings)
            .min(self.policy.max_backoff);
        step.mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}

/// Reads a `Retry-After`: seconds, an HTTP date, or (as one page of the documentation has it) a time since the epoch in
/// seconds or milliseconds (redivis-api §1.4).
pub(crate) fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(number) = value.parse::<f64>() {
        // No service asks for a wait of thirty years: so large a number is a point in time.
        const EPOCH_SECONDS: f64 = 1e9;
        const EPOCH_MILLISECONDS: f64 = 1e12;
        if !(number.is_finite() && number >= 0.0) {
            return None;
        }
        if number < EPOCH_SECONDS {
            return Duration::try_from_secs_f64(number).ok();
        }
        let seconds = if number < EPOCH_MILLISECONDS {
            number
        } else {
            number / 1000.0
        };
        let now = now.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        return Some(
            Duration::try_from_secs_f64(seconds)
                .ok()?
                .saturating_sub(now),
        );
    }
    let until = httpdate::parse_http_date(value).ok()?;
    Some(until.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn unavailable() -> Error {
        Error::new("get table", "o.d.t", ErrorKind::Unavailable, "busy")
    }

    #[test]
    fn retry_after_in_every_form() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let parse = |value: &str| parse_retry_after(value, now);
        assert_eq!(parse("0"), Some(Duration::ZERO));
        assert_eq!(parse(" 7 "), Some(Duration::from_secs(7)));
        assert_eq!(parse("1.5"), Some(Duration::from_millis(1500)));
        assert_eq!(parse("1800000030"), Some(Duration::from_secs(30)));
        assert_eq!(parse("1800000030000"), Some(Duration::from_secs(30)));
        assert_eq!(parse("1799999999"), Some(Duration::ZERO));
        let date = httpdate::fmt_http_date(now + Duration::from_secs(12));
        assert_eq!(parse(&date), Some(Duration::from_secs(12)));
        let past = httpdate::fmt_http_date(now - Duration::from_secs(12));
        assert_eq!(parse(&past), Some(Duration::ZERO));
        for nonsense in ["", "-1", "NaN", "inf", "soon", "1e400"] {
            assert_eq!(parse(nonsense), None, "{nonsense}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn waits_grow_and_attempts_end() {
        let mut attempts = Attempts::new(RetryPolicy::default());
        let mut waits = Vec::new();
        let error = loop {
            let before = Instant::now();
            match attempts.wait_after(unavailable()).await {
                Ok(()) => waits.push(before.elapsed()),
                Err(error) => break error,
            }
        };
        assert_eq!(waits.len(), 9);
        for (i, wait) in waits.iter().enumerate() {
            let step = Duration::from_millis(500 << i).min(Duration::from_secs(20));
            assert!(*wait >= step / 2 && *wait <= step + Duration::from_millis(2));
        }
        assert_eq!(error.attempts().map(|tried| tried.0), Some(10));
        assert!(error.to_string().contains("gave up after 10 attempts"));
    }

    #[tokio::test(start_paused = true)]
    async fn progress_starts_afresh() {
        let mut attempts = Attempts::new(RetryPolicy {
            max_attempts: 2,
            ..RetryPolicy::default()
        });
        for _ in 0..50 {
            attempts.wait_after(unavailable()).await.unwrap();
            attempts.progress();
        }
        attempts.wait_after(unavailable()).await.unwrap();
        attempts.wait_after(unavailable()).await.unwrap_err();
    }

    #[tokio::test(start_paused = true)]
    async fn retry_after_is_honoured_up_to_a_limit() {
        let mut attempts = Attempts::new(RetryPolicy {
            max_elapsed: Duration::from_secs(120),
            ..RetryPolicy::default()
        });
        let limited = |seconds| {
            Error::new("get table", "o.d.t", ErrorKind::RateLimited, "slow down").with_response(
                429,
                None,
                Some(Duration::from_secs(seconds)),
            )
        };
        let before = Instant::now();
        attempts.wait_after(limited(0)).await.unwrap();
        assert!(before.elapsed() < Duration::from_millis(5));
        attempts.wait_after(limited(100_000)).await.unwrap();
        let waited = before.elapsed();
        assert!(waited >= Duration::from_secs(90) && waited < Duration::from_secs(91));
        // A second such wait would pass the time limit: giving up now beats giving up after it.
        attempts.wait_after(limited(100_000)).await.unwrap_err();
    }

    #[tokio::test(start_paused = true)]
    async fn final_errors_are_not_repeated_and_odd_answers_only_a_little() {
        let mut attempts = Attempts::new(RetryPolicy::default());
        let missing = Error::new("get table", "o.d.t", ErrorKind::NotFound, "no such table");
        let error = attempts.wait_after(missing).await.unwrap_err();
        assert_eq!(error.attempts(), None);

        let odd = || Error::new("read stream", "s", ErrorKind::Protocol, "not Arrow");
        let mut attempts = Attempts::new(RetryPolicy::default());
        attempts.wait_after(odd()).await.unwrap();
        attempts.wait_after(odd()).await.unwrap();
        attempts.wait_after(odd()).await.unwrap_err();
    }
}
