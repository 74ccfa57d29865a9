//! Ctrl-C at the prompt ends the statement within a second and not the shell.

use std::process::Stdio;
use std::time::Instant;

use redivis_tests::server::Server;
use rexpect::session::{PtySession, spawn_command};

use crate::wire::{PATIENCE, PROMPTLY, Wire};

/// The shell at its prompt.
fn prompt(wire: &Wire) -> PtySession {
    let mut command = wire.shell(&[]);
    command
        .stdin(Stdio::inherit())
        .env("TERM", "xterm")
        .env("NO_COLOR", "1");
    let patience = u64::try_from(PATIENCE.as_millis()).unwrap();
    let mut terminal = spawn_command(command, Some(patience)).unwrap();
    terminal.exp_string("redivis=> ").unwrap();
    terminal
}

#[test]
fn while_a_table_is_looked_up() {
    interrupted("/tables/", 0);
}

#[test]
fn while_rows_are_read() {
    interrupted("/readStreams/", 100_000);
}

#[track_caller]
fn interrupted(path: &'static str, after: usize) {
    let server = Server::sample();
    let wire = Wire::to(&server);
    wire.stall("GET", path, after);
    let mut terminal = prompt(&wire);
    terminal
        .send_line("SELECT count(DISTINCT tailnum) FROM demo.nycflights13.flights;")
        .unwrap();
    wire.wait_for(path, |exchange| {
        exchange.status.is_some() && exchange.body_bytes == after
    });

    let start = Instant::now();
    terminal.send_control('c').unwrap();
    terminal.exp_string("canceled").unwrap();
    terminal.exp_string("redivis=> ").unwrap();
    assert!(start.elapsed() < PROMPTLY, "{:?}", start.elapsed());
    assert!(wire.closes_promptly(), "{:?}", wire.ends());

    // The same session is as good as before.
    wire.act("GET", "nothing", redivis_tests::proxy::Action::Close);
    terminal
        .send_line("SELECT count(DISTINCT tailnum) FROM demo.nycflights13.flights;")
        .unwrap();
    terminal.exp_string("4043").unwrap();
    terminal.send_line("exit").unwrap();
    terminal.exp_eof().unwrap();
}

#[test]
fn completion_never_keeps_a_key_waiting() {
    let server = Server::sample();
    let wire = Wire::to(&server);
    wire.stall("GET", "/datasets", 0);
    let mut terminal = prompt(&wire);
    let press = |terminal: &mut PtySession, keys: &str| {
        terminal.send(keys).unwrap();
        terminal.flush().unwrap();
    };
    press(&mut terminal, "FROM redivis.'demo.ny\t");
    terminal.exp_string("loading").unwrap();
    // Other keys work meanwhile, and what is there by then is completed.
    press(&mut terminal, "c");
    terminal.exp_string("demo.nyc").unwrap();
    wire.act("GET", "nothing", redivis_tests::proxy::Action::Close);
    press(&mut terminal, "\x03");
    terminal.exp_string("redivis=> ").unwrap();
    terminal.send_line("exit").unwrap();
    terminal.exp_eof().unwrap();
}

#[test]
fn a_summary_reads_no_rows_and_a_slip_costs_one_list() {
    let server = Server::sample();
    let wire = Wire::to(&server);
    let output = wire
        .shell(&["-c", "SUMMARIZE demo.nycflights13.airlines"])
        .output()
        .unwrap();
    assert!(output.status.success());
    assert!(wire.on("/readSessions").is_empty());
    assert_eq!(wire.on("/statistics").len(), 2);
    let output = wire
        .shell(&["-c", "SELECT * FROM demo.nycflights13.airlinse"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert_eq!(wire.on("/datasets/").len(), 1);
}
