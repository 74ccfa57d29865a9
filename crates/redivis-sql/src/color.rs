//! Whether what is printed may carry colours.
//!
//! As the environment says of all programs; the terminal itself is never asked.

use std::env;
use std::io::{IsTerminal, stdout};

/// Where colours would go.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stream {
    Output,
}

/// Whether what goes there may carry colours.
pub(crate) fn allowed(stream: Stream) -> bool {
    let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
    match stream {
        Stream::Output => !set("NO_COLOR") && !is_dumb && stdout().is_terminal(),
    }
}
