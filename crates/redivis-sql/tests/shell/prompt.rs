//! The prompt, on a terminal of its own.

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use rexpect::session::{PtySession, spawn_command};

use crate::Sandbox;

pub(crate) const TIMEOUT_MILLISECONDS: u64 = 60_000;

pub(crate) fn start(sandbox: &Sandbox) -> PtySession {
    let mut command = sandbox.command(&[]);
    command
        .stdin(Stdio::inherit())
        .env("TERM", "xterm")
        .env("NO_COLOR", "1");
    let mut session = spawn_command(command, Some(TIMEOUT_MILLISECONDS)).unwrap();
    session.exp_string("redivis=> ").unwrap();
    session
}

#[test]
fn statements_span_lines_and_the_history_keeps_them_private() {
    let sandbox = Sandbox::new();
    let mut session = start(&sandbox);
    session.send_line("SELECT 41 + 1").unwrap();
    session.exp_string("-> ").unwrap();
    session.send_line("AS answer;").unwrap();
    session.exp_string("42").unwrap();
    session.exp_string("(1 row").unwrap();
    session.exp_string("redivis=> ").unwrap();
    session.send_line(" SELECT 'not for the history';").unwrap();
    session.exp_string("(1 row").unwrap();
    session.exp_string("redivis=> ").unwrap();
    session
        .send_line("CREATE EXTERNAL TABLE s STORED AS CSV LOCATION 's3://b/x.csv' OPTIONS ('aws.secret_access_key' 'sEcReT');")
        .unwrap();
    session.exp_string("error: ").unwrap();
    session.exp_string("redivis=> ").unwrap();
    session.send_line("SELECT nothing;").unwrap();
    session.exp_string("error: ").unwrap();
    session.exp_string("redivis=> ").unwrap();
    session.send_line("exit").unwrap();
    session.exp_eof().unwrap();

    let history = sandbox.path().join("state/redivis-sql/history");
    let mode = std::fs::metadata(&history).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = std::fs::read_to_string(&history).unwrap();
    assert!(text.contains("SELECT 41 + 1"), "{text}");
    assert!(!text.contains("not for the history"), "{text}");
    assert!(!text.contains("sEcReT"), "{text}");
}

#[test]
fn control_c_ends_the_statement_and_control_d_the_shell() {
    let sandbox = Sandbox::new();
    let mut session = start(&sandbox);
    // At the prompt it drops what was typed.
    session.send_line("SELECT half").unwrap();
    session.exp_string("-> ").unwrap();
    session.send_control('c').unwrap();
    session.exp_string("redivis=> ").unwrap();
    // The first result says that the terminal is no longer the editor's.
    session
        .send_line("SELECT 'r' || 'eady'; SELECT count(*) FROM generate_series(1, 1000000000000); SELECT 'never' || ' run';")
        .unwrap();
    session.exp_string("ready").unwrap();
    session.exp_string("(1 row").unwrap();
    session.send_control('c').unwrap();
    session.exp_string("canceled").unwrap();
    let between = session.exp_string("redivis=> ").unwrap();
    assert!(!between.contains("never run"), "{between}");
    session.send_line("SELECT 'a' || 'live';").unwrap();
    session.exp_string("alive").unwrap();
    session.exp_string("redivis=> ").unwrap();
    session.send_control('d').unwrap();
    session.exp_eof().unwrap();
}

#[test]
fn the_display_stops_at_its_cap_and_says_so() {
    let sandbox = Sandbox::new();
    let mut session = start(&sandbox);
    session
        .send_line("SELECT value FROM generate_series(1, 1000000000000);")
        .unwrap();
    let table = session.exp_string("rows shown").unwrap();
    assert!(table.contains("40"), "{table}");
    assert!(!table.contains(" 41"), "{table}");
    session.exp_string("redivis=> ").unwrap();
    session.send_control('d').unwrap();
    session.exp_eof().unwrap();
}

#[test]
fn what_is_typed_ahead_is_not_lost() {
    let sandbox = Sandbox::new();
    let mut session = start(&sandbox);
    // As an editor sends a region to its terminal: at once, without the marks of a paste.
    let lines = [
        "SELECT 'fi' || 'rst';",
        "SELECT 'sec' ||",
        "'ond';",
        "\\dt",
        "SELECT 'th' || 'ird';",
        "",
    ];
    session.send(&lines.join("\r")).unwrap();
    session.flush().unwrap();
    for word in ["first", "second", "third"] {
        session.exp_string(word).unwrap();
    }
    // More than the editor reads at once, and while a statement runs.
    let many: Vec<String> = (0..100)
        .map(|n| format!("SELECT 'n' || '{n}' || 'n';\r"))
        .collect();
    session.send(&many.concat()).unwrap();
    session.flush().unwrap();
    for n in 0..100 {
        session.exp_string(&format!("n{n}n")).unwrap();
    }
    session.exp_string("redivis=> ").unwrap();
    session.send_control('d').unwrap();
    session.exp_eof().unwrap();
}

#[test]
fn control_c_drops_what_was_typed_ahead() {
    let sandbox = Sandbox::new();
    let mut session = start(&sandbox);
    let lines = [
        "SELECT 'r' || 'eady';",
        "SELECT count(*) FROM generate_series(1, 1000000000000);",
        "SELECT 'never' || ' run';",
        "",
    ];
    session.send(&lines.join("\r")).unwrap();
    session.flush().unwrap();
    session.exp_string("ready").unwrap();
    session.exp_string("(1 row").unwrap();
    // The editor gives the terminal back with these, and the statement runs.
    session.exp_string("000);").unwrap();
    session.exp_string("\u{1b}[?2004l").unwrap();
    session.send_control('c').unwrap();
    session.exp_string("canceled").unwrap();
    session.exp_string("redivis=> ").unwrap();
    session.send("\x1b[A").unwrap();
    session.flush().unwrap();
    let recalled = session.exp_string("000);").unwrap();
    assert!(!recalled.contains("never run"), "{recalled}");
    session.send_control('c').unwrap();
    let between = session.exp_string("redivis=> ").unwrap();
    assert!(!between.contains("never run"), "{between}");
    session.send_line("SELECT 'a' || 'live';").unwrap();
    let between = session.exp_string("alive").unwrap();
    assert!(!between.contains("never run"), "{between}");
    session.exp_string("redivis=> ").unwrap();
    session.send_control('d').unwrap();
    session.exp_eof().unwrap();
}
