//! What is seen of a statement that takes its time, and of what it took.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use redivis_server::{Config, Server};

use crate::Sandbox;
use crate::terminal::{Terminal, within};

const FLIGHTS: &str = "demo.nycflights13.flights";

/// A line to a server that sends so many bytes at once and then pauses.
fn slow_line(server: String, bytes: usize, pause: Duration) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for near in listener.incoming() {
            let near = near.unwrap();
            let far = TcpStream::connect(&server).unwrap();
            let (up, down) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            thread::spawn(move || carry(up, far, 64 * 1024, Duration::ZERO));
            thread::spawn(move || carry(down, near, bytes, pause));
        }
    });
    port
}

/// Carries bytes until either side has ended.
fn carry(mut from: TcpStream, mut to: TcpStream, bytes: usize, pause: Duration) {
    let mut buffer = vec![0; bytes];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
        thread::sleep(pause);
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

/// The sample data behind a slow line, for as long as the work takes.
fn behind_a_slow_line<T>(work: impl FnOnce(&[(&str, &str)]) -> T) -> T {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(Server::start(Config::sample())).unwrap();
    let address = server.endpoint().strip_prefix("http://").unwrap();
    let (host, path) = address.split_once('/').unwrap();
    let port = slow_line(host.to_owned(), 64 * 1024, Duration::from_millis(40));
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
