//! What is no query, and what a query cannot reach.

use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::json;

use super::{ask, asked};
use crate::support::{Local, numbers, parquet};

#[tokio::test]
async fn only_select_runs() {
    let local = Local::serving(&[("o/d/t.parquet", &parquet(&numbers(3)))]).await;
    let secret = local.folder.path().join("secret.csv");
    std::fs::write(&secret, "a\n1\n").unwrap();
    let secret = secret.display();
    for sql in [
        "CREATE TABLE t AS SELECT 1".to_owned(),
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'".to_owned(),
        format!("COPY (SELECT 1) TO '{secret}'"),
        "INSERT INTO `o.d.t` VALUES (1)".to_owned(),
        "UPDATE `o.d.t` SET n = 1".to_owned(),
        "DELETE FROM `o.d.t` WHERE TRUE".to_owned(),
        "DROP TABLE `o.d.t`".to_owned(),
        "SET datafusion.execution.batch_size = 1".to_owned(),
        "SHOW TABLES".to_owned(),
        "EXPLAIN SELECT 1".to_owned(),
        "DESCRIBE t".to_owned(),
        "BEGIN".to_owned(),
        "DECLARE x INT64".to_owned(),
        "EXECUTE IMMEDIATE 'SELECT 1'".to_owned(),
        "SELECT 1; SELECT 2".to_owned(),
        String::new(),
        ";".to_owned(),
        "SELECT 1 INTO t".to_owned(),
        "VALUES (1)".to_owned(),
        "TABLE t".to_owned(),
        "FROM `o.d.t` |> SELECT n".to_owned(),
        "SELECT * FROM '/etc/passwd'".to_owned(),
        format!("SELECT * FROM `{secret}`"),
        "SELECT * FROM `/etc/passwd`".to_owned(),
        "SELECT * FROM `../../etc/passwd.a.b`".to_owned(),
        "SELECT * FROM `$0`".to_owned(),
        "SELECT * FROM information_schema.tables".to_owned(),
        "SELECT * FROM information_schema.schemata.x".to_owned(),
        "SELECT * FROM datafusion.public.t".to_owned(),
        "SELECT * FROM generate_series(1, 3)".to_owned(),
        "SELECT * FROM range(1, 3)".to_owned(),
        "SELECT * FROM TABLE(generate_series(1, 3))".to_owned(),
        "SELECT version()".to_owned(),
        "SELECT arrow_typeof(1)".to_owned(),
        "SELECT `$add`(1, 2)".to_owned(),
        "SELECT `$cast_int64`('1')".to_owned(),
        "SELECT array_has([1], 1)".to_owned(),
        "SELECT @@version".to_owned(),
        "SELECT @x".to_owned(),
        "SELECT ?".to_owned(),
        "SELECT * FROM t".to_owned(),
        "SELECT * FROM o.d.nothing".to_owned(),
        "SELECT * FROM `nobody.d.t`".to_owned(),
        "WITH RECURSIVE a AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM a) SELECT * FROM a"
            .to_owned(),
    ] {
        let answer = ask(&local, &sql).await;
        let message = answer.expect_err(&sql);
        assert!(!message.is_empty(), "{sql}");
        assert!(!message.contains("Internal error"), "{sql}: {message}");
        assert!(!message.contains("DataFusion"), "{sql}: {message}");
    }
}

#[tokio::test]
async fn errors_name_their_place() {
    let local = Local::serving(&[("o/d/t.parquet", &parquet(&numbers(3)))]).await;
    for (sql, words) in [
        ("SELECT 1 +", "Syntax error"),
        (
            "SELECT\n  n,\n  nothing\nFROM `o.d.t`",
            "Unrecognized name: `nothing` at [3:3]",
        ),
        ("SELECT n\nFROM `o.d.tt`", "at [2:6]"),
        (
            "SELECT n,\n FROBNICATE(n) FROM `o.d.t`",
            "Function not found: FROBNICATE",
        ),
        ("SELECT n,\n FROBNICATE(n) FROM `o.d.t`", "at [2:2]"),
        ("SELECT n FROM WHERE", "at [1:15]"),
        ("SELECT 'a", "Unterminated string literal at [1:"),
        // A tab goes on to the next multiple of eight, as in BigQuery.
        ("SELECT\n\t1,\tnothing\nFROM `o.d.t`", "at [2:17]"),
        ("SELECT n, COUNT(*) FROM `o.d.t`", "n"),
    ] {
        let message = ask(&local, sql).await.expect_err(sql);
        assert!(message.contains(words), "{sql}: {message}");
    }
}

