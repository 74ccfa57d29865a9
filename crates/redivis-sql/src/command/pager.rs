//! `\pager`: whether what is larger than the screen goes to a pager.

use super::{Command, pset};

pub(super) const COMMAND: Command = Command {
    name: r"\pager",
    arguments: "[on|off|auto]",
    summary: "a pager for what is taller or wider than the screen",
    run: |_, output, arguments| {
        Box::pin(async move { pset::set_or_turn(output, "pager", arguments, ["off", "auto"]) })
    },
};
