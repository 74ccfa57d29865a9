//! Shell completions and the man page, made of the options themselves.

use std::io::{Write, stdout};

use clap::CommandFactory;
use clap_complete::Shell;

use super::Arguments;
use super::help::AFTER_HELP;
use crate::failure::Failure;

/// Prints what completes the command line in a shell.
pub(crate) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "redivis-sql", &mut text);
    print(&text)
}

/// Prints the man page.
pub(crate) fn man() -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_mangen::Man::new(Arguments::command()).render(&mut text)?;
    print(&text)
}

/// The options and what each is for.
pub(crate) fn options() -> Vec<(String, String)> {
    let command = Arguments::command();
    let options = command.get_arguments().filter_map(|option| {
        let value = option.get_value_names().unwrap_or_default();
        let usage = match (option.get_long()?, value) {
            (name, [value]) if option.get_action().takes_values() => format!("--{name} {value}"),
            (name, _) => format!("--{name}"),
        };
        let help = option.get_help()?.to_string().replace('\n', " ");
        Some((usage, help))
    });
    options.collect()
}

/// What `--help` says below one of its headings.
pub(crate) fn section(heading: &str) -> String {
    let below = AFTER_HELP
        .split("\n\n")
        .find_map(|part| part.strip_prefix(heading));
    let lines = below.unwrap_or_default().lines();
    lines
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

/// Prints a text that somebody asked for.
pub(crate) fn print(text: &[u8]) -> Result<(), Failure> {
    let mut out = stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Err(Failure::OutputClosed),
        outcome => Ok(outcome?),
    }
}
