//! Where results go: standard output, or a file that appears when all is done.
//!
//! A file is written aside ([`crate::aside`]): a failed run leaves the previous file as it was.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, IsTerminal, Write, stdout};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::Format;
use crate::aside::{AsideFile, Place};
use crate::failure::Failure;
use crate::report::note;

/// Rows that a display format shows on a terminal.
const DISPLAYED_ROWS: usize = 40;

/// Where results go, and how.
#[derive(Debug)]
pub(crate) struct Output {
    target: Target,
    format: Format,
    terminal: bool,
    results: AtomicUsize,
    closed: Arc<AtomicBool>,
}

#[derive(Debug)]
enum Target {
    Stdout,
    /// A new or regular file.
    File(AsideFile),
    /// A device or a named pipe: nothing that could be replaced.
    Device(File),
}

impl Output {
    /// Chooses the format and prepares the file. Errors are usage errors: nothing has run yet.
    pub(crate) fn new(format: Option<Format>, path: Option<&Path>) -> Result<Self, Failure> {
        let terminal = path.is_none() && stdout().is_terminal();
        let format = match (format, path) {
            (Some(format), _) => format,
            (None, Some(path)) => Format::of_file(path).ok_or_else(|| {
                Failure::Usage(format!(
                    "can't tell the format from the name {}: add --format",
                    path.display()
                ))
            })?,
            (None, None) if terminal => Format::Table,
            (None, None) => Format::Csv,
        };
        if terminal && format.is_binary() {
            return Err(Failure::Usage(
                "this format is not for terminals: name a file with -o, or redirect standard output"
                    .to_owned(),
            ));
        }
        let target = match path {
            None => Target::Stdout,
            Some(path) => Target::open(path).map_err(|error| {
                Failure::Usage(format!("can't write {}: {error}", path.display()))
            })?,
        };
        Ok(Self {
            target,
            format,
            terminal,
            results: AtomicUsize::new(0),
            closed: Arc::default(),
        })
    }

    /// The format of results.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Whether a person reads the results as they come.
    pub(crate) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// How many rows of a result are shown at most.
    pub(crate) fn displayed_rows(&self) -> Option<usize> {
        (self.terminal && self.format.is_display()).then_some(DISPLAYED_ROWS)
    }

    /// The width to fit, in columns of the terminal.
    pub(super) fn width(&self) -> Option<usize> {
        self.terminal
            .then(terminal_size::terminal_size)
            .flatten()
            .map(|(width, _)| usize::from(width.0))
    }

    /// Makes sure that one more result has a place.
    pub(super) fn admit(&self) -> Result<(), Failure> {
        let earlier = self.results.fetch_add(1, Ordering::Relaxed);
        if earlier > 0 && self.format.is_binary() {
            return Err(Failure::Usage(
                "a Parquet or Arrow file holds one result, and this is the second: write them in separate runs"
                    .to_owned(),
            ));
        }
        Ok(())
    }

    /// Bytes of one more result go here.
    pub(super) fn sink(&self) -> io::Result<Box<dyn Write + Send>> {
        Ok(match &self.target {
            Target::Stdout => Box::new(BufWriter::with_capacity(
                64 * 1024,
                Stdout {
                    closed: Arc::clone(&self.closed),
                },
            )),
            Target::File(aside) => Box::new(BufWriter::new(aside.file().try_clone()?)),
            Target::Device(file) => Box::new(BufWriter::new(file.try_clone()?)),
        })
    }

    /// Whether the reader of standard output went away.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// The file that is to take its place, if there is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        match &self.target {
            Target::File(aside) => Some(aside.path()),
            Target::Stdout | Target::Device(_) => None,
        }
    }

    /// Everything has been written: the file takes its place.
    pub(crate) fn commit(self) -> Result<(), Failure> {
        let Target::File(aside) = self.target else {
            return Ok(());
        };
        if self.results.into_inner() == 0 {
            note(format_args!(
                "no result, so {} was not written",
                aside.path().display()
            ));
            return Ok(());
        }
        Ok(aside.finish()?)
    }
}

impl Target {
    fn open(path: &Path) -> io::Result<Self> {
        Ok(match Place::of(path)? {
            Some(place) => Self::File(AsideFile::new(place)?),
            None => Self::Device(OpenOptions::new().write(true).open(path)?),
        })
    }
}

/// Standard output that remembers that its reader went away: this is how a pipeline ends, not an error to talk about.
struct Stdout {
    closed: Arc<AtomicBool>,
}

impl Stdout {
    fn note<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result
            && error.kind() == io::ErrorKind::BrokenPipe
        {
            self.closed.store(true, Ordering::Relaxed);
        }
        result
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.note(stdout().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.note(stdout().flush())
    }
}
