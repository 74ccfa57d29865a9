//! `\timing`: how long statements take.

use super::{Command, pset};

pub(super) const COMMAND: Command = Command {
    name: r"\timing",
    arguments: "[on|off]",
    summary: "say how long statements take",
    run: |_, output, arguments| {
        Box::pin(async move { pset::set_or_turn(output, "timing", arguments, ["off", "on"]) })
    },
};
