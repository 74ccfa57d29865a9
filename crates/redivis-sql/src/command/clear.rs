//! `\clear`: an empty screen, as Ctrl-L gives at the prompt.

use std::io::{IsTerminal, Write, stderr};

use super::{Command, Next};

pub(super) const COMMAND: Command = Command {
    name: r"\clear",
    arguments: "",
    summary: "clear the screen (also clear, Ctrl-L)",
    run: |_, _, _| {
        Box::pin(async {
            let mut stderr = stderr();
            if stderr.is_terminal() && std::env::var("TERM").as_deref() != Ok("dumb") {
                // That it can't be cleared is no reason to fail.
                let _ = stderr.write_all(b"\x1b[H\x1b[2J");
            }
            Ok(Next::Continue)
        })
    },
};
