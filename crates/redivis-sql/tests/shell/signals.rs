//! Signals: what computes is left within a second, and nothing half-written stays.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Sandbox;
use crate::prompt::start;

/// How long stopping may take.
const PROMPTLY: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(60);

/// Thousands of rows for each row of either side.
const JOIN: &str = "SELECT count(*) FROM generate_series(1, 200000) a JOIN generate_series(1, 200000) b \
                    ON a.value % 7 = b.value % 7 WHERE a.value::text <> b.value::text";
const CROSS_JOIN: &str = "SELECT sum(a.value * b.value) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b";
const NESTED_LOOP: &str = "SELECT count(*) FROM generate_series(1, 200000) a JOIN generate_series(1, 200000) b \
                           ON a.value::text || 'a' > b.value::text || 'b'";
/// Rows without end, for what stops them.
const ENDLESS: &str = "SELECT value FROM generate_series(1, 1000000000000)";

/// Looks until the condition holds; fails when it never does.
#[track_caller]
fn wait(mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENCE, "it never came to that");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Hundredths of a second for which the process has computed.
fn spent(process: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

/// Waits until the process has computed for a second and a half.
#[track_caller]
fn computes(process: u32) {
    let before = spent(process);
    wait(|| spent(process) >= before + 150);
}

/// Waits until the process does nothing.
#[track_caller]
fn rests(process: u32) {
    wait(|| {
        let before = spent(process);
        std::thread::sleep(Duration::from_millis(300));
        spent(process) <= before + 2
    });
}

/// The process whose folder this is.
pub(crate) fn process_in(folder: &std::path::Path) -> u32 {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let mut here = processes.filter(|process| {
        let works_in = std::fs::read_link(process.path().join("cwd"));
        works_in.is_ok_and(|works_in| works_in == folder)
    });
    let name = here.next().unwrap().file_name();
    name.to_str().unwrap().parse().unwrap()
}

fn signal(child: &Child, name: &str) {
    let process = child.id().to_string();
    let sent = Command::new("kill").args([name, &process]).status();
    assert!(sent.unwrap().success());
}

/// Sends the signal and gives the status with which the process ends promptly.
#[track_caller]
fn ends(child: &mut Child, name: &str) -> Option<i32> {
    let sent = Instant::now();
    signal(child, name);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        assert!(sent.elapsed() < PROMPTLY, "it lives on after {name}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[track_caller]
fn a_script_is_gone(query: &str) {
    let sandbox = Sandbox::new();
    let mut child = sandbox
        .command(&["-c", "SELECT 'ready' AS a", "-c", query])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "a");
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    computes(child.id());
    assert_eq!(ends(&mut child, "-INT"), Some(130));
}

#[test]
fn an_interrupt_ends_a_script_in_a_join() {
    a_script_is_gone(JOIN);
}

#[test]
fn an_interrupt_ends_a_script_in_a_cross_join() {
    a_script_is_gone(CROSS_JOIN);
}

#[test]
fn an_interrupt_ends_a_script_in_a_nested_loop() {
    a_script_is_gone(NESTED_LOOP);
}

#[track_caller]
fn the_prompt_is_back(query: &str) {
    let sandbox = Sandbox::new();
    let mut session = start(&sandbox);
    session
        .send_line(&format!("SELECT 'r' || 'eady'; {query};"))
        .unwrap();
    session.exp_string("ready").unwrap();
    session.exp_string("(1 row").unwrap();
    let process = process_in(sandbox.path());
    computes(process);
    let pressed = Instant::now();
    session.send_control('c').unwrap();
    session.exp_string("canceled").unwrap();
    session.exp_string("redivis=> ").unwrap();
    assert!(pressed.elapsed() < PROMPTLY, "{:?}", pressed.elapsed());
    session.send_line("SELECT 'a' || 'live';").unwrap();
    session.exp_string("alive").unwrap();
    session.exp_string("redivis=> ").unwrap();
    // What was stopped computes no longer.
    rests(process);
    session.send_control('d').unwrap();
    session.exp_eof().unwrap();
}

#[test]
fn the_prompt_is_back_from_a_join() {
    the_prompt_is_back(JOIN);
}

#[test]
fn the_prompt_is_back_from_a_cross_join() {
    the_prompt_is_back(CROSS_JOIN);
}

#[test]
fn a_signal_leaves_nothing_half_written() {
    let copy = format!("COPY ({ENDLESS}) TO 'out.csv'");
    for (name, status) in [("-INT", 130), ("-TERM", 143), ("-HUP", 129)] {
        for arguments in [["-o", "out.csv", "-c", ENDLESS], ["-c", &copy, "-c", ""]] {
            let sandbox = Sandbox::new();
            sandbox.write("out.csv", "old\n");
            let mut child = sandbox.command(&arguments).spawn().unwrap();
            wait(|| written(sandbox.path()) > 1_000_000);
            assert_eq!(ends(&mut child, name), Some(status), "{arguments:?}");
            assert_eq!(sandbox.names(), ["out.csv"], "{name} {arguments:?}");
            assert_eq!(sandbox.read("out.csv"), "old\n");
        }
    }
}

/// Bytes of all files in a folder and below.
fn written(folder: &std::path::Path) -> u64 {
    let entries = folder.read_dir().into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => written(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
