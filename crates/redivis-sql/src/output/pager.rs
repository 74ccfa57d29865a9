//! A pager: a program that shows what is taller or wider than the screen.
//!
//! While it runs the terminal is its own: Ctrl-C is for it, and leaving it ends what still comes.

use std::io::{self, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::screen::Fit;

/// Whether one has the terminal, and when the last one left it.
static OPEN: AtomicBool = AtomicBool::new(false);
static LEFT: Mutex<Option<Instant>> = Mutex::new(None);

/// A key that was pressed in a pager may be noticed so much later.
const LATE: Duration = Duration::from_millis(500);

/// Whether a pager has the terminal, and so its keys.
pub(crate) fn is_open() -> bool {
    OPEN.load(Ordering::Relaxed)
}

/// Whether a key that is noticed now may have been pressed in a pager.
pub(crate) fn may_have_keys() -> bool {
    let left = *LEFT.lock().unwrap_or_else(PoisonError::into_inner);
    is_open() || left.is_some_and(|left| left.elapsed() < LATE)
}

/// A pager that runs.
pub(super) struct Pager {
    child: Child,
    input: Option<ChildStdin>,
}

/// What to run, if there is anything: what the person says, or `less`, which must be there.
pub(super) fn command(fit: Fit) -> Option<String> {
    if std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
        return None;
    }
    for variable in ["REDIVIS_SQL_PAGER", "PAGER"] {
        if let Ok(command) = std::env::var(variable) {
            return (!command.trim().is_empty()).then_some(command);
        }
    }
    let path = std::env::var_os("PATH")?;
    let is_there =
        std::env::split_paths(&path).any(|folder| Path::new(&folder).join("less").is_file());
    // With F it would leave a wide result at once, of which only the left is seen.
    let options = if fit.is_wide { "-SRX" } else { "-SRFX" };
    is_there.then(|| format!("less {options}"))
}

impl Pager {
    pub(super) fn open(command: &str) -> io::Result<Self> {
        let mut pager = Command::new("sh");
        pager.args(["-c", command]).stdin(Stdio::piped());
        if std::env::var_os("LESSCHARSET").is_none() {
            pager.env("LESSCHARSET", "utf-8");
        }
        OPEN.store(true, Ordering::Relaxed);
        let child = pager.spawn();
        OPEN.store(child.is_ok(), Ordering::Relaxed);
        let mut child = child?;
        let input = child.stdin.take();
        Ok(Self { child, input })
    }
}

impl Write for Pager {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.input {
            Some(input) => input.write(bytes),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.input {
            Some(input) => input.flush(),
            None => Ok(()),
        }
    }
}

impl Drop for Pager {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
        *LEFT.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        OPEN.store(false, Ordering::Relaxed);
    }
}
