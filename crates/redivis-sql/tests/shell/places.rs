//! Where in a statement an error is, as a person sees it.

use crate::Sandbox;

/// What is said of a statement that fails over the sample data.
#[track_caller]
fn said(statement: &str) -> String {
    let run = Sandbox::new().run(&["--local", "-q", "-c", statement]);
    assert_eq!(run.status, Some(1), "{}", run.stderr);
    assert!(run.stderr.lines().count() <= 6, "{}", run.stderr);
    run.stderr
}

#[test]
fn errors_point_at_what_they_are_about() {
    let statements = [
        "SELECT 1 +",
        "SELEC 1",
        "SELECT 'open",
        "SELECT name FRM demo.nycflights13.airlines",
        "SELECT name FROM demo.nycflights13.airlines GROUP BY name, HAVING count(*) > 1",
        "SELECT name",
        "SELECT \"no such text\" FROM demo.nycflights13.airlines",
        "SELECT dep_dealy FROM redivis.'demo.nycflights13.flights'",
        "SELECT f.carrier,\n       x.name\nFROM demo.nycflights13.flights f",
        "SELECT count(*)\nFROM demo.nycflights13.flights f\n\tJOIN redivis.'demo.nycflights13:v1_0.airlins' a USING (carrier)",
        "SELECT upper(name), uper(name) FROM demo.nycflights13.airlines",
        "SELECT sum(name) FROM demo.nycflights13.airlines",
        "SELECT * FROM airlines",
        "SELECT * FROM 'airlines.csv'",
        "SELECT carrier FROM demo.nycflights13.airlines a, demo.nycflights13.flights f",
        "SELECT name, count(*) FROM demo.nycflights13.airlines",
        "SELECT name + 1 FROM demo.nycflights13.airlines",
        "SELECT CAST('x' AS INT)",
        "SELECT row_number() FROM demo.nycflights13.airlines",
        "SELECT * FROM redivis.'demo.nycflights13'",
        "SET nothing = 1",
    ];
    let all: Vec<String> = statements.iter().map(|statement| said(statement)).collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn errors_of_queries_on_redivis_point_into_their_text() {
    let statements = [
        "SELECT * FROM redivis_query('SELECT carrier, nothing FROM `demo.nycflights13.airlines`')",
        "SELECT q.name\nFROM demo.nycflights13.flights\nJOIN redivis_query($$\n\tSELECT carrier, 'it' AS it,\n\t\tnothing\n\
         FROM `demo.nycflights13.airlines`$$) q USING (carrier)",
        "SELECT * FROM redivis_query('SELECT ''é'' AS a, \"it''s\" AS b, FROBNICATE(1)')",
        "SELECT * FROM redivis_query('SELECT * FROM `demo.nycflights13.airlinse`')",
        "SELECT * FROM redivis_query($q$SELEC 1$q$)",
        "SELECT * FROM redivis_query('SELECT 1 +')",
        "SELECT * FROM redivis_query('SELECT 1 AS a, 2 AS a')",
    ];
    let all: Vec<String> = statements.iter().map(|statement| said(statement)).collect();
    insta::assert_snapshot!(all.join("\n"));
    let sandbox = Sandbox::new();
    sandbox.write(
        "late.sql",
        "SELECT 1 AS a;\n\nSELECT *\n  FROM redivis_query($$\n    SELECT name,\n           late\n      FROM `demo.nycflights13.airlines`\n  $$);\n",
    );
    let run = sandbox.run(&["--local", "-q", "-f", "late.sql"]);
    let starts = "error: late.sql:6:12: the query failed on Redivis: ";
    assert!(run.stderr.starts_with(starts), "{}", run.stderr);
    let ends = " 6 |            late\n   |            ^^^^\n";
    assert!(run.stderr.ends_with(ends), "{}", run.stderr);
    // The place is where it is written, whatever a variable before it stands for.
    let run = sandbox.run(&[
        "--local",
        "-v",
        "long=1234567890",
        "--error-format",
        "json",
        "-q",
        "-c",
        "SELECT :long, * FROM redivis_query('SELECT late')",
    ]);
    let error: serde_json::Value = serde_json::from_str(&run.stderr).unwrap();
    let place = (&error["line"], &error["column"]);
    assert_eq!(place, (&1.into(), &44.into()), "{error}");
}

#[test]
fn of_a_long_line_the_part_around_the_place_is_shown() {
    let columns: Vec<String> = (0..100).map(|n| format!("{n} AS c{n}")).collect();
    let said = said(&format!(
        "SELECT {}, nothing, {} FROM demo.nycflights13.airlines",
        columns.join(", "),
        columns.join(", ")
    ));
    let shown = said.lines().nth(3).unwrap();
    assert!(
        shown.chars().count() < 120 && shown.contains(", nothing, "),
        "{said}"
    );
    let caret = said.lines().nth(4).unwrap();
    let from = caret.chars().position(|c| c == '^').unwrap();
    let under: String = shown
        .chars()
        .skip(from)
        .take(caret.matches('^').count())
        .collect();
    assert_eq!(under, "nothing", "{said}");
}

#[test]
fn internal_words_stay_inside() {
    for statement in [
        "SELECT nothing",
        "SELECT * FROM nothing",
        "SELECT sum(name) FROM demo.nycflights13.airlines",
        "SELECT name || 1 + 1 FROM demo.nycflights13.airlines",
        "SELECT * FROM demo.nycflights13.airlines a JOIN demo.nycflights13.flights f ON carrier = carrier",
        "SELECT carrier FROM demo.nycflights13.airlines a, demo.nycflights13.flights f",
        "SELECT name, count(*) FROM demo.nycflights13.airlines",
        "SELECT (SELECT carrier, name FROM demo.nycflights13.airlines)",
        "SELECT 1 UNION SELECT 1, 2",
        "SELECT sum(count(*)) FROM demo.nycflights13.airlines",
        "INSERT INTO nothing VALUES (1)",
        "DROP TABLE nothing",
    ] {
        let said = said(statement);
        for word in [
            "Error during planning",
            "datafusion",
            "Schema error",
            "Int64(",
            "Utf8",
            "DataFusion",
            "logical plan",
        ] {
            assert!(!said.contains(word), "{statement}: {said}");
        }
    }
}

#[test]
fn colours_are_for_those_who_want_them() {
    let sandbox = Sandbox::new();
    let plain = sandbox.run(&["-c", "SELECT x"]);
    assert!(!plain.stderr.contains('\u{1b}'), "{}", plain.stderr);
    let always = sandbox.run(&["--color", "always", "-c", "SELECT x"]);
    assert!(
        always
            .stderr
            .starts_with("\u{1b}[1;31merror:\u{1b}[0m no column x"),
        "{}",
        always.stderr
    );
    let forced = sandbox
        .command(&["-c", "SELECT x"])
        .env("CLICOLOR_FORCE", "1")
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&forced.stderr).contains('\u{1b}'));
    let no_color = sandbox
        .command(&["-c", "SELECT x"])
        .env("CLICOLOR_FORCE", "1")
        .env("NO_COLOR", "1")
        .output();
    assert!(!String::from_utf8_lossy(&no_color.unwrap().stderr).contains('\u{1b}'));
}
