//! Running a program to its end, within a time limit, keeping what it wrote.

use std::io::{Read, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How a program ended and what it wrote.
#[derive(Debug)]
pub struct Finished {
    /// The exit status.
    pub status: ExitStatus,
    /// Everything on standard output.
    pub stdout: String,
    /// Everything on standard error.
    pub stderr: String,
}

impl Finished {
    /// The standard output of a program that has to succeed.
    #[track_caller]
    pub fn success(self) -> String {
        assert!(
            self.status.success(),
            "{}\n--- standard output\n{}\n--- standard error\n{}",
            self.status,
            self.stdout,
            self.stderr
        );
        self.stdout
    }
}

/// Runs `command` with `input` on its standard input, and kills it when `limit` has passed.
#[track_caller]
pub fn run_with_input(mut command: Command, input: &str, limit: Duration) -> Finished {
    let described = format!("{command:?}");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{described} does not start: {error}"));

    // A program may leave its input unread, which is no failure of the test.
    let mut stdin = child.stdin.take().expect("standard input is piped");
    let input = input.to_owned();
    thread::spawn(move || stdin.write_all(input.as_bytes()));
    let stdout = collect(child.stdout.take().expect("standard output is piped"));
    let stderr = collect(child.stderr.take().expect("standard error is piped"));

    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            break status;
        }
        if start.elapsed() > limit {
            child.kill().expect("a child can be killed");
            child.wait().expect("a child can be waited for");
            panic!(
                "{described} ran longer than {limit:?}\n--- standard output\n{}\n--- standard error\n{}",
                stdout.join().expect("the reader ends"),
                stderr.join().expect("the reader ends")
            );
        }
        thread::sleep(Duration::from_millis(10));
    };
    Finished {
        status,
        stdout: stdout.join().expect("the reader ends"),
        stderr: stderr.join().expect("the reader ends"),
    }
}

/// Runs `command` with an empty standard input.
#[track_caller]
pub fn run(command: Command, limit: Duration) -> Finished {
    run_with_input(command, "", limit)
}

fn collect(mut from: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
