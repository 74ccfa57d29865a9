//! Cuts text into statements and meta commands.
//!
//! A statement ends at a `;` token, never at a `;` inside a string, a quoted name or a comment, so the cutting is left to the
//! tokenizer that also parses the statement. The same rules hold at the prompt, in scripts and on standard input.

mod blank;
mod ending;
mod input;
mod shorthand;
mod splitter;
#[cfg(test)]
mod tests;
mod tokens;

pub(crate) use self::ending::Ending;
pub(crate) use self::input::{Input, Kind};
pub(crate) use self::splitter::Splitter;
pub(crate) use self::tokens::{is_comment, offset, tokens};
