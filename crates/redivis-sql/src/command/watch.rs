//! `\watch`: runs the last statement again and again, until Ctrl-C.

use std::time::Duration;

use super::{Command, Next};
use crate::failure::Failure;

/// How long it waits between two runs.
const SECONDS: f64 = 2.0;

pub(super) const COMMAND: Command = Command {
    name: r"\watch",
    arguments: "[SECONDS [TIMES]]",
    summary: "run the last statement every 2 or so many seconds",
    run: |session, output, arguments| {
        Box::pin(async move {
            let (pause, times) = parse(arguments).ok_or_else(|| {
                Failure::Usage(
                    r"write \watch SECONDS, and how many times if not for ever".to_owned(),
                )
            })?;
            let Some(statement) = session.recent.statement() else {
                return Err(Failure::Usage(
                    r"\watch runs a statement again, and none was run yet".to_owned(),
                ));
            };
            let mut run = 0u64;
            while times.is_none_or(|times| run < times) {
                if run > 0 {
                    tokio::time::sleep(pause).await;
                }
                super::statement(session, output, &statement).await?;
                run += 1;
            }
            Ok(Next::Continue)
        })
    },
};

/// The pause, and how many times if that is said.
fn parse(arguments: &str) -> Option<(Duration, Option<u64>)> {
    let mut words = arguments.split_whitespace();
    let seconds = words.next().map_or(Ok(SECONDS), str::parse).ok()?;
    let times = words.next().map(str::parse).transpose().ok()?;
    let pause = Duration::try_from_secs_f64(seconds).ok()?;
    words.next().is_none().then_some((pause, times))
}
