//! `\labels`: what variables and their values mean, in results.

use super::{Command, pset};
use crate::failure::Failure;

pub(super) const COMMAND: Command = Command {
    name: r"\labels",
    arguments: "[on|off]",
    summary: "show variables' labels, and the labels of values: Male for 1",
    run: |_, output, arguments| {
        Box::pin(async move {
            let (labels, value_labels) = {
                let display = output.display();
                (display.labels, display.value_labels)
            };
            let value = match arguments {
                "" if labels && value_labels => "off",
                "" => "on",
                said @ ("on" | "off") => said,
                _ => {
                    return Err(Failure::Usage(
                        r"write \labels on or \labels off".to_owned(),
                    ));
                }
            };
            pset::set(output, "labels", value)?;
            pset::set_or_turn(output, "value_labels", value, ["on", "off"])
        })
    },
};
