//! Meta commands: short forms for what people look up all the time.
//!
//! Each is one file that says what it is called, what it takes and what it does, and one line in [`COMMANDS`].

mod cache;
mod create;
mod describe;
mod describe_fully;
mod expanded;
pub(crate) mod go;
mod help;
mod hist;
mod labels;
mod last;
mod next;
mod out;
mod pager;
mod plot;
mod pset;
mod quit;
mod register;
mod release;
mod save;
mod series;
mod tables;
mod timing;

use futures::future::BoxFuture;

use crate::execute;
use crate::failure::Failure;
use crate::output::Output;
use crate::session::Session;

/// What to do after a command or statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Continue,
    Quit,
}

type Run = for<'a> fn(&'a Session, &'a Output, &'a str) -> BoxFuture<'a, Result<Next, Failure>>;

/// A meta command.
pub(crate) struct Command {
    /// With its backslash.
    name: &'static str,
    /// Its arguments, for the help.
    arguments: &'static str,
    /// What it does, for the help.
    summary: &'static str,
    /// Gets the text after the name, without white space around it.
    run: Run,
}

const COMMANDS: &[Command] = &[
    describe::COMMAND,
    describe_fully::COMMAND,
    tables::COMMAND,
    last::COMMAND,
    save::COMMAND,
    plot::COMMAND,
    hist::COMMAND,
    go::COMMAND,
    go::VERTICAL,
    out::COMMAND,
    expanded::COMMAND,
    labels::COMMAND,
    pager::COMMAND,
    pset::COMMAND,
    timing::COMMAND,
    cache::COMMAND,
    register::COMMAND,
    create::COMMAND,
    next::COMMAND,
    release::COMMAND,
    help::COMMAND,
    quit::COMMAND,
];

/// Runs the command on a line such as `\d flights`.
pub(crate) async fn run(session: &Session, output: &Output, line: &str) -> Result<Next, Failure> {
    let (name, arguments) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        return Err(Failure::Usage(unknown(name)));
    };
    (command.run)(session, output, arguments.trim()).await
}

fn unknown(name: &str) -> String {
    let nearest = COMMANDS
        .iter()
        .map(|command| (strsim::jaro_winkler(name, command.name), command.name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        Some((_, nearest)) => format!(r"no command {name}; did you mean {nearest}? \? lists all"),
        None => format!(r"no command {name}; \? lists all"),
    }
}

/// Calls a procedure: what these commands are short for, and what a program would write.
async fn call(
    session: &Session,
    output: &Output,
    procedure: &str,
    arguments: &[&str],
) -> Result<Next, Failure> {
    let arguments: Vec<String> = arguments
        .iter()
        .map(|argument| format!("'{}'", unquoted(argument.trim()).replace('\'', "''")))
        .collect();
    let sql = format!("CALL redivis.{procedure}({})", arguments.join(", "));
    execute::statement(session, output, &sql).await?;
    Ok(Next::Continue)
}

/// The text without the quotes around it, if it is all one quoted name.
fn unquoted(text: &str) -> &str {
    ['\'', '"', '`']
        .into_iter()
        .find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(text)
}
