//! What BigQuery's dialect means: a query and its rows, a line each.

use serde_json::{Value, json};

use super::{ask, columns};
use crate::support::{Local, parquet};

async fn serving() -> Local {
    let table = parquet(&crate::support::numbers(10));
    let csv = b"StationID,Day,At\na,2020-01-31,2020-01-31 10:20:30\nb,2021-12-27,2021-12-27 00:00:00.5\n,,\n";
    Local::serving(&[
        ("o/data/numbers.parquet", &table),
        ("o/data/stations.csv", csv),
    ])
    .await
}

/// Asks all, and tells of every one that is answered otherwise.
async fn check(cases: &[(&str, Value)]) {
    let local = serving().await;
    let mut wrong = String::new();
    for (sql, expected) in cases {
        let sql = if sql.contains("SELECT") {
            (*sql).to_owned()
        } else {
            format!("SELECT {sql}")
        };
        let expected = match expected {
            Value::Array(rows) if rows.first().is_some_and(Value::is_array) => expected.clone(),
            single => json!([[single]]),
        };
        let answer = ask(&local, &sql).await;
        if answer != Ok(expected.as_array().unwrap().clone()) {
            wrong.push_str(&format!(
                "{sql}\n    expected {expected}\n    answered {answer:?}\n"
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Asks all, and tells of every one that does not fail with these words.
async fn check_failing(cases: &[(&str, &str)]) {
    let local = serving().await;
    let mut wrong = String::new();
    for (sql, words) in cases {
        let sql = if sql.contains("SELECT") {
            (*sql).to_owned()
        } else {
            format!("SELECT {sql}")
        };
        let answer = ask(&local, &sql).await;
        if !answer
            .as_ref()
            .is_err_and(|message| message.contains(words))
        {
            wrong.push_str(&format!(
                "{sql}\n    expected {words}\n    answered {answer:?}\n"
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[tokio::test]
async fn arithmetic() {
    check(&[
        ("7 / 2", json!(3.5)),
        ("6 / 2", json!(3.0)),
        ("DIV(7, 2)", json!(3)),
        ("MOD(-7, 3)", json!(-1)),
        ("1 + 2 * 3 - 4", json!(3)),
        ("1 + 0.5", json!(1.5)),
        ("-9223372036854775808", json!(i64::MIN)),
        ("0xFF", json!(255)),
        ("5 & 3 | 8", json!(9)),
        ("~5", json!(-6)),
        ("NULL + 1", Value::Null),
        ("SAFE_DIVIDE(1, 0)", Value::Null),
        ("SAFE_DIVIDE(1, 4)", json!(0.25)),
        ("SAFE_ADD(9223372036854775807, 1)", Value::Null),
        ("IEEE_DIVIDE(1, 4)", json!(0.25)),
        ("ROUND(2.5)", json!(3.0)),
        ("ROUND(-2.5)", json!(-3.0)),
        ("ROUND(1234.567, 2)", json!(1234.57)),
        ("ROUND(1234.567, -2)", json!(1200.0)),
        ("TRUNC(2.7)", json!(2.0)),
        ("CEIL(2.1)", json!(3.0)),
        ("FLOOR(-2.1)", json!(-3.0)),
        ("ABS(-3)", json!(3)),
        ("SIGN(-2.5)", json!(-1.0)),
        ("POW(2, 10)", json!(1024.0)),
        ("SQRT(16)", json!(4.0)),
        ("LOG(8, 2)", json!(3.0)),
        ("LOG10(1000)", json!(3.0)),
        ("LN(1)", json!(0.0)),
        ("EXP(0)", json!(1.0)),
        ("GREATEST(1, 3, 2)", json!(3)),
        ("GREATEST(1, NULL, 2)", Value::Null),
        ("LEAST('b', 'a')", json!("a")),
    ])
    .await;
    check_failing(&[
        ("1 / 0", "division by zero"),
        ("MOD(1, 0)", "division by zero"),
        ("DIV(1, 0)", "division by zero"),
        ("9223372036854775807 + 1", "range of INT64"),
        ("9223372036854775807 * 2", "range of INT64"),
        ("9223372036854775808", "Invalid numeric literal"),
        ("18446744073709551616", "Invalid numeric literal"),
        ("1e308 * 10", "Floating point error"),
        ("SQRT(-1)", "Floating point error"),
        (
            "SELECT SUM(x) FROM UNNEST([9223372036854775807, 1]) AS x",
            "range of INT64",
        ),
        ("'a' + 1", "+ does not take STRING, INT64"),
        ("5 % 2", "operator %"),
        ("1 << 3", "ShiftLeft"),
        (
            "SELECT n / (n - n) FROM `o.data.numbers`",
            "division by zero",
        ),
    ])
    .await;
}

#[tokio::test]
async fn casts() {
    check(&[
        ("CAST(2.5 AS INT64)", json!(3)),
        ("CAST(-2.5 AS INT64)", json!(-3)),
        ("CAST(' 12 ' AS INT64)", json!(12)),
        ("CAST('0x1F' AS INT64)", json!(31)),
        ("CAST(TRUE AS INT64)", json!(1)),
        ("CAST(1.0 AS STRING)", json!("1")),
        ("CAST(0.1 AS STRING)", json!("0.1")),
        ("CAST(1e20 AS STRING)", json!("1e+20")),
        ("CAST(TRUE AS STRING)", json!("true")),
        ("CAST('True' AS BOOL)", json!(true)),
        ("SAFE_CAST('yes' AS BOOL)", Value::Null),
        ("SAFE_CAST('x' AS INT64)", Value::Null),
        ("SAFE_CAST('1.5' AS FLOAT64)", json!(1.5)),
        ("CAST('2020-1-2' AS DATE)", json!("2020-01-02")),
        (
            "CAST(DATETIME '2020-01-02 03:04:05' AS STRING)",
            json!("2020-01-02 03:04:05"),
        ),
        (
            "CAST(DATETIME '2020-01-02T03:04:05.5' AS DATE)",
            json!("2020-01-02"),
        ),
        (
            "CAST(TIMESTAMP '2020-01-02 03:04:05+02' AS STRING)",
            json!("2020-01-02 01:04:05+00"),
        ),
        (
            "TIMESTAMP '2020-01-02 03:04:05 UTC'",
            json!("2020-01-02 03:04:05"),
        ),
        ("TIME '01:02:03.5'", json!("01:02:03.500")),
        ("CAST(b'abc' AS STRING)", json!("abc")),
        ("TO_HEX(b'a\\xff')", json!("61ff")),
        ("FROM_HEX('616') = b'\\x06\\x16'", json!(true)),
        ("TO_HEX(CAST('abc' AS BYTES))", json!("616263")),
        (
            "TO_HEX(MD5('a'))",
            json!("0cc175b9c0f1b6a831c399e269772661"),
        ),
    ])
    .await;
    check_failing(&[
        ("CAST('x' AS INT64)", "Could not cast `x` to INT64"),
        ("CAST('1.5' AS INT64)", "Could not cast"),
        ("CAST(1e19 AS INT64)", "INT64"),
        ("CAST('2020-02-30' AS DATE)", "Could not cast"),
        ("CAST(1 AS NUMERIC)", "the type NUMERIC"),
        ("CAST(1 AS DATE)", "CAST to DATE does not take INT64"),
        ("CAST('1' AS VARCHAR)", "VARCHAR"),
        ("'1'::INT64", "::"),
    ])
    .await;
}

#[tokio::test]
async fn texts() {
    check(&[
        ("'a\\tb\\'c\\x41\\u00e9'", json!("a\tb'cA\u{e9}")),
        ("\"double 'quoted'\"", json!("double 'quoted'")),
        ("'''three\nlines'''", json!("three\nlines")),
        ("r'raw\\d'", json!("raw\\d")),
        ("'a' || 'b'", json!("ab")),
        ("CONCAT('a', 'b', 'c')", json!("abc")),
        ("CONCAT('a', NULL)", Value::Null),
        ("LENGTH('h\u{e9}')", json!(2)),
        ("BYTE_LENGTH('h\u{e9}')", json!(3)),
        ("SUBSTR('abcdef', 2, 3)", json!("bcd")),
        ("SUBSTR('abcdef', -2)", json!("ef")),
        ("SUBSTR('abc', 0, 2)", json!("ab")),
        ("UPPER('abc')", json!("ABC")),
        ("INITCAP('hello wORLD')", json!("Hello World")),
        ("TRIM('  a ')", json!("a")),
        ("LTRIM('xxa', 'x')", json!("a")),
        ("LPAD('7', 3, '0')", json!("007")),
        ("RPAD('abc', 2)", json!("ab")),
        ("REPLACE('banana', 'a', 'o')", json!("bonono")),
        ("REVERSE('abc')", json!("cba")),
        ("STRPOS('abc', 'c')", json!(3)),
        ("STARTS_WITH('abc', 'ab')", json!(true)),
        ("SPLIT('a,b')[OFFSET(1)]", json!("b")),
        ("SPLIT('a-b', '-')[SAFE_OFFSET(5)]", Value::Null),
        ("REGEXP_CONTAINS('abc', r'^a.c$')", json!(true)),
        ("REGEXP_EXTRACT('key=12', r'(\\d+)')", json!("12")),
        ("REGEXP_EXTRACT('abc', 'x')", Value::Null),
        (
            "REGEXP_REPLACE('a1b22', r'(\\d+)', '<\\\\1>')",
            json!("a<1>b<22>"),
        ),
        ("REGEXP_REPLACE('a', 'a', '$1')", json!("$1")),
        ("'abc' LIKE 'a%'", json!(true)),
        ("'ABC' LIKE 'a%'", json!(false)),
        ("'50%' LIKE '50\\\\%'", json!(true)),
        ("'505' LIKE '50\\\\%'", json!(false)),
        ("IF(1 > 2, 'a', 'b')", json!("b")),
        ("IFNULL(NULL, 3)", json!(3)),
        ("COALESCE(NULL, NULL, 'x')", json!("x")),
        ("NULLIF(1, 1)", Value::Null),
        (
            "CASE 2 WHEN 1 THEN 'one' WHEN 2 THEN 'two' END",
            json!("two"),
        ),
        ("3 IN (1, 2, 3)", json!(true)),
        ("3 IN UNNEST([1, 2])", json!(false)),
        ("2 BETWEEN 1 AND 3", json!(true)),
        ("NULL IS DISTINCT FROM 1", json!(true)),
        ("SAFE.SUBSTR('abc', 1, -1)", Value::Null),
        ("1 -- comment\n", json!(1)),
        ("1 # comment\n", json!(1)),
        ("/* comment */ 1;", json!(1)),
    ])
    .await;
    check_failing(&[
        ("'a\\qb'", "escape"),
        ("'it''s'", "quote"),
        ("'a' || 1", "does not take STRING, INT64"),
        ("SUBSTR('abc', 1, -1)", "negative"),
        ("[1, 2][OFFSET(2)]", "out of bounds"),
        ("REGEXP_CONTAINS('a', '(')", "regular expression"),
        ("'a' ILIKE 'A'", "ILIKE"),
        ("1 = '1'", "INT64 cannot be compared with STRING"),
    ])
    .await;
}

#[tokio::test]
async fn dates() {
    check(&[
        (
            "DATE_ADD(DATE '2020-01-31', INTERVAL 1 MONTH)",
            json!("2020-02-29"),
        ),
        (
            "DATE_SUB(DATE '2020-03-01', INTERVAL 1 DAY)",
            json!("2020-02-29"),
        ),
        ("DATE '2020-01-01' + 5", json!("2020-01-06")),
        (
            "DATE_DIFF(DATE '2020-03-01', DATE '2020-01-31', DAY)",
            json!(30),
        ),
        (
            "DATE_DIFF(DATE '2020-02-01', DATE '2020-01-31', MONTH)",
            json!(1),
        ),
        (
            "DATE_DIFF(DATE '2017-10-15', DATE '2017-10-14', WEEK)",
            json!(1),
        ),
        (
            "DATE_DIFF(DATE '2017-10-15', DATE '2017-10-14', WEEK(MONDAY))",
            json!(0),
        ),
        (
            "DATE_DIFF(DATE '2017-12-30', DATE '2014-12-30', ISOYEAR)",
            json!(2),
        ),
        ("DATE_TRUNC(DATE '2020-05-17', MONTH)", json!("2020-05-01")),
        (
            "DATE_TRUNC(DATE '2020-05-17', WEEK(MONDAY))",
            json!("2020-05-11"),
        ),
        (
            "DATE_TRUNC(DATE '2020-05-17', QUARTER)",
            json!("2020-04-01"),
        ),
        ("LAST_DAY(DATE '2020-02-05')", json!("2020-02-29")),
        ("EXTRACT(YEAR FROM DATE '2020-05-17')", json!(2020)),
        ("EXTRACT(DAYOFWEEK FROM DATE '2020-05-17')", json!(1)),
        ("EXTRACT(WEEK FROM DATE '2016-01-03')", json!(1)),
        ("EXTRACT(ISOWEEK FROM DATE '2016-01-03')", json!(53)),
        ("EXTRACT(MILLISECOND FROM TIME '01:02:03.456')", json!(456)),
        ("DATE(2020, 2, 3)", json!("2020-02-03")),
        (
            "DATETIME(2020, 2, 3, 4, 5, 6)",
            json!("2020-02-03 04:05:06"),
        ),
        (
            "DATETIME_ADD(DATETIME '2020-01-01 23:00:00', INTERVAL 2 HOUR)",
            json!("2020-01-02 01:00:00"),
        ),
        (
            "DATETIME_DIFF(DATETIME '2020-01-02 00:00:00', DATETIME '2020-01-01 23:59:59', DAY)",
            json!(1),
        ),
        (
            "TIMESTAMP_DIFF(TIMESTAMP '2020-01-02 00:00:00', TIMESTAMP '2020-01-01 23:59:59', DAY)",
            json!(0),
        ),
        (
            "DATETIME_TRUNC(DATETIME '2020-01-01 10:20:30', HOUR)",
            json!("2020-01-01 10:00:00"),
        ),
        (
            "TIME_ADD(TIME '23:00:00', INTERVAL 2 HOUR)",
            json!("01:00:00"),
        ),
        (
            "FORMAT_DATE('%d/%m/%Y', DATE '2020-05-17')",
            json!("17/05/2020"),
        ),
        (
            "FORMAT_DATE('%A %b %j', DATE '2020-05-17')",
            json!("Sunday May 138"),
        ),
        (
            "FORMAT_DATETIME('%Y-%m-%dT%H:%M:%E3S', DATETIME '2020-05-17 01:02:03.5')",
            json!("2020-05-17T01:02:03.500"),
        ),
        ("PARSE_DATE('%d.%m.%Y', '17.05.2020')", json!("2020-05-17")),
        ("PARSE_DATE('%Y%m', '202005')", json!("2020-05-01")),
        (
            "PARSE_DATETIME('%Y-%m-%d %H:%M', '2020-05-17 10:20')",
            json!("2020-05-17 10:20:00"),
        ),
        (
            "UNIX_SECONDS(TIMESTAMP '1970-01-02 00:00:00')",
            json!(86400),
        ),
        ("TIMESTAMP_SECONDS(86400)", json!("1970-01-02 00:00:00")),
        ("UNIX_DATE(DATE '1970-01-10')", json!(9)),
        ("CURRENT_DATE() <= CURRENT_DATE", json!(true)),
        ("DATE '2020-01-01' < '2020-01-02'", json!(true)),
        (
            "SELECT COUNT(*) FROM `o.data.stations` WHERE Day > '2021-01-01'",
            json!(1),
        ),
        (
            "SELECT EXTRACT(MINUTE FROM At) FROM o.data.stations WHERE StationID = 'a'",
            json!(20),
        ),
    ])
    .await;
    check_failing(&[
        ("DATE_ADD(DATE '9999-12-31', INTERVAL 1 DAY)", "9999-12-31"),
        ("DATE_TRUNC(DATE '2020-01-01', HOUR)", "shorter than a day"),
        (
            "DATE_DIFF(DATE '2020-01-01', DATE '2020-01-01', FORTNIGHT)",
            "FORTNIGHT",
        ),
        ("PARSE_DATE('%Y-%m-%d', 'x')", "not of the format"),
        ("DATE_ADD(DATE '2020-01-01', 1)", "interval"),
        ("FORMAT_DATE('%J', DATE '2020-01-01')", "%J"),
    ])
    .await;
}

#[tokio::test]
async fn queries_of_tables() {
    check(&[
        ("SELECT COUNT(*) FROM `o.data.numbers`", json!(10)),
        ("SELECT COUNT(DISTINCT half) FROM o.data.numbers", json!(6)),
        ("SELECT COUNT(half), SUM(n), AVG(n), MIN(n), MAX(n) FROM o.data.numbers", json!([[6, 45, 4.5, 0, 9]])),
        ("SELECT COUNTIF(n > 6) FROM o.data.numbers", json!(3)),
        ("SELECT SUM(half) FROM o.data.numbers WHERE n > 100", Value::Null),
        ("SELECT STRING_AGG(text, '|' ORDER BY n DESC) FROM o.data.numbers WHERE n < 4", json!("row 3|row 2|row 1")),
        ("SELECT ANY_VALUE(text) FROM o.data.numbers WHERE n IN (0, 1)", json!("row 1")),
        ("SELECT APPROX_QUANTILES(n, 2)[OFFSET(1)], APPROX_QUANTILES(n, 4)[OFFSET(4)] FROM o.data.numbers", json!([[5, 9]])),
        ("SELECT APPROX_COUNT_DISTINCT(half) FROM o.data.numbers", json!(6)),
        ("SELECT LOGICAL_AND(n < 10), LOGICAL_OR(n > 10) FROM o.data.numbers", json!([[true, false]])),
        ("SELECT ROUND(STDDEV(n), 3), ROUND(VARIANCE(n), 3) FROM o.data.numbers", json!([[3.028, 9.167]])),
        // Null is the least.
        ("SELECT half FROM o.data.numbers WHERE n < 3 ORDER BY half", json!([[null], [0.5], [1.0]])),
        ("SELECT half FROM o.data.numbers WHERE n < 3 ORDER BY half DESC", json!([[1.0], [0.5], [null]])),
        ("SELECT half FROM o.data.numbers WHERE n < 3 ORDER BY half NULLS LAST", json!([[0.5], [1.0], [null]])),
        ("SELECT n FROM o.data.numbers ORDER BY n DESC LIMIT 2 OFFSET 1", json!([[8], [7]])),
        ("SELECT DISTINCT MOD(n, 2) FROM o.data.numbers ORDER BY 1", json!([[0], [1]])),
        ("SELECT MOD(n, 3) AS r, COUNT(*) FROM o.data.numbers GROUP BY r HAVING r > 0 ORDER BY r", json!([[1, 3], [2, 3]])),
        // An alias wins over the column of its name.
        ("SELECT MOD(n, 2) AS n, COUNT(*) FROM o.data.numbers GROUP BY n ORDER BY n", json!([[0, 5], [1, 5]])),
        ("SELECT n, ROW_NUMBER() OVER (ORDER BY n DESC) FROM o.data.numbers QUALIFY ROW_NUMBER() OVER (ORDER BY n DESC) <= 2 ORDER BY n", json!([[8, 2], [9, 1]])),
        ("SELECT n, LAG(n) OVER w, SUM(n) OVER w FROM o.data.numbers WHERE n < 3 WINDOW w AS (ORDER BY n) ORDER BY n", json!([[0, null, 0], [1, 0, 1], [2, 1, 3]])),
        ("WITH a AS (SELECT n FROM o.data.numbers WHERE n < 2), b AS (SELECT n + 1 AS m FROM a) SELECT SUM(a.n), SUM(b.m) FROM a, b", json!([[2, 6]])),
        ("SELECT 1 UNION ALL SELECT 1", json!([[1], [1]])),
        ("SELECT 1 UNION DISTINCT SELECT 1", json!(1)),
        ("WITH a AS (SELECT 1 AS x UNION ALL SELECT 2), b AS (SELECT 2 AS x UNION ALL SELECT 1) SELECT a.x FROM a JOIN b ON a.x = b.x ORDER BY a.x", json!([[1], [2]])),
        ("SELECT COUNT(*) FROM (SELECT 1 EXCEPT DISTINCT SELECT 1)", json!(0)),
        ("SELECT x FROM UNNEST([3, 1, 2]) AS x ORDER BY x", json!([[1], [2], [3]])),
        ("SELECT SUM(x) FROM UNNEST(GENERATE_ARRAY(1, 10, 3)) AS x", json!(22)),
        ("SELECT a.n FROM `o.data.numbers` a JOIN `o.data.numbers` b ON a.n = b.n + 8 ORDER BY 1", json!([[8], [9]])),
        ("SELECT n FROM o.data.numbers JOIN (SELECT 3 AS n) USING (n)", json!(3)),
        ("SELECT b.n FROM o.data.numbers JOIN UNNEST([3]) AS n USING (n) JOIN o.data.numbers b USING (n)", json!(3)),
        ("SELECT (SELECT MAX(n) FROM o.data.numbers)", json!(9)),
        ("SELECT COUNT(*) FROM o.data.numbers t WHERE EXISTS (SELECT 1 FROM o.data.numbers u WHERE u.n = t.n + 5)", json!(5)),
        ("SELECT COUNT(*) FROM o.data.stations WHERE StationID IS NULL", json!(1)),
        ("SELECT NUMBERS.N FROM `O.Data:V1_0.Numbers` WHERE `n` = 3", json!(3)),
        ("SELECT ARRAY_LENGTH(ARRAY_AGG(n)) FROM o.data.numbers", json!(10)),
        ("SELECT COUNT(*) FROM o.data.numbers GROUP BY ROLLUP(MOD(n, 2)) ORDER BY 1", json!([[5], [5], [10]])),
    ])
    .await;
}

#[tokio::test]
async fn using_makes_one_column_of_two() {
    // The tables' names are in and against the order of the alphabet, because the engine goes by it.
    const LEFT: &str = "(SELECT n AS k, n AS l FROM o.data.numbers WHERE n < 2)";
    const RIGHT: &str = "(SELECT n AS k, n + 5 AS r FROM o.data.numbers WHERE n IN (1, 2))";
    const THIRD: &str = "(SELECT n AS k FROM o.data.numbers WHERE n IN (2, 3))";
    let inner = json!([[1, 1, 6]]);
    let left = json!([[0, 0, null], [1, 1, 6]]);
    let right = json!([[1, 1, 6], [2, null, 7]]);
    let full = json!([[0, 0, null], [1, 1, 6], [2, null, 7]]);
    let joins = [
        ("", inner),
        ("LEFT", left),
        ("RIGHT", right),
        ("FULL", full),
    ];
    let mut cases = Vec::new();
    for (join, rows) in joins {
        for (one, other) in [("a", "z"), ("z", "a")] {
            let from = format!("FROM {LEFT} {one} {join} JOIN {RIGHT} {other} USING (K)");
            let keys: Value = rows
                .as_array()
                .unwrap()
                .iter()
                .map(|row| json!([row[0]]))
                .collect();
            for (sql, expected) in [
                (format!("SELECT * {from} ORDER BY k"), &rows),
                (format!("SELECT k, l, r {from} ORDER BY K"), &rows),
                (format!("SELECT * EXCEPT (L, r) {from} ORDER BY k"), &keys),
                (
                    format!("SELECT * EXCEPT (k) REPLACE (k AS l) {from} ORDER BY k"),
                    &json!(
                        rows.as_array()
                            .unwrap()
                            .iter()
                            .map(|row| json!([row[0], row[2]]))
                            .collect::<Vec<_>>()
                    ),
                ),
                (
                    format!("SELECT K {from} WHERE k >= 0 GROUP BY k HAVING k >= 0 ORDER BY k"),
                    &keys,
                ),
                (
                    format!("SELECT MAX(k) {from}"),
                    &json!([[keys.as_array().unwrap().last().unwrap()[0]]]),
                ),
                (
                    format!(
                        "SELECT (SELECT MAX(n) FROM o.data.numbers WHERE n = k) {from} ORDER BY k"
                    ),
                    &keys,
                ),
            ] {
                cases.push((sql, expected.clone()));
            }
        }
    }
    cases.push((
        format!("SELECT * FROM {LEFT} z FULL JOIN {RIGHT} b USING (k) FULL JOIN {THIRD} a USING (k) ORDER BY 1"),
        json!([[0, 0, null], [1, 1, 6], [2, null, 7], [3, null, null]]),
    ));
    let cases: Vec<_> = cases
        .iter()
        .map(|(sql, rows)| (sql.as_str(), rows.clone()))
        .collect();
    check(&cases).await;
    check_failing(&[
        (
            &format!("SELECT * FROM {LEFT} a JOIN {RIGHT} b USING (l)"),
            "no column `l`",
        ),
        (
            &format!("SELECT 1 FROM {LEFT} a JOIN {RIGHT} b ON a.k = b.k JOIN {THIRD} c USING (k)"),
            "ambiguous",
        ),
        (
            &format!("SELECT k FROM {LEFT} a JOIN {RIGHT} b USING (k), {THIRD} c"),
            "ambiguous",
        ),
        (
            &format!("SELECT * EXCEPT (x) FROM {LEFT} a JOIN {RIGHT} b USING (k)"),
            "x",
        ),
    ])
    .await;
}

#[tokio::test]
async fn rows_of_a_draft_tell_which_upload_they_come_from() {
    let local = Local::serving(&[
        ("o/data/n.csv", b"a\n0\n"),
        ("o/data/next/n/first.csv", b"a\n1\n2\n"),
        ("o/data/next/n/second.csv", b"b\n3\n"),
        ("o/data/next/own/only.csv", b"_upload_name\nmine\n"),
    ])
    .await;
    let rows = async |sql: &str| Value::from(ask(&local, sql).await.unwrap());
    assert_eq!(
        rows("SELECT * FROM `o.data:next.n` ORDER BY a, b").await,
        json!([
            [null, 3, "second"],
            [0, null, "n"],
            [1, null, "first"],
            [2, null, "first"]
        ])
    );
    assert_eq!(
        rows("SELECT * EXCEPT (_upload_name) FROM `o.data:next.n` WHERE _UPLOAD_NAME = 'second'")
            .await,
        json!([[null, 3]])
    );
    assert_eq!(
        rows("SELECT _upload_name, COUNT(*) FROM `o.data:next.n` GROUP BY 1 ORDER BY 1").await,
        json!([["first", 2], ["n", 1], ["second", 1]])
    );
    // A variable of that name stays what it is, and what is released has no such column.
    assert_eq!(
        rows("SELECT * FROM `o.data:next.own`").await,
        json!([["mine"]])
    );
    assert_eq!(rows("SELECT * FROM o.data.n").await, json!([[0]]));
    assert!(
        ask(&local, "SELECT _upload_name FROM o.data.n")
            .await
            .is_err()
    );
}

#[tokio::test]
async fn columns_are_named_as_they_are_written() {
    let local = serving().await;
    for (sql, expected) in [
        (
            "SELECT * FROM o.data.stations",
            vec!["StationID", "Day", "At"],
        ),
        (
            "SELECT stationid, DAY FROM o.data.stations",
            vec!["stationid", "DAY"],
        ),
        (
            "SELECT s.STATIONID FROM o.data.stations AS S",
            vec!["STATIONID"],
        ),
        ("SELECT 1, 2 AS Two, 3", vec!["f0_", "Two", "f1_"]),
        (
            "SELECT COUNT(*), MAX(day) AS latestDay FROM o.data.stations",
            vec!["f0_", "latestDay"],
        ),
        (
            "SELECT * EXCEPT (day) FROM o.data.stations",
            vec!["StationID", "At"],
        ),
        (
            "SELECT * REPLACE (1 AS DAY) FROM o.data.stations",
            vec!["StationID", "Day", "At"],
        ),
        (
            "SELECT * FROM (SELECT day AS TheDay FROM o.data.stations)",
            vec!["TheDay"],
        ),
        ("WITH C AS (SELECT 1 AS Aa) SELECT * FROM c", vec!["Aa"]),
        (
            "SELECT t.* FROM o.data.stations t",
            vec!["StationID", "Day", "At"],
        ),
        (
            "SELECT Aa FROM (SELECT 1 AS aA) UNION ALL SELECT 2",
            vec!["Aa"],
        ),
    ] {
        assert_eq!(columns(&local, sql).await, expected, "{sql}");
    }
    check_failing(&[
        ("SELECT 1 AS a, 2 AS A", "two columns named"),
        (
            "SELECT * FROM o.data.numbers a JOIN o.data.numbers b ON a.n = b.n",
            "two columns named",
        ),
        ("SELECT 1 AS `a b`", "cannot be the name"),
        ("SELECT [1] AS a", "is an array"),
        ("SELECT b'a' AS a", "BYTES"),
    ])
    .await;
}
