//! What text is cut into, and where each piece of it stood.

/// One thing to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Input {
    pub(crate) kind: Kind,
    /// The line of the source it starts on, counted from 1.
    pub(crate) line: usize,
    /// The character of that line, counted from 1.
    pub(crate) column: usize,
}

/// What there is to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// SQL without its `;`.
    Statement(String),
    /// A meta command with its backslash, such as `\d flights`.
    Command(String),
}
