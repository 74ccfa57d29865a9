//! What only a scan can tell to be wrong: its session is gone halfway, or its streams together have other rows than the table.
//!
//! A single request cannot know either, so these are no [`redivis::Error`].

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// A scan that cannot give exactly the rows of its table.
///
/// It travels as [`DataFusionError::External`](datafusion::common::DataFusionError::External).
#[derive(Debug)]
#[non_exhaustive]
pub enum ScanError {
    /// The read session is gone after some of its rows were handed on; those of another session would not fit them.
    SessionGone {
        /// What was read.
        table: String,
        /// How long ago the session was made.
        age: Duration,
        /// The service's words.
        source: redivis::Error,
    },
    /// All streams came to their end, with another number of rows than the service counts in what never changes: neither the
    /// session's nor, where all its rows may be read, the table's.
    RowCount {
        /// What was read.
        table: String,
        /// How many rows came.
        came: u64,
        /// How many there must be.
        expected: u64,
    },
}

impl fmt::Display for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SessionGone { table, age, source } => write!(
                f,
                "the read session of {table} was {} old and is gone (sessions last 6 hours); some of its rows were used \
                 already, and those of another session would not fit them. Run the statement again; if it takes too long, \
                 read fewer variables or raise redivis.max_streams: {source}",
                duration(*age)
            ),
            Self::RowCount {
                table,
                came,
                expected,
            } => write!(
                f,
                "cannot read {table}: {came} rows came where there must be {expected}, though the service says that it sent \
                 all. Run the statement again; if it stays so, tell Redivis's support. To go on with the rows that came, SET \
                 redivis.check_row_counts = warn"
            ),
        }
    }
}

impl Error for ScanError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::SessionGone { source, .. } => Some(source),
            Self::RowCount { .. } => None,
        }
    }
}

/// A time for people: `5 h 59 min`, `12 min`, `40 s`.
fn duration(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds / 60),
        seconds => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_two_units_at_most() {
        let text = |seconds| duration(Duration::from_secs(seconds));
        assert_eq!(text(5), "5 s");
        assert_eq!(text(125), "2 min");
        assert_eq!(text(21_600), "6 h 0 min");
    }
}
