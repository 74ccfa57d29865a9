//! `\save`: the last result in a file.

use std::sync::Arc;

use super::{Command, Next, last};
use crate::failure::Failure;
use crate::output::Target;
use crate::report::narrate;

pub(super) const COMMAND: Command = Command {
    name: r"\save",
    arguments: "FILE",
    summary: "write all of the last result to a file; its suffix decides the format",
    run: |session, output, arguments| {
        Box::pin(async move {
            let name = super::unquoted(arguments);
            if name.is_empty() {
                return Err(Failure::Usage(
                    r"write \save FILE, for example \save flights.parquet".to_owned(),
                ));
            }
            last::check(session)?;
            let target = Arc::new(Target::named(name, None)?);
            {
                let _diverted = output.divert(Arc::clone(&target));
                last::show(session, output).await?;
            }
            target.commit()?;
            narrate(format_args!("saved {name}"));
            Ok(Next::Continue)
        })
    },
};
