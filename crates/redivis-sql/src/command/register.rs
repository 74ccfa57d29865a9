//! `\register name reference`: a short name for a Redivis table.

use super::{Command, Next};
use crate::args::Registration;
use crate::failure::Failure;

pub(super) const COMMAND: Command = Command {
    name: r"\register",
    arguments: "NAME REFERENCE",
    summary: "give a Redivis table a short name",
    run: |session, _, arguments| {
        Box::pin(async move {
            let Some((name, reference)) = arguments.split_once(char::is_whitespace) else {
                return Err(Failure::Usage(
                    r"write \register NAME REFERENCE, for example \register flights demo.nycflights13.flights"
                        .to_owned(),
                ));
            };
            let registration = Registration {
                name: name.to_owned(),
                reference: super::unquoted(reference.trim()).to_owned(),
            };
            session.register(&registration).await?;
            Ok(Next::Continue)
        })
    },
};
