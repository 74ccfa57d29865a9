//! What a statement would read, which versions it read, and what is told of that.

use crate::Sandbox;

const FLIGHTS: &str = "SELECT carrier, dep_delay FROM demo.nycflights13.flights";

#[test]
fn a_dry_run_tells_what_would_be_read() {
    let sandbox = Sandbox::new();
    sandbox.write("out.csv", "old\n");
    let copy = format!("COPY ({FLIGHTS}) TO 'out.csv'");
    let run = sandbox.run(&[
        "--local",
        "--dry-run",
        "--format",
        "ndjson",
        "-c",
        FLIGHTS,
        "-c",
        &copy,
        "-c",
        "CREATE VIEW v AS SELECT a.name FROM demo.nycflights13.flights JOIN demo.nycflights13.airlines a USING (carrier) LIMIT 10",
        "-c",
        "CREATE TABLE t AS SELECT origin FROM demo.nycflights13.flights",
        "-c",
        "SELECT * FROM v JOIN t ON name = origin",
        "-c",
        "SELECT 1",
    ]);
    let said = run.stderr.clone();
    let data = run.data();
    let reads: Vec<serde_json::Value> = data
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(reads[0]["table"], "demo.nycflights13:v1_0.flights");
    assert_eq!(reads[0]["variables"], "carrier, dep_delay");
    assert_eq!(reads[0]["rows"], 336_776);
    let bytes = reads[0]["bytes"].as_u64().unwrap();
    assert!((1_000_000..20_000_000).contains(&bytes), "{bytes}");
    assert_eq!(reads[1], reads[0], "{data}");
    assert_eq!(reads[2]["variables"], "origin");
    // The view's tables; the table was made without rows.
    assert_eq!(reads.len(), 5, "{data}");
    assert!(said.contains("would read 336,776 rows, about "), "{said}");
    assert!(said.contains("of 0 tables\n"), "{said}");
    assert_eq!(sandbox.read("out.csv"), "old\n");
    let command = sandbox.run(&["--local", "-c", &format!("\\dry {FLIGHTS} LIMIT 10;")]);
    let told = command.data();
    assert!(
        told.starts_with(
            "table,variables,rows,bytes\ndemo.nycflights13:v1_0.flights,\"carrier, dep_delay\",10,"
        ),
        "{told}"
    );
    let query = sandbox.run(&[
        "--local",
        "--dry-run",
        "-c",
        "SELECT * FROM redivis_query('SELECT 1 AS a')",
    ]);
    assert_eq!(query.status, Some(1));
    assert!(
        query.stderr.contains("known once it has run on Redivis"),
        "{}",
        query.stderr
    );
}

#[test]
fn versions_that_were_not_named_are_told_once_where_rows_are_kept() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&[
        "--local",
        "-c",
        FLIGHTS,
        "-c",
        FLIGHTS,
        "-c",
        "SELECT * FROM demo.nycflights13.airlines",
    ]);
    let notes: Vec<&str> = run.stderr.lines().skip(1).collect();
    assert_eq!(notes, ["unpinned: demo.nycflights13 → :v1_0"]);
    for arguments in [
        &["--local", "-q", "-c", FLIGHTS] as &[&str],
        &[
            "--local",
            "-c",
            "SELECT * FROM redivis.'demo.nycflights13:v1_0.airlines'",
        ],
        &[
            "--local",
            "--dataset",
            "demo.nycflights13:v1_0",
            "-c",
            "SELECT * FROM airlines",
        ],
        &["--local", "-c", "SELECT 1"],
    ] {
        let run = sandbox.run(arguments);
        assert!(
            !run.stderr.contains("unpinned"),
            "{arguments:?}: {}",
            run.stderr
        );
    }
}

#[test]
fn a_version_may_be_required() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&[
        "--local",
        "-q",
        "--require-pinned",
        "-c",
        "SELECT 1 AS a",
        "-c",
        FLIGHTS,
    ]);
    assert_eq!((run.status, run.stdout.as_str()), (Some(1), "a\n1\n"));
    assert_eq!(
        run.stderr,
        "error: 'demo.nycflights13.flights' is named without its version, which --require-pinned asks for\n  \
         hint: the current one is redivis.'demo.nycflights13:v1_0.flights'\n   |\n 1 | SELECT carrier, dep_delay FROM demo.nycflights13.flights\n   \
         |                                ^^^^^^^^^^^^^^^^^^^^^^^^^\n"
    );
    for sql in [
        "SELECT count(*) AS n FROM redivis.'demo.nycflights13:v1_0.airlines'",
        "SELECT count(*) AS n FROM demo.\"nycflights13:v1_0\".airlines",
        "SELECT count(*) AS n FROM redivis('demo.nycflights13:v1_0.airlines')",
    ] {
        assert_eq!(
            sandbox
                .run(&["--local", "--require-pinned", "-c", sql])
                .data(),
            "n\n16\n"
        );
    }
    for sql in [
        "SELECT count(*) AS n FROM redivis.'demo.nycflights13:current.airlines'",
        "SELECT 1 WHERE EXISTS (SELECT * FROM demo.nycflights13.airlines)",
        "CREATE TABLE t AS SELECT * FROM demo.nycflights13.airlines",
        "COPY (SELECT * FROM demo.nycflights13.airlines) TO 'x.csv'",
    ] {
        let run = sandbox.run(&["--local", "--require-pinned", "-c", sql]);
        assert_eq!(run.status, Some(1), "{sql}: {}", run.stderr);
    }
    let registered = sandbox.run(&[
        "--local",
        "--require-pinned",
        "-r",
        "f=demo.nycflights13:v1_0.airlines",
        "-c",
        "SELECT count(*) AS n FROM f",
    ]);
    assert_eq!(registered.data(), "n\n16\n");
}

