//! Statements before and after: what is respelled, and what has to stay.

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::sql::parser::DFParser;
use datafusion::sql::sqlparser::dialect::DuckDbDialect;
use proptest::prelude::*;

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::TableReference;

use super::*;

/// Tables: `s(StationID, Name, elev)`, `o(StationID, Day, VALUE)`, `local(stationid, a, "A")`, and one of Redivis.
pub(crate) fn names() -> Names {
    let table = |name: &str, columns: &[&str]| {
        let fields: Vec<Field> = columns
            .iter()
            .map(|column| Field::new(*column, DataType::Int64, true))
            .collect();
        let reference = TableReference::parse_str(name).resolve("datafusion", "public");
        (reference, Arc::new(Schema::new(fields)))
    };
    let remote = TableReference::partial("redivis", "demo.weather:v1_0.Stations")
        .resolve("datafusion", "public");
    let (_, schema) = table("s", &["StationID", "Name", "elev"]);
    Names {
        default_catalog: "datafusion".to_owned(),
        default_schema: "public".to_owned(),
        normalize: true,
        tables: HashMap::from([
            table("s", &["StationID", "Name", "elev"]),
            table("o", &["StationID", "Day", "VALUE"]),
            table("local", &["stationid", "a", "A"]),
            (remote, schema),
        ]),
    }
}

fn spelled(sql: &str) -> String {
    let mut statement = DFParser::parse_sql(sql).unwrap().pop_front().unwrap();
    respell(&mut statement, &names()).unwrap();
    statement.to_string()
}

#[track_caller]
fn check(before: &str, after: &str) {
    assert_eq!(spelled(before), after);
}

/// As parsed and printed, without any respelling.
#[track_caller]
fn unchanged(sql: &str) {
    let statement = DFParser::parse_sql(sql).unwrap().pop_front().unwrap();
    assert_eq!(spelled(sql), statement.to_string());
}

#[test]
fn any_case_finds_the_one_column() {
    for name in [
        "stationid",
        "STATIONID",
        "StationId",
        r#""STATIONID""#,
        r#""stationid""#,
    ] {
        check(
            &format!("SELECT {name} FROM s"),
            r#"SELECT "StationID" FROM s"#,
        );
    }
    check("SELECT Elev FROM s", "SELECT Elev FROM s");
}

#[test]
fn every_clause_is_looked_at() {
    check(
        "SELECT DISTINCT ON (name) sum(Elev) OVER (PARTITION BY NAME ORDER BY stationid) FROM s WHERE name > 1 \
         GROUP BY name HAVING count(stationid) > 1 QUALIFY max(name) > 2 ORDER BY Name LIMIT 1",
        r#"SELECT DISTINCT ON ("Name") sum(Elev) OVER (PARTITION BY "Name" ORDER BY "StationID") FROM s WHERE "Name" > 1 GROUP BY "Name" HAVING count("StationID") > 1 QUALIFY max("Name") > 2 ORDER BY "Name" LIMIT 1"#,
    );
    check(
        "SELECT sum(name) OVER w FROM s WINDOW w AS (PARTITION BY stationid)",
        r#"SELECT sum("Name") OVER w FROM s WINDOW w AS (PARTITION BY "StationID")"#,
    );
    check(
        "SELECT CASE WHEN name IS NULL THEN stationid ELSE Elev END, CAST(name AS INT) FROM s",
        r#"SELECT CASE WHEN "Name" IS NULL THEN "StationID" ELSE Elev END, CAST("Name" AS INT) FROM s"#,
    );
}

