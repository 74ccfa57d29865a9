//! `\o`: results somewhere else from now on.

use super::{Command, Next};
use crate::output::Target;
use crate::report::narrate;

pub(super) const COMMAND: Command = Command {
    name: r"\o",
    arguments: "[FILE or |COMMAND]",
    summary: "send results to a file or a command from now on; alone: back to the screen",
    run: |_, output, arguments| {
        Box::pin(async move {
            let target = match arguments {
                "" => None,
                command if command.starts_with('|') => {
                    Some(Target::named(command, output.asked_format())?)
                }
                file => Some(Target::named(super::unquoted(file), output.asked_format())?),
            };
            let before = output.redirect(target);
            super::go::commit(before).await?;
            if arguments.is_empty() {
                narrate("results are shown here");
            } else {
                narrate(format_args!(
                    r"results go to {arguments} until \o without a name"
                ));
            }
            Ok(Next::Continue)
        })
    },
};
