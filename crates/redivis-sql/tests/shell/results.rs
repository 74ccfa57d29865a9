//! What can be done with a result once it is there, and where else it can go.

use crate::Sandbox;
use crate::terminal::{Terminal, timeless};

const FLIGHTS: &str = "demo.nycflights13.flights";

#[test]
fn the_last_result_is_a_table() {
    let sandbox = Sandbox::new();
    let mut terminal = Terminal::open(&sandbox, &["--local"], (100, 40), &[]);
    terminal.answer(r"\timing off");
    let none = terminal.answer(r"\last");
    assert!(none.starts_with("error: there is no result yet"), "{none}");
    terminal.answer(&format!(
        "SELECT carrier, carrier, count(*) FROM {FLIGHTS} GROUP BY 1 ORDER BY 3 DESC LIMIT 3;"
    ));
    // As it was headed, each name once; a failed statement leaves it.
    terminal.answer("SELECT nothing;");
    let shown = terminal.answer(r#"SELECT carrier_1, "count(*)" FROM _ ORDER BY 2;"#);
    assert!(
        shown.contains(
            "\n EV        │    54173\n B6        │    54635\n UA        │    58665\n(3 rows)"
        ),
        "{shown}"
    );
    // Of one that was looked at only, it is the whole.
    terminal.answer(&format!("SELECT month, dep_delay FROM {FLIGHTS};"));
    let shown = terminal.answer("SELECT count(*) AS n, sum(dep_delay) AS d FROM _;");
    assert!(shown.contains("\n 336776 │ 4152200\n"), "{shown}");
    // What is asked of it is the last one then.
    let shown = terminal.answer(r"\last");
    assert!(shown.contains("\n 336776 │ 4152200\n"), "{shown}");
    terminal.answer("SELECT value, 'x' AS x FROM generate_series(1, 1000);");
    assert_eq!(
        terminal.answer(r"\save thousand.parquet"),
        "saved thousand.parquet\n"
    );
    let shown = terminal.answer("SELECT count(*) AS n, max(value) AS m FROM 'thousand.parquet';");
    assert!(shown.contains("\n   1000 │   1000\n"), "{shown}");
    let error = terminal.answer(r"\save thousand");
    assert!(error.contains("end it with .csv"), "{error}");
    let error = terminal.answer(r"\save nowhere/x.csv");
    assert!(error.contains("there is no folder nowhere"), "{error}");
    terminal.leave();
}

#[test]
fn what_had_come_before_control_c_is_kept() {
    let sandbox = Sandbox::new();
    let mut terminal = Terminal::open(&sandbox, &[], (100, 40), &[]);
    terminal.send(
        "SELECT value FROM generate_series(1, 3) UNION ALL SELECT count(*) FROM generate_series(1, 1000000000000);",
    );
    // It computes, so the rows of the first part are there.
    terminal.0.exp_string("working").unwrap();
    terminal.0.send_control('c').unwrap();
    let said = terminal.printed();
    assert!(
        said.contains("3 rows had come: SELECT … FROM _ has them"),
        "{said}"
    );
    assert!(said.contains("canceled"), "{said}");
    let shown = terminal.answer("SELECT sum(value) AS s FROM _;");
    assert!(shown.contains("\n      6\n"), "{shown}");
    terminal.leave();
}

#[test]
fn rows_go_to_files_and_commands() {
    let sandbox = Sandbox::new();
    let mut terminal = Terminal::open(&sandbox, &[], (100, 40), &[]);
    terminal.answer(r"\timing off");
    let rows = "SELECT value AS n FROM generate_series(1, 3)";
    assert_eq!(terminal.answer(&format!(r"{rows} \g some.ndjson")), "");
    assert_eq!(
        sandbox.read("some.ndjson"),
        "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n"
    );
    assert_eq!(
        terminal.answer(&format!(r"{rows} \g | sort -r")),
        "n\n3\n2\n1\n"
    );
    // A command that has seen enough is no error, and what it did not want is not computed.
    let shown =
        terminal.answer(r"SELECT value AS n FROM generate_series(1, 1000000000000) \g | head -n 2");
    assert_eq!(shown, "n\n1\n");
    let error = terminal.answer(&format!(r"{rows} \g | exit 3"));
    assert!(
        error.contains("error: the command ended with exit status: 3"),
        "{error}"
    );
    assert_eq!(
        terminal.answer("SELECT 1 AS a\\G"),
        "── row 1 ────\na │ 1\n(1 row)\n"
    );
    assert_eq!(
        terminal.answer(r"SELECT 2 AS a \gx"),
        "── row 1 ────\na │ 2\n(1 row)\n"
    );
    assert_eq!(
        terminal.answer("SELECT 2 AS a;"),
        "      a\n bigint\n────────\n      2\n(1 row)\n"
    );
    // Everything from now on, and back.
    let said = terminal.answer(r"\o all.csv");
    assert!(said.contains("results go to all.csv"), "{said}");
    assert_eq!(terminal.answer(&format!("{rows};")), "");
    assert_eq!(terminal.answer("SELECT 'x' AS x;"), "");
    assert!(!sandbox.path().join("all.csv").exists());
    assert_eq!(terminal.answer(r"\o"), "results are shown here\n");
    assert_eq!(sandbox.read("all.csv"), "n\n1\n2\n3\nx\nx\n");
    terminal.answer(r"\o | tr a-z A-Z > upper.txt");
    terminal.answer("SELECT 'abc' AS x;");
    // Leaving ends it too.
    terminal.leave();
    assert_eq!(sandbox.read("upper.txt"), "X\nABC\n");
}

#[test]
fn scripts_know_where_rows_go_too() {
    let sandbox = Sandbox::new();
    // What is another word for a command ends in them too.
    let script = "SUMMARIZE demo.nycflights13.airlines \\gx\nCREATE VIEW v AS SELECT 1;\nSHOW TABLES \\G\nSUMMARIZE demo.nycflights13.airlines \\g all.csv";
    let shown = sandbox
        .run_with_input(&["--local", "--format", "vertical"], script)
        .data();
    assert!(
        shown.contains("\nlabel    │ Carrier code\n") && shown.contains("\nname │ v\n"),
        "{shown}"
    );
    assert!(sandbox.read("all.csv").contains("\ncarrier,string,"));
    let script = "SELECT 1 AS a \\g one.csv\nSELECT 2 AS a;\nSELECT 3 AS a \\gx\n";
    let run = sandbox.run_with_input(&[], script);
    assert_eq!(run.data(), "a\n2\na\n3\n");
    assert_eq!(sandbox.read("one.csv"), "a\n1\n");
    let run = sandbox.run(&["-c", "SELECT 1 AS a; SELECT * FROM _"]);
    assert_eq!(run.status, Some(1));
}

#[test]
fn charts_show_the_shape_of_the_last_result() {
    let sandbox = Sandbox::new();
    let mut terminal = Terminal::open(&sandbox, &["--local"], (60, 40), &[]);
    terminal.answer(&format!(
        "SELECT origin, count(*) AS n, avg(month) AS m FROM {FLIGHTS} GROUP BY 1 ORDER BY 1;"
    ));
    let chart = terminal.answer(r"\plot");
    let bar = |filled: usize| "█".repeat(filled);
    assert_eq!(
        chart,
        format!(
            " EWR 120835 │{}\n JFK 111279 │{}▍\n LGA 104662 │{}▉\n",
            bar(46),
            bar(42),
            bar(39)
        ),
        "{chart}"
    );
    terminal.answer("SELECT value AS x, value * value AS y FROM generate_series(0, 100);");
    let chart = terminal.answer(r"\plot X y");
    let lines: Vec<&str> = chart.lines().collect();
    assert_eq!(lines.len(), 14, "{chart}");
    assert!(
        lines[0].starts_with(" 10000 │ ") && lines[11].starts_with("     0 │⣀"),
        "{chart}"
    );
    assert!(
        lines[13].trim().starts_with("0 ") && lines[13].ends_with(" 100"),
        "{chart}"
    );
    let chart = terminal.answer(r"\hist y");
    assert_eq!(chart.lines().count(), 21, "{chart}");
    assert!(chart.starts_with("       [0, 500) 23 │"), "{chart}");
    let error = terminal.answer(r"\hist z");
    assert!(
        error.contains("the last result has no column z; it has x, y"),
        "{error}"
    );
    // Codes in data are shown, not obeyed.
    terminal.answer("SELECT chr(27) || '[2J' AS a, 1 AS b;");
    let chart = terminal.answer(r"\plot");
    assert!(chart.starts_with(r" \u{1b}[2J 1 │"), "{chart:?}");
    terminal.leave();
}

#[test]
fn statements_without_rows_say_what_they_did() {
    let sandbox = Sandbox::new();
    sandbox.write("t.csv", "a\n1\n");
    let mut terminal = Terminal::open(&sandbox, &[], (100, 40), &[]);
    for (statement, said) in [
        ("CREATE TABLE t AS SELECT 1 AS a;", "created t with 1 row\n"),
        ("CREATE VIEW v AS SELECT * FROM t;", "created view v\n"),
        (
            "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION 't.csv';",
            "created table x\n",
        ),
        ("DROP VIEW v;", "dropped view v\n"),
        ("DROP TABLE IF EXISTS none;", "there was no table none\n"),
        ("DROP TABLE t;", "dropped table t\n"),
        ("SET redivis.max_streams = 4;", "redivis.max_streams = 4\n"),
        ("RESET redivis.max_streams;", "redivis.max_streams = 8\n"),
        (
            "SET datafusion.runtime.memory_limit = '1G';",
            "datafusion.runtime.memory_limit = 1G\n",
        ),
        ("PREPARE p AS SELECT 1;", "prepared p\n"),
    ] {
        assert_eq!(terminal.answer(statement), said, "{statement}");
    }
    let shown = terminal.answer("EXECUTE p;");
    assert!(timeless(&shown).contains("(1 row, # s)"), "{shown}");
    terminal.leave();
    // Scripts hear nothing of it.
    let run = sandbox.run(&[
        "-c",
        "CREATE VIEW v AS SELECT 1; DROP VIEW v; SET redivis.max_streams = 4",
    ]);
    assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""));
}
