//! Tells a person what went wrong, on standard error, or a program, as JSON.
//!
//! What failed comes first, then what to do, then the place.

mod diagnosis;
mod explain;
mod json;
mod locate;
mod names;
mod place;
mod planner;
mod remote;
mod render;
mod service;
mod syntax;

use std::fmt::Display;
use std::io::{Write, stderr};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::ValueEnum;

pub(crate) use self::explain::chain;
pub(crate) use self::place::Place;
use crate::bottom_line::above;
use crate::failure::Failure;
use crate::output::single_line;

/// How errors are told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ErrorFormat {
    /// For people.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

static FORMAT: OnceLock<ErrorFormat> = OnceLock::new();
static QUIET: AtomicBool = AtomicBool::new(false);

/// Sets how errors are told, once, and whether anything else is.
pub(crate) fn choose(format: ErrorFormat, quiet: bool) {
    let _ = FORMAT.set(format);
    QUIET.store(quiet, Ordering::Relaxed);
}

/// Says something on standard error. That it can't be said is no reason to fail.
///
/// Errors quote data, which no terminal is to obey.
pub(crate) fn narrate(text: impl Display) {
    let mut safe = String::new();
    for line in text.to_string().split('\n') {
        safe.push_str(&single_line(line));
        safe.push('\n');
    }
    write(&safe);
}

/// Writes lines that no terminal has to be protected from.
fn write(lines: &str) {
    above(|| {
        let _ = stderr().write_all(lines.as_bytes());
    });
}

/// Whether only data and failures are to be seen.
pub(crate) fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// Says what went well, which `--quiet` leaves out.
pub(crate) fn note(text: impl Display) {
    if !is_quiet() {
        narrate(text);
    }
}

/// Explains a failure on standard error. An interruption and a reader that went away need no words.
pub(crate) fn report(failure: &Failure, place: &Place<'_>) {
    let Some(diagnosis) = explain::explain(failure, place) else {
        return;
    };
    match FORMAT.get().copied().unwrap_or_default() {
        ErrorFormat::Text => render::print(&diagnosis, place),
        ErrorFormat::Json => json::print(&diagnosis, failure, place),
    }
}
