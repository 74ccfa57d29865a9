//! The prompt: one statement at a time, Ctrl-C ends the statement and not the shell.

mod editor;
mod highlight;

use std::sync::Arc;

use crate::command::Next;
use crate::failure::Failure;
use crate::input;
use crate::interruptible;
use crate::output::Output;
use crate::report::{Place, narrate, report};
use crate::session::Session;
use crate::statement::Kind;

/// Reads and runs until the user leaves.
pub(crate) async fn run(session: Session, output: Output) -> Result<(), Failure> {
    narrate(banner(&session));
    let output = Arc::new(output);
    let mut editor = editor::Editor::start()?;
    while let Some(inputs) = editor.read().await? {
        for input in inputs {
            let (here, output) = (session.clone(), Arc::clone(&output));
            let (Kind::Statement(text) | Kind::Command(text)) = input.kind.clone();
            let outcome =
                interruptible(async move { input::run(&here, &output, &input.kind).await }).await;
            match outcome {
                Ok(Next::Continue) => {}
                Ok(Next::Quit) => return Ok(()),
                Err(Failure::OutputClosed) => return Err(Failure::OutputClosed),
                Err(failure) => {
                    if matches!(failure, Failure::Interrupted) {
                        narrate("\ncanceled");
                        session.settle().await;
                    }
                    let place = Place {
                        source: None,
                        line: 1,
                        text: &text,
                    };
                    report(&failure, &place);
                    // What followed on the same line was meant to follow a success.
                    break;
                }
            }
        }
    }
    Ok(())
}

fn banner(session: &Session) -> String {
    let client = session.redivis.client();
    let access = if client.is_anonymous() {
        "not signed in: public data only; redivis-sql login or REDIVIS_API_TOKEN opens more"
    } else {
        "signed in"
    };
    format!(
        "redivis-sql {} · {} · {access}\nStatements end with ;   \\? for help, \\q to leave",
        env!("CARGO_PKG_VERSION"),
        client.endpoint(),
    )
}
