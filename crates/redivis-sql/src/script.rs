//! Where batch input comes from: `-c`, `-f` and standard input.
//!
//! Reading happens on its own thread, because standard input may wait for a person or a pipe. What is complete is handed on at once,
//! so that a program on the other end of a pipe gets answers as it writes.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, stdin};
use std::path::{Path, PathBuf};

use tokio::sync::mpsc;

use crate::failure::Failure;
use crate::statement::{Input, Splitter};

/// One source of statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// The text of a `-c`.
    Text(String),
    /// The file of a `-f`.
    File(PathBuf),
    /// Standard input.
    Stdin,
}

impl Source {
    /// What to put in front of a line number in messages. The text of a `-c` is in plain view: it needs no name.
    pub(crate) fn name(&self) -> Option<String> {
        match self {
            Source::Text(_) => None,
            Source::File(path) => Some(path.display().to_string()),
            Source::Stdin => Some("stdin".to_owned()),
        }
    }

    /// The script's file, which others may be named beside of.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Source::File(path) => Some(path),
            Source::Text(_) | Source::Stdin => None,
        }
    }

    /// The same source, which a script names that may be in another folder.
    pub(crate) fn seen_from(self, includer: Option<&Path>) -> Self {
        match (self, includer.and_then(Path::parent)) {
            (Source::File(path), Some(folder)) => Source::File(folder.join(path)),
            (source, _) => source,
        }
    }

    /// Starts reading. Ends after the last statement or the first failure.
    pub(crate) fn read(self) -> mpsc::Receiver<Result<Input, Failure>> {
        let (sender, receiver) = mpsc::channel(1);
        std::thread::spawn(move || {
            let read = match &self {
                Source::Text(text) => forward(Cursor::new(text), &sender),
                Source::File(path) => match File::open(path) {
                    Ok(file) => forward(BufReader::new(file), &sender),
                    Err(error) => Err(error),
                },
                Source::Stdin => forward(stdin().lock(), &sender),
            };
            if let Err(error) = read {
                let name = self.name().unwrap_or_default();
                let failure = Failure::Usage(format!("can't read {name}: {error}"));
                let _ = sender.blocking_send(Err(failure));
            }
        });
        receiver
    }
}

fn forward(
    mut reader: impl BufRead,
    sender: &mpsc::Sender<Result<Input, Failure>>,
) -> std::io::Result<()> {
    let mut splitter = Splitter::default();
    let mut line = String::new();
    let mut first = true;
    while reader.read_line(&mut line)? > 0 {
        let text = if first {
            line.trim_start_matches('\u{feff}')
        } else {
            &line
        };
        first = false;
        splitter.push(text);
        line.clear();
        while let Some(input) = splitter.next() {
            if sender.blocking_send(Ok(input)).is_err() {
                return Ok(());
            }
        }
    }
    if let Some(input) = splitter.finish() {
        let _ = sender.blocking_send(Ok(input));
    }
    Ok(())
}
