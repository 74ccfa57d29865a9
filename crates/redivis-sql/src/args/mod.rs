//! The command line.
//!
//! Secrets are read from the environment only: arguments show up in process lists and shell histories.

mod upload;

use std::path::PathBuf;

use clap::{ArgAction, CommandFactory, FromArgMatches, Parser, Subcommand};

pub(crate) use self::upload::Upload;
use crate::doctor::Doctor;
use crate::login::Login;
use crate::output::Format;
use crate::script::Source;

const AFTER_HELP: &str = "\
Tables:
  FROM redivis.'owner.dataset.table'      a Redivis table (also in `backticks`)
  FROM redivis.'owner.dataset:v1_0.table' one version of it (:current, :next, :sample)
  FROM 'file.parquet'                     a local Parquet, CSV, TSV, JSON or Arrow file
  FROM '/dev/stdin'                       what is piped in, with -c or -f

In csv and tsv, null is an empty field and an empty string is \"\"; in a file of one column, both are \"\".

Environment:
  REDIVIS_API_TOKEN         your token; without it the one of redivis-sql login is used, and
                            without that only public data can be read
  REDIVIS_API_ENDPOINT      another endpoint than https://redivis.com/api/v1
  REDIVIS_DEFAULT_DATASET   where plain table names are looked up (owner.dataset)
  REDIVIS_DEFAULT_WORKFLOW  the same for a workflow; wins over the dataset
  REDIVIS_SQL_CACHE         on, or the folder of --cache
  REDIVIS_OAUTH_CLIENT_ID   under which redivis-sql login is registered with Redivis
  HTTPS_PROXY, NO_PROXY     a proxy, and the hosts that are reached without it
  SSL_CERT_FILE             certificates to trust, instead of the system's
  RUST_LOG                  what to log to stderr (default: warn)

Exit status:
  0 done, 1 SQL or data error, 2 usage or configuration, 3 authorization or network,
  130 interrupted (143, 129: ended by SIGTERM, SIGHUP), 141 the reader of the output went away

Standard output carries data only; everything else goes to standard error. Without -c and -f,
statements are read from standard input, or from a prompt when that is a terminal.";

/// SQL over Redivis tables and local files.
#[derive(Debug, Parser)]
#[command(
    name = "redivis-sql",
    version,
    after_help = AFTER_HELP,
    max_term_width = 100,
    disable_help_subcommand = true,
    subcommand_precedence_over_arg = true
)]
struct Arguments {
    /// Run SQL or a meta command; repeatable, mixed with -f in the order given
    #[arg(short = 'c', long = "command", value_name = "SQL", action = ArgAction::Append, allow_hyphen_values = true)]
    commands: Vec<String>,

    /// Run the statements of a file, - for standard input; repeatable
    #[arg(short = 'f', long = "file", value_name = "FILE", action = ArgAction::Append)]
    files: Vec<PathBuf>,

    /// table, csv, tsv, json, ndjson, markdown, vertical, parquet or arrow
    /// [default: table on a terminal, csv elsewhere]
    #[arg(long, value_enum, value_name = "FORMAT", hide_possible_values = true)]
    format: Option<Format>,

    /// Write results to a file, which appears once all is done; its suffix decides the format
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

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

    #[command(subcommand)]
    errand: Option<Errand>,
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

        let commands = arguments.commands.into_iter().map(Source::Text);
        let files = arguments.files.into_iter().map(|file| {
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
            format: arguments.format,
            output: arguments.output,
            registrations: arguments.registrations,
            cache: match arguments.cache {
                Some(None) => Some(Cache::Default),
                Some(Some(directory)) => Some(Cache::Directory(directory)),
                // A local server is as near as the disk.
                None if arguments.local.is_some() => None,
                None => Cache::from_env(),
            },
            local: arguments.local.map(|directory| match directory {
                None => Local::Sample,
                Some(directory) => Local::Directory(directory),
            }),
            offline: arguments.offline,
            errand: arguments.errand,
        })
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
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Options {
        Options::try_from([&["redivis-sql"], arguments].concat()).unwrap()
    }

    #[test]
    fn commands_and_files_keep_their_order() {
        let options = parse(&[
            "-c",
            "1",
            "-f",
            "a.sql",
            "-c",
            "2",
            "-f",
            "-",
            "--command=-3",
        ]);
        assert_eq!(
            options.sources,
            [
                Source::Text("1".to_owned()),
                Source::File("a.sql".into()),
                Source::Text("2".to_owned()),
                Source::Stdin,
                Source::Text("-3".to_owned()),
            ]
        );
    }

    #[test]
    fn local_does_not_swallow_the_next_option() {
        let options = parse(&["--local", "-c", "SELECT 1"]);
        assert_eq!(options.local, Some(Local::Sample));
        assert_eq!(options.sources.len(), 1);
        let options = parse(&["--local", "data", "-c", "SELECT 1"]);
        assert_eq!(options.local, Some(Local::Directory("data".into())));
    }

    #[test]
    fn the_cache_has_a_folder_or_none() {
        let cache = |arguments: &[&str]| parse(arguments).cache;
        assert_eq!(cache(&["--cache", "-c", "SELECT 1"]), Some(Cache::Default));
        let directory = Some(Cache::Directory("kept".into()));
        assert_eq!(cache(&["--cache", "kept", "--offline"]), directory);
    }

    fn upload(arguments: &[&str]) -> Upload {
        match parse(arguments).errand {
            Some(Errand::Upload(upload)) => upload,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn files_are_uploaded_to_the_last_argument() {
        for local in [&["--local"] as &[&str], &["--local", "data"], &[]] {
            let arguments = [local, &["upload", "a.csv", "b.csv", "o.d:next.t"]].concat();
            let upload = upload(&arguments);
            let (files, reference) = upload.operands().unwrap();
            assert_eq!(files.len(), 2);
            assert_eq!(reference.to_string(), "o.d:next.t");
        }
        let operands = |arguments: &[&str]| {
            let upload = upload(&[&["upload"], arguments].concat());
            upload.operands().map(|(files, _)| files.len())
        };
        let between = ["a", "--null-markers", "NA", "b", "--resume", "o.d:next.t"];
        assert_eq!(operands(&between).unwrap(), 2);
        operands(&["o.d:next.t"]).unwrap_err();
        operands(&["a.csv", "b.csv"]).unwrap_err();
        operands(&["--name", "x", "a", "b", "o.d:next.t"]).unwrap_err();
        let both = [
            "redivis-sql",
            "upload",
            "--if-not-exists",
            "--rename-on-conflict",
            "a",
            "o.d:next.t",
        ];
        Options::try_from(both).unwrap_err();
    }

    #[test]
    fn there_is_no_way_to_pass_a_token() {
        for option in ["--token=x", "--api-token=x", "--password=x"] {
            assert!(Options::try_from(["redivis-sql", option]).is_err());
            assert!(Options::try_from(["redivis-sql", "login", option]).is_err());
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
