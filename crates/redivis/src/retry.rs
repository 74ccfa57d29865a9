//! When to try again, and when to stop.
//!
//! Deciding is kept apart from sending, so that metadata calls and read streams, which resume rather than repeat, follow
//! the same rules.

use std::time::{Duration, Instant, SystemTime};

use crate::error::{Error, Result, Retry};

/// How often an answer that makes no sense is asked for again.
const FEW_ATTEMPTS: u32 = 3;
/// How often a request is made that fails with 500 and the same words each time: it always will.
const SAME_ATTEMPTS: u32 = 5;

/// How patient the client is with a service or network that fails.
///
/// Waits grow exponentially from `initial_backoff` to `max_backoff`, with jitter; a `Retry-After` sets the wait instead, up
/// to `max_retry_after`. A 500 with the service's own words, the same each time, is believed after five. Attempts and time are counted from the first failure after the last progress: a read stream starts
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
    /// Those of them that are odd answers.
    odd: u32,
    /// The words of the last of them, if it was a 500 of the service's own, and how often they came in a row.
    same: Option<(String, u32)>,
    /// The first of them.
    since: Option<Instant>,
}

impl Attempts {
    pub(crate) fn new(policy: RetryPolicy) -> Self {
        Self {
            policy,
            failed: 0,
            odd: 0,
            same: None,
            since: None,
        }
    }

    /// Something new arrived: failures before it no longer count.
    pub(crate) fn progress(&mut self) {
        self.failed = 0;
        self.odd = 0;
        self.same = None;
        self.since = None;
    }

    /// Waits as long as it should before the next attempt; the error comes back when there should be none.
    pub(crate) async fn wait_after(&mut self, error: Error) -> Result<()> {
        let elapsed = self.since.get_or_insert_with(Instant::now).elapsed();
        let wait = self.wait(error, elapsed)?;
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// How long to wait after an error that came `elapsed` after the first failure; the error where all waiting ends.
    fn wait(&mut self, error: Error, elapsed: Duration) -> Result<Duration> {
        self.failed += 1;
        self.odd += u32::from(error.retry() == Retry::Few);
        // What stands between client and service fails with other codes, and without words of its own.
        self.same = match (error.status(), error.code()) {
            (Some(500), Some(_)) => Some(match self.same.take() {
                Some((words, times)) if words == error.message() => (words, times + 1),
                _ => (error.message().to_owned(), 1),
            }),
            _ => None,
        };
        if let Some(wait) = self.next_wait(&error)
            && elapsed + wait <= self.policy.max_elapsed
        {
            tracing::debug!(%error, attempt = self.failed, ?wait, "trying again");
            return Ok(wait);
        }
        Err(match self.failed {
            1 => error,
            failed => error.with_tried(failed, elapsed),
        })
    }

    fn next_wait(&self, error: &Error) -> Option<Duration> {
        let may_help = match error.retry() {
            Retry::No => false,
            Retry::Few => self.odd < FEW_ATTEMPTS,
            Retry::Yes => true,
        };
        let is_same = matches!(self.same, Some((_, times)) if times >= SAME_ATTEMPTS);
        (may_help && !is_same && self.failed < self.policy.max_attempts).then(|| {
            match error.retry_after() {
                Some(asked) => asked.min(self.policy.max_retry_after),
                None => self.backoff(),
            }
        })
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

    /// The waits after the same error over and over, and the error where they end.
    fn waits(attempts: &mut Attempts, error: impl Fn() -> Error) -> (Vec<Duration>, Error) {
        let mut waits = Vec::new();
        loop {
            match attempts.wait(error(), waits.iter().sum()) {
                Ok(wait) => waits.push(wait),
                Err(error) => return (waits, error),
            }
        }
    }

    #[test]
    fn waits_grow_and_attempts_end() {
        let mut attempts = Attempts::new(RetryPolicy::default());
        let (waits, error) = waits(&mut attempts, unavailable);
        assert_eq!(waits.len(), 9);
        for (i, wait) in waits.iter().enumerate() {
            let step = Duration::from_millis(500 << i).min(Duration::from_secs(20));
            assert!(*wait >= step / 2 && *wait <= step);
        }
        assert_eq!(error.attempts(), Some((10, waits.iter().sum())));
        assert!(error.to_string().contains("gave up after 10 attempts"));
    }

    #[test]
    fn progress_starts_afresh() {
        let mut attempts = Attempts::new(RetryPolicy {
            max_attempts: 2,
            ..RetryPolicy::default()
        });
        for _ in 0..50 {
            attempts.wait(unavailable(), Duration::ZERO).unwrap();
            attempts.progress();
        }
        attempts.wait(unavailable(), Duration::ZERO).unwrap();
        attempts.wait(unavailable(), Duration::ZERO).unwrap_err();
    }

    #[test]
    fn retry_after_is_honoured_up_to_a_limit() {
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
        let mut wait = |seconds, elapsed| attempts.wait(limited(seconds), elapsed);
        assert_eq!(wait(0, Duration::ZERO).unwrap(), Duration::ZERO);
        let longest = wait(100_000, Duration::ZERO).unwrap();
        assert_eq!(longest, Duration::from_secs(90));
        // A second such wait would pass the time limit: giving up now beats giving up after it.
        wait(100_000, longest).unwrap_err();
    }

    #[test]
    fn the_same_words_again_and_again_are_believed() {
        let broken = |words: &str, status, code: Option<&str>| {
            Error::new("get table", "o.d.t", ErrorKind::Unavailable, words).with_response(
                status,
                code.map(str::to_owned),
                None,
            )
        };
        let own = || broken("cannot read column x", 500, Some("server_error"));
        let (few, _) = waits(&mut Attempts::new(RetryPolicy::default()), own);
        assert_eq!(few.len(), 4);
        assert!(few.iter().sum::<Duration>() < Duration::from_secs(8));
        // Other words each time, another status, or no words may pass.
        let turn = std::cell::Cell::new(0);
        let others = || {
            turn.set(turn.get() + 1);
            broken(
                &format!("request {}", turn.get()),
                500,
                Some("server_error"),
            )
        };
        let gateway = || broken("bad gateway", 502, Some("bad_gateway"));
        let wordless = || broken("internal server error", 500, None);
        for error in [&others as &dyn Fn() -> Error, &gateway, &wordless] {
            let (many, _) = waits(&mut Attempts::new(RetryPolicy::default()), error);
            assert_eq!(many.len(), 9);
        }
        // Progress between them starts afresh.
        let mut attempts = Attempts::new(RetryPolicy::default());
        for _ in 0..20 {
            attempts.wait(own(), Duration::ZERO).unwrap();
            attempts.progress();
        }
    }

    #[test]
    fn final_errors_are_not_repeated_and_odd_answers_only_a_little() {
        let missing = || Error::new("get table", "o.d.t", ErrorKind::NotFound, "no such table");
        let (none, error) = waits(&mut Attempts::new(RetryPolicy::default()), missing);
        assert!(none.is_empty());
        assert_eq!(error.attempts(), None);

        let odd = || Error::new("read stream", "s", ErrorKind::Protocol, "not Arrow");
        let (few, _) = waits(&mut Attempts::new(RetryPolicy::default()), odd);
        assert_eq!(few.len(), 2);

        // Failures of other kinds before it do not make an odd answer more final.
        let mut attempts = Attempts::new(RetryPolicy::default());
        for _ in 0..5 {
            attempts.wait(unavailable(), Duration::ZERO).unwrap();
        }
        attempts.wait(odd(), Duration::ZERO).unwrap();
    }
}
