//! Every output format, with values that tempt it to lie.

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

use crate::Sandbox;

const VALUES: &str = "SELECT * FROM (VALUES \
    (1, 'plain', 1.5, TIMESTAMP '2013-01-01 05:00:00', true), \
    (2, '', 0.1, TIMESTAMP '2013-01-01 05:00:00.123456', false), \
    (NULL, NULL, NULL, NULL, NULL), \
    (9007199254740993, 'a,\"b\"\nc', 1e300, NULL, true)) AS t(i, s, f, t, b)";
const EMPTY: &str = "SELECT 1 AS a, 'x' AS b WHERE false";

#[track_caller]
fn print(format: &str, sql: &str) -> String {
    Sandbox::new().run(&["--format", format, "-c", sql]).data()
}

#[test]
fn csv_keeps_null_and_the_empty_string_apart() {
    assert_eq!(
        print("csv", VALUES),
        "i,s,f,t,b\n\
         1,plain,1.5,2013-01-01 05:00:00,true\n\
         2,\"\",0.1,2013-01-01 05:00:00.123456,false\n\
         ,,,,\n\
         9007199254740993,\"a,\"\"b\"\"\nc\",1e300,,true\n"
    );
    assert_eq!(print("csv", EMPTY), "a,b\n");
    // A line with nothing on it would be skipped by most readers.
    assert_eq!(print("csv", "SELECT NULL AS a"), "a\n\"\"\n");
    // So a single column has two values that look alike, which is said where it has both.
    for (values, both) in [
        ("(NULL), ('')", true),
        ("(NULL), ('x')", false),
        ("('')", false),
    ] {
        let sql = format!("SELECT * FROM (VALUES {values}) AS t(a)");
        let run = Sandbox::new().run(&["-c", &sql]);
        assert_eq!(
            run.stderr.contains("are written alike"),
            both,
            "{}",
            run.stderr
        );
    }
    assert_eq!(
        print("tsv", "SELECT 1 AS a, 'x\ty' AS b"),
        "a\tb\n1\t\"x\ty\"\n"
    );
    assert_eq!(
        print("csv", "SELECT [1, NULL] AS a, {x: 'y'} AS b"),
        "a,b\n\"[1,null]\",\"{\"\"x\"\":\"\"y\"\"}\"\n"
    );
}

#[test]
fn json_is_one_array_per_result_with_explicit_nulls() {
    let rows: Value = serde_json::from_str(&print("json", VALUES)).unwrap();
    assert_eq!(
        rows[1],
        json!({"i": 2, "s": "", "f": 0.1, "t": "2013-01-01 05:00:00.123456", "b": false})
    );
    assert_eq!(
        rows[2],
        json!({"i": null, "s": null, "f": null, "t": null, "b": null})
    );
    assert_eq!(rows[3]["i"], json!(9_007_199_254_740_993_i64));
    assert_eq!(rows[3]["f"], json!(1e300));
    assert_eq!(print("json", EMPTY), "[]\n");
    let two = print("json", "SELECT 1 AS a; SELECT 2 AS a");
    assert_eq!(two, "[{\"a\":1}]\n[{\"a\":2}]\n");
    // In an object, a name means one column.
    let twice = print(
        "json",
        "SELECT x.a, y.a FROM (SELECT 1 AS a) x, (SELECT 2 AS a) y",
    );
    assert_eq!(twice, "[{\"a\":1,\"a_1\":2}]\n");
}

#[test]
fn ndjson_is_one_object_per_line() {
    let lines: Vec<Value> = print("ndjson", VALUES)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[3]["s"], json!("a,\"b\"\nc"));
    assert_eq!(print("ndjson", EMPTY), "");
}

#[test]
fn display_formats_show_nulls_and_obey_nothing() {
    let table = print(
        "table",
        "SELECT 'x' || chr(27) || '[2J' AS a, NULL AS b, 21.92 AS c",
    );
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(
        lines,
        [
            " a          │ b    │     c",
            "────────────┼──────┼───────",
            " x\\u{1b}[2J │ NULL │ 21.92"
        ]
    );
    assert_eq!(print("table", EMPTY), " a │ b\n───┼───\n");
    assert_eq!(
        print("markdown", "SELECT 1 AS a, 'x|y\nz' AS b, NULL AS c"),
        "| a | b | c |\n| ---: | --- | --- |\n| 1 | x\\|y<br>z | NULL |\n"
    );
    assert_eq!(
        print("vertical", "SELECT 1 AS a, 'x\ny' AS long"),
        "── row 1 ───────\na    │ 1\nlong │ x\n     │ y\n"
    );
}

#[test]
fn a_table_in_a_pipe_has_every_row() {
    let table = print("table", "SELECT value FROM generate_series(1, 5000)");
    assert_eq!(table.lines().count(), 5002);
}

#[test]
fn plans_are_text() {
    let plan = print("table", "EXPLAIN SELECT 1 AS a");
    assert!(plan.starts_with("logical_plan\n  Projection: "), "{plan}");
    let plan = print(
        "table",
        "EXPLAIN ANALYZE VERBOSE SELECT count(*) FROM generate_series(1, 10)",
    );
    assert!(plan.contains("output_rows=1"), "{plan}");
}

#[test]
fn files_read_back_as_they_were_written() {
    let sandbox = Sandbox::new();
    let csv = |sql: &str| sandbox.run(&["--format", "csv", "-c", sql]).data();
    let expected = csv(VALUES);
    for name in ["rows.parquet", "rows.arrow"] {
        assert_eq!(sandbox.run(&["-o", name, "-c", VALUES]).data(), "");
        assert_eq!(csv(&format!("SELECT * FROM '{name}'")), expected, "{name}");
        assert_eq!(sandbox.run(&["-o", name, "-c", EMPTY]).data(), "");
        assert_eq!(csv(&format!("SELECT * FROM '{name}'")), "a,b\n", "{name}");
    }
}

#[test]
fn labels_travel_into_files() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&[
        "--local",
        "-o",
        "flights.parquet",
        "-c",
        "SELECT carrier, arr_delay FROM redivis.'demo.nycflights13.flights' LIMIT 10",
    ]);
    assert_eq!(run.data(), "");
    let file = std::fs::File::open(sandbox.path().join("flights.parquet")).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let carrier = reader.schema().field_with_name("carrier").unwrap();
    assert_eq!(carrier.metadata()["redivis.type"], "string");
    assert_eq!(carrier.metadata()["redivis.label"], "Carrier code");
}
