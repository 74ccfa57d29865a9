//! Scripts: where statements come from, in which order they run, and where rows go.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use crate::{Run, Sandbox, sql};

#[test]
fn a_join_of_remote_tables_gives_the_sixteen_airlines() {
    let rows = sql(
        "SELECT a.name, round(avg(f.arr_delay), 2) AS mean_delay FROM redivis.'demo.nycflights13.flights' f \
         JOIN redivis.'demo.nycflights13.airlines' a USING (carrier) GROUP BY 1 ORDER BY 2 DESC",
    );
    let lines: Vec<&str> = rows.lines().collect();
    assert_eq!(lines.len(), 17);
    assert_eq!(lines[0], "name,mean_delay");
    assert_eq!(lines[1], "Frontier Airlines Inc.,21.92");
    assert_eq!(lines[16], "Alaska Airlines Inc.,-9.93");
}

#[test]
fn sources_run_in_the_order_given() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "two.sql",
        "-- a comment; not a statement\nSELECT 2 AS n;\nSELECT 3 AS n",
    );
    let run = sandbox.run_with_input(
        &[
            "-c",
            "SELECT 1 AS n",
            "-f",
            "two.sql",
            "-c",
            "SELECT 4 AS n; SELECT 5 AS n;",
            "-f",
            "-",
        ],
        "SELECT 6 AS n;",
    );
    assert_eq!(run.data(), "n\n1\nn\n2\nn\n3\nn\n4\nn\n5\nn\n6\n");
}

#[test]
fn standard_input_is_read_when_nothing_else_is_given() {
    let sandbox = Sandbox::new();
    let run = sandbox.run_with_input(&[], "SELECT ';' AS a; -- it's\n\\q\nSELECT 2;");
    assert_eq!(run.data(), "a\n;\n");
}

#[test]
fn answers_come_while_standard_input_is_open() {
    let sandbox = Sandbox::new();
    let mut child = sandbox
        .command(&[])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    std::io::Write::write_all(&mut input, b"SELECT 1 AS a;\n").unwrap();
    let mut lines = String::new();
    output.read_line(&mut lines).unwrap();
    output.read_line(&mut lines).unwrap();
    assert_eq!(lines, "a\n1\n");
    drop(input);
    assert!(child.wait().unwrap().success());
}

#[test]
fn standard_output_carries_data_only() {
    let run = Sandbox::new().run(&[
        "--local",
        "-c",
        "CREATE VIEW v AS SELECT 1 AS a",
        "-c",
        "SET datafusion.execution.batch_size = 100",
        "-c",
        "SELECT a FROM v",
    ]);
    assert!(run.stderr.contains("sample data"), "{}", run.stderr);
    assert_eq!(run.data(), "a\n1\n");
}

#[test]
fn the_session_outlives_a_statement() {
    let out = Sandbox::new().run(&[
        "--local",
        "-r",
        "f=demo.nycflights13.flights",
        "-c",
        "\\register airlines demo.nycflights13.airlines",
        "-c",
        "SELECT (SELECT count(*) FROM f) AS flights, (SELECT count(*) FROM airlines) AS airlines",
        "-c",
        "\\dt",
    ]);
    assert_eq!(
        out.data(),
        "flights,airlines\n336776,16\nname,kind,rows\nairlines,redivis,16\nf,redivis,336776\n"
    );
}

#[test]
fn default_datasets_come_from_the_environment() {
    let sandbox = Sandbox::new();
    let output = sandbox
        .command(&["--local", "-c", "SELECT count(*) AS n FROM airlines"])
        .env("REDIVIS_DEFAULT_DATASET", "demo.nycflights13")
        .output()
        .unwrap();
    assert_eq!(Run::of(output).data(), "n\n16\n");
}

