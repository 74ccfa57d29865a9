//! Where a statement stands, and where in it something does.

use std::ops::Range;

use crate::statement::Input;
use crate::variables::Expanded;

/// Where the failed statement stands.
#[derive(Debug, Default)]
pub(crate) struct Place<'a> {
    /// The script's name, when there is one.
    pub(crate) source: Option<&'a str>,
    /// The line of the script on which the statement starts, counted from 1; 0 where no statement failed.
    pub(crate) line: usize,
    /// The character of that line with which it starts, counted from 1.
    pub(crate) column: usize,
    pub(crate) statement: Expanded,
}

/// A part of a statement, as people count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) line: usize,
    pub(super) column: usize,
    /// The line of the statement that it starts on.
    pub(super) text: String,
    /// The part of that line.
    pub(super) range: Range<usize>,
}

impl<'a> Place<'a> {
    pub(crate) fn of(source: Option<&'a str>, input: &Input, statement: Expanded) -> Self {
        Self {
            source,
            line: input.line,
            column: input.column,
            statement,
        }
    }

    /// Where a part of the statement was written.
    pub(super) fn spot(&self, run: Range<usize>) -> Spot {
        let written = &self.statement.written;
        let range = self.statement.place(run);
        let start = written[..range.start].rfind('\n').map_or(0, |at| at + 1);
        let end = written[start..]
            .find('\n')
            .map_or(written.len(), |at| start + at);
        let lines = written[..start].matches('\n').count();
        let before = written[start..range.start].chars().count();
        Spot {
            line: self.line.max(1) + lines,
            column: if lines == 0 {
                self.column.max(1) + before
            } else {
                1 + before
            },
            text: written[start..end].trim_end_matches('\r').to_owned(),
            range: range.start - start..range.end.min(end) - start,
        }
    }
}
