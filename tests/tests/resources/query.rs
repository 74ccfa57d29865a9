//! A query that runs on Redivis while a person waits: what is seen of it, and what Ctrl-C does.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use redivis_tests::proxy::Action;
use redivis_tests::server::Server;
use rexpect::session::{PtySession, spawn_command};
use serde_json::json;

use crate::wire::{PATIENCE, PROMPTLY, Running, Wire};

const JSON: &[(&str, &str)] = &[("Content-Type", "application/json")];
const SELECT: &str = "SELECT count(DISTINCT name) FROM redivis_query('SELECT 1')";
/// Longer than between two polls.
const NEXT_POLL: Duration = Duration::from_millis(2500);
const DONE: usize = 3;

/// Answers for queries of a service that is as far as the number says.
fn answers(wire: &Wire) -> Arc<AtomicUsize> {
    let state = Arc::new(AtomicUsize::new(0));
    let now = Arc::clone(&state);
    wire.proxy.script(move |request| {
        let status = ["queued", "running", "thawing", "completed"][now.load(Ordering::Relaxed)];
        // The result is a table of the server.
        let uri = match status {
            "completed" => "/tables/demo.nycflights13:v1_0.airlines",
            _ => "/queries/q1",
        };
        let query = json!({"kind": "query", "id": "q1", "uri": uri, "status": status});
        match (request.method.as_str(), request.path()) {
            ("POST", "/api/v1/queries") => Action::reply(201, JSON, query.to_string()),
            ("GET", "/api/v1/queries/q1") => Action::reply(200, JSON, query.to_string()),
            _ => Action::Pass,
        }
    });
    state
}

/// The shell at its prompt.
fn prompt(wire: &Wire) -> PtySession {
    let mut terminal = on_terminal(wire.shell(&[]));
    terminal.exp_string("redivis=> ").unwrap();
    terminal
}

fn on_terminal(mut command: Command) -> PtySession {
    command
        .stdin(Stdio::inherit())
        .env("TERM", "xterm")
        .env("NO_COLOR", "1");
    let patience = u64::try_from(PATIENCE.as_millis()).unwrap();
    spawn_command(command, Some(patience)).unwrap()
}

#[test]
fn a_person_who_waits_sees_how_far_it_is() {
    let server = Server::sample();
    let wire = Wire::to(&server);
    let state = answers(&wire);
    let mut terminal = prompt(&wire);
    let sent = Instant::now();
    terminal.send_line(&format!("{SELECT};")).unwrap();
    terminal.exp_string("queued on Redivis, ").unwrap();
    // What is done at once shows nothing.
    assert!(sent.elapsed() >= Duration::from_millis(400));
    state.store(1, Ordering::Relaxed);
    terminal.exp_string("running on Redivis, ").unwrap();
    terminal.exp_string("running on Redivis, 3 s").unwrap();
    state.store(DONE, Ordering::Relaxed);
    // It takes itself away before the result.
    terminal.exp_string("\u{1b}[2K").unwrap();
    let rest = terminal.exp_string("(1 row, ").unwrap();
    assert!(rest.contains("16"), "{rest:?}");
    // The time that it ran there is none of this machine's.
    terminal.exp_string(": Redivis ").unwrap();
    let remote = terminal.exp_string(" s, here ").unwrap();
    assert!(remote.parse::<f64>().unwrap() >= 3.0, "{remote}");
    terminal.send_line("exit").unwrap();
    terminal.exp_eof().unwrap();
}