#[test]
fn qualified_names_belong_to_their_table() {
    check(
        "SELECT a.stationid, B.VALUE FROM s a JOIN o AS b ON a.stationid = b.STATIONID",
        r#"SELECT a."StationID", B."VALUE" FROM s a JOIN o AS b ON a."StationID" = b."StationID""#,
    );
    check(
        "SELECT s.name, public.s.name FROM public.s",
        r#"SELECT s."Name", public.s."Name" FROM public.s"#,
    );
    unchanged("SELECT nobody.stationid FROM s");
    // A part of a column's value.
    check("SELECT name.part FROM s", r#"SELECT "Name".part FROM s"#);
}

#[test]
fn a_table_of_redivis_is_known_by_its_own_name() {
    check(
        "SELECT stations.name, Stations.* FROM redivis.'demo.weather:v1_0.Stations'",
        r#"SELECT "redivis"."demo.weather:v1_0.Stations"."Name", "redivis"."demo.weather:v1_0.Stations".* FROM redivis.'demo.weather:v1_0.Stations'"#,
    );
    // An alias hides it, and two of a kind are told apart by aliases alone.
    unchanged("SELECT stations.name FROM redivis.'demo.weather:v1_0.Stations' t");
    unchanged(
        "SELECT stations.name FROM redivis.'demo.weather:v1_0.Stations' CROSS JOIN redivis.'demo.weather:v1_0.Stations'",
    );
}

#[test]
fn exact_matches_are_never_touched() {
    unchanged("SELECT stationid FROM local");
    unchanged(r#"SELECT a, "A" FROM local"#);
    unchanged(r#"SELECT "StationID", "Name" FROM s"#);
    // The local column is spelled like that.
    unchanged("SELECT stationid FROM s CROSS JOIN local");
}

#[test]
fn what_is_not_one_column_is_left_to_datafusion() {
    unchanged("SELECT nothing FROM s");
    // Two spellings.
    unchanged(r#"SELECT NAMe FROM (SELECT 1 AS "Name", 2 AS "NAME") x"#);
    // A function's columns are known to DataFusion alone.
    unchanged("SELECT stationid FROM s, unnest(things)");
    check(
        "SELECT s.stationid FROM s, generate_series(1, 2)",
        r#"SELECT s."StationID" FROM s, generate_series(1, 2)"#,
    );
    check(
        "SELECT stationid, i FROM s, generate_series(1, 2) g(i)",
        r#"SELECT "StationID", i FROM s, generate_series(1, 2) g (i)"#,
    );
}

#[test]
fn two_tables_with_one_spelling_keep_it() {
    // DataFusion says that it is ambiguous, in the spelling of the columns.
    check(
        "SELECT stationid FROM s, o",
        r#"SELECT "StationID" FROM s, o"#,
    );
}

#[test]
fn the_inner_scope_comes_first() {
    // Taken for the outer `stationid`, this would be true for every row.
    check(
        "SELECT a FROM local l WHERE EXISTS (SELECT 1 FROM s WHERE stationid = l.stationid)",
        r#"SELECT a FROM local l WHERE EXISTS (SELECT 1 FROM s WHERE "StationID" = l.stationid)"#,
    );
    check(
        "SELECT name FROM s WHERE elev IN (SELECT day FROM o WHERE name = value)",
        r#"SELECT "Name" FROM s WHERE elev IN (SELECT "Day" FROM o WHERE "Name" = "VALUE")"#,
    );
    check(
        "SELECT (SELECT max(day) FROM o WHERE o.stationid = s.stationid) FROM s",
        r#"SELECT (SELECT max("Day") FROM o WHERE o."StationID" = s."StationID") FROM s"#,
    );
}

#[test]
fn subqueries_and_ctes_hand_their_names_on() {
    check(
        "SELECT STATIONID FROM (SELECT stationid, name AS Label FROM s) x WHERE LABEL > 1",
        r#"SELECT "StationID" FROM (SELECT "StationID", "Name" AS Label FROM s) x WHERE LABEL > 1"#,
    );
    check(
        "WITH t AS (SELECT * FROM s), u(k) AS (SELECT name FROM t) SELECT t.Stationid, K FROM t JOIN u ON K = NAME",
        r#"WITH t AS (SELECT * FROM s), u (k) AS (SELECT "Name" FROM t) SELECT t."StationID", K FROM t JOIN u ON K = "Name""#,
    );
    check(
        r#"WITH RECURSIVE t AS (SELECT stationid AS "Id" FROM s UNION ALL SELECT id + 1 FROM t WHERE ID < 9) SELECT ID FROM t"#,
        r#"WITH RECURSIVE t AS (SELECT "StationID" AS "Id" FROM s UNION ALL SELECT "Id" + 1 FROM t WHERE "Id" < 9) SELECT "Id" FROM t"#,
    );
    check(
        "SELECT name FROM s UNION SELECT day FROM o ORDER BY name",
        r#"SELECT "Name" FROM s UNION SELECT "Day" FROM o ORDER BY "Name""#,
    );
    // A CTE hides a table, and only where it is in scope.
    check(
        r#"SELECT name FROM s, (WITH s AS (SELECT 1 AS "NAME") SELECT Name FROM s) x(y)"#,
        r#"SELECT "Name" FROM s, (WITH s AS (SELECT 1 AS "NAME") SELECT "NAME" FROM s) x (y)"#,
    );
    check(
        "SELECT d FROM s, LATERAL (SELECT Day AS d FROM o WHERE NAME = o.stationid) x",
        r#"SELECT d FROM s, LATERAL (SELECT "Day" AS d FROM o WHERE "Name" = o."StationID") x"#,
    );
}

#[test]
fn names_given_in_the_projection() {
    // ORDER BY takes the alias, WHERE and GROUP BY the column.
    check(
        "SELECT upper(name) AS name FROM s WHERE name > 1 GROUP BY name ORDER BY name",
        r#"SELECT upper("Name") AS name FROM s WHERE "Name" > 1 GROUP BY "Name" ORDER BY name"#,
    );
    check(
        r#"SELECT elev * 2 AS "Double" FROM s GROUP BY double HAVING DOUBLE > 1 ORDER BY double"#,
        r#"SELECT elev * 2 AS "Double" FROM s GROUP BY "Double" HAVING "Double" > 1 ORDER BY "Double""#,
    );
}

#[test]
fn wildcards_with_exceptions() {
    check(
        "SELECT x.name FROM (SELECT * EXCEPT (stationid) FROM s) x",
        r#"SELECT x."Name" FROM (SELECT * EXCEPT ("StationID") FROM s) x"#,
    );
    check(
        "SELECT * EXCLUDE (STATIONID, name) FROM s",
        r#"SELECT * EXCLUDE ("StationID", "Name") FROM s"#,
    );
    check(
        "SELECT o.* REPLACE (value + 1 AS value) FROM o",
        r#"SELECT o.* REPLACE ("VALUE" + 1 AS "VALUE") FROM o"#,
    );
    unchanged("SELECT stationid FROM (SELECT * EXCEPT (StationID) FROM local) x");
}

#[test]
fn statements_that_hold_queries() {
    check(
        "EXPLAIN SELECT name FROM s",
        r#"EXPLAIN SELECT "Name" FROM s"#,
    );
    check(
        "CREATE VIEW v AS SELECT name FROM s",
        r#"CREATE VIEW v AS SELECT "Name" FROM s"#,
    );
    check(
        "COPY (SELECT name FROM s) TO 'x.csv'",
        r#"COPY (SELECT "Name" FROM s) TO x.csv"#,
    );
    check(
        "INSERT INTO s (name, STATIONID) SELECT value, day FROM o",
        r#"INSERT INTO s ("Name", "StationID") SELECT "VALUE", "Day" FROM o"#,
    );
}

#[test]
fn names_that_are_no_columns_stay() {
    unchanged("SELECT EXTRACT(DAY FROM now()) FROM o");
    unchanged("SELECT INTERVAL '1' DAY FROM o");
    // Lambdas name their arguments, where the dialect has them.
    let sql = "SELECT array_transform([elev], name -> name + STATIONID), name FROM s";
    let mut statement = DFParser::parse_sql_with_dialect(sql, &DuckDbDialect {})
        .unwrap()
        .pop_front()
        .unwrap();
    respell(&mut statement, &names()).unwrap();
    assert_eq!(
        statement.to_string(),
        r#"SELECT array_transform([elev], name -> name + "StationID"), "Name" FROM s"#
    );
}

proptest! {
    /// Whatever the case of the letters, the statement becomes the one with the columns' spellings.
    #[test]
    fn the_case_of_letters_makes_no_difference(upper in proptest::collection::vec(any::<bool>(), 64)) {
        let canonical = r#"SELECT "StationID", max("Name") FROM s JOIN o USING("StationID") WHERE "VALUE" > 1 GROUP BY "StationID" ORDER BY "Day""#;
        let mut letters = upper.iter().cycle();
        let mut written = String::new();
        for (place, part) in canonical.split('"').enumerate() {
            if place % 2 == 0 {
                written.push_str(part);
            } else {
                written.extend(part.chars().map(|letter| match letters.next() {
                    Some(true) => letter.to_ascii_uppercase(),
                    _ => letter.to_ascii_lowercase(),
                }));
            }
        }
        prop_assert_eq!(spelled(&written), spelled(canonical));
    }
}

/// What the statement is refused with; empty where it is not.
fn refused(sql: &str) -> String {
    let mut statement = DFParser::parse_sql(sql).unwrap().pop_front().unwrap();
    match respell(&mut statement, &names()) {
        Ok(()) => String::new(),
        Err(error) => error.strip_backtrace(),
    }
}

#[test]
fn what_would_be_done_otherwise_than_it_says_is_refused() {
    for (sql, words) in [
        (
            "SELECT StationID FROM s UNION BY NAME SELECT stationid FROM local",
            "`StationID` and `stationid`",
        ),
        ("SELECT * FROM s TABLESAMPLE BERNOULLI (1)", "TABLESAMPLE"),
        (
            "SELECT * FROM s LEFT JOIN generate_series(1, 2) g USING (stationid)",
            "AS t(k, v)",
        ),
        (
            "SELECT * FROM s NATURAL FULL JOIN (SELECT stationid, count(*) FROM o GROUP BY 1) x",
            "AS t(k, v)",
        ),
        (
            "SELECT 1 FROM s LEFT JOIN o USING (stationid) JOIN generate_series(1, 2) g USING (stationid)",
            "AS t(k, v)",
        ),
        (
            "SELECT 1 FROM s LEFT JOIN o USING (value)",
            "on the left side",
        ),
        (
            "SELECT 1 FROM s LEFT JOIN o USING (name)",
            "on the right side",
        ),
        (
            "SELECT 1 FROM s CROSS JOIN o LEFT JOIN local USING (stationid)",
            r#""s"."StationID" or "o"."StationID""#,
        ),
        (
            "SELECT 1 FROM (SELECT elev FROM s) x NATURAL LEFT JOIN o",
            "finds no column",
        ),
        (
            "SELECT stationid FROM s LEFT JOIN o USING (stationid), s AS t",
            "ambiguous",
        ),
        (
            "SELECT * FROM s |> LEFT JOIN o USING (stationid)",
            "write ON",
        ),
        ("SELECT * ILIKE '%i%' FROM s", "name those"),
        (
            "SELECT 1 FROM s LEFT JOIN o USING (s.stationid)",
            "qualifier",
        ),
        (
            "SELECT * EXCLUDE (nothing) FROM s LEFT JOIN o USING (stationid)",
            "no column `nothing`",
        ),
        (
            "SELECT * REPLACE (1 AS \"count(*)\") FROM s JOIN (SELECT stationid, count(*) FROM o GROUP BY 1) x USING (stationid)",
            "AS t(k, v)",
        ),
    ] {
        let refusal = refused(sql);
        assert!(refusal.contains(words), "{sql}: {refusal}");
    }
    for sql in [
        "SELECT StationID FROM s UNION SELECT stationid FROM local",
        "SELECT stationid FROM s UNION ALL BY NAME SELECT StationID FROM o",
    ] {
        assert_eq!(refused(sql), "", "{sql}");
    }
}

#[test]
fn merged_columns_have_the_value_of_the_kept_side() {
    check(
        "SELECT stationid, name FROM s JOIN o USING (STATIONID) WHERE StationId > 1",
        r#"SELECT "s"."StationID", "Name" FROM s JOIN o ON "s"."StationID" = "o"."StationID" WHERE "s"."StationID" > 1"#,
    );
    check(
        "SELECT stationid FROM s RIGHT JOIN o USING (stationid) ORDER BY value",
        r#"SELECT "o"."StationID" FROM s RIGHT JOIN o ON "s"."StationID" = "o"."StationID" ORDER BY "VALUE""#,
    );
    check(
        "SELECT stationid, s.stationid AS mine FROM s FULL JOIN o USING (stationid) ORDER BY name, stationid",
        r#"SELECT coalesce("s"."StationID", "o"."StationID") AS "StationID", s."StationID" AS mine FROM s FULL JOIN o ON "s"."StationID" = "o"."StationID" ORDER BY "Name", "StationID""#,
    );
    // Columns that differ in case alone are the same variable, headed as on the left.
    check(
        "SELECT * FROM s NATURAL RIGHT JOIN local",
        r#"SELECT "local"."stationid" AS "StationID", "s"."Name", "s"."elev", "local"."a", "local"."A" FROM s RIGHT JOIN local ON "s"."StationID" = "local"."stationid""#,
    );
    check(
        "SELECT x.k FROM (SELECT stationid AS k FROM s FULL JOIN o USING (stationid) FULL JOIN local l USING (stationid)) x",
        r#"SELECT x.k FROM (SELECT coalesce(coalesce("s"."StationID", "o"."StationID"), "l"."stationid") AS k FROM s FULL JOIN o ON "s"."StationID" = "o"."StationID" FULL JOIN local l ON coalesce("s"."StationID", "o"."StationID") = "l"."stationid") x"#,
    );
    check(
        "SELECT 1 FROM s LEFT SEMI JOIN o USING (stationid) WHERE stationid = 1 AND day = 2",
        r#"SELECT 1 FROM s LEFT SEMI JOIN o ON "s"."StationID" = "o"."StationID" WHERE "StationID" = 1 AND day = 2"#,
    );
    // An inner query's own columns come before the merged one outside.
    check(
        "SELECT (SELECT max(stationid) FROM local) FROM s LEFT JOIN o USING (stationid)",
        r#"SELECT (SELECT max(stationid) FROM local) FROM s LEFT JOIN o ON "s"."StationID" = "o"."StationID""#,
    );
    check(
        "SELECT (SELECT max(v) FROM (SELECT 1 AS v) x WHERE v = stationid) FROM s LEFT JOIN o USING (stationid)",
        r#"SELECT (SELECT max(v) FROM (SELECT 1 AS v) x WHERE v = "s"."StationID") FROM s LEFT JOIN o ON "s"."StationID" = "o"."StationID""#,
    );
}

#[test]
fn wildcards_yield_merged_columns_once() {
    check(
        "SELECT * FROM o JOIN s USING (stationid)",
        r#"SELECT "o"."StationID", "o"."Day", "o"."VALUE", "s"."Name", "s"."elev" FROM o JOIN s ON "o"."StationID" = "s"."StationID""#,
    );
    check(
        "SELECT * EXCEPT (day) REPLACE (stationid + 1 AS stationid) RENAME (value AS v) FROM o LEFT JOIN s USING (stationid)",
        r#"SELECT "o"."StationID" + 1 AS "StationID", "o"."VALUE" AS "v", "s"."Name", "s"."elev" FROM o LEFT JOIN s ON "o"."StationID" = "s"."StationID""#,
    );
    // What nothing names is not lost, and what has no alias gets one.
    check(
        "SELECT * FROM s LEFT JOIN (SELECT stationid, count(*) FROM o GROUP BY 1) USING (stationid)",
        r#"SELECT "s"."StationID", "s"."Name", "s"."elev", "unnamed 1".* EXCLUDE ("StationID") FROM s LEFT JOIN (SELECT "StationID", count(*) FROM o GROUP BY 1) AS "unnamed 1" ON "s"."StationID" = "unnamed 1"."StationID""#,
    );
    check(
        "SELECT * EXCLUDE (\"VALUE\") FROM s JOIN o AS v USING (stationid), generate_series(1, 2)",
        r#"SELECT "s"."StationID", "s"."Name", "s"."elev", "v"."Day", "unnamed 1".* FROM s JOIN o AS v ON "s"."StationID" = "v"."StationID", generate_series(1, 2) AS "unnamed 1""#,
    );
    check(
        "SELECT Day FROM (s FULL JOIN o USING (stationid)) AS x",
        r#"SELECT "Day" FROM (SELECT coalesce("s"."StationID", "o"."StationID") AS "StationID", "s"."Name", "s"."elev", "o"."Day", "o"."VALUE" FROM s FULL JOIN o ON "s"."StationID" = "o"."StationID") AS x"#,
    );
    check(
        "FROM s |> WHERE elev > 1",
        "SELECT * FROM s |> WHERE elev > 1",
    );
    unchanged("SELECT s.*, o.* FROM s, o");
    // What the tables lack is DataFusion's to say.
    unchanged("SELECT * FROM s LEFT JOIN nothing USING (stationid)");
    // An inner join whose columns can't be known stays as DataFusion plans it.
    unchanged("SELECT * FROM s JOIN generate_series(1, 2) g USING (value)");
}
