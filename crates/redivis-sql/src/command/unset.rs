//! `\unset`: forgets a variable.

use super::{Command, Next};
use crate::failure::Failure;

pub(super) const COMMAND: Command = Command {
    name: r"\unset",
    arguments: "NAME",
    summary: "forget a variable",
    run: |session, _, arguments| {
        Box::pin(async move {
            match session.variables.unset(arguments) {
                true => Ok(Next::Continue),
                false => Err(Failure::Usage(format!(
                    r"no variable {arguments}; \set lists them"
                ))),
            }
        })
    },
};
