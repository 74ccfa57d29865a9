//! Ctrl-C in a script ends the shell within a second, whatever it is waiting for; so does a reader that goes away.

use std::io::{BufRead, BufReader};

use redivis_tests::proxy::{Action, End};
use redivis_tests::server::Server;

use crate::wire::{PATIENCE, PROMPTLY, Running, Wire};

const QUERY: &str = "SELECT * FROM demo.nycflights13.flights";

/// Starts the query, lets it come as far as `until` waits for, and interrupts it.
#[track_caller]
fn interrupted(prepare: impl FnOnce(&Wire), until: impl FnOnce(&Wire)) {
    let server = Server::sample();
    let wire = Wire::to(&server);
    prepare(&wire);
    let mut shell = Running::start(wire.shell(&["-c", QUERY]));
    until(&wire);
    assert_eq!(
        shell.child.try_wait().unwrap(),
        None,
        "it ended by itself: {}",
        shell.said()
    );
    shell.interrupt();
    let status = shell.ends_within(PROMPTLY);
    assert_eq!(
        status.and_then(|status| status.code()),
        Some(130),
        "{:?}",
        wire.ends()
    );
    assert!(wire.closes_promptly(), "{:?}", wire.ends());
}

#[test]
fn while_a_table_is_looked_up() {
    let path = "/tables/";
    interrupted(
        |wire| wire.stall("GET", path, 0),
        |wire| wire.wait_for(path, |table| table.status.is_some()),
    );
}

#[test]
fn while_a_session_is_made() {
    let path = "/readSessions";
    interrupted(
        |wire| wire.stall("POST", path, 0),
        |wire| wire.wait_for(path, |session| session.status.is_some()),
    );
}

#[test]
fn while_it_waits_to_try_again() {
    let path = "/readStreams/";
    let busy = Action::reply(503, &[("Retry-After", "30")], "busy");
    interrupted(
        |wire| wire.act("GET", path, busy),
        |wire| wire.wait_for(path, |stream| stream.end == Some(End::Answered)),
    );
}

#[test]
fn while_rows_are_read() {
    let path = "/readStreams/";
    interrupted(
        |wire| wire.stall("GET", path, 100_000),
        |wire| wire.wait_for(path, |stream| stream.body_bytes == 100_000),
    );
}

#[test]
fn while_nobody_reads_what_it_prints() {
    interrupted(|_| {}, |wire| _ = wire.standstill());
}

#[test]
fn a_reader_of_one_line_ends_it_quietly() {
    let server = Server::sample();
    let wire = Wire::to(&server);
    let mut shell = Running::start(wire.shell(&["--format", "csv", "-c", QUERY]));
    let mut stdout = BufReader::new(shell.child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert!(line.starts_with("year,month,day,"), "{line}");
    // What is printed is more than a pipe takes, so the shell is still at it.
    wire.standstill();
    drop(stdout);
    let status = shell.ends_within(PATIENCE);
    assert_eq!(shell.said(), "");
    // As if SIGPIPE had ended it, which is what shells expect.
    assert_eq!(status.and_then(|status| status.code()), Some(141));
    assert!(wire.closes_promptly(), "{:?}", wire.ends());
    let streams = wire.on("/readStreams/");
    assert!(
        streams
            .iter()
            .any(|stream| stream.end == Some(End::ClientLeft)),
        "{:?}",
        wire.ends()
    );
}
