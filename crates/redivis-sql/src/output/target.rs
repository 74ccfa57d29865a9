//! A place for results: standard output, a command's input, or a file that appears when all is done.
//!
//! A file is written aside ([`crate::aside`]): a failed run leaves the previous file as it was.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, IsTerminal, Write, stdout};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::Format;
use super::format::Out;
use crate::aside::{AsideFile, Place};
use crate::failure::Failure;
use crate::report::note;
use crate::state;

/// Where results go, and in which format.
#[derive(Debug)]
pub(crate) struct Target {
    kind: Kind,
    format: Format,
    terminal: bool,
    results: AtomicUsize,
    closed: Arc<AtomicBool>,
}

#[derive(Debug)]
enum Kind {
    Stdout,
    /// A new or regular file, until it is in its place.
    File(Mutex<Option<AsideFile>>),
    /// A device or a named pipe: nothing that could be replaced.
    Device(File),
    /// A command that runs until its input ends.
    Command(Mutex<Option<Running>>),
}

#[derive(Debug)]
struct Running {
    child: Child,
    input: File,
}

impl Target {
    /// Standard output.
    pub(super) fn stdout(format: Option<Format>) -> Result<Self, Failure> {
        let terminal = stdout().is_terminal();
        let format = match format {
            Some(format) => format,
            None if terminal => Format::Table,
            None => Format::Csv,
        };
        if terminal && format.is_binary() {
            return Err(Failure::Usage(
                "this format is not for terminals: name a file with -o, or redirect standard output"
                    .to_owned(),
            ));
        }
        Ok(Self::new(Kind::Stdout, format, terminal))
    }

    /// A file, whose format is that of its suffix unless another one is asked for.
    pub(super) fn file(path: &Path, format: Option<Format>) -> Result<Self, Failure> {
        let Some(format) = format.or_else(|| Format::of_file(path)) else {
            return Err(Failure::Usage(format!(
                "can't tell the format from the name {}: add --format",
                path.display()
            )));
        };
        let open = || {
            Ok(match Place::of(path)? {
                Some(place) => Kind::File(Mutex::new(Some(AsideFile::new(place)?))),
                None => Kind::Device(OpenOptions::new().write(true).open(path)?),
            })
        };
        let kind = open().map_err(|error: io::Error| {
            Failure::Usage(format!("can't write {}: {error}", path.display()))
        })?;
        Ok(Self::new(kind, format, false))
    }

    /// What a person names at the prompt: a file, or a command behind a `|`.
    pub(crate) fn named(name: &str, format: Option<Format>) -> Result<Self, Failure> {
        let Some(command) = name.strip_prefix('|') else {
            return Self::file(&state::at_home(name), format).map_err(|failure| match failure {
                Failure::Usage(words) => Failure::Usage(words.replace(
                    "add --format",
                    "end it with .csv, .tsv, .json, .ndjson, .parquet, .arrow, .md or .txt",
                )),
                other => other,
            });
        };
        let mut child = Command::new("sh");
        child.args(["-c", command.trim()]).stdin(Stdio::piped());
        let fails =
            |error: io::Error| Failure::Usage(format!("can't run {}: {error}", command.trim()));
        let mut child = child.spawn().map_err(fails)?;
        let input = child.stdin.take();
        let input = input.ok_or_else(|| fails(io::ErrorKind::BrokenPipe.into()))?;
        #[cfg(unix)]
        let input = File::from(std::os::fd::OwnedFd::from(input));
        #[cfg(windows)]
        let input = File::from(std::os::windows::io::OwnedHandle::from(input));
        let running = Mutex::new(Some(Running { child, input }));
        let format = format.unwrap_or(Format::Csv);
        Ok(Self::new(Kind::Command(running), format, false))
    }

    fn new(kind: Kind, format: Format, terminal: bool) -> Self {
        Self {
            kind,
            format,
            terminal,
            results: AtomicUsize::new(0),
            closed: Arc::default(),
        }
    }

    pub(super) fn format(&self) -> Format {
        self.format
    }

    /// Whether a person reads the results as they come.
    pub(super) fn is_terminal(&self) -> bool {
        self.terminal
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
    pub(super) fn sink(&self) -> io::Result<Out> {
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        Ok(match &self.kind {
            Kind::Stdout => Box::new(BufWriter::with_capacity(64 * 1024, self.noted(stdout()))),
            Kind::File(aside) => {
                let aside = lock(aside);
                let file = aside.as_ref().ok_or_else(gone)?.file().try_clone()?;
                Box::new(BufWriter::new(file))
            }
            Kind::Device(file) => Box::new(BufWriter::new(file.try_clone()?)),
            Kind::Command(running) => {
                let running = lock(running);
                let input = running.as_ref().ok_or_else(gone)?.input.try_clone()?;
                Box::new(BufWriter::new(self.noted(input)))
            }
        })
    }

    fn noted<W>(&self, out: W) -> Noted<W> {
        Noted {
            out,
            closed: Arc::clone(&self.closed),
        }
    }

    /// Whether the reader went away.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// The file that is to take its place, if there is one.
    pub(super) fn path(&self) -> Option<PathBuf> {
        match &self.kind {
            Kind::File(aside) => Some(lock(aside).as_ref()?.path().to_owned()),
            _ => None,
        }
    }

    /// Whether its reader is one of several, whose going away ends nothing else.
    pub(super) fn is_command(&self) -> bool {
        matches!(self.kind, Kind::Command(_))
    }

    /// Everything has been written: the file takes its place, the command comes to its end. Nothing happens a second time.
    pub(crate) fn commit(&self) -> Result<(), Failure> {
        match &self.kind {
            Kind::File(aside) => {
                let Some(aside) = lock(aside).take() else {
                    return Ok(());
                };
                if self.results.load(Ordering::Relaxed) == 0 {
                    note(format_args!(
                        "no result, so {} was not written",
                        aside.path().display()
                    ));
                    return Ok(());
                }
                Ok(aside.finish()?)
            }
            Kind::Command(running) => {
                let Some(Running { mut child, input }) = lock(running).take() else {
                    return Ok(());
                };
                drop(input);
                let status = child.wait()?;
                match status.code() {
                    Some(0) => Ok(()),
                    _ => Err(Failure::Usage(format!("the command ended with {status}"))),
                }
            }
            Kind::Stdout | Kind::Device(_) => Ok(()),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A writer that remembers that its reader went away: this is how a pipeline ends, not an error to talk about.
struct Noted<W> {
    out: W,
    closed: Arc<AtomicBool>,
}

impl<W> Noted<W> {
    fn note<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result
            && error.kind() == io::ErrorKind::BrokenPipe
        {
            self.closed.store(true, Ordering::Relaxed);
        }
        result
    }
}

impl<W: Write> Write for Noted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes);
        self.note(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.out.flush();
        self.note(flushed)
    }
}
