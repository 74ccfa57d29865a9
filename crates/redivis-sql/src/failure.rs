//! Why the shell stops, and the exit status that says so.
//!
//! Scripts branch on the status, so each kind of failure has its own and they never change meaning.

use std::error::Error;
use std::process::ExitCode;

use datafusion::error::DataFusionError;
use redivis::ErrorKind;

use crate::signal::Signal;

/// What ended a statement or the program early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Parsing, planning, reading, computing or writing failed.
    Query(DataFusionError),
    /// The command line, the environment or a meta command asks for something that is not there.
    Usage(String),
    /// Ctrl-C, or what ends the process.
    Signal(Signal),
    /// Whoever read standard output went away, as `head` does.
    OutputClosed,
}

impl Failure {
    /// The process's exit status.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
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
            Failure::Usage(_) => 2,
            // What a shell reports for a program that the signal ended.
            Failure::Signal(signal) => 128 + *signal as u8,
            // SIGPIPE.
            Failure::OutputClosed => 141,
        })
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
