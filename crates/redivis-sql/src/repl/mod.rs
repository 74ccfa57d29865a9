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

use std::path::PathBuf;

use crate::batch::Batch;
use crate::color::{self, Stream};
use crate::command::Next;
use crate::connect::Identity;
use crate::failure::{Failure, OnError};
use crate::input::Stage;
use crate::login;
use crate::report::narrate;
use crate::script::Source;
use crate::session::Session;
use crate::signal::Signal;
use assist::Assist;
use editor::TypedAhead;

/// Reads and runs until the user leaves. Failures of statements have been reported then.
pub(crate) async fn run(stage: Stage<'_>, init: Option<PathBuf>) -> Result<(), Failure> {
    narrate(banner(&stage.session));
    if let Some(init) = init {
        let batch = Batch::new(&stage, OnError::Stop);
        let mut interrupts = stage.workers.interrupts();
        match batch
            .play(Source::File(init), None, 0, &mut interrupts)
            .await
        {
            Ok(Next::Quit) => return Ok(()),
            Err(failure) if failure.ends_everything() => return Err(failure),
            _ => {}
        }
    }
    let mut editor = editor::Editor::start(Assist::new(
        stage.session.clone(),
        color::allowed(Stream::Output),
    ))?;
    let mut typed_ahead = TypedAhead::Read;
    loop {
        let inputs = tokio::select! {
            inputs = editor.read(prompt(&stage.session), typed_ahead, stage.workers.interrupts()) => inputs?,
            signal = stage.workers.ended() => return Err(Failure::Signal(signal)),
        };
        let Some(inputs) = inputs else {
            return Ok(());
        };
        typed_ahead = TypedAhead::Read;
        for input in inputs {
            let mut interrupts = stage.workers.interrupts();
            let outcome = match stage.run(&input, None, &mut interrupts).await {
                Ok(Next::Include(file)) => {
                    let batch = Batch::new(&stage, OnError::Stop);
                    let file = Source::File(file);
                    batch.play(file, None, 1, &mut interrupts).await
                }
                Err(Failure::Large(total)) => {
                    let question = format!("this would read {total}: go on? [y/N] ");
                    if !editor.confirms(question).await {
                        break;
                    }
                    stage.session.guard.allow();
                    stage.run(&input, None, &mut interrupts).await
                }
                outcome => outcome,
            };
            match outcome {
                Ok(Next::Quit) => return Ok(()),
                Ok(_) => {}
                Err(Failure::Signal(Signal::Interrupt)) => {
                    typed_ahead = TypedAhead::Drop;
                    break;
                }
                Err(failure) if failure.ends_everything() => return Err(failure),
                // What followed on the same line was meant to follow a success.
                Err(_) => break,
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
    match session.identity.as_ref() {
        Identity::Environment => text.push_str(" · signed in by REDIVIS_API_TOKEN"),
        Identity::Login(..) => match login::known(client.endpoint()) {
            Some(name) => {
                text.push_str(" · signed in as ");
                text.push_str(&name);
            }
            None => text.push_str(" · signed in"),
        },
        Identity::Anonymous => {}
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
