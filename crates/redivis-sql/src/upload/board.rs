//! How far each file has come: a line at the bottom of a terminal while it runs, and what is left if it stops.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use redivis::write::SendProgress;

use crate::bottom_line;
use crate::report::narrate;

const TICK: Duration = Duration::from_millis(100);
const TEMPLATE: &str =
    "{bar:24} {binary_bytes}/{binary_total_bytes}  {binary_bytes_per_sec}  {msg}";

/// How far a file has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Its bytes are on their way, or not even that.
    Sending,
    /// The service has its bytes, and reads them in.
    Reading,
    /// Its rows are there.
    Done,
}

/// A file of the run.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) path: PathBuf,
    pub(super) size: u64,
    pub(super) progress: Arc<SendProgress>,
    stage: Mutex<Stage>,
}

impl Line {
    pub(super) fn new(path: PathBuf, size: u64) -> Self {
        Self {
            path,
            size,
            progress: Arc::default(),
            stage: Mutex::new(Stage::Sending),
        }
    }

    pub(super) fn set(&self, stage: Stage) {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = stage;
    }

    fn stage(&self) -> Stage {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes that have been sent.
    fn sent(&self) -> u64 {
        match self.stage() {
            Stage::Sending => self.progress.reached(),
            Stage::Reading | Stage::Done => self.size,
        }
    }
}

/// All files of the run.
#[derive(Debug)]
pub(super) struct Board {
    pub(super) lines: Vec<Arc<Line>>,
    bar: ProgressBar,
}

impl Board {
    /// Shows itself on standard error if that is a terminal.
    pub(super) fn new(lines: Vec<Arc<Line>>) -> Self {
        let total = lines.iter().map(|line| line.size).sum();
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style.progress_chars("=> "));
        }
        bottom_line::show(&bar);
        Self { lines, bar }
    }

    /// Keeps the line at the bottom up to date, without end.
    pub(super) async fn watch(&self) {
        loop {
            self.bar
                .set_position(self.lines.iter().map(|line| line.sent()).sum());
            let count = |stage| {
                self.lines
                    .iter()
                    .filter(|line| line.stage() == stage)
                    .count()
            };
            let mut message = format!("{}/{} files", count(Stage::Done), self.lines.len());
            let reading = count(Stage::Reading);
            if reading > 0 {
                message.push_str(&format!(", {reading} being read in"));
            }
            self.bar.set_message(message);
            tokio::time::sleep(TICK).await;
        }
    }

    /// Takes the line at the bottom away.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// Says what is left, and how to go on; nothing if nothing was begun.
    pub(super) fn say_what_is_left(&self) {
        let is_untouched =
            |line: &Arc<Line>| line.stage() == Stage::Sending && line.progress.sent() == 0;
        if self.lines.iter().all(is_untouched) {
            return;
        }
        let of = |stage| self.lines.iter().filter(move |line| line.stage() == stage);
        for line in of(Stage::Reading) {
            narrate(format_args!(
                "{}: sent; Redivis goes on reading it in",
                line.path.display()
            ));
        }
        for line in of(Stage::Sending) {
            narrate(format_args!(
                "{}: not uploaded, {} of {} sent",
                line.path.display(),
                HumanBytes(line.sent()),
                HumanBytes(line.size)
            ));
        }
        if of(Stage::Done).count() < self.lines.len() {
            narrate("to go on within 24 hours, run the same command with --resume");
        }
    }
}
