//! The line editor, on a thread of its own.
//!
//! It blocks while a person types, which a runtime thread must not. It reads only when asked to, so the prompt never mixes with a
//! statement's output, and the terminal is in its normal mode while a statement runs: Ctrl-C is a signal then.

use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;
use std::sync::mpsc as blocking;

use rustyline::error::ReadlineError;
use rustyline::{Behavior, ColorMode, Config};
use tokio::sync::mpsc;
use unicode_width::UnicodeWidthStr;

use super::assist::Assist;
use super::history::Recalled;
use super::margin::{self, Margin};
use super::{external, keys};
use crate::failure::Failure;
use crate::report::{Place, narrate, report};
use crate::state;
use crate::statement::{Input, Splitter};

const HISTORY_ENTRIES: usize = 10_000;

type LineEditor = rustyline::Editor<Assist, Recalled>;
type Entry = Result<Vec<Input>, ReadlineError>;

/// What becomes of the lines that were typed, or pasted, while a statement ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TypedAhead {
    Read,
    /// They were to follow a statement that was stopped.
    Drop,
}

/// What to ask the person for.
struct Question {
    prompt: String,
    typed_ahead: TypedAhead,
    /// The answer is yes or no.
    confirms: bool,
}

/// Reads statements from the terminal.
pub(super) struct Editor {
    ask: blocking::Sender<Question>,
    entries: mpsc::Receiver<Entry>,
}

impl Editor {
    /// Opens the terminal and the history.
    pub(super) fn start(assist: Assist) -> Result<Self, Failure> {
        let (ask, asked) = blocking::channel::<Question>();
        let (sender, entries) = mpsc::channel(1);
        let mut reader = Reader::new(assist).map_err(unusable)?;
        std::thread::spawn(move || {
            while let Ok(question) = asked.recv() {
                if sender.blocking_send(reader.next(&question)).is_err() {
                    break;
                }
            }
        });
        Ok(Self { ask, entries })
    }

    /// The next statements, at least one; `None` when the user leaves.
    pub(super) async fn read(
        &mut self,
        prompt: String,
        typed_ahead: TypedAhead,
    ) -> Result<Option<Vec<Input>>, Failure> {
        let question = Question {
            prompt,
            typed_ahead,
            confirms: false,
        };
        if self.ask.send(question).is_err() {
            return Ok(None);
        }
        match self.entries.recv().await {
            None | Some(Err(ReadlineError::Eof)) => Ok(None),
            Some(Ok(inputs)) => Ok(Some(inputs)),
            Some(Err(error)) => Err(unusable(error)),
        }
    }
}

impl Editor {
    /// Asks a question; whether the answer is yes.
    pub(super) async fn confirms(&mut self, question: String) -> bool {
        let question = Question {
            prompt: question,
            typed_ahead: TypedAhead::Read,
            confirms: true,
        };
        self.ask.send(question).is_ok() && matches!(self.entries.recv().await, Some(Ok(_)))
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

/// Whether the terminal can do no more than print lines.
fn is_dumb() -> bool {
    matches!(
        std::env::var("TERM").as_deref(),
        Ok("dumb" | "cons25" | "emacs")
    )
}

fn open(assist: Assist, margin: &Margin) -> rustyline::Result<LineEditor> {
    let config = Config::builder()
        .max_history_size(HISTORY_ENTRIES)?
        .history_ignore_space(true)
        .auto_add_history(false)
        // Standard output may be a file: the prompt is not data.
        .behavior(Behavior::PreferTerm)
        // The prompts of further lines are shown like colours, also where there are none.
        .color_mode(ColorMode::Forced)
        .build();
    let history = Recalled::new(&config, margin.clone());
    let mut editor = LineEditor::with_history(config, history)?;
    editor.set_helper(Some(assist));
    for (key, binding) in keys::bindings(margin) {
        editor.bind_sequence(key, binding);
    }
    Ok(editor)
}

/// Asks what is answered by yes or no, in an editor of its own: Enter ends the answer, whatever it is.
fn confirmed(question: &str) -> Entry {
    let config = Config::builder().behavior(Behavior::PreferTerm).build();
    let mut editor = rustyline::DefaultEditor::with_config(config)?;
    let answer = editor.readline(question)?.to_lowercase();
    match matches!(answer.trim(), "y" | "yes") {
        true => Ok(Vec::new()),
        false => Err(ReadlineError::Interrupted),
    }
}

struct Reader {
    editor: LineEditor,
    assist: Assist,
    margin: Margin,
    history: Option<PathBuf>,
    splitter: Splitter,
    /// Everything typed since the statement began, as it goes into the history.
    typed: String,
    /// What was typed before.
    last: String,
}

impl Reader {
    fn new(assist: Assist) -> rustyline::Result<Self> {
        let margin = Margin::default();
        let mut editor = open(assist.clone(), &margin)?;
        let history = state::history().unwrap_or_else(|error| {
            narrate(format_args!("warning: no history: {error}"));
            None
        });
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
            assist,
            margin,
            history,
            splitter: Splitter::default(),
            typed: String::new(),
            last: String::new(),
        })
    }

    /// Reads what comes next, or what comes from now on.
    fn next(&mut self, question: &Question) -> Entry {
        if question.typed_ahead == TypedAhead::Drop {
            // The terminal has dropped what it had, and the editor drops what it had read with itself.
            let editor = open(self.assist.clone(), &self.margin)?;
            let mut before = std::mem::replace(&mut self.editor, editor);
            std::mem::swap(before.history_mut(), self.editor.history_mut());
        }
        if question.confirms {
            return confirmed(&question.prompt);
        }
        self.read(&question.prompt)
    }

    /// Reads until something is complete.
    fn read(&mut self, prompt: &str) -> Entry {
        self.margin.set(prompt.width());
        let mut text = String::new();
        loop {
            let line = match self.line(prompt, &std::mem::take(&mut text)) {
                Ok(line) => line,
                Err(ReadlineError::Interrupted) => {
                    self.splitter = Splitter::default();
                    self.typed.clear();
                    continue;
                }
                Err(error) => return Err(error),
            };
            if let Some(before) = keys::to_be_edited(&line) {
                text = self.edited(before);
                continue;
            }
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

    /// What is typed next: whole statements, or single lines where the terminal can do no more.
    fn line(&mut self, prompt: &str, text: &str) -> rustyline::Result<String> {
        if !is_dumb() {
            let line = match text {
                "" => self.editor.readline(prompt)?,
                text => {
                    let text = self.margin.with(text);
                    self.editor.readline_with_initial(prompt, (&text, ""))?
                }
            };
            return Ok(margin::without(&line));
        }
        let mut stderr = std::io::stderr();
        match self.splitter.is_blank() {
            true => write!(stderr, "{prompt}")?,
            false => write!(stderr, "{:>width$}", "-> ", width = prompt.width())?,
        }
        stderr.flush()?;
        let mut line = String::new();
        if std::io::stdin().lock().read_line(&mut line)? == 0 {
            return Err(ReadlineError::Eof);
        }
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// The text as the person's own editor leaves it; without a text, that of the last statement.
    fn edited(&mut self, text: &str) -> String {
        let text = match text.trim() {
            "" => self.last.clone(),
            _ => text.to_owned(),
        };
        external::edit(&text).unwrap_or_else(|failure| {
            report(&failure, &Place::default());
            text
        })
    }

    /// Adds what was typed to the history, in the file at once: other shells and a crash lose nothing.
    fn remember(&mut self) {
        let typed = std::mem::take(&mut self.typed);
        if !typed.trim().is_empty() {
            self.last.clone_from(&typed);
        }
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
