//! `\x`: the values of a row below each other.

use super::{Command, pset};

pub(super) const COMMAND: Command = Command {
    name: r"\x",
    arguments: "[on|off|auto]",
    summary: "values below each other; auto: where fewer than 3 columns fit",
    run: |_, output, arguments| {
        Box::pin(async move { pset::set_or_turn(output, "expanded", arguments, ["on", "auto"]) })
    },
};
