//! What the line says: how far, how quickly, how long yet.

use std::time::{Duration, Instant};

use datafusion_redivis::{Redivis, RunningQuery};
use redivis::resource::JobStatus;

use crate::amounts;
use crate::reads::Reads;

/// Without a byte for as long as this, it is said what is waited for.
const SILENCE: Duration = Duration::from_secs(2);
/// Over how long the rate is taken.
const RATE_OVER: Duration = Duration::from_secs(5);
const BAR_WIDTH: usize = 20;

/// What goes on at Redivis and on the way to it and from it.
#[derive(Default)]
pub(super) struct Going {
    reads: Option<Reads>,
    queries: Vec<RunningQuery>,
    sends: Sends,
}

impl Going {
    pub(super) fn of(reads: Option<Reads>, redivis: &Redivis) -> Self {
        Self {
            reads,
            queries: redivis.running(),
            sends: Sends::of(redivis),
        }
    }
}

/// The rows of a statement on their way to Redivis, once they are all there to be sent.
#[derive(Debug, Clone, Copy, Default)]
struct Sends {
    bytes: u64,
    of_bytes: u64,
}

impl Sends {
    fn of(redivis: &Redivis) -> Self {
        let sending = redivis.sending();
        Self {
            bytes: sending.iter().map(|sent| sent.reached()).sum(),
            of_bytes: sending.iter().map(|sent| sent.total()).sum(),
        }
    }
}

/// What is known of the past, which says how quickly it goes on.
pub(super) struct Course {
    started: Instant,
    /// When the last byte came.
    heard: Instant,
    bytes: u64,
    /// When the first byte was sent.
    sends: Option<Instant>,
    /// Rows and bytes at times within which the rate is taken.
    marks: Vec<(Instant, u64, u64)>,
}

impl Course {
    pub(super) fn new(started: Instant) -> Self {
        Self {
            started,
            heard: Instant::now(),
            bytes: 0,
            sends: None,
            marks: vec![(started, 0, 0)],
        }
    }

    /// The line to show now.
    pub(super) fn line(&mut self, going: &Going, now: Instant) -> String {
        let elapsed = amounts::time(now - self.started);
        if going.sends.of_bytes > 0 {
            let since = *self.sends.get_or_insert(now);
            return format!("{} · {elapsed}", sent(going.sends, now - since));
        }
        let queries = on_redivis(&going.queries, now);
        let reads = going.reads.filter(|reads| reads.scans > 0);
        let Some(reads) = reads.filter(|reads| queries.is_none() || reads.rows > 0) else {
            return queries.unwrap_or_else(|| format!("working, {elapsed}"));
        };
        if reads.bytes != self.bytes {
            (self.bytes, self.heard) = (reads.bytes, now);
        }
        self.mark(&reads, now);
        let mut parts = vec![];
        let is_read = reads.of_rows.is_some_and(|all| reads.rows >= all);
        match reads.of_rows {
            Some(all) if all > 0 => {
                parts.push(bar(reads.rows, all));
                let (read, all) = (amounts::number(reads.rows), amounts::rows(all));
                parts.push(format!("{read} of {all}"));
            }
            _ => parts.push(amounts::rows(reads.rows)),
        }
        parts.push(amounts::bytes(reads.bytes));
        if is_read {
            parts.push("all read".to_owned());
        } else {
            parts.extend(self.rate(&reads, now));
        }
        match reads.retries {
            0 => {}
            1 => parts.push("1 retry".to_owned()),
            many => parts.push(format!("{many} retries")),
        }
        let silent = now - self.heard;
        if let Some(queries) = queries {
            parts.push(queries);
        } else if !is_read && silent >= SILENCE {
            parts.push(format!("waiting for Redivis for {} s", silent.as_secs()));
        }
        parts.push(elapsed);
        parts.join(" · ")
    }

    fn mark(&mut self, reads: &Reads, now: Instant) {
        self.marks.push((now, reads.rows, reads.bytes));
        // The first that is left is the last one that is old enough.
        let old = |(at, ..): &(Instant, u64, u64)| now - *at > RATE_OVER;
        let fresh = self.marks.iter().position(|mark| !old(mark));
        self.marks.drain(..fresh.unwrap_or(0).saturating_sub(1));
    }

    /// How much comes in a second, and how long the rest takes.
    fn rate(&self, reads: &Reads, now: Instant) -> Vec<String> {
        let Some((since, rows, bytes)) = self.marks.first() else {
            return vec![];
        };
        let seconds = (now - *since).as_secs_f64();
        let per_second = |count: u64| count as f64 / seconds.max(0.001);
        let mut parts = vec![format!(
            "{}/s",
            amounts::bytes(per_second(reads.bytes.saturating_sub(*bytes)) as u64)
        )];
        let rows_per_second = per_second(reads.rows.saturating_sub(*rows));
        if let Some(all) = reads.of_rows
            && rows_per_second > 0.0
        {
            let left = all.saturating_sub(reads.rows) as f64 / rows_per_second;
            if let Ok(left) = Duration::try_from_secs_f64(left.ceil()) {
                parts.push(format!("{} left", whole_seconds(left)));
            }
        }
        parts
    }
}

