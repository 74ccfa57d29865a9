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
    assert!(said.contains("would read 336776 rows, about "), "{said}");
    assert!(said.contains(" of 0 tables\n"), "{said}");
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
