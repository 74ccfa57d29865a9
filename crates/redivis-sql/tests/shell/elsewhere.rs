//! Statements for elsewhere: laid out, in the words of the official clients, and files up and down.

use crate::{Run, Sandbox};

/// What commands print on the sample data.
fn said(lines: &[&str]) -> Run {
    Sandbox::new().run_with_input(&["--local", "-q"], &lines.join("\n"))
}

#[test]
fn a_statement_is_laid_out() {
    let run = said(&[
        r"\format select origin, count(*) as n from redivis.'demo.nycflights13:v1_0.flights' where month = 1 and dest <> 'a;  b' group by origin;",
        "SELECT 1 AS a;",
        r"\format",
    ]);
    assert_eq!(
        run.data(),
        "select origin, count(*) as n\nfrom redivis.'demo.nycflights13:v1_0.flights'\nwhere month = 1 and dest <> 'a;  b'\n\
         group by origin;\na\n1\nSELECT 1 AS a;\n"
    );
    let run = said(&[r"\format"]);
    assert!(
        run.stderr.contains("no statement was run yet"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_look_at_a_table_is_a_call_in_python_and_r() {
    let run = said(&[
        r"\py SELECT carrier, f.dep_delay FROM `demo.nycflights13:v1.0.flights` f LIMIT 10",
        r"\r SELECT carrier, f.dep_delay FROM `demo.nycflights13:v1.0.flights` f LIMIT 10",
        r"\py FROM demo.nycflights13.airlines",
    ]);
    assert_eq!(
        run.data(),
        "import redivis\n\n\
         df = redivis.table(\"demo.nycflights13:v1_0.flights\").to_pandas_dataframe(max_results=10, variables=[\"carrier\", \"dep_delay\"])\n\
         df <- redivis::table(\"demo.nycflights13:v1_0.flights\")$to_tibble(max_results = 10, variables = c(\"carrier\", \"dep_delay\"))\n\
         import redivis\n\ndf = redivis.table(\"demo.nycflights13.airlines\").to_pandas_dataframe()\n"
    );
}

#[test]
fn anything_else_is_a_query_there() {
    let run = said(&[
        r"\use demo.nycflights13",
        "ATTACH 'demo.nycflights13:v1_0' AS nyc;",
        r#"\py WITH late AS (SELECT * FROM flights WHERE dest <> 'a"b') SELECT name, count(*) AS n FROM late JOIN nyc.airlines USING (carrier) GROUP BY name"#,
        "SELECT count(*) AS n FROM redivis.'demo.nycflights13.airlines';",
        r"\r",
        r"\py SELECT * FROM redivis_query('SELECT 1 AS x')",
    ]);
    let printed = run.data();
    for part in [
        "df = redivis.query(\"\"\"\nWITH\nlate AS (",
        "FROM `demo.nycflights13.flights`",
        r#"<> 'a\"b'"#,
        "FROM late",
        "JOIN `demo.nycflights13:v1_0.airlines` USING (carrier)",
        "\n\"\"\").to_pandas_dataframe()\n",
        "df <- redivis::query(\"\nSELECT count(*) AS n\nFROM `demo.nycflights13.airlines`\n\")$to_tibble()\n",
        "df = redivis.query(\"\"\"\nSELECT 1 AS x\n\"\"\")",
    ] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    // What a call would leave out is no call.
    for sql in [
        "SELECT carrier FROM demo.nycflights13.airlines LIMIT 0",
        "SELECT carrier, Carrier FROM demo.nycflights13.airlines",
        "SELECT carrier AS c FROM demo.nycflights13.airlines",
        "SELECT a FROM demo.nycflights13.airlines AS t (a, b)",
        "SELECT * FROM demo.nycflights13.airlines TABLESAMPLE SYSTEM (10)",
        "SELECT * EXCEPT (name) FROM demo.nycflights13.airlines",
        "SELECT DISTINCT carrier FROM demo.nycflights13.airlines",
        "SELECT carrier FROM demo.nycflights13.airlines ORDER BY 1",
        "SELECT carrier FROM demo.nycflights13.airlines LIMIT 3 OFFSET 1",
    ] {
        let printed = said(&[&format!(r"\py {sql}")]).data();
        assert!(printed.contains("redivis.query("), "{sql}: {printed}");
    }
    for (line, refusal) in [
        (r"\py CREATE TABLE t (a INT)", "this is no query"),
        (
            r"\py SELECT * FROM 'rows.csv'",
            "rows.csv is no table of Redivis",
        ),
        (
            "CREATE TABLE t (a INT);\n\\py SELECT * FROM t",
            "t is a table of this session",
        ),
        (r"\r", "no statement was run yet"),
    ] {
        let run = said(&[line]);
        assert_ne!(run.status, Some(0), "{line}");
        assert!(run.stderr.contains(refusal), "{line}: {}", run.stderr);
    }
}

#[test]
fn tables_come_down_to_files() {
    let sandbox = Sandbox::new();
    let script = [
        r"\download demo.nycflights13.airlines airlines.parquet",
        "SELECT count(*) AS n FROM 'airlines.parquet';",
        "CREATE TABLE mine AS SELECT 1 AS a;",
        r"\download mine mine.csv",
        r"\download redivis.'demo.nycflights13:v1_0.airlines' mine.csv overwrite",
    ];
    let run = sandbox.run_with_input(&["--local"], &script.join("\n"));
    assert_eq!((run.status, run.stdout.as_str()), (Some(0), "n\n16\n"));
    for said in [
        "downloaded 16 rows to airlines.parquet\n",
        "downloaded 1 row to mine.csv\n",
        "downloaded 16 rows to mine.csv\n",
    ] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
    assert_eq!(sandbox.read("mine.csv").lines().count(), 17);
    // What is there stays, unless it is said; so it does where the table can't be read.
    for (line, refusal) in [
        (
            r"\download demo.nycflights13.planes mine.csv",
            r"\download demo.nycflights13.planes mine.csv overwrite replaces it",
        ),
        (
            r"\download demo.nycflights13.plane mine.csv overwrite",
            "did you mean redivis.'demo.nycflights13.planes'?",
        ),
        (
            r"\download demo.nycflights13.planes x.nope",
            "end it with .csv",
        ),
        (
            r"\download demo.nycflights13.planes",
            r"write \download TABLE FILE",
        ),
    ] {
        let run = sandbox.run(&["--local", "-c", line]);
        assert_ne!(run.status, Some(0), "{line}");
        assert!(run.stderr.contains(refusal), "{line}: {}", run.stderr);
    }
    assert_eq!(sandbox.read("mine.csv").lines().count(), 17);
    assert!(!sandbox.names().iter().any(|name| name.starts_with('.')));
}