/// How far the queries are that Redivis runs for the statement.
fn on_redivis(queries: &[RunningQuery], now: Instant) -> Option<String> {
    let oldest = queries.first()?;
    let state = match (queries.len(), oldest.status) {
        (1, None) => "sent to Redivis".to_owned(),
        (1, Some(JobStatus::Queued)) => "queued on Redivis".to_owned(),
        (1, Some(JobStatus::Running)) => "running on Redivis".to_owned(),
        (1, Some(_)) => "on Redivis, which does not say how far".to_owned(),
        (many, _) => format!("{many} queries on Redivis"),
    };
    let waited = whole_seconds(now.saturating_duration_since(oldest.since));
    Some(format!("{state}, {waited}"))
}

fn whole_seconds(time: Duration) -> String {
    match time.as_secs() {
        seconds @ ..100 => format!("{seconds} s"),
        _ => amounts::time(time),
    }
}

/// How much has been sent in so long, and what is waited for then.
fn sent(sends: Sends, since: Duration) -> String {
    let Sends { bytes, of_bytes } = sends;
    if bytes >= of_bytes {
        let sent = amounts::bytes(of_bytes);
        return format!("sent {sent} · Redivis reads it in");
    }
    let (sent, all) = (amounts::bytes(bytes), amounts::bytes(of_bytes));
    let mut text = format!("{} · sent {sent} of {all}", bar(bytes, of_bytes));
    let per_second = bytes as f64 / since.as_secs_f64();
    if per_second.is_finite() && per_second > 0.0 {
        let left = (of_bytes - bytes) as f64 / per_second;
        text.push_str(&format!(" · {}/s", amounts::bytes(per_second as u64)));
        if let Ok(left) = Duration::try_from_secs_f64(left.ceil()) {
            text.push_str(&format!(" · {} left", whole_seconds(left)));
        }
    }
    text
}

fn bar(done: u64, all: u64) -> String {
    let share = (done as f64 / all as f64).min(1.0);
    let filled = (share * BAR_WIDTH as f64) as usize;
    let (filled, rest) = ("=".repeat(filled), " ".repeat(BAR_WIDTH - filled));
    format!("[{filled}{rest}] {:.0} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(rows: u64, bytes: u64) -> Option<Reads> {
        Some(Reads {
            scans: 1,
            rows,
            of_rows: Some(1000),
            bytes,
            retries: 0,
            waiting: Duration::ZERO,
        })
    }

    fn reading(reads: Option<Reads>) -> Going {
        Going {
            reads,
            ..Going::default()
        }
    }

    #[test]
    fn the_line_says_how_far_how_quickly_and_how_long() {
        let started = Instant::now();
        let at = |seconds| started + Duration::from_secs(seconds);
        let mut course = Course::new(started);
        assert_eq!(course.line(&reading(None), at(1)), "working, 1.00 s");
        assert_eq!(
            course.line(&reading(reads(250, 2_000_000)), at(2)),
            "[=====               ] 25 % · 250 of 1,000 rows · 2.0 MB · 1.0 MB/s · 6 s left · 2.00 s"
        );
        let mut broken = reads(250, 2_000_000);
        broken.as_mut().unwrap().retries = 2;
        assert_eq!(
            course.line(&reading(broken), at(5)),
            "[=====               ] 25 % · 250 of 1,000 rows · 2.0 MB · 400 kB/s · 15 s left · 2 retries · \
             waiting for Redivis for 3 s · 5.00 s"
        );
        let line = course.line(&reading(reads(1000, 8_000_000)), at(8));
        assert!(
            line.contains("100 %") && line.contains("all read"),
            "{line}"
        );
        let none = Some(Reads::default());
        assert_eq!(course.line(&reading(none), at(9)), "working, 9.00 s");
    }
    #[test]
    fn what_is_sent_comes_after_what_was_read() {
        let started = Instant::now();
        let at = |seconds| started + Duration::from_secs(seconds);
        let mut course = Course::new(started);
        let sending = |bytes| Going {
            sends: Sends {
                bytes,
                of_bytes: 10_000_000,
            },
            ..reading(reads(1000, 8_000_000))
        };
        assert_eq!(
            course.line(&sending(0), at(2)),
            "[                    ] 0 % · sent 0 B of 10.0 MB · 2.00 s"
        );
        assert_eq!(
            course.line(&sending(4_000_000), at(4)),
            "[========            ] 40 % · sent 4.0 MB of 10.0 MB · 2.0 MB/s · 3 s left · 4.00 s"
        );
        assert_eq!(
            course.line(&sending(10_000_000), at(7)),
            "sent 10.0 MB · Redivis reads it in · 7.00 s"
        );
    }
}
