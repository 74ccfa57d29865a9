//! Finding data: completion, lists, descriptions, summaries, names that were meant.

use rexpect::ReadUntil;
use rexpect::session::PtySession;

use crate::editing::{answer, leave, press, resize, terminal};
use crate::{Run, Sandbox, sql};

/// Types a text and Tab, and looks for what it becomes.
#[track_caller]
fn completes(session: &mut PtySession, typed: &str, expected: &str) -> String {
    press(session, &format!("{typed}\t"));
    let wanted = || {
        let wanted = [expected, "loading"].map(|text| ReadUntil::String(text.to_owned()));
        Vec::from(wanted)
    };
    let shown = loop {
        let found = session.exp_any(wanted());
        assert!(found.is_ok(), "{typed}: {found:?}");
        let (shown, found) = found.unwrap();
        match found == expected {
            true => break shown,
            // On its way: asked again.
            false => press(session, "\t"),
        }
    };
    press(session, "\x03");
    session.exp_string("\x1b[?2004l").unwrap();
    session.exp_string("=> ").unwrap();
    shown
}

#[test]
fn everything_is_completed() {
    let sandbox = Sandbox::new();
    sandbox.write("numbers.csv", "n\n1\n");
    std::fs::create_dir(sandbox.path().join("folder")).unwrap();
    sandbox.write("folder/it.sql", "");
    let mut session = terminal(&sandbox, &["--local"], &[]);
    answer(
        &mut session,
        "CREATE TABLE animals AS SELECT 1 AS legs, 'x' AS \"odd name\";",
    );
    answer(&mut session, "CREATE VIEW long_lived AS SELECT 2 AS years;");
    for columns in [80, 120, 40] {
        resize(&mut session, 24, columns);
        let mut it = |typed, expected| completes(&mut session, typed, expected);
        // Keywords, in the case that one types in; functions, tables, columns on both sides of the cursor.
        it("sum", "summarize");
        it("SELECT 1 WHER", "WHERE");
        it("select date_bi", "date_bin(");
        it("FROM anim", "animals");
        it("FROM animals, long", "long_lived");
        it("FROM information_schema.df", "df_settings");
        it("FROM animals WHERE le", "legs");
        it("FROM animals a WHERE a.od", "\"odd name\"");
        it(
            "SELECT leg FROM animals\x01\x1b[C\x1b[C\x1b[C\x1b[C\x1b[C\x1b[C\x1b[C\x1b[C\x1b[C\x1b[C",
            "legs FROM",
        );
        it("FROM animals WHERE 1 = 1\rAND le", "legs");
        it("WITH few AS (SELECT 1) FROM fe", "few");
        it("SET redivis.max_st", "redivis.max_streams");
        it(
            "SHOW datafusion.execution.batch",
            "datafusion.execution.batch_size",
        );
        // Files.
        it("FROM 'num", "'numbers.csv'");
        it("COPY animals TO 'fol", "'folder/");
        it("COPY animals TO 'folder/i", "'folder/it.sql'");
        it(
            "CREATE EXTERNAL TABLE e STORED AS CSV LOCATION 'num",
            "'numbers.csv'",
        );
        // Meta commands, in both spellings, and what they take.
        it(r"\exa", r"\examples");
        it(".exa", ".examples");
        it(r"\d anim", "animals");
        it(r"\h copy", "COPY");
        it(r"\use no", "none");
        it(r"\ls de", r"\ls demo.");
        // What is on Redivis, step by step and in every spelling.
        it("FROM redivis.'dem", "redivis.'demo.");
        it("FROM redivis.'demo.nyc", "redivis.'demo.nycflights13.");
        it(
            "FROM redivis.'demo.nycflights13.flig",
            "redivis.'demo.nycflights13.flights'",
        );
        it(
            "FROM redivis.\"demo.nycflights13.flig",
            "redivis.\"demo.nycflights13.flights\"",
        );
        it(
            "FROM `demo.nycflights13.flig",
            "`demo.nycflights13.flights`",
        );
        it("FROM dem", "demo.");
        it("FROM demo.nyc", "demo.nycflights13.");
        it("FROM demo.nycflights13.flig", "demo.nycflights13.flights");
        it(
            "FROM redivis.demo.nycflights13.flig",
            "redivis.demo.nycflights13.flights",
        );
        it(
            "FROM redivis('demo.nycflights13.flig",
            "demo.nycflights13.flights'",
        );
        it(
            r"\d demo.nycflights13.flig",
            r"\d demo.nycflights13.flights",
        );
        it(r"\use demo.nyc", r"\use demo.nycflights13");
        // The columns of a table that no statement has used yet.
        it(
            "FROM demo.nycflights13.flights f WHERE f.tailn",
            "f.tailnum",
        );
        it(
            "FROM redivis.'demo.nycflights13.planes' WHERE manuf",
            "manufacturer",
        );
    }
    // What there is to choose from has words beside it.
    let shown = completes(&mut session, "FROM redivis.'demo.nycflights13.", "weather");
    assert!(shown.contains("336,776 rows"), "{shown}");
    resize(&mut session, 24, 80);
    completes(
        &mut session,
        "FROM demo.nycflights13.flights WHERE dep",
        "Departure delay",
    );
    let shown = completes(&mut session, r"\d", r"\dt");
    assert!(shown.contains("describe a table's columns"), "{shown}");
    // A whole statement by keys, and one of a default dataset.
    let shown = answer(
        &mut session,
        "SELECT approx_dist\tcarrier) AS n FROM redivis.'dem\tny\tairl\t;",
    );
    assert!(shown.contains("16"), "{shown}");
    answer(&mut session, r"\use demo.nycflights13");
    completes(&mut session, "FROM airp", "airports");
    completes(&mut session, "FROM airports WHERE tzo", "tzone");
    leave(session);
    // Whose tables were used before is known.
    sandbox.write(
        "state/redivis-sql/history",
        "#V2\nFROM redivis.'somebody.zoo.animals';\n",
    );
    let mut session = terminal(&sandbox, &["--local"], &[]);
    completes(&mut session, "FROM redivis.'some", "redivis.'somebody.");
    leave(session);
}

