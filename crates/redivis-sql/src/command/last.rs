//! `\last`: the last result again, all of it.

use super::{Command, Next};
use crate::execute;
use crate::failure::Failure;
use crate::last;
use crate::output::Output;
use crate::session::Session;

pub(super) const COMMAND: Command = Command {
    name: r"\last",
    arguments: "",
    summary: "show all of the last result, which is the table _",
    run: |session, output, _| {
        Box::pin(async move {
            show(session, output).await?;
            Ok(Next::Continue)
        })
    },
};

/// Sends all of the last result to the output.
pub(super) async fn show(session: &Session, output: &Output) -> Result<(), Failure> {
    check(session)?;
    let all = format!("SELECT * FROM {}", last::NAME);
    execute::whole(session, output, &all).await?;
    Ok(())
}

/// Fails where there is no last result.
pub(super) fn check(session: &Session) -> Result<(), Failure> {
    match session.context.table_exist(last::NAME)? {
        true => Ok(()),
        false => Err(Failure::Usage(
            "there is no result yet; the prompt keeps the last one".to_owned(),
        )),
    }
}
