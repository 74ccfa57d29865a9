//! The prompt: one statement at a time, Ctrl-C ends the statement and not the shell.

mod assist;
mod complete;
mod editor;
mod external;
mod highlight;
mod history;
mod keys;
mod lexed;
mod margin;

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
use assist::Assist;
use editor::TypedAhead;

/// Reads and runs until the user leaves.
pub(crate) async fn run(
    workers: &Workers,
    session: Session,
    output: Output,
) -> Result<(), Failure> {
    narrate(banner(&session));
    let output = Arc::new(output);
    let colours = std::env::var_os("NO_COLOR").is_none();
    let mut editor = editor::Editor::start(Assist::new(session.clone(), colours))?;
    let mut typed_ahead = TypedAhead::Read;
    loop {
        let inputs = tokio::select! {
            inputs = editor.read(prompt(&session), typed_ahead) => inputs?,
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

/// The prompt, with the dataset or workflow that bare table names are looked up in.
fn prompt(session: &Session) -> String {
    match session.default_parent() {
        Some(parent) => format!("redivis:{parent}=> "),
        None => "redivis=> ".to_owned(),
    }
}

/// Two lines that say where one is and what to type first.
fn banner(session: &Session) -> String {
    let client = session.redivis.client();
    let mut text = format!(
        "redivis-sql {} · {}\n\\? help · \\q quit · \\examples · statements end with ;",
        env!("CARGO_PKG_VERSION"),
        client.endpoint(),
    );
    if !client.is_anonymous() {
        text.push_str(" · signed in");
    }
    if let Some(parent) = session.default_parent() {
        text.push_str(" · default dataset ");
        text.push_str(&parent);
    }
    if client.is_anonymous() {
        text.push_str(
            "\nnot signed in: public data only; redivis-sql login or REDIVIS_API_TOKEN opens more",
        );
    }
    text
}