#[test]
fn data_is_found_by_lists_and_described_by_its_name() {
    let sandbox = Sandbox::new();
    let mut session = terminal(&sandbox, &["--local"], &[]);
    let mut it = |line| answer(&mut session, line);
    assert!(it(r"\l").contains("demo"));
    assert!(it(r"\ls demo").contains("demo.nycflights13"));
    for list in [
        r"\ls demo.nycflights13",
        "demo.nycflights13",
        r"\dt demo.nycflights13",
    ] {
        let shown = it(list);
        assert!(
            shown.contains("336776") && shown.contains("airlines"),
            "{shown}"
        );
    }
    for name in [
        "demo.nycflights13.airlines",
        "demo.nycflights13.airlines;",
        "`demo.nycflights13.airlines`",
        "redivis.'demo.nycflights13:v1_0.airlines'",
        "redivis.demo.nycflights13.airlines",
        r"\d demo.nycflights13.airlines",
        "DESCRIBE demo.nycflights13.airlines;",
        "SELECT * FROM redivis.demo.nycflights13.airlines LIMIT 1;",
    ] {
        let shown = it(name);
        assert!(
            shown.contains("carrier") && !shown.contains("error"),
            "{name}: {shown}"
        );
    }
    assert!(it(r"\d demo.nycflights13.airlines").contains("Carrier code"));
    assert!(it("SHOW FUNCTIONS LIKE 'date_bin';").contains("date_bin"));
    // The default dataset is in the prompt, its tables among one's own.
    it("CREATE VIEW mine AS SELECT 1 AS one;");
    let shown = it("SHOW TABLES;");
    assert!(
        shown.contains("mine") && !shown.contains("airlines") && !shown.contains("df_settings"),
        "{shown}"
    );
    let shown = it(r"\use demo.nycflights13");
    assert!(shown.ends_with("redivis:demo.nycflights13"), "{shown}");
    let shown = it("SHOW TABLES;");
    assert!(
        shown.contains("mine") && shown.contains("airlines"),
        "{shown}"
    );
    assert!(it("SELECT count(*) FROM\rairlines;").contains("16"));
    assert!(it(r"\use").contains("tables are found in demo.nycflights13"));
    assert!(it(r"\use demo.nycflight13").contains("did you mean demo.nycflights13?"));
    assert!(it(r"\use none").ends_with("redivis"));
    leave(session);
}

#[test]
fn a_table_fits_a_screen_of_eighty_columns() {
    let run = Sandbox::new().run(&[
        "--local",
        "--format",
        "table",
        "-c",
        r"\d demo.nycflights13.flights",
    ]);
    let data = run.data();
    assert!(
        data.lines().all(|line| line.chars().count() <= 80),
        "{data}"
    );
    assert!(
        data.starts_with(" name           │ type     │ label "),
        "{data}"
    );
}

