//! How far a statement has come: a line at the bottom of a terminal, for a person who waits.
//!
//! It is on standard error, and only where that is a terminal, so that it is seen while rows go to a file or a pipe and is in no log.
//! It takes itself away before anything else is printed. Work that is done at once shows nothing.

mod course;

use std::io::{IsTerminal, stderr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use datafusion::physical_plan::ExecutionPlan;
use datafusion_redivis::Redivis;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::task::JoinHandle;

use self::course::{Course, Going};
use crate::bottom_line;
use crate::output::pager_is_open;
use crate::reads::Reads;
use crate::report::is_quiet;

/// How long a person waits before wondering.
const PATIENCE: Duration = Duration::from_millis(400);
const TICK: Duration = Duration::from_millis(100);

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
            let going = Going::of(plan.reads(), &redivis);
            bar.set_message(course.line(&going, Instant::now()));
        }
        tokio::time::sleep(TICK).await;
    }
}
