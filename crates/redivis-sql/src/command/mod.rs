//! Meta commands: short forms for what people look up all the time.
//!
//! Each is one file that says what it is called, what it takes and what it does, and one line in [`COMMANDS`].

mod attach;
mod cache;
mod clear;
mod config;
mod create;
mod describe;
mod describe_fully;
mod detach;
mod download;
mod dry;
mod edit;
mod errverbose;
mod examples;
mod expanded;
mod format;
pub(crate) mod go;
mod help;
mod hist;
mod history;
mod include;
mod labels;
mod last;
mod list;
mod list_in;
mod listing;
mod next;
mod out;
mod pager;
mod plot;
mod pset;
mod py;
mod quit;
mod r;
mod register;
mod release;
mod save;
mod series;
mod set;
mod shell;
mod sql_help;
mod summary;
mod tables;
mod timing;
mod unset;
mod upload;
mod use_parent;
mod watch;

use std::path::PathBuf;

use futures::future::BoxFuture;

use crate::execute;
use crate::failure::Failure;
use crate::output::Output;
use crate::session::Session;

/// What to do after a command or statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    Continue,
    Quit,
    /// The statements of a file.
    Include(PathBuf),
}

type Run = for<'a> fn(&'a Session, &'a Output, &'a str) -> BoxFuture<'a, Result<Next, Failure>>;

/// A meta command.
pub(crate) struct Command {
    /// With its backslash.
    pub(crate) name: &'static str,
    /// Its arguments, for the help.
    pub(crate) arguments: &'static str,
    /// What it does, for the help.
    pub(crate) summary: &'static str,
    /// Gets the text after the name, without white space around it.
    run: Run,
}

const COMMANDS: &[Command] = &[
    describe::COMMAND,
    describe_fully::COMMAND,
    summary::COMMAND,
    tables::COMMAND,
    list::COMMAND,
    list_in::COMMAND,
    use_parent::COMMAND,
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
    attach::COMMAND,
    detach::COMMAND,
    download::COMMAND,
    upload::COMMAND,
    create::COMMAND,
    next::COMMAND,
    release::COMMAND,
    include::COMMAND,
    set::COMMAND,
    unset::COMMAND,
    watch::COMMAND,
    errverbose::COMMAND,
    dry::COMMAND,
    format::COMMAND,
    py::COMMAND,
    r::COMMAND,
    config::COMMAND,
    examples::COMMAND,
    sql_help::COMMAND,
    edit::COMMAND,
    history::COMMAND,
    shell::COMMAND,
    clear::COMMAND,
    help::COMMAND,
    quit::COMMAND,
];

/// All commands, in the order of the help.
pub(crate) fn all() -> impl Iterator<Item = &'static Command> {
    COMMANDS.iter()
}

/// The statements that there is help for.
pub(crate) fn statements() -> impl Iterator<Item = &'static str> {
    sql_help::STATEMENTS.iter().map(|(name, _)| *name)
}

/// What other shells call the same.
const ALSO: &[(&str, &str)] = &[
    (r"\exit", r"\q"),
    (r"\quit", r"\q"),
    (r"\help", r"\?"),
    (r"\tables", r"\dt"),
    (r"\schema", r"\d"),
    (r"\describe", r"\d"),
    (r"\edit", r"\e"),
    (r"\shell", r"\!"),
    (r"\system", r"\!"),
];

/// Runs the command on a line such as `\d flights`.
pub(crate) async fn run(session: &Session, output: &Output, line: &str) -> Result<Next, Failure> {
    // What a shell is to run needs no space: `\!ls`.
    let (name, arguments) = match line.strip_prefix(shell::COMMAND.name) {
        Some(arguments) => (shell::COMMAND.name, arguments),
        None => line.split_once(char::is_whitespace).unwrap_or((line, "")),
    };
    let called = ALSO.iter().find(|(other, _)| *other == name);
    let name = called.map_or(name, |(_, name)| name);
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        return Err(Failure::Usage(unknown(name)));
    };
    (command.run)(session, output, arguments.trim()).await
}

/// Runs what was written as SQL: a statement, or the command that it is another word for.
pub(crate) fn statement<'a>(
    session: &'a Session,
    output: &'a Output,
    sql: &'a str,
) -> BoxFuture<'a, Result<Next, Failure>> {
    Box::pin(async move {
        match short_for(sql) {
            Some(line) => run(session, output, &line).await,
            None => {
                execute::statement(session, output, sql).await?;
                Ok(Next::Continue)
            }
        }
    })
}

/// The command that a statement is another word for: those that ask what there is, and mean more than the session's own catalogs.
fn short_for(sql: &str) -> Option<String> {
    let (first, rest) = sql.split_once(char::is_whitespace)?;
    let rest = rest.trim();
    let words = [
        ("summarize", summary::COMMAND.name),
        ("attach", attach::COMMAND.name),
        ("detach", detach::COMMAND.name),
    ];
    for (word, command) in words {
        if first.eq_ignore_ascii_case(word) {
            return Some(format!("{command} {rest}"));
        }
    }
    let is_tables = first.eq_ignore_ascii_case("show") && rest.eq_ignore_ascii_case("tables");
    is_tables.then(|| tables::COMMAND.name.to_owned())
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

/// The words of a line as a shell reads them, where `~/` is the home.
fn words(line: &str) -> Result<Vec<String>, Failure> {
    let words = shlex::split(line);
    words.ok_or_else(|| Failure::Usage("a quote is open: '…' or \"…\" around a name".to_owned()))
}

/// The statement behind a command, or the last one.
fn given_or_last(session: &Session, given: &str, command: &str) -> Result<String, Failure> {
    if !given.is_empty() {
        return Ok(given.to_owned());
    }
    session.recent.statement().ok_or_else(|| {
        Failure::Usage(format!(
            "no statement was run yet; write {command} SELECT …"
        ))
    })
}
