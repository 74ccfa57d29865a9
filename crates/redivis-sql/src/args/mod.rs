//! The command line.
//!
//! Secrets are read from the environment only: arguments show up in process lists and shell histories.

mod duration;
mod errand;
mod generated;
mod help;
mod pairs;
mod upload;
mod version;

use std::path::PathBuf;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, ValueEnum};

pub(crate) use self::duration::parse as duration;
pub(crate) use self::errand::Errand;
pub(crate) use self::generated::{completions, man, options, print, section};
pub(crate) use self::pairs::Registration;
use self::pairs::{registration, variable};
pub(crate) use self::upload::Upload;
use crate::color::Color;
use crate::config::{Config, SETTINGS, switch};
use crate::failure::{Failure, OnError};
use crate::guard::size;
use crate::memory;
use crate::output::Format;
use crate::report::ErrorFormat;
use crate::script::Source;
use crate::state::at_home;

/// SQL over Redivis tables and local files.
#[derive(Debug, Parser)]
#[command(
    name = "redivis-sql",
    version,
    long_version = version::long(),
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

    /// Print what a coding agent should know of this program, in Markdown
    #[arg(long, exclusive = true)]
    skill: bool,

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

    /// Take no more memory than this: 8GB [default: 60 % of the machine's]
    #[arg(long, value_name = "SIZE", value_parser = memory::size)]
    memory_limit: Option<usize>,

    /// Tell what each statement took: a JSON object a line, on standard error
    #[arg(long)]
    stats: bool,

    /// Show what each statement would read from Redivis, and read nothing
    #[arg(long)]
    dry_run: bool,

    /// Refuse tables that are named without their version
    #[arg(long)]
    require_pinned: bool,

    /// Read neither config.toml nor init.sql
    #[arg(long)]
    no_init: bool,
}

/// What the command line asks for.
#[derive(Debug)]
pub(crate) struct Options {
    /// In the order given; empty means standard input or the prompt.
    pub(crate) sources: Vec<Source>,
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) color: Color,
    pub(crate) quiet: bool,
    pub(crate) error_format: ErrorFormat,
    pub(crate) on_error: OnError,
    /// How long a statement may take.
    pub(crate) timeout: Option<Duration>,
    /// How much memory the session may take; otherwise a share of the machine's.
    pub(crate) memory_limit: Option<usize>,
    /// Tells what each statement took.
    pub(crate) stats: bool,
    /// Bytes that are read from Redivis without a question.
    pub(crate) ask_above: Option<u64>,
    /// Whether there is somebody to ask.
    pub(crate) asks: bool,
    pub(crate) dry_run: bool,
    pub(crate) require_pinned: bool,
    /// Reads neither `config.toml` nor `init.sql`.
    pub(crate) no_init: bool,
    /// What the options give to settings, by option.
    pub(crate) given: Vec<(&'static str, String)>,
    pub(crate) format: Option<Format>,
    pub(crate) output: Option<PathBuf>,
    pub(crate) registrations: Vec<Registration>,
    pub(crate) local: Option<Local>,
    pub(crate) cache: Option<Cache>,
    /// Nothing is sent.
    pub(crate) offline: bool,
    /// Says what the program is, for coding agents.
    pub(crate) skill: bool,
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
    /// What a setting says: on, off or a folder.
    pub(crate) fn of_setting(value: &str) -> Option<Self> {
        match switch(value) {
            Ok(false) => None,
            Ok(true) => Some(Self::Default),
            Err(_) => Some(Self::Directory(at_home(value))),
        }
    }
}

/// What the options of settings say, as it was written.
fn given(matches: &ArgMatches) -> Vec<(&'static str, String)> {
    let options = SETTINGS.iter().filter_map(|setting| setting.option);
    let given = options.filter_map(|option| {
        let id = option.trim_start_matches('-').replace('-', "_");
        let is_given = matches.value_source(&id) == Some(ValueSource::CommandLine);
        let text = || {
            let value = matches.get_raw(&id).and_then(|mut values| values.next())?;
            Some(value.to_string_lossy().into_owned())
        };
        // An option without a value switches on.
        is_given.then(|| {
            (
                option,
                text()
                    .filter(|text| text != "true")
                    .unwrap_or_else(|| "on".to_owned()),
            )
        })
    });
    given.collect()
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
        let given = given(&matches);
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
            format: results.format,
            output: results.output,
            color: results.color,
            quiet: results.quiet,
            error_format: results.error_format,
            on_error: running.on_error,
            timeout: running.timeout,
            memory_limit: running.memory_limit,
            stats: running.stats,
            ask_above: None,
            asks: false,
            dry_run: running.dry_run,
            require_pinned: running.require_pinned,
            no_init: running.no_init,
            given,
            registrations: tables.registrations,
            cache: match tables.cache {
                Some(None) => Some(Cache::Default),
                Some(Some(directory)) => Some(Cache::Directory(directory)),
                None => None,
            },
            local: tables.local.map(|directory| match directory {
                None => Local::Sample,
                Some(directory) => Local::Directory(directory),
            }),
            offline: tables.offline,
            skill: arguments.skill,
            errand: arguments.errand,
        })
    }
}

impl Options {
    /// Takes what the configuration says of what no option says.
    pub(crate) fn settle(&mut self, config: &Config, is_shown: bool) -> Result<(), Failure> {
        let color = |text: &str| Color::from_str(text, true);
        self.color = config.parsed("color", color)?.unwrap_or_default();
        self.ask_above = config.parsed("ask_above", size)?.flatten();
        self.timeout = config.parsed("timeout", duration)?;
        self.memory_limit = config.parsed("memory_limit", memory::size)?;
        self.require_pinned = config.parsed("require_pinned", switch)?.unwrap_or_default();
        let format = config.parsed("format", |text| Format::from_str(text, true))?;
        if is_shown && self.output.is_none() {
            self.format = format;
        }
        // A local server is as near as the disk.
        if self.local.is_none() && self.cache.is_none() {
            self.cache = config.get("cache").and_then(Cache::of_setting);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