#[tokio::test]
async fn texts_that_are_too_much_are_refused_rather_than_fatal() {
    let local = Local::serving(&[]).await;
    for sql in [
        format!("SELECT {}1", "1+".repeat(100_000)),
        format!("SELECT {}1{}", "(".repeat(100_000), ")".repeat(100_000)),
        format!("SELECT {}1", "-".repeat(200)),
        format!("SELECT {}TRUE", "NOT ".repeat(50_000)),
        format!("SELECT 1 {}", "UNION ALL SELECT 1 ".repeat(10_000)),
        format!(
            "SELECT * FROM {}(SELECT 1){}",
            "(SELECT * FROM ".repeat(5000),
            ")".repeat(5000)
        ),
        format!("SELECT {}[1]{}", "[".repeat(50_000), "]".repeat(50_000)),
        format!("SELECT CASE {}", "CASE ".repeat(20_000)),
        format!("SELECT a{}", ".a".repeat(100_000)),
        format!("SELECT x{}", "[OFFSET(0)]".repeat(20_000)),
        "SELECT REPEAT('x', 1000000000000)".to_owned(),
    ] {
        assert!(ask(&local, &sql).await.is_err(), "{}", &sql[..40]);
    }
    let long = format!("SELECT '{}'", "x".repeat(256 * 1024));
    assert_eq!(local.post("/queries", json!({"query": long})).await.0, 400);
    // Of characters and not bytes, and as JSON may write them.
    let text = "\u{1F600}".repeat(256 * 1024 - 9);
    let query = asked(&local, json!({"query": format!("SELECT '{text}'")})).await;
    assert_eq!(query["status"], "completed", "{}", query["errorMessage"]);
}

/// Pieces that queries are made of.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "SELECT",
            "*",
            "FROM",
            "`o.d.t`",
            "WHERE",
            "n",
            "half",
            "text",
            "t",
            ",",
            "(",
            ")",
            "+",
            "-",
            "/",
            "=",
            "<",
            "AND",
            "OR",
            "NOT",
            "NULL",
            "1",
            "0",
            "1.5",
            "'a'",
            "GROUP BY",
            "ORDER BY",
            "LIMIT",
            "OFFSET",
            "COUNT(*)",
            "SUM(n)",
            "UNION ALL",
            "WITH a AS (SELECT 1 AS x)",
            "a",
            "AS",
            "JOIN",
            "ON",
            "USING (n)",
            "UNNEST",
            "[1, 2]",
            "CAST(",
            "AS INT64)",
            "CASE WHEN",
            "THEN",
            "END",
            "OVER (ORDER BY n)",
            "IN",
            "EXISTS",
            "QUALIFY",
            "HAVING",
            "EXCEPT (n)",
            "DATE '2020-01-01'",
            "DATE_ADD(",
            "INTERVAL 1 DAY",
            "APPROX_QUANTILES(n, 2)",
            "[OFFSET(0)]",
            "DISTINCT",
            ";",
            "ROLLUP(n)",
            "STRING_AGG(text)",
            "ARRAY_AGG(n)",
            "LAG(n)",
            "IF(",
            "f0_",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,6}",
    ]
}

#[test]
fn no_text_makes_the_server_panic() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let local = runtime.block_on(Local::with(
        &[("o/d/t.parquet", &parquet(&numbers(3)))],
        |config| config.requests_per_minute = None,
    ));
    let texts = prop::collection::vec(piece(), 0..14)
        .prop_map(|pieces| format!("SELECT {}", pieces.join(" ")));
    let mut runner = TestRunner::new(ProptestConfig::with_cases(400));
    runner
        .run(&texts, |sql| {
            let query = runtime.block_on(asked(&local, json!({"query": sql, "timeoutMs": 60_000})));
            let message = query["errorMessage"].as_str().unwrap_or_default();
            prop_assert!(
                query["status"] == "completed" || query["status"] == "failed",
                "{query}"
            );
            prop_assert!(!message.contains("The server failed"), "{sql}: {message}");
            Ok(())
        })
        .unwrap();
}
