//! The line editor, on a thread of its own.
//!
//! It blocks while a person types, which a runtime thread must not. It reads only when asked to, so the prompt never mixes with a
//! statement's output, and the terminal is in its normal mode while a statement runs: Ctrl-C is a signal then.

use std::path::PathBuf;
use std::sync::mpsc as blocking;

use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::{Behavior, Config};
use tokio::sync::mpsc;

use super::highlight::Highlight;
use crate::failure::Failure;
use crate::report::narrate;
use crate::state;
use crate::statement::{Input, Splitter};

const PROMPT: &str = "redivis=> ";
const CONTINUATION: &str = "redivis-> ";
const HISTORY_ENTRIES: usize = 10_000;

type LineEditor = rustyline::Editor<Highlight, DefaultHistory>;
type Entry = Result<Vec<Input>, ReadlineError>;

/// What becomes of the lines that were typed, or pasted, while a statement ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TypedAhead {
    Read,
    /// They were to follow a statement that was stopped.
    Drop,
}

/// Reads statements from the terminal.
pub(super) struct Editor {
    ask: blocking::Sender<TypedAhead>,
    entries: mpsc::Receiver<Entry>,
}

impl Editor {
    /// Opens the terminal and the history.
    pub(super) fn start() -> Result<Self, Failure> {
        let (ask, asked) = blocking::channel();
        let (sender, entries) = mpsc::channel(1);
        let mut reader = Reader::new().map_err(unusable)?;
        std::thread::spawn(move || {
            while let Ok(typed_ahead) = asked.recv() {
                if sender.blocking_send(reader.next(typed_ahead)).is_err() {
                    break;
                }
            }
        });
        Ok(Self { ask, entries })
    }

    /// The next statements, at least one; `None` when the user leaves.
    pub(super) async fn read(
        &mut self,
        typed_ahead: TypedAhead,
    ) -> Result<Option<Vec<Input>>, Failure> {
        if self.ask.send(typed_ahead).is_err() {
            return Ok(None);
        }
        match self.entries.recv().await {
            None | Some(Err(ReadlineError::Eof)) => Ok(None),
            Some(Ok(inputs)) => Ok(Some(inputs)),
            Some(Err(error)) => Err(unusable(error)),
        }
    }
}

fn unusable(error: ReadlineError) -> Failure {
    Failure::Usage(format!("can't read from the terminal: {error}"))
}

/// Whether something is said to be a secret, such as `OPTIONS('aws.secret_access_key' '…')`.
fn has_secret(typed: &str) -> bool {
    const SECRETS: [&str; 7] = [
        "secret",
        "password",
        "passwd",
        "token",
        "credential",
        "access_key",
        "api_key",
    ];
    let typed = typed.to_lowercase();
    typed.contains('\'') && SECRETS.iter().any(|secret| typed.contains(secret))
}

fn open() -> rustyline::Result<LineEditor> {
    let config = Config::builder()
        .max_history_size(HISTORY_ENTRIES)?
        .history_ignore_space(true)
        .auto_add_history(false)
        // Standard output may be a file: the prompt is not data.
        .behavior(Behavior::PreferTerm)
        .build();
    let mut editor = LineEditor::with_config(config)?;
    editor.set_helper(Some(Highlight));
    Ok(editor)
}

struct Reader {
    editor: LineEditor,
    history: Option<PathBuf>,
    splitter: Splitter,
    /// Everything typed since the statement began, as it goes into the history.
    typed: String,
}

impl Reader {
    fn new() -> rustyline::Result<Self> {
        let mut editor = open()?;
        let folder = state::folder(None).unwrap_or_else(|error| {
            narrate(format_args!("warning: no history: {error}"));
            None
        });
        let history = folder.map(|folder| folder.join("history"));
        if let Some(path) = &history
            && path.exists()
            && let Err(error) = editor.load_history(path)
        {
            narrate(format_args!(
                "warning: can't read {}: {error}",
                path.display()
            ));
        }
        Ok(Self {
            editor,
            history,
            splitter: Splitter::default(),
            typed: String::new(),
        })
    }

    /// Reads what comes next, or what comes from now on.
    fn next(&mut self, typed_ahead: TypedAhead) -> Entry {
        if typed_ahead == TypedAhead::Drop {
            // The terminal has dropped what it had, and the editor drops what it had read with itself.
            let history = std::mem::take(self.editor.history_mut());
            self.editor = open()?;
            *self.editor.history_mut() = history;
        }
        self.read()
    }

    /// Reads lines until something is complete.
    fn read(&mut self) -> Entry {
        loop {
            let prompt = if self.splitter.is_blank() {
                PROMPT
            } else {
                CONTINUATION
            };
            let line = match self.editor.readline(prompt) {
                Ok(line) => line,
                Err(ReadlineError::Interrupted) => {
                    self.splitter = Splitter::default();
                    self.typed.clear();
                    continue;
                }
                Err(error) => return Err(error),
            };
            self.splitter.push(&line);
            if !self.typed.is_empty() {
                self.typed.push('\n');
            }
            self.typed.push_str(&line);
            let inputs: Vec<Input> = std::iter::from_fn(|| self.splitter.next()).collect();
            if self.splitter.is_blank() || !inputs.is_empty() {
                self.remember();
            }
            if !inputs.is_empty() {
                return Ok(inputs);
            }
        }
    }

    /// Adds what was typed to the history, in the file at once: other shells and a crash lose nothing.
    fn remember(&mut self) {
        let typed = std::mem::take(&mut self.typed);
        if has_secret(&typed) {
            return;
        }
        let added = self.editor.add_history_entry(typed.trim_end());
        if let (Ok(true), Some(path)) = (added, &self.history)
            && let Err(error) = self.editor.append_history(path)
        {
            narrate(format_args!(
                "warning: can't write {}: {error}",
                path.display()
            ));
            self.history = None;
        }
    }
}