#[test]
fn copy_writes_local_files_and_says_how_many_rows() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&[
        "--local",
        "-c",
        "COPY (SELECT * FROM `demo.nycflights13.airlines`) TO 'airlines.parquet'",
        "-c",
        "CREATE EXTERNAL TABLE local STORED AS PARQUET LOCATION 'airlines.parquet'",
        "-c",
        "SELECT count(*) AS n, (SELECT count(*) FROM local) AS m FROM 'airlines.parquet'",
    ]);
    assert!(run.stderr.contains("copied 16 rows"), "{}", run.stderr);
    assert_eq!(run.data(), "n,m\n16,16\n");
}

#[test]
fn tables_are_described_with_labels() {
    let description = sql("\\d demo.nycflights13.airlines");
    let lines: Vec<&str> = description.lines().collect();
    assert_eq!(lines[0], "name,type,label,arrow_type");
    assert_eq!(lines[1], "carrier,string,Carrier code,Utf8");
    assert_eq!(sql("\\d redivis.'demo.nycflights13.airlines'"), description);
    let listing = sql("\\dt demo.nycflights13");
    assert_eq!(listing.lines().count(), 6, "{listing}");
    assert!(listing.contains("flights,336776,"), "{listing}");
}

#[test]
fn tables_are_described_with_what_their_values_mean() {
    let run = Sandbox::new().run(&[
        "--local",
        "--format",
        "ndjson",
        "-r",
        "places=demo.nycflights13.airports",
        "-c",
        "\\d+ places",
        "-c",
        "\\d+ `demo.nycflights13.airports`",
    ]);
    let data = run.data();
    let lines: Vec<&str> = data.lines().collect();
    assert_eq!(lines.len(), 16, "{data}");
    assert_eq!(lines[..8], lines[8..]);
    let dst: serde_json::Value = serde_json::from_str(lines[6]).unwrap();
    assert_eq!(
        dst["description"],
        "Which daylight saving time the airport observes."
    );
    assert_eq!(
        dst["value_labels"],
        r#"{"A":"US daylight saving time","U":"Unknown","N":"No daylight saving time"}"#
    );
}

#[test]
fn an_output_file_appears_only_when_all_is_done() {
    let sandbox = Sandbox::new();
    sandbox.write("out.csv", "old\n");
    let failed = sandbox.run(&[
        "-o",
        "out.csv",
        "-c",
        "SELECT 1 AS a",
        "-c",
        "SELECT nothing",
    ]);
    assert_eq!(failed.status, Some(1));
    assert_eq!(sandbox.read("out.csv"), "old\n");
    assert_eq!(sandbox.names(), ["out.csv"]);

    let run = sandbox.run(&["-o", "out.csv", "-c", "SELECT 1 AS a"]);
    assert_eq!(run.data(), "");
    assert_eq!(sandbox.read("out.csv"), "a\n1\n");
    assert_eq!(sandbox.names(), ["out.csv"]);
}

/// Rows without end, for what stops them.
const ENDLESS: &str = "SELECT value FROM generate_series(1, 1000000000000)";

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let sandbox = Sandbox::new();
    let mut child = sandbox
        .command(&["-c", ENDLESS])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert_eq!(line, "value\n");
    drop(output);
    let mut stderr = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut stderr)
        .unwrap();
    assert_eq!(stderr, "");
    assert_eq!(child.wait().unwrap().code(), Some(141));
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_a_script_with_130() {
    let sandbox = Sandbox::new();
    let mut child = sandbox
        .command(&["-o", "out.csv", "-c", "\\dt", "-c", ENDLESS])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // The statement runs once rows are on their way to the temporary file.
    let started = std::time::Instant::now();
    let growing = || {
        std::fs::read_dir(sandbox.path()).unwrap().any(|entry| {
            entry
                .unwrap()
                .metadata()
                .is_ok_and(|metadata| metadata.len() > 100_000)
        })
    };
    while !growing() {
        assert!(started.elapsed().as_secs() < 60, "no rows");
        std::thread::yield_now();
    }
    let interrupted = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(interrupted.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(sandbox.names(), Vec::<String>::new());
}
