//! Ctrl-C at the prompt ends the statement within a second and not the shell.

use std::process::Stdio;
use std::time::Instant;

use redivis_tests::server::Server;
use rexpect::session::spawn_command;

use crate::wire::{PATIENCE, PROMPTLY, Wire};

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
    let mut command = wire.shell(&[]);
    command
        .stdin(Stdio::inherit())
        .env("TERM", "xterm")
        .env("NO_COLOR", "1");
    let patience = u64::try_from(PATIENCE.as_millis()).unwrap();
    let mut terminal = spawn_command(command, Some(patience)).unwrap();
    terminal.exp_string("redivis=> ").unwrap();
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
