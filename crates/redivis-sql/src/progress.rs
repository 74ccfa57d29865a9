//! How far a statement has come: a line at the bottom of a terminal, for a person who waits.
//!
//! It is on standard error, and only where that is a terminal, so that it is seen while rows go to a file or a pipe and is in no log.
//! It takes itself away before anything else is printed. Work that is done at once shows nothing.

use std::io::{IsTerminal, stderr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use datafusion::physical_plan::ExecutionPlan;
use datafusion_redivis::Redivis;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::task::JoinHandle;

use crate::amounts;
use crate::bottom_line;
use crate::output::pager_is_open;
use crate::reads::Reads;
use crate::report::is_quiet;

/// How long a person waits before wondering.
const PATIENCE: Duration = Duration::from_millis(400);
const TICK: Duration = Duration::from_millis(100);
/// Without a byte for as long as this, it is said what is waited for.
const SILENCE: Duration = Duration::from_secs(2);
/// Over how long the rate is taken.
const RATE_OVER: Duration = Duration::from_secs(5);
const BAR_WIDTH: usize = 20;

/// Watches a statement until it is dropped.
pub(crate) struct Progress {
    plan: Followed,
    line: Handle,
}

/// The plan that is watched, once there is one.
#[derive(Clone, Default)]
pub(crate) struct Followed(Arc<Mutex<Option<Arc<dyn ExecutionPlan>>>>);

impl Followed {
    /// What is executed from now on.
    pub(crate) fn follow(&self, plan: &Arc<dyn ExecutionPlan>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(plan));
    }

    fn reads(&self) -> Option<Reads> {
        let plan = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        plan.as_ref().map(Reads::of)
    }
}

/// What takes the line away.
#[derive(Clone)]
pub(crate) struct Handle {
    bar: ProgressBar,
    task: Option<Arc<JoinHandle<()>>>,
}

impl Progress {
    /// Starts to watch, where there is somebody to tell. Has to be called on a runtime.
    pub(crate) fn start(redivis: &Redivis) -> Self {
        let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let is_seen = stderr().is_terminal() && !is_dumb && !is_quiet();
        let target = match is_seen {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
            bar.set_style(style);
        }
        let plan = Followed::default();
        let task = is_seen.then(|| tokio::spawn(watch(plan.clone(), redivis.clone(), bar.clone())));
        let task = task.map(Arc::new);
        let line = Handle { bar, task };
        Self { plan, line }
    }

    pub(crate) fn handle(&self) -> Handle {
        self.line.clone()
    }

    /// What is executed from now on.
    pub(crate) fn follow(&self, plan: &Arc<dyn ExecutionPlan>) {
        self.plan.follow(plan);
    }

    /// The same for who plans elsewhere.
    pub(crate) fn followed(&self) -> Followed {
        self.plan.clone()
    }

    /// Takes the line away: something else is printed from now on.
    pub(crate) fn end(&self) {
        self.line.end();
    }
}

impl Handle {
    pub(crate) fn end(&self) {
        if let Some(task) = &self.task {
            task.abort();
        }
        self.bar.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

async fn watch(plan: Followed, redivis: Redivis, bar: ProgressBar) {
    let started = Instant::now();
    tokio::time::sleep(PATIENCE).await;
    let mut course = Course::new(started);
    bottom_line::show(&bar);
    loop {
        if !pager_is_open() {
            let sends = Sends::of(&redivis);
            bar.set_message(course.line(plan.reads(), sends, Instant::now()));
        }
        tokio::time::sleep(TICK).await;
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
struct Course {
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
    fn new(started: Instant) -> Self {
        Self {
            started,
            heard: Instant::now(),
            bytes: 0,
            sends: None,
            marks: vec![(started, 0, 0)],
        }
    }

    /// The line to show now.
    fn line(&mut self, reads: Option<Reads>, sends: Sends, now: Instant) -> String {
        let elapsed = amounts::time(now - self.started);
        if sends.of_bytes > 0 {
            let since = *self.sends.get_or_insert(now);
            return format!("{} · {elapsed}", sent(sends, now - since));
        }
        let Some(reads) = reads.filter(|reads| reads.scans > 0) else {
            return format!("working, {elapsed}");
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
        if !is_read && silent >= SILENCE {
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

    #[test]
    fn the_line_says_how_far_how_quickly_and_how_long() {
        let started = Instant::now();
        let at = |seconds| started + Duration::from_secs(seconds);
        let mut course = Course::new(started);
        assert_eq!(
            course.line(None, Sends::default(), at(1)),
            "working, 1.00 s"
        );
        assert_eq!(
            course.line(reads(250, 2_000_000), Sends::default(), at(2)),
            "[=====               ] 25 % · 250 of 1,000 rows · 2.0 MB · 1.0 MB/s · 6 s left · 2.00 s"
        );
        let mut broken = reads(250, 2_000_000);
        broken.as_mut().unwrap().retries = 2;
        assert_eq!(
            course.line(broken, Sends::default(), at(5)),
            "[=====               ] 25 % · 250 of 1,000 rows · 2.0 MB · 400 kB/s · 15 s left · 2 retries · \
             waiting for Redivis for 3 s · 5.00 s"
        );
        let line = course.line(reads(1000, 8_000_000), Sends::default(), at(8));
        assert!(
            line.contains("100 %") && line.contains("all read"),
            "{line}"
        );
        let none = Some(Reads::default());
        assert_eq!(
            course.line(none, Sends::default(), at(9)),
            "working, 9.00 s"
        );
    }
    #[test]
    fn what_is_sent_comes_after_what_was_read() {
        let started = Instant::now();
        let at = |seconds| started + Duration::from_secs(seconds);
        let mut course = Course::new(started);
        let sends = |bytes| Sends {
            bytes,
            of_bytes: 10_000_000,
        };
        assert_eq!(
            course.line(reads(1000, 8_000_000), sends(0), at(2)),
            "[                    ] 0 % · sent 0 B of 10.0 MB · 2.00 s"
        );
        assert_eq!(
            course.line(reads(1000, 8_000_000), sends(4_000_000), at(4)),
            "[========            ] 40 % · sent 4.0 MB of 10.0 MB · 2.0 MB/s · 3 s left · 4.00 s"
        );
        assert_eq!(
            course.line(None, sends(10_000_000), at(7)),
            "sent 10.0 MB · Redivis reads it in · 7.00 s"
        );
    }
}
