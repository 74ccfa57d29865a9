//! What people paste from BigQuery: it means what it means there, or it is refused with what to write.

use crate::server::Private;
use crate::{Run, Sandbox};

/// Values that both are asked for: the shell, and a server that runs BigQuery's dialect.
const VALUES: &[&str] = &[
    "CAST('12' AS INT64)",
    "CAST(2.5 AS INT64)",
    "CAST(-2.5 AS INT64)",
    "CAST(1.4 AS INT64)",
    "SAFE_CAST('x' AS INT64)",
    "SAFE_CAST('1.5' AS FLOAT64)",
    "SAFE_CAST('12' AS INT64)",
    "CAST(true AS INT64)",
    "CAST(NULL AS INT64)",
    "CAST(12 AS STRING)",
    "CAST('true' AS BOOL)",
    "IF(1 > 2, 'a', 'b')",
    "IF(NULL, 'a', 'b')",
    "IFNULL(NULL, 3)",
    "SAFE_DIVIDE(1, 4)",
    "SAFE_DIVIDE(1, 0)",
    "SAFE_DIVIDE(NULL, 1)",
    "MOD(-7, 3)",
    "DIV(-7, 3)",
    "DATE_DIFF(DATE '2024-03-01', DATE '2024-02-01', DAY)",
    "DATE_DIFF(DATE '2024-03-03', DATE '2024-03-02', WEEK)",
    "DATE_DIFF(DATE '2024-03-03', DATE '2024-03-02', WEEK(MONDAY))",
    "DATE_DIFF(DATE '2024-03-04', DATE '2024-03-03', ISOWEEK)",
    "DATE_DIFF(DATE '1969-12-27', DATE '1970-01-04', WEEK)",
    "DATE_DIFF(DATE '2024-01-31', DATE '2024-02-01', MONTH)",
    "DATE_DIFF(DATE '2025-01-01', DATE '2024-12-31', YEAR)",
    "DATE_DIFF(DATE '2024-12-31', DATE '2024-01-01', QUARTER)",
    "DATE_DIFF(DATE '2024-12-30', DATE '2024-12-29', ISOYEAR)",
    "DATE_DIFF(NULL, DATE '2024-12-29', DAY)",
    "DATETIME_DIFF(DATETIME '2024-01-02 00:00:00', DATETIME '2024-01-01 23:59:59', DAY)",
    "DATETIME_DIFF(DATETIME '2024-01-02 00:00:00', DATETIME '2024-01-01 23:59:59', HOUR)",
    "DATETIME_DIFF(DATETIME '1969-12-31 23:59:59', DATETIME '1970-01-01 00:00:01', MINUTE)",
    "TIMESTAMP_DIFF(TIMESTAMP '2024-01-02 00:00:00', TIMESTAMP '2024-01-01 23:30:00', HOUR)",
    "TIMESTAMP_DIFF(TIMESTAMP '2024-01-01 00:00:00', TIMESTAMP '2024-01-02 12:30:00', DAY)",
    "DATE_ADD(DATE '2024-01-31', INTERVAL 1 MONTH)",
    "DATE_ADD(DATE '2024-02-29', INTERVAL 1 YEAR)",
    "DATE_ADD(DATE '2024-02-29', INTERVAL -1 QUARTER)",
    "DATE_ADD(DATE '2024-02-29', INTERVAL 2 WEEK)",
    "DATE_SUB(DATE '2024-03-01', INTERVAL 1 DAY)",
    "DATE_SUB(DATE '0001-03-01', INTERVAL (1 + 1) DAY)",
    "DATETIME_ADD(DATETIME '2024-01-31 10:00:00', INTERVAL 90 MINUTE)",
    "DATETIME_SUB(DATETIME '2024-03-31 10:00:00', INTERVAL 1 MONTH)",
    "DATE_TRUNC(DATE '2024-05-15', MONTH)",
    "DATE_TRUNC(DATE '2024-05-15', QUARTER)",
    "DATE_TRUNC(DATE '2024-05-15', YEAR)",
    "DATE_TRUNC(DATE '2024-05-15', WEEK)",
    "DATE_TRUNC(DATE '2024-05-12', WEEK)",
    "DATE_TRUNC(DATE '2024-05-12', WEEK(MONDAY))",
    "DATE_TRUNC(DATE '2024-05-12', ISOWEEK)",
    "DATE_TRUNC(DATE '0001-05-12', MONTH)",
    "DATE_TRUNC(DATE '9999-12-31', YEAR)",
    "DATETIME_TRUNC(DATETIME '2024-05-15 10:11:12', HOUR)",
    "DATETIME_TRUNC(DATETIME '2024-05-15 10:11:12', WEEK)",
    "LAST_DAY(DATE '2024-02-03')",
    "EXTRACT(DAYOFWEEK FROM DATE '2024-05-12')",
    "EXTRACT(DAYOFYEAR FROM DATE '2024-05-12')",
    "EXTRACT(ISOWEEK FROM DATE '2024-12-30')",
    "EXTRACT(ISOYEAR FROM DATE '2024-12-30')",
    "EXTRACT(QUARTER FROM DATE '2024-12-30')",
    "EXTRACT(WEEK(MONDAY) FROM DATE '2024-01-07')",
    "EXTRACT(WEEK(SUNDAY) FROM DATE '2024-01-07')",
    "EXTRACT(WEEK(SUNDAY) FROM DATE '2023-01-01')",
    "DATE(2024, 2, 29)",
    "FORMAT_DATE('%d.%m.%Y %b %A', DATE '2024-02-09')",
    "PARSE_DATE('%Y/%m/%d', '2024/02/09')",
    "REGEXP_CONTAINS('abc', r'^a.c$')",
    "REGEXP_CONTAINS(NULL, 'a')",
    "REGEXP_EXTRACT('key=value', r'=(\\w+)')",
    "REGEXP_EXTRACT('key', '=')",
    "STARTS_WITH('abc', 'ab')",
    "ENDS_WITH('abc', 'ab')",
    "SPLIT('a,b,c')[OFFSET(1)]",
    "SPLIT('a-b-c', '-')[ORDINAL(3)]",
    "SPLIT('a-b-c', '-')[SAFE_OFFSET(7)]",
    "ARRAY_LENGTH(GENERATE_ARRAY(1, 10, 3))",
    "ARRAY_LENGTH([1, 2, 3])",
    "2 IN UNNEST([1, 2])",
    "ARRAY_TO_STRING(['a', 'b'], '+')",
    "UNIX_DATE(DATE '1970-02-01')",
    "NULLIF(1, 1)",
];

