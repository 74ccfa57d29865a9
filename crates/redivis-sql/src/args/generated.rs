//! Shell completions and the man page, made of the options themselves.

use std::io::{Write, stdout};

use clap::CommandFactory;
use clap_complete::Shell;

use super::Arguments;
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

fn print(text: &[u8]) -> Result<(), Failure> {
    let mut out = stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Err(Failure::OutputClosed),
        outcome => Ok(outcome?),
    }
}
