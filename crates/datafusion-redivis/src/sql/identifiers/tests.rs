//! Statements before and after: what is respelled, and what has to stay.

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::sql::parser::DFParser;
use datafusion::sql::sqlparser::dialect::DuckDbDialect;
use proptest::prelude::*;

use super::*;

/// Tables: `s(StationID, Name, elev)`, `o(StationID, Day, VALUE)`, `local(stationid, a, "A")`, and one of Redivis.
fn names() -> Names {
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
    check(
        "SELECT 1 FROM s JOIN o USING (stationid)",
        r#"SELECT 1 FROM s JOIN o USING("StationID")"#,
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
        // `"StationID"` is in both tables, and spelled the same.
        prop_assert_eq!(spelled(&written), canonical);
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
fn columns_that_differ_in_case_are_not_left_unmatched_in_silence() {
    for sql in [
        "SELECT * FROM s NATURAL JOIN local",
        "SELECT * FROM s JOIN local USING (StationID)",
        "SELECT StationID FROM s UNION BY NAME SELECT stationid FROM local",
        "SELECT 1 FROM s WHERE EXISTS (SELECT 1 FROM o NATURAL JOIN local)",
    ] {
        let refusal = refused(sql);
        assert!(
            refusal.contains("`StationID` and `stationid`"),
            "{sql}: {refusal}"
        );
    }
    for sql in [
        "SELECT * FROM s NATURAL JOIN o",
        "SELECT * FROM s JOIN o USING (stationid)",
        "SELECT * FROM s JOIN local ON s.stationid = local.stationid",
        "SELECT StationID FROM s UNION SELECT stationid FROM local",
        "SELECT stationid FROM s UNION ALL BY NAME SELECT StationID FROM o",
    ] {
        assert_eq!(refused(sql), "", "{sql}");
    }
    assert!(refused("SELECT * FROM s TABLESAMPLE BERNOULLI (1)").contains("TABLESAMPLE"));
    for outer in ["LEFT", "LEFT OUTER", "RIGHT", "FULL OUTER"] {
        let using = format!("SELECT * FROM s {outer} JOIN o USING (stationid)");
        assert!(refused(&using).contains("write ON"), "{using}");
        let natural = format!("SELECT * FROM s NATURAL {outer} JOIN o");
        assert!(refused(&natural).contains("write ON"), "{natural}");
        let on = format!("SELECT * FROM s {outer} JOIN o ON s.stationid = o.stationid");
        assert_eq!(refused(&on), "", "{on}");
    }
    assert_eq!(
        refused("SELECT * FROM s LEFT SEMI JOIN o USING (stationid)"),
        ""
    );
}
