//! What columns are called: as they were written.

use crate::{Run, Sandbox, sql};

/// The first line that a statement prints.
#[track_caller]
fn heading(statement: &str) -> String {
    sql(statement).lines().next().unwrap().to_owned()
}

const AIRLINES: &str = "redivis.'demo.nycflights13.airlines'";

#[test]
fn values_are_headed_as_they_are_written() {
    for (values, headings) in [
        ("CAST(name AS TEXT)", "name"),
        ("t.name::varchar", "name"),
        ("1, -1, 'x', NULL", "1,-1,'x',NULL"),
        ("max(name), COUNT(*)", "max(name),COUNT(*)"),
        ("max(t.name) || 'x'", "max(t.name) || 'x'"),
        ("NAME", "name"),
        ("(Name)", "name"),
        ("*, upper(name)", "carrier,name,upper(name)"),
        ("1, *, upper(name)", "1,carrier,name,upper(name)"),
        ("length(name), * EXCEPT (name)", "length(name),carrier"),
        ("name AS n, lower(name) AS \"L\"", "n,L"),
        (
            "sum(1) OVER (), CASE WHEN true THEN 1 END",
            "sum(1) OVER (),CASE WHEN true THEN 1 END",
        ),
    ] {
        let statement = format!("SELECT {values} FROM {AIRLINES} t");
        assert_eq!(heading(&statement), headings, "{statement}");
    }
    assert_eq!(heading("SELECT 1 UNION ALL SELECT 2"), "1");
    assert_eq!(heading("VALUES (1, 2)"), "column1,column2");
    let unnested = heading("SELECT 0, unnest({a: 1, b: 2}), 3");
    assert!(unnested.starts_with("0,"), "{unnested}");
    assert!(unnested.ends_with(".b\",3"), "{unnested}");
}

#[test]
fn a_column_may_be_asked_for_twice() {
    for (statement, printed) in [
        ("SELECT a, a FROM t", "a,a\n1,1\n"),
        (
            "SELECT count(*), count(*) FROM t",
            "count(*),count(*)\n1,1\n",
        ),
        ("SELECT *, a FROM t", "a,b,a\n1,2,1\n"),
        ("SELECT b, * FROM t ORDER BY a", "b,a,b\n2,1,2\n"),
        ("SELECT *, * FROM t ORDER BY a", "a,b,a,b\n1,2,1,2\n"),
        (
            "SELECT t.*, b AS c, T.*, * EXCEPT (a) FROM t WHERE b = 2",
            "a,b,c,a,b,b\n1,2,2,1,2,2\n",
        ),
        (
            "SELECT *, * FROM t JOIN (SELECT 1 AS a, 'x' AS \"X\") u USING (a)",
            "a,b,X,a,b,X\n1,2,x,1,2,x\n",
        ),
        (
            "SELECT a, A, t.a, a + 1, a+1 FROM t ORDER BY a",
            "a,a,a,a + 1,a + 1\n1,1,1,2,2\n",
        ),
        (
            "SELECT a, a FROM t GROUP BY a HAVING count(*) = 1 ORDER BY 2",
            "a,a\n1,1\n",
        ),
        ("SELECT a::text, CAST(a AS TEXT) FROM t", "a,a\n1,1\n"),
        ("SELECT DISTINCT a, a FROM t ORDER BY a", "a,a\n1,1\n"),
    ] {
        let run = Sandbox::new().run(&[
            "-c",
            "CREATE TABLE t AS SELECT 1 AS a, 2 AS b",
            "-c",
            statement,
        ]);
        assert_eq!(run.data(), printed, "{statement}");
    }
    // In Redivis's spelling, and in formats where a name means one column.
    let run = Sandbox::new().run(&[
        "--local",
        "--format",
        "ndjson",
        "-c",
        "SELECT Name, NAME FROM redivis.'demo.nycflights13.airlines' WHERE carrier = 'AA'",
    ]);
    let american = "American Airlines Inc.";
    assert_eq!(
        run.data(),
        format!("{{\"name\":\"{american}\",\"name_1\":\"{american}\"}}\n")
    );
}

#[test]
fn what_is_made_of_a_query_has_the_same_names() {
    let sandbox = Sandbox::new();
    let query = format!(
        "SELECT carrier, max(t.name), 1, length(name)::text FROM {AIRLINES} t GROUP BY 1, 4"
    );
    let run = sandbox.run(&[
        "--local",
        "-c",
        &format!("COPY ({query}) TO 'out.csv'"),
        "-c",
        &format!("CREATE TABLE made AS {query}"),
        "-c",
        &format!("CREATE VIEW seen AS {query}"),
        "-c",
        "SELECT * FROM made LIMIT 0; SELECT * FROM seen LIMIT 0; SELECT * FROM 'out.csv' LIMIT 0",
    ]);
    let header = "carrier,max(t.name),1,length(name)::TEXT\n";
    assert_eq!(run.data(), header.repeat(3));
    // Where two would be the same, they are told apart.
    let run = sandbox.run(&[
        "-c",
        "CREATE TABLE t AS SELECT 1 AS a; CREATE TABLE u AS SELECT x.a, y.a::text FROM t x, t y; SELECT * FROM u",
    ]);
    assert_eq!(run.data(), "a,y.a::TEXT\n1,1\n");
}

#[test]
fn where_a_name_means_one_column_two_are_refused_clearly() {
    let create = "CREATE TABLE t AS SELECT 1 AS a, 2 AS b";
    for statement in [
        "CREATE TABLE u AS SELECT a, a FROM t",
        "CREATE TABLE u AS SELECT x.a, y.a FROM t x, t y",
        "CREATE VIEW u AS SELECT a, a FROM t",
        "COPY (SELECT a, a FROM t) TO 'out.parquet'",
        "COPY (SELECT x.a, y.a FROM t x, t y) TO 'out.parquet'",
        "SELECT * FROM (SELECT a, a FROM t)",
        "WITH u AS (SELECT a, a FROM t) SELECT * FROM u",
    ] {
        let sandbox = Sandbox::new();
        let run: Run = sandbox.run(&["-c", create, "-c", statement]);
        assert_eq!(run.status, Some(1), "{statement}");
        assert_eq!(
            run.stderr.lines().last().unwrap(),
            "error: two columns are called a: give one of them another name with AS",
            "{statement}"
        );
        assert_eq!(sandbox.names(), Vec::<String>::new());
    }
}

#[test]
fn a_query_may_begin_with_from() {
    for table in [AIRLINES, "demo.nycflights13.airlines"] {
        let rows = sql(&format!("FROM {table} LIMIT 3"));
        assert_eq!(rows.lines().count(), 4);
        assert_eq!(rows.lines().next(), Some("carrier,name"));
    }
    assert_eq!(
        sql("CREATE TABLE t AS SELECT 1 AS a; FROM t LIMIT 3"),
        "a\n1\n"
    );
}

#[test]
fn columns_are_shown_of_any_table() {
    let columns = "column_name,data_type,is_nullable\ncarrier,Utf8,YES\nname,Utf8,YES\n";
    for table in [
        AIRLINES,
        "demo.nycflights13.airlines",
        "`demo.nycflights13.airlines`",
        "redivis.demo.nycflights13.airlines",
    ] {
        assert_eq!(
            sql(&format!("SHOW COLUMNS FROM {table}")),
            columns,
            "{table}"
        );
    }
    let local = sql("CREATE TABLE t AS SELECT 1 AS a; SHOW COLUMNS IN t");
    assert_eq!(local, "column_name,data_type,is_nullable\na,Int64,NO\n");
}
