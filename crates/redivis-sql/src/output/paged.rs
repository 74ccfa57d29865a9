//! A terminal that hands over to a pager once more comes than it has room for.

use std::io::{self, Write, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::pager::{self, Pager};
use super::screen::{Fit, Measured, Screen};

/// Holds a result back until it is known whether it fits.
pub(super) struct Paged {
    screen: Screen,
    held: Vec<u8>,
    measured: Measured,
    /// Bytes of what is held that have been measured: whole lines.
    until: usize,
    /// Whether there is a pager whatever comes.
    always: bool,
    pager: Option<Pager>,
    seen: Arc<Seen>,
}

/// What became of it.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// There was a pager.
    pub(super) paged: AtomicBool,
    /// It was left before everything had come.
    pub(super) left: AtomicBool,
}

impl Paged {
    pub(super) fn new(screen: Screen, always: bool) -> Self {
        Self {
            screen,
            held: Vec::new(),
            measured: Measured::default(),
            until: 0,
            always,
            pager: None,
            seen: Arc::default(),
        }
    }

    /// Tells what becomes of it while it is written to.
    pub(super) fn seen(&self) -> Arc<Seen> {
        Arc::clone(&self.seen)
    }

    /// Opens the pager if it is time.
    fn decide(&mut self) -> io::Result<()> {
        while let Some(length) = self.held[self.until..]
            .iter()
            .position(|byte| *byte == b'\n')
        {
            let line = &self.held[self.until..self.until + length];
            self.measured.add(&String::from_utf8_lossy(line));
            self.until += length + 1;
        }
        let fit = self.screen.fit(self.measured);
        if !(self.always || fit.is_tall || fit.is_wide) {
            return Ok(());
        }
        if let Some(command) = pager::command(fit) {
            let mut pager = Pager::open(&command)?;
            self.seen.paged.store(true, Ordering::Relaxed);
            let held = std::mem::take(&mut self.held);
            let written = pager.write_all(&held);
            self.pager = Some(pager);
            self.note(written)?;
        }
        Ok(())
    }

    fn note<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result
            && error.kind() == io::ErrorKind::BrokenPipe
        {
            self.seen.left.store(true, Ordering::Relaxed);
        }
        result
    }
}

impl Write for Paged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(pager) = &mut self.pager {
            let written = pager.write(bytes);
            return self.note(written);
        }
        self.held.extend_from_slice(bytes);
        self.decide()?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.pager {
            Some(pager) => pager.flush(),
            // Not before it is known where to.
            None => Ok(()),
        }
    }
}

impl Drop for Paged {
    fn drop(&mut self) {
        if self.pager.is_none() {
            let mut stdout = stdout().lock();
            let _ = stdout.write_all(&self.held).and_then(|()| stdout.flush());
        }
    }
}

/// Whether there is a pager to hand over to.
pub(super) fn is_available() -> bool {
    pager::command(Fit::default()).is_some()
}
