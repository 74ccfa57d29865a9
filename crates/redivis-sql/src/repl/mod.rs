//! The prompt: one statement at a time, Ctrl-C ends the statement and not the shell.

mod editor;
mod highlight;

use std::sync::Arc;

use crate::command::Next;
use crate::failure::Failure;
use crate::input;
use crate::output::Output;
use crate::report::{Place, narrate, report};
use crate::session::Session;
use crate::signal::Signal;
use crate::statement::Kind;
use crate::workers::Workers;
use editor::TypedAhead;

/// Reads and runs until the user leaves.
pub(crate) async fn run(
    workers: &Workers,
    session: Session,
    output: Arc<Output>,
) -> Result<(), Failure> {
    narrate(banner(&session));
    let mut editor = editor::Editor::start()?;
    let mut typed_ahead = TypedAhead::Read;
    loop {
        let inputs = tokio::select! {
            inputs = editor.read(typed_ahead) => inputs?,
            signal = workers.ended() => return Err(Failure::Signal(signal)),
        };
        let Some(inputs) = inputs else {
            return Ok(());
        };
        typed_ahead = TypedAhead::Read;
        for input in inputs {
            let (here, output) = (session.clone(), Arc::clone(&output));
            let (Kind::Statement(text) | Kind::Command(text)) = input.kind.clone();
            let work = async move { input::run(&here, &output, &input.kind).await };
            match workers.run(work).await {
                Ok(Next::Continue) => {}
                Ok(Next::Quit) => return Ok(()),
                Err(Failure::OutputClosed) => return Err(Failure::OutputClosed),
                Err(failure) => {
                    if let Failure::Signal(signal) = failure {
                        narrate("\ncanceled");
                        session.settle().await;
                        if signal != Signal::Interrupt {
                            return Err(failure);
                        }
                        typed_ahead = TypedAhead::Drop;
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
