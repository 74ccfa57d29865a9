//! The memory that statements may take: limited by default, divided fairly, and counted also for what stays.

use crate::{Run, Sandbox};

const LIMIT: &str = "SET datafusion.runtime.memory_limit = '20M'";
/// Ten megabytes and some.
const TABLE: &str =
    "SELECT value, value::text || repeat('x', 92) AS text FROM generate_series(1, 100000)";

#[track_caller]
fn run(statements: &[&str]) -> Run {
    let arguments: Vec<&str> = statements.iter().flat_map(|sql| ["-c", sql]).collect();
    Sandbox::new().run(&arguments)
}

#[track_caller]
fn refused(statements: &[&str]) {
    let run = run(statements);
    assert_eq!(run.status, Some(1), "{}", run.stderr);
    for part in [
        "not enough memory",
        "the table t",
        "SET datafusion.runtime.memory_limit =",
    ] {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
}

#[test]
fn memory_is_limited_by_default_and_again_after_a_reset() {
    let show = "SHOW datafusion.runtime.memory_limit";
    let by_default = run(&[show]).data();
    assert!(!by_default.contains("unlimited"), "{by_default}");
    let reset = run(&[LIMIT, show, "RESET datafusion.runtime.memory_limit", show]).data();
    let set = "name,value\ndatafusion.runtime.memory_limit,20M\n";
    assert_eq!(reset, format!("{set}{by_default}"));
}

#[test]
fn an_option_limits_memory_too() {
    let create = format!("CREATE TABLE t AS {TABLE}");
    let limited = |size: &str| {
        let arguments = ["--memory-limit", size, "-c", &create];
        Sandbox::new().run(&arguments)
    };
    let refused = limited("5MB");
    assert_eq!(refused.status, Some(1), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("not enough memory"),
        "{}",
        refused.stderr
    );
    assert_eq!(limited("2GB").status, Some(0));
    for wrong in ["off", "0", "much"] {
        let run = limited(wrong);
        assert_eq!(run.status, Some(2), "{wrong}");
        assert!(
            run.stderr.contains("write a size such as 8GB"),
            "{}",
            run.stderr
        );
    }
}

#[test]
fn tables_in_memory_are_counted() {
    let larger = TABLE.replace("100000", "400000");
    refused(&[LIMIT, &format!("CREATE TABLE t AS {larger}")]);
    let create = format!("CREATE TABLE t AS {TABLE}");
    // Two at once are too much, one after the other are not.
    refused(&[LIMIT, &create.replace("t AS", "u AS"), &create]);
    let run_both = run(&[
        LIMIT,
        &create,
        "DROP TABLE t",
        &create,
        "SELECT count(*) AS n FROM t",
    ]);
    assert_eq!(run_both.data(), "n\n100000\n");
    let replaced = run(&[
        LIMIT,
        "CREATE TABLE t AS SELECT 1 AS a",
        &create.replace("TABLE", "OR REPLACE TABLE"),
    ]);
    assert_eq!(replaced.status, Some(0), "{}", replaced.stderr);
    // What was there before the limit counts as well.
    refused(&[&create.replace("t AS", "u AS"), LIMIT, &create]);
    // So does what is inserted.
    let insert = format!("INSERT INTO t {TABLE}");
    refused(&[LIMIT, &create, &insert]);
    refused(&[
        LIMIT,
        "CREATE TABLE t (value BIGINT, text TEXT)",
        &insert,
        &insert,
    ]);
}

#[test]
fn tables_in_memory_are_tables_like_others() {
    let run = run(&[
        "CREATE TABLE t (a INT DEFAULT 7, b TEXT)",
        "INSERT INTO t (b) VALUES ('x'), ('y')",
        "CREATE TABLE IF NOT EXISTS t AS SELECT 1 AS other",
        "DELETE FROM t WHERE b = 'x'",
        "UPDATE t SET b = 'z'",
        "SELECT * FROM t",
        "\\dt",
        "CREATE TABLE u AS SELECT a.a, b.b FROM t a JOIN t b USING (a)",
        "SELECT * FROM u",
    ]);
    assert_eq!(run.data(), "a,b\n7,z\nname,kind,rows\nt,local,\na,b\n7,z\n");
}

#[test]
fn a_sort_beyond_the_limit_spills() {
    let sql = "SELECT max(place) AS n FROM (SELECT row_number() OVER (ORDER BY text) AS place FROM \
               (SELECT repeat('x', 92) || value::text AS text FROM generate_series(1, 1000000)))";
    let run = run(&["SET datafusion.runtime.memory_limit = '150M'", sql]);
    assert_eq!(run.data(), "n\n1000000\n");
}

#[test]
fn what_cannot_spill_says_which_knob_to_turn() {
    let sql = format!("SELECT count(*) FROM ({TABLE}) a JOIN ({TABLE}) b USING (text)");
    let run = run(&[LIMIT.replace("20M", "5M").as_str(), &sql]);
    assert_eq!(run.status, Some(1), "{}", run.stderr);
    for part in [
        "not enough memory",
        "fair",
        "SET datafusion.runtime.memory_limit =",
    ] {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
    assert!(run.stderr.lines().count() <= 6, "{}", run.stderr);
}
