//! redivis-sql: a SQL shell over Redivis tables and local files.
//!
//! The contract with scripts is in `--help`: data on standard output and nothing else there, an exit status per kind of failure.

mod amounts;
mod analyze;
mod answers;
mod args;
mod aside;
mod attached;
mod batch;
mod bigquery;
mod blocking;
mod bottom_line;
mod chart;
mod color;
mod command;
mod config;
mod connect;
mod copy;
mod denied;
mod directory;
mod display;
mod doctor;
mod estimate;
mod execute;
mod failure;
mod files;
mod footer;
mod guard;
mod headings;
mod input;
mod known_labels;
mod labels;
mod last;
mod layout;
mod lineage;
mod login;
mod memory;
mod missing;
mod official;
mod output;
mod pauses;
mod peek;
mod pins;
mod preflight;
mod progress;
mod query;
mod reads;
mod recent;
mod repl;
mod report;
mod script;
mod session;
mod signal;
mod skill;
mod state;
mod statement;
mod stats;
mod upload;
mod variables;
mod workers;

use std::io::{IsTerminal, stdin, stdout};
use std::process::ExitCode;
use std::sync::Arc;

use futures::FutureExt;
use tracing_subscriber::EnvFilter;

use crate::args::{Errand, Options};
use crate::config::Config;
use crate::failure::Failure;
use crate::input::Stage;
use crate::output::Output;
use crate::report::{Place, report};
use crate::script::Source;
use crate::session::Session;
use crate::workers::Workers;

fn main() -> ExitCode {
    let options = match Options::parse() {
        Ok(options) => options,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    report::choose(options.error_format, options.quiet);
    start_logging();
    let outcome = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .and_then(|runtime| {
            runtime.block_on(async {
                let workers = Workers::start()?;
                let outcome = run(&workers, options).await;
                // A writer may be waiting for a reader that never reads again; the process's end is its end.
                workers.leave();
                Ok(outcome)
            })
        });
    aside::discard_unfinished();
    match outcome {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(code)) => code,
        Err(error) => {
            let failure = Failure::Usage(format!("can't start: {error}"));
            report(&failure, &Place::default());
            failure.exit_code()
        }
    }
}

/// Warnings go to standard error unless `RUST_LOG` says otherwise.
fn start_logging() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| bottom_line::Above)
        .with_ansi(false)
        .init();
}

/// Runs what the options ask for. Failures have been reported when it returns.
async fn run(workers: &Workers, mut options: Options) -> Result<(), ExitCode> {
    let fail = |failure: Failure| {
        report(&failure, &Place::default());
        failure.exit_code()
    };
    if options.skill {
        return args::print(skill::text().as_bytes()).map_err(fail);
    }
    let errand = match options.errand.clone() {
        None => None,
        Some(Errand::Upload(upload)) => return upload::run(workers, options, upload).await,
        Some(Errand::Completions { shell }) => return args::completions(shell).map_err(fail),
        Some(Errand::Man) => return args::man().map_err(fail),
        Some(errand) if options.local.is_some() => {
            let message = match errand {
                Errand::Doctor(_) => "doctor asks the service that REDIVIS_API_ENDPOINT names",
                _ => "--local needs no login",
            };
            let message = message.to_owned();
            return Err(fail(Failure::Usage(message)));
        }
        Some(Errand::Login(arguments)) => Some(login::login(arguments).boxed()),
        Some(Errand::Logout) => Some(login::logout().boxed()),
        Some(Errand::Whoami) => Some(login::whoami().boxed()),
        Some(Errand::Doctor(arguments)) => Some(doctor::run(arguments).boxed()),
    };
    if let Some(errand) = errand {
        return workers.run(errand).await.map_err(fail);
    }
    let interactive = options.sources.is_empty() && stdin().is_terminal();
    if interactive && options.output.is_some() {
        let message = "-o needs -c, -f or standard input; at the prompt, use COPY … TO".to_owned();
        return Err(fail(Failure::Usage(message)));
    }
    let config = Config::load(!options.no_init, &options.given).map_err(fail)?;
    options
        .settle(&config, stdout().is_terminal())
        .map_err(fail)?;
    color::choose(options.color);
    let output = Output::new(options.format, options.output.as_deref()).map_err(fail)?;
    output
        .change_display(|display| config.apply(display))
        .map_err(fail)?;
    let mut sources = options.sources.clone();
    let (limit, on_error) = (options.timeout, options.on_error);
    let init = config.init();
    options.asks = interactive;
    let starting = async move { Session::start(&options, config).await };
    let session = workers.run(starting).await.map_err(fail)?;
    let stage = Stage {
        workers,
        session,
        output: Arc::new(match interactive {
            true => output.at_prompt(),
            false => output,
        }),
        limit,
        prompt: interactive,
    };
    if interactive {
        let output = Arc::clone(&stage.output);
        let left = repl::run(stage, init).await;
        return left.and_then(|()| output.commit()).map_err(fail);
    }
    if sources.is_empty() {
        sources.push(Source::Stdin);
    }
    batch::run(stage, sources, on_error).await
}
