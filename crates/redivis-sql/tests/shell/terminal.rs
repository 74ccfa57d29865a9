//! A terminal of a given size with the shell at its prompt.

use std::process::{Command, Stdio};

use rexpect::session::{PtySession, spawn_command};

use crate::Sandbox;

const TIMEOUT_MILLISECONDS: u64 = 60_000;
/// What the line editor sends to the terminal when it takes it, and when it gives it back.
const TAKES: &str = "\u{1b}[?2004h";
const GIVES: &str = "\u{1b}[?2004l";

/// A person's terminal.
pub(crate) struct Terminal(pub(crate) PtySession);

impl Terminal {
    /// Starts the shell in it, with variables besides those of the sandbox.
    pub(crate) fn open(
        sandbox: &Sandbox,
        arguments: &[&str],
        (width, height): (u16, u16),
        environment: &[(&str, &str)],
    ) -> Self {
        let mut command = within(&sandbox.command(arguments), (width, height));
        command
            .env("TERM", "xterm")
            .env("NO_COLOR", "1")
            .envs(environment.iter().copied());
        let session = spawn_command(command, Some(TIMEOUT_MILLISECONDS)).unwrap();
        let mut terminal = Self(session);
        terminal.0.exp_string(TAKES).unwrap();
        terminal
    }

    /// Types a line.
    pub(crate) fn send(&mut self, line: &str) {
        self.0.send_line(line).unwrap();
        self.0.exp_string(GIVES).unwrap();
    }

    /// What is printed until the prompt is back.
    pub(crate) fn printed(&mut self) -> String {
        let printed = decoded(&self.0.exp_string(TAKES).unwrap()).replace('\r', "");
        // As it is seen: what was there before a line was erased is not.
        let seen = |line: &str| {
            line.rsplit("\u{1b}[2K")
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        let printed = printed.split('\n').map(seen).collect::<Vec<_>>().join("\n");
        match printed.rsplit_once("redivis=> ") {
            Some((before, _)) => before.to_owned(),
            None => printed,
        }
    }

    /// What is printed until this, which is ASCII.
    pub(crate) fn until(&mut self, text: &str) -> String {
        decoded(&self.0.exp_string(text).unwrap())
    }

    /// What a line prints.
    pub(crate) fn answer(&mut self, line: &str) -> String {
        self.send(line);
        self.printed().trim_start_matches('\n').to_owned()
    }

    /// Leaves.
    pub(crate) fn leave(mut self) {
        self.0.send_control('d').unwrap();
        self.0.exp_eof().unwrap();
    }
}

/// The text of what a session gives byte by byte.
pub(crate) fn decoded(bytes: &str) -> String {
    let bytes: Vec<u8> = bytes
        .chars()
        .filter_map(|byte| u8::try_from(byte).ok())
        .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The same command on a terminal of this size.
pub(crate) fn within(command: &Command, (width, height): (u16, u16)) -> Command {
    let mut sized = Command::new("sh");
    sized
        .arg("-c")
        .arg(format!(
            "stty cols {width} rows {height}; exec \"$0\" \"$@\""
        ))
        .arg(command.get_program())
        .args(command.get_args())
        .stdin(Stdio::inherit());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => sized.env(name, value),
            None => sized.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        sized.current_dir(folder);
    }
    sized
}

/// The text without the time that it says something took.
pub(crate) fn timeless(text: &str) -> String {
    let mut words = vec![];
    for word in text.split(' ') {
        let number = word.trim_start_matches('(').parse::<f64>();
        words.push(match number {
            Ok(_) if word.contains('.') && !word.starts_with('(') => "#",
            _ => word,
        });
    }
    words.join(" ")
}
