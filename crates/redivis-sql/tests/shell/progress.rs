//! What is seen of a statement that takes its time, and of what it took.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use redivis_server::{Config, Server};

use crate::Sandbox;
use crate::terminal::{Terminal, within};

const FLIGHTS: &str = "demo.nycflights13.flights";

/// A slow line, in both directions: bytes that pass at once, and the pause after them.
const BYTES: usize = 64 * 1024;
const DOWN: Duration = Duration::from_millis(40);
const UP: Duration = Duration::from_millis(20);

/// A slow line to a server. The first answer that is longer than so many bytes breaks there.
fn slow_line(server: String, breaks_after: usize) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let is_whole = Arc::new(AtomicBool::new(true));
    thread::spawn(move || {
        for near in listener.incoming() {
            let near = near.unwrap();
            let far = TcpStream::connect(&server).unwrap();
            let (up, down) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            let is_whole = Arc::clone(&is_whole);
            thread::spawn(move || carry(up, far, UP, |_| true));
            thread::spawn(move || {
                carry(down, near, DOWN, |passed| {
                    passed < breaks_after || !is_whole.swap(false, Ordering::Relaxed)
                });
            });
        }
    });
    port
}

/// Carries bytes until either side has ended, or as many have passed as may.
fn carry(mut from: TcpStream, mut to: TcpStream, pause: Duration, goes_on: impl Fn(usize) -> bool) {
    let (mut buffer, mut passed) = (vec![0; BYTES], 0);
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        passed += read;
        if !goes_on(passed) || to.write_all(&buffer[..read]).is_err() {
            break;
        }
        thread::sleep(pause);
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

/// The sample data behind a slow line, for as long as the work takes.
fn behind_a_slow_line<T>(work: impl FnOnce(&[(&str, &str)]) -> T) -> T {
    behind_a_line_that_breaks(usize::MAX, work)
}

fn behind_a_line_that_breaks<T>(after: usize, work: impl FnOnce(&[(&str, &str)]) -> T) -> T {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(Server::start(Config::sample())).unwrap();
    let address = server.endpoint().strip_prefix("http://").unwrap();
    let (host, path) = address.split_once('/').unwrap();
    let port = slow_line(host.to_owned(), after);
    let endpoint = format!("http://127.0.0.1:{port}/{path}");
    let token = server.token().unwrap_or_default().to_owned();
    let outcome = work(&[
        ("REDIVIS_API_ENDPOINT", &endpoint),
        ("REDIVIS_API_TOKEN", &token),
    ]);
    runtime.block_on(server.stop());
    outcome
}

#[test]
fn a_person_who_waits_is_told_how_far_it_is() {
    behind_a_slow_line(|environment| {
        let sandbox = Sandbox::new();
        let mut terminal = Terminal::open(&sandbox, &[], (120, 40), environment);
        terminal.send(&format!(
            "SELECT count(dep_delay), max(tailnum) FROM {FLIGHTS};"
        ));
        let line = terminal.until(" left");
        let line = line.rsplit(['\r', '\n']).next().unwrap();
        assert!(
            line.contains("% · ") && line.contains(" of 336,776 rows · "),
            "{line:?}"
        );
        assert!(line.contains("B/s · "), "{line:?}");
        // It takes itself away before the result.
        terminal.0.exp_string("\u{1b}[2K").unwrap();
        let shown = terminal.printed();
        let result = shown.rsplit_once("count(dep_delay)").unwrap().1;
        assert!(result.contains("\n           328521 │ "), "{shown:?}");
        assert!(!result.contains(" % · "), "{shown:?}");
        terminal.leave();
    });
}

#[test]
fn progress_is_on_the_terminal_while_rows_go_elsewhere_and_never_in_a_log() {
    behind_a_slow_line(|environment| {
        let sandbox = Sandbox::new();
        let query = format!("SELECT dep_delay, tailnum FROM {FLIGHTS}");
        let script = format!("\"$0\" -c \"{query}\" > rows.csv; echo over");
        let mut command = sandbox.command(&[]);
        command.envs(environment.iter().copied());
        let mut shell = std::process::Command::new("sh");
        shell
            .args(["-c", &script])
            .arg(command.get_program())
            .current_dir(sandbox.path())
            .envs(
                command
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            );
        let mut shell = within(&shell, (100, 24));
        shell.env("TERM", "xterm");
        let mut session = rexpect::session::spawn_command(shell, Some(60_000)).unwrap();
        session.exp_string(" of 336,776 rows ").unwrap();
        session.exp_string("over").unwrap();
        session.exp_eof().unwrap();
        assert_eq!(sandbox.read("rows.csv").lines().count(), 336_777);

        let mut command = sandbox.command(&["-c", &query]);
        command.envs(environment.iter().copied());
        let run = crate::Run::of(command.output().unwrap());
        let said = "unpinned: demo.nycflights13 → :v1_0\n";
        assert_eq!((run.status, run.stderr.as_str()), (Some(0), said));
    });
}

#[test]
fn an_analyzed_plan_is_a_tree_with_what_was_asked_of_redivis() {
    let sandbox = Sandbox::new();
    let query = format!(
        "EXPLAIN ANALYZE SELECT name, count(*) FROM {FLIGHTS} JOIN demo.nycflights13.airlines USING (carrier) \
         WHERE dep_delay > 60 GROUP BY 1"
    );
    let tree = sandbox
        .run(&["--local", "--format", "table", "-c", &query])
        .data();
    let lines: Vec<&str> = tree.lines().collect();
    assert_eq!(lines[0], "    time    %          rows", "{tree}");
    let scan = lines
        .iter()
        .position(|line| line.ends_with("Redivis  demo.nycflights13:v1_0.flights"))
        .unwrap();
    assert!(lines[scan].contains(" 336,776  "), "{tree}");
    assert!(
        lines[scan + 1].ends_with("asked: 1 stream · dep_delay, carrier"),
        "{tree}"
    );
    assert!(
        lines[scan + 2].contains("came:  1 stream · 336,776 rows · "),
        "{tree}"
    );
    assert!(lines[scan + 2].ends_with("B · no retries"), "{tree}");
    assert!(
        lines[scan + 3].contains("time:  waiting ") && lines[scan + 3].contains(" · decoding "),
        "{tree}"
    );
    assert!(tree.contains("├ ") && tree.contains("└ "), "{tree}");
    assert!(lines.last().unwrap().contains(" s in all; "), "{tree}");
    let share = |line: &&str| {
        line.get(9..13)
            .and_then(|share| share.trim().parse::<i32>().ok())
    };
    let shares: i32 = lines[1..].iter().filter_map(share).sum();
    assert!((90..=110).contains(&shares), "{shares}: {tree}");
    // Programs get what DataFusion says, and so does who asks for all of it.
    let csv = sandbox.run(&["--local", "-c", &query]).data();
    assert!(
        csv.starts_with("plan_type,plan\n") && csv.contains("bytes_scanned="),
        "{csv}"
    );
    let verbose = query.replace("ANALYZE", "ANALYZE VERBOSE");
    let text = sandbox
        .run(&["--local", "--format", "table", "-c", &verbose])
        .data();
    assert!(text.contains("bytes_scanned="), "{text}");
    // A copy that is analyzed is made.
    let copy = "EXPLAIN ANALYZE COPY (SELECT 1 AS a) TO 'one.csv'";
    sandbox.run(&["--format", "table", "-c", copy]).data();
    assert_eq!(sandbox.read("one.csv"), "a\n1\n");
    // On a terminal, lines end at its edge.
    let mut terminal = Terminal::open(&sandbox, &["--local"], (60, 60), &[]);
    let tree = terminal.answer(&format!("{query};"));
    assert!(
        tree.lines().all(|line| line.chars().count() <= 60),
        "{tree}"
    );
    assert!(tree.contains("Redivis  demo.ny"), "{tree}");
    terminal.leave();
}

#[test]
fn tables_that_are_made_say_how_far_they_are() {
    behind_a_slow_line(|environment| {
        let sandbox = Sandbox::new();
        let mut terminal = Terminal::open(&sandbox, &[], (120, 40), environment);
        terminal.send(&format!(
            "CREATE TABLE t AS SELECT dep_delay, tailnum FROM {FLIGHTS};"
        ));
        terminal.until(" of 336,776 rows ");
        let said = terminal.printed();
        assert!(said.contains("created t with 336,776 rows"), "{said:?}");
        terminal.leave();
    });
}

#[test]
fn what_is_sent_is_told_until_it_is_read_in() {
    behind_a_slow_line(|environment| {
        let sandbox = Sandbox::new();
        let mut terminal = Terminal::open(&sandbox, &[], (120, 40), environment);
        terminal.answer(r"\create dataset me.zoo");
        terminal.send(
            "CREATE TABLE redivis.'me.zoo:next.t' AS \
             SELECT value, encode(sha256(CAST(value AS TEXT)), 'hex') AS x FROM generate_series(1, 100000);",
        );
        let line = terminal.until("B/s");
        let line = line.rsplit(['\r', '\n']).next().unwrap();
        assert!(
            line.contains("% · sent ") && line.contains("MB of "),
            "{line:?}"
        );
        let said = terminal.printed();
        assert!(
            said.contains("created") && said.contains("with 100,000 rows"),
            "{said:?}"
        );
        terminal.leave();
    });
}

#[test]
fn what_is_said_meanwhile_has_lines_of_its_own() {
    behind_a_line_that_breaks(1_500_000, |environment| {
        let sandbox = Sandbox::new();
        let mut environment = environment.to_vec();
        environment.push(("RUST_LOG", "redivis=debug"));
        let mut terminal = Terminal::open(&sandbox, &[], (120, 40), &environment);
        terminal.send(&format!("SELECT max(tailnum) AS m FROM {FLIGHTS};"));
        let said = terminal.until("trying again");
        assert!(said.contains(" of 336,776 rows "), "{said:?}");
        let line = said.rsplit(['\r', '\n']).next().unwrap();
        let line = line.rsplit("\u{1b}[2K").next().unwrap();
        assert!(line.starts_with("20") && !line.contains("rows"), "{line:?}");
        let shown = terminal.printed();
        assert!(shown.contains("N9EAMQ"), "{shown:?}");
        terminal.leave();
    });
}
