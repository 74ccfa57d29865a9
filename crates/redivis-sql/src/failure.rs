//! Why the shell stops, and the exit status that says so.
//!
//! Scripts branch on the status, so each kind of failure has its own and they never change meaning.

use std::error::Error;
use std::ops::Range;
use std::process::ExitCode;
use std::time::Duration;

use clap::ValueEnum;
use datafusion::error::DataFusionError;
use redivis::ErrorKind;

use crate::signal::Signal;

/// What ended a statement or the program early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Parsing, planning, reading, computing or writing failed.
    Query(DataFusionError),
    /// The shell itself does not run a statement.
    Refused(Refusal),
    /// The command line, the environment or a meta command asks for something that is not there.
    Usage(String),
    /// A statement would read more than the person may have meant: so much.
    Large(String),
    /// A statement took longer than it may.
    Timeout(Duration),
    /// Ctrl-C, or what ends the process.
    Signal(Signal),
    /// Whoever read standard output went away, as `head` does.
    OutputClosed,
}

/// What follows a statement that failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnError {
    /// Nothing.
    #[default]
    Stop,
    /// The next statement. The exit status is that of the first failure.
    Continue,
}

/// Why the shell does not run a statement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    /// The part of the statement that it is about.
    pub(crate) at: Option<Range<usize>>,
}

impl Failure {
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.status())
    }

    /// The process's exit status.
    pub(crate) fn status(&self) -> u8 {
        match self {
            Failure::Query(error) => match service_error(error).map(redivis::Error::kind) {
                Some(ErrorKind::Configuration) => 2,
                Some(
                    ErrorKind::Unauthorized
                    | ErrorKind::Forbidden
                    | ErrorKind::RateLimited
                    | ErrorKind::Unavailable
                    | ErrorKind::Offline
                    | ErrorKind::Transport,
                ) => 3,
                _ => 1,
            },
            Failure::Refused(_) | Failure::Large(_) => 1,
            Failure::Usage(_) => 2,
            Failure::Timeout(_) => 4,
            // What a shell reports for a program that the signal ended.
            Failure::Signal(signal) => 128 + *signal as u8,
            // SIGPIPE.
            Failure::OutputClosed => 141,
        }
    }

    /// Whether what comes after the statement has no use any more, or nobody to see it.
    pub(crate) fn ends_everything(&self) -> bool {
        matches!(self, Failure::Signal(_) | Failure::OutputClosed)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Failure::Refused(refusal)
    }
}

impl<E: Into<DataFusionError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Failure::Query(error.into())
    }
}

/// A failure of the service or the way to it.
pub(crate) fn external(error: redivis::Error) -> Failure {
    DataFusionError::External(Box::new(error)).into()
}

/// The Redivis error somewhere below `error`, if the service or the way to it failed.
pub(crate) fn service_error(error: &DataFusionError) -> Option<&redivis::Error> {
    find(error)
}

/// The first error of type `E` in the chain that starts with `error`.
pub(crate) fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}