#[test]
fn it_is_seen_on_the_terminal_while_rows_go_to_a_file_and_never_in_a_log() {
    let server = Server::sample();
    let wire = Wire::to(&server);
    let state = answers(&wire);
    state.store(1, Ordering::Relaxed);
    let command = wire.shell(&["-c", SELECT]);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "\"$0\" \"$@\" > rows.csv; echo over"])
        .arg(command.get_program())
        .args(command.get_args())
        .current_dir(wire.home());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    let mut terminal = on_terminal(shell);
    terminal.exp_string("running on Redivis, ").unwrap();
    state.store(DONE, Ordering::Relaxed);
    terminal.exp_string("over").unwrap();
    terminal.exp_eof().unwrap();
    let rows = std::fs::read_to_string(wire.home().join("rows.csv")).unwrap();
    assert_eq!(rows.lines().last(), Some("16"), "{rows}");

    // A state that nobody knows is no reason to give up, and is told.
    state.store(2, Ordering::Relaxed);
    let mut shell = Running::start(wire.shell(&["--stats", "-c", SELECT]));
    let polls = wire.on("/queries/q1").len();
    wire.wait_for("/queries/q1", |_| wire.on("/queries/q1").len() > polls + 4);
    state.store(DONE, Ordering::Relaxed);
    let status = shell.ends_within(PATIENCE).unwrap();
    let said = shell.said();
    assert_eq!(status.code(), Some(0), "{said}");
    assert_eq!(said.matches("how far /queries/q1 is").count(), 1, "{said}");
    assert!(!said.contains("on Redivis, "), "{said}");
    let stats: serde_json::Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert!(stats["seconds_remote"].as_f64().unwrap() > 1.0, "{said}");
}

#[test]
fn an_interrupt_ends_a_script_and_says_that_the_query_goes_on() {
    let server = Server::sample();
    for known in [true, false] {
        let wire = Wire::to(&server);
        let path = match known {
            true => {
                answers(&wire);
                "/queries/q1"
            }
            false => {
                wire.stall("POST", "/queries", 0);
                "/queries"
            }
        };
        let mut shell = Running::start(wire.shell(&["-c", SELECT, "-c", "SELECT 1"]));
        wire.wait_for(path, |query| query.status.is_some() || query.end.is_some());
        shell.interrupt();
        let status = shell.ends_within(PROMPTLY);
        assert_eq!(status.and_then(|status| status.code()), Some(130));
        let said = shell.said();
        let words = match known {
            true => "queries/q1 goes on at Redivis, which offers no way to cancel a query\n",
            false => "a query had been sent: it may go on at Redivis, ",
        };
        assert!(said.contains(words), "{said}");
        assert!(wire.closes_promptly(), "{:?}", wire.ends());
    }
}

#[test]
fn an_interrupt_gives_the_prompt_back_and_nothing_is_asked_any_more() {
    let server = Server::sample();
    let wire = Wire::to(&server);
    let state = answers(&wire);
    let mut terminal = prompt(&wire);
    terminal
        .send_line(&format!("{SELECT}; SELECT 'not' || 'run';"))
        .unwrap();
    wire.wait_for("/queries/q1", |query| query.end.is_some());
    let pressed = Instant::now();
    terminal.send_control('c').unwrap();
    terminal.exp_string("canceled").unwrap();
    terminal
        .exp_string("queries/q1 goes on at Redivis")
        .unwrap();
    let before = terminal.exp_string("redivis=> ").unwrap();
    assert!(pressed.elapsed() < PROMPTLY, "{:?}", pressed.elapsed());
    assert!(!before.contains("notrun"), "{before:?}");
    let asked = wire.on("/queries").len();
    std::thread::sleep(NEXT_POLL);
    assert_eq!(wire.on("/queries").len(), asked, "{:?}", wire.ends());
    // It is told once, and the same session is as good as before.
    state.store(DONE, Ordering::Relaxed);
    terminal.send_line(&format!("{SELECT};")).unwrap();
    let said = terminal.exp_string("(1 row").unwrap();
    assert!(said.contains("16") && !said.contains("goes on"), "{said:?}");
    terminal.send_line("exit").unwrap();
    terminal.exp_eof().unwrap();
}

#[test]
fn a_limit_stops_waiting_and_says_that_the_query_goes_on() {
    let server = Server::sample();
    let wire = Wire::to(&server);
    answers(&wire);
    let mut shell = Running::start(wire.shell(&["--timeout", "1s", "-c", SELECT]));
    let status = shell.ends_within(PATIENCE).unwrap();
    let said = shell.said();
    assert_eq!(status.code(), Some(4), "{said}");
    assert!(said.contains("queries/q1 goes on at Redivis"), "{said}");
    assert!(said.contains("canceled after 1 s"), "{said}");
}