/// Queries that both run over the sample data.
const QUERIES: &[&str] = &[
    "SELECT carrier, COUNTIF(dep_delay > 60) AS late, LOGICAL_OR(dep_delay > 1000) AS any_late, LOGICAL_AND(distance > 10) AS far \
     FROM `demo.nycflights13.flights` GROUP BY carrier ORDER BY carrier",
    "SELECT origin, ROUND(SAFE_DIVIDE(SUM(dep_delay), COUNTIF(dep_delay IS NULL)), 3) AS x, COUNT(DISTINCT dest) AS dests \
     FROM `demo.nycflights13.flights` GROUP BY 1 ORDER BY 1",
    "SELECT * EXCEPT(name) FROM `demo.nycflights13.airlines` ORDER BY carrier",
    "SELECT carrier, name FROM `demo.nycflights13.airlines` WHERE TRUE QUALIFY ROW_NUMBER() OVER (ORDER BY name) <= 3 ORDER BY 1",
    "SELECT month, IF(month IN (6, 7, 8), 'summer', 'not') AS season, COUNT(*) AS n FROM `demo.nycflights13.flights` GROUP BY 1, 2 ORDER BY 1",
    "SELECT n FROM UNNEST(GENERATE_ARRAY(3, 1, -1)) AS n ORDER BY n",
    "SELECT DATE_TRUNC(DATE(year, month, day), MONTH) AS start, STRING_AGG(DISTINCT origin ORDER BY origin) AS origins, \
     ANY_VALUE(year) AS y FROM `demo.nycflights13.flights` GROUP BY 1 ORDER BY 1",
];

#[test]
fn values_are_those_of_bigquery() {
    let sandbox = Sandbox::new();
    let items: Vec<String> = VALUES
        .iter()
        .enumerate()
        .map(|(n, value)| format!("{value} AS c{n}"))
        .collect();
    let mut script = Vec::new();
    for items in items.chunks(20) {
        let here = format!("SELECT {}", items.join(", "));
        let there = format!(
            "SELECT * FROM redivis_query('{}')",
            here.replace('\'', "''")
        );
        script.extend([here, there]);
    }
    sandbox.write("values.sql", &script.join(";\n"));
    let data = sandbox
        .run(&["--local", "--format", "ndjson", "-f", "values.sql"])
        .data();
    let lines: Vec<&str> = data.lines().collect();
    assert_eq!(lines.len(), script.len(), "{data}");
    for pair in lines.chunks(2) {
        let [here, there]: [serde_json::Map<_, _>; 2] =
            [0, 1].map(|n| serde_json::from_str(pair[n]).unwrap());
        for (name, value) in &here {
            let written = VALUES[name[1..].parse::<usize>().unwrap()];
            assert_eq!(value, &there[name], "{written}");
        }
    }
}

