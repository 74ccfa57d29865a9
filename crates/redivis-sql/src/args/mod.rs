//! The command line.
//!
//! Secrets are read from the environment only: arguments show up in process lists and shell histories.

mod duration;
mod help;
mod upload;

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand};

pub(crate) use self::upload::Upload;
use crate::color::Color;
use crate::doctor::Doctor;
use crate::failure::OnError;
use crate::login::Login;
use crate::output::Format;
use crate::report::ErrorFormat;
use crate::script::Source;
use crate::variables::is_name;

/// SQL over Redivis tables and local files.
#[derive(Debug, Parser)]
#[command(
    name = "redivis-sql",
    version,
    after_help = help::AFTER_HELP,
    max_term_width = 100,
    disable_help_subcommand = true,
    subcommand_precedence_over_arg = true
)]
struct Arguments {
    #[command(flatten)]
    input: Input,

    #[command(flatten)]
    tables: Tables,

    #[command(flatten)]
    results: Results,

    #[command(flatten)]
    running: Running,

    #[command(subcommand)]
    errand: Option<Errand>,
}

/// What is run.
#[derive(Debug, Args)]
#[command(next_help_heading = "What is run")]
struct Input {
    /// Run SQL or a meta command; repeatable, mixed with -f in the order given
    #[arg(short = 'c', long = "command", value_name = "SQL", action = ArgAction::Append, allow_hyphen_values = true)]
    commands: Vec<String>,

    /// Run the statements of a file, - for standard input; repeatable
    #[arg(short = 'f', long = "file", value_name = "FILE", action = ArgAction::Append)]
    files: Vec<PathBuf>,

    /// Set a variable, for :name, :'name' and :"name" in statements; repeatable
    #[arg(short = 'v', long = "variable", value_name = "NAME=VALUE", value_parser = variable)]
    variables: Vec<(String, String)>,
}

/// Where tables are.
#[derive(Debug, Args)]
#[command(next_help_heading = "Where tables are")]
struct Tables {
    /// Look plain table names up in this dataset
    #[arg(long, value_name = "OWNER.DATASET", conflicts_with = "workflow")]
    dataset: Option<String>,

    /// Look plain table names up in this workflow
    #[arg(long, value_name = "OWNER.WORKFLOW")]
    workflow: Option<String>,

    /// Give a Redivis table a short name; repeatable
    #[arg(short = 'r', long = "register", value_name = "NAME=REFERENCE", value_parser = registration)]
    registrations: Vec<Registration>,

    /// Serve a local folder (or, without one, sample data) as Redivis and connect to it
    #[arg(long, value_name = "DIR", num_args = 0..=1)]
    local: Option<Option<PathBuf>>,

    /// Keep tables of released versions on disk and read them from there: in DIR, or ~/.cache/redivis
    #[arg(long, value_name = "DIR", num_args = 0..=1)]
    cache: Option<Option<PathBuf>>,

    /// Send nothing: use what --cache has kept
    #[arg(long)]
    offline: bool,
}

/// What is printed where.
#[derive(Debug, Args)]
#[command(next_help_heading = "What is printed")]
struct Results {
    /// table, csv, tsv, json, ndjson, markdown, vertical, parquet or arrow
    /// [default: table on a terminal, csv elsewhere]
    #[arg(long, value_enum, value_name = "FORMAT", hide_possible_values = true)]
    format: Option<Format>,

    /// Write results to a file, which appears once all is done; its suffix decides the format
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Colours: auto, always or never [default: auto]
    #[arg(
        long,
        value_enum,
        value_name = "WHEN",
        default_value_t,
        hide_default_value = true,
        hide_possible_values = true
    )]
    color: Color,

    /// Say nothing of what went well
    #[arg(short, long)]
    quiet: bool,

    /// How errors are told: text, or json for an object a line [default: text]
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        default_value_t,
        hide_default_value = true,
        hide_possible_values = true
    )]
    error_format: ErrorFormat,
}

/// How it is run.
#[derive(Debug, Args)]
#[command(next_help_heading = "How it is run")]
struct Running {
    /// After a failed statement: stop, or continue (the exit status is that of the first failure)
    /// [default: stop]
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        default_value_t,
        hide_default_value = true,
        hide_possible_values = true
    )]
    on_error: OnError,

    /// Cancel a statement that takes longer: 500ms, 30s, 5m, 1h
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    timeout: Option<Duration>,
}

/// What the shell does besides running SQL.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Errand {
    /// Upload files to a table: redivis-sql upload FILE… owner.dataset:next.table
    Upload(Upload),
    /// Sign in in a browser; later runs are signed in
    Login(Login),
    /// Forget what login has kept
    Logout,
    /// Show as whom requests are made
    Whoami,
    /// Report how the service answers what its documentation leaves open, without tokens and ids
    Doctor(Doctor),
}

