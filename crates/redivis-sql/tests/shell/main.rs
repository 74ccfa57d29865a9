//! The shell from outside: the built binary, what it prints where, its exit status and the files it leaves.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

#[cfg(target_os = "linux")]
mod attach;
mod batch;
mod bigquery;
mod config;
mod copy;
#[cfg(unix)]
mod editing;
mod elsewhere;
mod errors;
mod files;
#[cfg(unix)]
mod finding;
mod formats;
mod headings;
mod made;
mod memory;
mod places;
#[cfg(target_os = "linux")]
mod progress;
#[cfg(unix)]
mod prompt;
mod reads;
#[cfg(target_os = "linux")]
mod results;
mod scripts;
#[cfg(target_os = "linux")]
mod seeing;
mod server;
#[cfg(target_os = "linux")]
mod signals;
#[cfg(target_os = "linux")]
mod terminal;
mod upload;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// A folder for one test, with the shell's state in it.
struct Sandbox(tempfile::TempDir);

/// What a run gave.
struct Run {
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Sandbox {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// The names in the folder, in order.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// The shell, in this folder, with nothing of Redivis in its environment.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_redivis-sql"));
        for (name, _) in std::env::vars() {
            if name.starts_with("REDIVIS_") || name == "RUST_LOG" {
                command.env_remove(name);
            }
        }
        command
            .args(arguments)
            .current_dir(self.path())
            .env("XDG_STATE_HOME", self.path().join("state"))
            .env("XDG_CONFIG_HOME", self.path().join("config"))
            // Only the tests of pagers wait for one.
            .env("REDIVIS_SQL_PAGER", "")
            .stdin(Stdio::null());
        command
    }

    /// What a program is told on standard error of `s.sql`: a JSON object a line.
    fn told(&self, arguments: &[&str]) -> (Run, Vec<serde_json::Value>) {
        let mut all = vec!["--local", "-q", "--error-format", "json"];
        all.extend(["--on-error", "continue", "-f", "s.sql"]);
        all.extend(arguments);
        let run = self.run(&all);
        let lines = run
            .stderr
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        let lines = lines.collect();
        (run, lines)
    }

    fn run(&self, arguments: &[&str]) -> Run {
        Run::of(self.command(arguments).output().unwrap())
    }

    fn run_with_input(&self, arguments: &[&str], input: &str) -> Run {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        Run::of(child.wait_with_output().unwrap())
    }
}

impl Run {
    fn of(output: Output) -> Self {
        Self {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Standard output of a run that succeeded.
    #[track_caller]
    fn data(self) -> String {
        assert_eq!(self.status, Some(0), "stderr: {}", self.stderr);
        self.stdout
    }
}

/// Runs SQL on the sample data and returns what it printed.
#[track_caller]
fn sql(sql: &str) -> String {
    Sandbox::new().run(&["--local", "-c", sql]).data()
}
