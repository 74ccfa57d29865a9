//! `\q`: leave.

use super::{Command, Next};

pub(super) const COMMAND: Command = Command {
    name: r"\q",
    arguments: "",
    summary: "leave (also exit, quit, Ctrl-D)",
    run: |_, _, _| Box::pin(async { Ok(Next::Quit) }),
};