/// A short name for a Redivis table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registration {
    pub(crate) name: String,
    pub(crate) reference: String,
}

/// What the command line asks for.
#[derive(Debug)]
pub(crate) struct Options {
    /// In the order given; empty means standard input or the prompt.
    pub(crate) sources: Vec<Source>,
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) dataset: Option<String>,
    pub(crate) workflow: Option<String>,
    pub(crate) color: Color,
    pub(crate) quiet: bool,
    pub(crate) error_format: ErrorFormat,
    pub(crate) on_error: OnError,
    /// How long a statement may take.
    pub(crate) timeout: Option<Duration>,
    pub(crate) format: Option<Format>,
    pub(crate) output: Option<PathBuf>,
    pub(crate) registrations: Vec<Registration>,
    pub(crate) local: Option<Local>,
    pub(crate) cache: Option<Cache>,
    /// Nothing is sent.
    pub(crate) offline: bool,
    /// What to do instead of running SQL.
    pub(crate) errand: Option<Errand>,
}

/// What `--local` serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Local {
    /// The sample data, from a temporary folder.
    Sample,
    /// A folder of the user's.
    Directory(PathBuf),
}

/// Where tables are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cache {
    /// In the platform's folder.
    Default,
    /// In a folder of the user's.
    Directory(PathBuf),
}

impl Cache {
    /// What `REDIVIS_SQL_CACHE` says: `on`, `off` or a folder.
    fn from_env() -> Option<Self> {
        let value = std::env::var_os("REDIVIS_SQL_CACHE")?;
        match value.to_str() {
            Some("" | "off") => None,
            Some("on") => Some(Self::Default),
            _ => Some(Self::Directory(value.into())),
        }
    }
}

impl Options {
    /// Reads the process's arguments. The error prints itself and knows its exit status: help and version are among them.
    pub(crate) fn parse() -> Result<Self, clap::Error> {
        Self::try_from(std::env::args_os())
    }

    fn try_from<T: Into<std::ffi::OsString> + Clone>(
        arguments: impl IntoIterator<Item = T>,
    ) -> Result<Self, clap::Error> {
        let matches = Arguments::command().try_get_matches_from(arguments)?;
        let indices =
            |id: &str| -> Vec<usize> { matches.indices_of(id).into_iter().flatten().collect() };
        let (command_indices, file_indices) = (indices("commands"), indices("files"));
        let arguments = Arguments::from_arg_matches(&matches)?;

        let (input, tables) = (arguments.input, arguments.tables);
        let (results, running) = (arguments.results, arguments.running);
        let commands = input.commands.into_iter().map(Source::Text);
        let files = input.files.into_iter().map(|file| {
            if file.as_os_str() == "-" {
                Source::Stdin
            } else {
                Source::File(file)
            }
        });
        let mut sources: Vec<(usize, Source)> = command_indices
            .into_iter()
            .zip(commands)
            .chain(file_indices.into_iter().zip(files))
            .collect();
        sources.sort_by_key(|(index, _)| *index);

        Ok(Self {
            sources: sources.into_iter().map(|(_, source)| source).collect(),
            variables: input.variables,
            dataset: tables.dataset,
            workflow: tables.workflow,
            format: results.format,
            output: results.output,
            color: results.color,
            quiet: results.quiet,
            error_format: results.error_format,
            on_error: running.on_error,
            timeout: running.timeout,
            registrations: tables.registrations,
            cache: match tables.cache {
                Some(None) => Some(Cache::Default),
                Some(Some(directory)) => Some(Cache::Directory(directory)),
                // A local server is as near as the disk.
                None if tables.local.is_some() => None,
                None => Cache::from_env(),
            },
            local: tables.local.map(|directory| match directory {
                None => Local::Sample,
                Some(directory) => Local::Directory(directory),
            }),
            offline: tables.offline,
            errand: arguments.errand,
        })
    }
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if is_name(name) => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE, with a name of letters, digits and _".to_owned()),
    }
}

fn registration(text: &str) -> Result<Registration, String> {
    match text.split_once('=') {
        Some((name, reference)) if !name.trim().is_empty() && !reference.trim().is_empty() => {
            Ok(Registration {
                name: name.trim().to_owned(),
                reference: reference.trim().to_owned(),
            })
        }
        _ => Err("write NAME=REFERENCE, for example flights=demo.nycflights13.flights".to_owned()),
    }
}

#[cfg(test)]
mod tests;
