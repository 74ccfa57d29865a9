//! `\detach` and `DETACH name`: what was attached has no short name any more.

use datafusion::common::TableReference as Name;

use super::{Command, Next};
use crate::attached::Thing;
use crate::failure::Failure;
use crate::report::note;

pub(super) const COMMAND: Command = Command {
    name: r"\detach",
    arguments: "NAME",
    summary: "forget what was attached under a name",
    run: |session, output, arguments| {
        Box::pin(async move {
            let name = match arguments.split_once(char::is_whitespace) {
                Some((word, name)) if word.eq_ignore_ascii_case("database") => name.trim(),
                _ => arguments,
            };
            let name = match super::unquoted(name) {
                quoted if quoted != name => quoted.to_owned(),
                plain => plain.to_lowercase(),
            };
            match session.attached.remove(&name) {
                Some(Thing::Parent(_) | Thing::Folder(_)) => {
                    session.schemas.deregister_schema(&name, true)?;
                }
                Some(Thing::File(_) | Thing::Table(_)) => {
                    session
                        .context
                        .deregister_table(Name::bare(name.as_str()))?;
                }
                None => {
                    return Err(Failure::Usage(format!(
                        r"nothing is attached as {name}; \attach lists what is"
                    )));
                }
            }
            if output.is_prompt() {
                note(format_args!("detached {name}"));
            }
            Ok(Next::Continue)
        })
    },
};