#[test]
fn queries_are_answered_as_by_bigquery() {
    let sandbox = Sandbox::new();
    for query in QUERIES {
        let there = format!(
            "SELECT * FROM redivis_query('{}')",
            query.replace('\'', "''")
        );
        let data = |sql: &str| sandbox.run(&["--local", "-c", sql]).data();
        // Types apart: a service's integers are of 64 bits.
        assert_eq!(data(query), data(&there), "{query}");
    }
}

#[test]
fn what_has_no_equal_is_refused_with_what_to_write() {
    let sandbox = Sandbox::new();
    for (value, hint) in [
        ("APPROX_QUANTILES(1, 4)", "approx_percentile_cont"),
        ("TO_JSON_STRING(1)", "redivis_query"),
        ("DATE_ADD(DATE '2020-01-01', INTERVAL x MONTH)", "add days"),
        ("FORMAT_DATE('%Q', DATE '2020-01-01')", "redivis_query"),
        ("STRUCT<a INT64>(1)", "named_struct"),
        ("ARRAY<INT64>[1]", "[1, 2]"),
        ("DATE_TRUNC(DATE '2020-01-01', ISOYEAR)", "redivis_query"),
        ("SAFE.SUBSTR('abc', 1)", "SAFE."),
        ("\"abc\"", "single quotes"),
    ] {
        let run = sandbox.run(&["-c", &format!("SELECT {value} FROM (SELECT 1 AS x)")]);
        assert_eq!(run.status, Some(1), "{value}: {}", run.stdout);
        let told = run.stderr.lines().nth(1).unwrap_or_default();
        assert!(
            told.starts_with("  hint: ") && told.contains(hint),
            "{value}: {}",
            run.stderr
        );
        assert!(run.stderr.lines().count() <= 5, "{value}: {}", run.stderr);
    }
    let pivot = sandbox.run(&[
        "-c",
        "SELECT * FROM (SELECT 1 AS a) PIVOT(SUM(a) FOR a IN (1, 2))",
    ]);
    assert!(
        pivot
            .stderr
            .starts_with("error: PIVOT is not known here\n  hint: "),
        "{}",
        pivot.stderr
    );
}

#[test]
fn casts_to_int64_are_exact() {
    let sandbox = Sandbox::new();
    let sql = "SELECT CAST(x AS INT64) AS x FROM (VALUES (9223372036854775807), (-9223372036854775808), (NULL)) t(x)";
    let run = sandbox.run(&["-c", sql]);
    assert_eq!(
        run.data(),
        "x\n9223372036854775807\n-9223372036854775808\n\"\"\n"
    );
    for value in [
        "1e19",
        "'x'",
        "CAST('nan' AS DOUBLE)",
        "9223372036854775808.0",
    ] {
        let strict = sandbox.run(&["-c", &format!("SELECT CAST({value} AS INT64)")]);
        assert_eq!(strict.status, Some(1), "{value}: {}", strict.stdout);
        let safe = sandbox.run(&[
            "-c",
            &format!("SELECT SAFE_CAST({value} AS INT64) IS NULL AS null"),
        ]);
        assert_eq!(safe.data(), "null\ntrue\n", "{value}");
    }
    // What is made of it has the type, and is named as it was written.
    let run = sandbox.run(&[
        "-c",
        "CREATE TABLE t (a INT64, b FLOAT64); INSERT INTO t VALUES (1, 2)",
        "-c",
        "SELECT COUNTIF(a > 0), arrow_typeof(b) AS type FROM t GROUP BY b",
    ]);
    assert_eq!(run.data(), "COUNTIF(a > 0),type\n1,Float64\n");
}

#[test]
fn a_query_on_redivis_runs_once_whatever_its_columns() {
    let server = Private::table("lab/d/t.csv", "a\n1\n");
    let sandbox = Sandbox::new();
    let results = || {
        let results = std::fs::read_dir(server.folder().join(".redivis/results")).unwrap();
        results.count()
    };
    for (n, columns) in ["a", "a, a", "*, a", "a, A", "count(*), count(*)"]
        .into_iter()
        .enumerate()
    {
        let sql = format!("SELECT {columns} FROM redivis_query('SELECT a FROM `lab.d.t`')");
        let mut command = server.command(&sandbox, &["-c", &sql]);
        let rows = Run::of(command.output().unwrap()).data();
        assert_eq!(rows.lines().count(), 2, "{rows}");
        assert_eq!(results(), n + 1, "{columns}");
    }
}
