//! `\!`: a command of the system's shell.

use tokio::process::Command as Process;

use super::{Command, Next};
use crate::failure::Failure;

pub(super) const COMMAND: Command = Command {
    name: r"\!",
    arguments: "COMMAND",
    summary: "run a command of the system",
    run: |_, _, arguments| {
        Box::pin(async move {
            let shell = std::env::var("SHELL").unwrap_or_else(|_| "sh".to_owned());
            let mut process = match arguments {
                "" => Process::new(shell),
                command => {
                    let mut process = Process::new("sh");
                    process.args(["-c", command]);
                    process
                }
            };
            let status = process
                .kill_on_drop(true)
                .status()
                .await
                .map_err(|error| Failure::Usage(format!("can't run it: {error}")))?;
            match status.success() {
                true => Ok(Next::Continue),
                false => Err(Failure::Usage(format!("{arguments}: {status}"))),
            }
        })
    },
};