#[test]
fn programs_read_what_a_statement_took() {
    let sandbox = Sandbox::new();
    sandbox.write("s.sql", "SELECT carrier FROM demo.nycflights13.airlines;\n\\set x 1\n  SELECT nothing;\nCREATE TABLE t AS SELECT origin FROM demo.nycflights13.flights;\nCOPY (SELECT 1) TO 'x.csv';\n");
    let (run, lines) = sandbox.told(&["--stats"]);
    assert_eq!(run.stdout.lines().count(), 17);
    let stats: Vec<&serde_json::Value> = lines
        .iter()
        .filter(|line| line["statement"].is_u64())
        .collect();
    assert_eq!(stats.len(), 4, "{}", run.stderr);
    let read = &stats[0];
    assert_eq!(
        (&read["file"], &read["line"], &read["status"]),
        (&"s.sql".into(), &1.into(), &0.into())
    );
    assert_eq!(read["rows"], 16);
    assert_eq!(read["read"][0]["table"], "demo.nycflights13:v1_0.airlines");
    assert_eq!(read["read"][0]["variables"], serde_json::json!(["carrier"]));
    assert_eq!(read["read"][0]["rows"], 16);
    assert_eq!(read["bytes"], read["read"][0]["bytes"]);
    assert!(read["bytes"].as_u64().unwrap() > 0, "{read}");
    let parts = read["seconds_remote"].as_f64().unwrap() + read["seconds_local"].as_f64().unwrap();
    assert!(
        (parts - read["seconds"].as_f64().unwrap()).abs() < 0.005,
        "{read}"
    );
    assert_eq!(
        (&stats[1]["line"], &stats[1]["status"], &stats[1]["rows"]),
        (&3.into(), &1.into(), &serde_json::Value::Null)
    );
    assert_eq!(stats[2]["read"][0]["rows"], 336_776);
    assert_eq!(stats[2]["rows"], 336_776);
    assert_eq!(
        (&stats[3]["rows"], &stats[3]["read"]),
        (&1.into(), &serde_json::json!([]))
    );
    let without = sandbox.run(&["-c", "SELECT 1"]);
    assert_eq!(without.stderr, "");
}

#[cfg(unix)]
#[test]
fn the_prompt_asks_before_it_reads_much() {
    let sandbox = Sandbox::new();
    std::fs::create_dir_all(sandbox.path().join("config/redivis-sql")).unwrap();
    sandbox.write(
        "config/redivis-sql/config.toml",
        "ask_above = \"100kB\"\nnull = \"nothing\"\n",
    );
    let mut command = sandbox.command(&["--local"]);
    command
        .stdin(std::process::Stdio::inherit())
        .env("TERM", "xterm")
        .env("NO_COLOR", "1");
    let mut session = rexpect::session::spawn_command(command, Some(60_000)).unwrap();
    session.exp_string("redivis=> ").unwrap();
    // Little is read at once, and so is what a screen takes of much.
    session
        .send_line("SELECT carrier, NULL AS x FROM demo.nycflights13.flights;")
        .unwrap();
    session.exp_string("nothing").unwrap();
    session.exp_string("redivis=> ").unwrap();
    let much = "SELECT sum(length(carrier)) AS letters FROM demo.nycflights13.flights;";
    session.send_line(much).unwrap();
    session
        .exp_string("this would read 336,776 rows, about ")
        .unwrap();
    session.exp_string("go on? [y/N] ").unwrap();
    session.send_line("n").unwrap();
    let before = session.exp_string("redivis=> ").unwrap();
    assert!(!before.contains("673"), "{before}");
    session.send_line(much).unwrap();
    session.exp_string("go on? [y/N] ").unwrap();
    session.send_line("y").unwrap();
    session.exp_string("673").unwrap();
    session.exp_string("redivis=> ").unwrap();
    // So does what keeps it.
    session
        .send_line("CREATE TABLE kept AS SELECT carrier FROM demo.nycflights13.flights;")
        .unwrap();
    session.exp_string("go on? [y/N] ").unwrap();
    session.send_control('c').unwrap();
    session.exp_string("redivis=> ").unwrap();
    session.send_control('d').unwrap();
    session.exp_eof().unwrap();
    // A script is asked nothing.
    assert!(sandbox.run(&["--local", "-c", much]).data().contains("673"));
}

#[test]
fn queries_on_redivis_are_pinned_by_the_tables_in_their_text() {
    let sandbox = Sandbox::new();
    let query =
        |table: &str| format!("SELECT count(*) AS n FROM redivis_query('SELECT * FROM `{table}`')");
    let (current, pinned) = (
        query("demo.nycflights13.airlines"),
        query("demo.nycflights13:v1_0.airlines"),
    );
    let run = sandbox.run(&["--local", "-c", &current, "-c", &current]);
    let notes: Vec<&str> = run.stderr.lines().skip(1).collect();
    assert_eq!(notes, ["unpinned: redivis_query → what is current"]);
    let run = sandbox.run(&["--local", "-c", &pinned]);
    assert!(!run.stderr.contains("unpinned"), "{}", run.stderr);
    let required = ["--local", "--require-pinned", "-c"];
    let run = sandbox.run(&[&required[..], &[&pinned]].concat());
    assert_eq!(run.data(), "n\n16\n");
    let run = sandbox.run(&[&required[..], &[&current]].concat());
    assert_eq!((run.status, run.stdout.as_str()), (Some(1), ""));
    assert!(
        run.stderr
            .contains("redivis_query names a table without its version"),
        "{}",
        run.stderr
    );
}