#[test]
fn a_summary_tells_what_the_values_are_like() {
    let summary = sql("SUMMARIZE demo.nycflights13.planes");
    let lines: Vec<&str> = summary.lines().collect();
    assert_eq!(
        lines[0],
        "name,type,min,max,mean,median,distinct,nulls,label"
    );
    assert_eq!(lines.len(), 10, "{summary}");
    assert!(
        summary.contains("\nyear,integer,1956,2013,2000.4"),
        "{summary}"
    );
    assert!(summary.contains(",46,70,Year manufactured\n"), "{summary}");
    assert!(
        summary.contains("\ntailnum,string,5 characters,6 characters,,"),
        "{summary}"
    );
    let weather = sql("SUMMARIZE demo.nycflights13.weather");
    assert!(
        weather.contains("\ntime_hour,dateTime,2013-01-01 06:00:00,2013-12-30 23:00:00,,"),
        "{weather}"
    );
    for same in [
        r"\summary redivis.'demo.nycflights13.planes'",
        "SUMMARIZE `demo.nycflights13:v1_0.planes`",
    ] {
        assert_eq!(sql(same), summary, "{same}");
    }
    // Whatever else has rows is read.
    let sandbox = Sandbox::new();
    sandbox.write("two.csv", "a,b\n1,x\n3,\n");
    let expected = "name,type,min,max,mean,median,distinct,nulls,label\na,int64,1,3,2.0,2.0,2,0,\nb,utf8,x,x,,,1,1,\n";
    for source in ["'two.csv'", "SELECT * FROM 'two.csv'"] {
        let run = sandbox.run(&["-c", &format!("SUMMARIZE {source}")]);
        let data = run.data().replace("utf8view", "utf8");
        assert_eq!(data, expected, "{source}");
    }
    let run = sandbox.run(&[
        "-c",
        "CREATE TABLE t AS SELECT true AS yes, NULL AS nothing, [1] AS list, 1.5 AS \"od\"\"d\"",
        "-c",
        "SUMMARIZE t",
    ]);
    assert_eq!(run.data().lines().count(), 5);
}

#[test]
fn names_that_are_nearly_right_are_told() {
    let run = |sql: &str| -> Run { Sandbox::new().run(&["--local", "-c", sql]) };
    for (sql, hint) in [
        (
            "SELECT * FROM redivis.'demo.nycflights13.fligths'",
            r"did you mean redivis.'demo.nycflights13.flights'?   (\ls demo.nycflights13 lists 5 tables)",
        ),
        (
            "SELECT * FROM demo.nycflight13.flights",
            r"did you mean redivis.'demo.nycflights13.flights'?   (\ls demo lists 1 dataset)",
        ),
        (
            "SELECT * FROM `demo.nycflights13.penguin`",
            r"hint: \ls demo.nycflights13 lists 5 tables",
        ),
        (
            "SELECT * FROM redivis.'demo.nycflights13:v9_0.flights'",
            "demo.nycflights13 has no version v9_0",
        ),
        (r"\ls demo.nycflight13", "did you mean demo.nycflights13?"),
    ] {
        let run = run(sql);
        assert_eq!(run.status, Some(1), "{sql}: {}", run.stderr);
        assert!(run.stderr.contains(hint), "{sql}: {}", run.stderr);
        assert!(
            run.stderr
                .contains("does not exist on Redivis, or you cannot see it"),
            "{sql}: {}",
            run.stderr
        );
    }
    let run = run("SELECT * FROM nobody.at.home");
    assert!(run.stderr.contains("check the spelling"), "{}", run.stderr);
}

#[test]
fn the_examples_run() {
    let sandbox = Sandbox::new();
    let examples = sandbox.run(&["--local", "-c", r"\examples"]).stderr;
    let (_, examples) = examples.split_once('\n').unwrap();
    assert_eq!(examples.matches(';').count(), 5, "{examples}");
    sandbox.run_with_input(&["--local"], examples).data();
}

#[test]
fn the_first_lines_say_where_one_is() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(&[]);
    command
        .stdin(std::process::Stdio::inherit())
        .env("TERM", "xterm")
        .env("NO_COLOR", "1");
    let mut session =
        rexpect::session::spawn_command(command, Some(crate::prompt::TIMEOUT_MILLISECONDS))
            .unwrap();
    let shown = session.exp_string("redivis=> ").unwrap();
    assert!(
        shown.contains(r"\examples") && shown.contains(r"\? help"),
        "{shown}"
    );
    assert!(
        shown.contains("not signed in") && shown.contains("redivis-sql login"),
        "{shown}"
    );
    leave(session);
    let mut command = sandbox.command(&[]);
    command
        .stdin(std::process::Stdio::inherit())
        .env("TERM", "xterm")
        .env("REDIVIS_API_TOKEN", "t")
        .env("REDIVIS_API_ENDPOINT", "http://127.0.0.1:9");
    let mut session =
        rexpect::session::spawn_command(command, Some(crate::prompt::TIMEOUT_MILLISECONDS))
            .unwrap();
    session
        .exp_string("signed in by REDIVIS_API_TOKEN")
        .unwrap();
    session.exp_string("redivis=> ").unwrap();
    leave(session);
    let mut session = terminal(
        &sandbox,
        &["--local"],
        &[("REDIVIS_DEFAULT_DATASET", "demo.nycflights13")],
    );
    let shown = answer(&mut session, r"\use");
    assert!(
        shown.contains("tables are found in demo.nycflights13"),
        "{shown}"
    );
    leave(session);
}
