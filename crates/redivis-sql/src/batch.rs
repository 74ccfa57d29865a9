//! Runs scripts: everything in the order given, to the first failure.

use std::process::ExitCode;

use crate::command::Next;
use crate::input;
use crate::output::Output;
use crate::report::{Place, report};
use crate::script::Source;
use crate::session::Session;
use crate::statement::Kind;

/// Runs the sources and puts the output file in its place. A failure is reported with its place in the script.
pub(crate) async fn run(
    session: Session,
    output: Output,
    sources: Vec<Source>,
) -> Result<(), ExitCode> {
    'sources: for source in sources {
        let name = source.name();
        let mut inputs = source.read();
        while let Some(input) = inputs.recv().await {
            let mut place = Place::default();
            let outcome = match &input {
                Ok(input) => {
                    let (Kind::Statement(text) | Kind::Command(text)) = &input.kind;
                    place = Place {
                        source: name.as_deref(),
                        line: input.line,
                        text,
                    };
                    input::run(&session, &output, &input.kind).await
                }
                Err(failure) => {
                    report(failure, &place);
                    return Err(failure.exit_code());
                }
            };
            match outcome {
                Ok(Next::Continue) => {}
                Ok(Next::Quit) => break 'sources,
                Err(failure) => {
                    report(&failure, &place);
                    return Err(failure.exit_code());
                }
            }
        }
    }
    output.commit().map_err(|failure| {
        report(&failure, &Place::default());
        failure.exit_code()
    })
}
