//! Scripts: what follows an error, variables, files that include files, limits, and what programs read of it.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::{Run, Sandbox};

#[test]
fn a_script_goes_on_after_errors_if_asked_and_fails_all_the_same() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "s.sql",
        "SELECT 1 AS a;\nSELECT x;\nSELECT 2 AS a;\n\\nonsense\nSELECT 3 AS a;\n",
    );
    let stopped = sandbox.run(&["-f", "s.sql", "-c", "SELECT 4 AS a"]);
    assert_eq!(stopped.stdout, "a\n1\n");
    assert_eq!(stopped.status, Some(1));
    let run = sandbox.run(&[
        "--on-error",
        "continue",
        "-f",
        "s.sql",
        "-c",
        "SELECT 4 AS a",
    ]);
    assert_eq!(run.stdout, "a\n1\na\n2\na\n3\na\n4\n");
    // That of the first failure: the second one's would be 2.
    assert_eq!(run.status, Some(1));
    assert!(
        run.stderr.contains("error: s.sql:2:8: no column x\n"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr
            .contains("error: s.sql:4:1: no command \\nonsense"),
        "{}",
        run.stderr
    );
    let missing = sandbox.run(&[
        "--on-error",
        "continue",
        "-f",
        "missing.sql",
        "-c",
        "SELECT 4 AS a",
    ]);
    assert_eq!(
        (missing.status, missing.stdout.as_str()),
        (Some(2), "a\n4\n")
    );
}

#[test]
fn an_output_file_with_a_failed_statement_stays_as_it_was() {
    let sandbox = Sandbox::new();
    sandbox.write("out.csv", "old\n");
    let run = sandbox.run(&[
        "--on-error",
        "continue",
        "-o",
        "out.csv",
        "-c",
        "SELECT 1 AS a; SELECT x; SELECT 2 AS a",
    ]);
    assert_eq!(run.status, Some(1));
    assert!(
        run.stderr
            .contains("out.csv was not written, since a statement failed"),
        "{}",
        run.stderr
    );
    assert_eq!(sandbox.read("out.csv"), "old\n");
    assert_eq!(sandbox.names(), ["out.csv"]);
}

#[test]
fn variables_stand_for_values_texts_and_names() {
    let sandbox = Sandbox::new();
    let run = sandbox.run_with_input(
        &["-v", "n=41", "-v", "who=O'Hare", "-f", "-"],
        "\\set name my column\n\\set m 1\n\
         SELECT :n + :m AS :\"name\", :'who' AS \"who\", ':n' AS text, '5'::int AS cast -- :n is no variable here\n;\n\
         \\unset m\n\\set\n",
    );
    assert_eq!(
        run.data(),
        "my column,who,text,cast\n42,O'Hare,:n,5\nname,value\nn,41\nname,my column\nwho,O'Hare\n"
    );
    let unset = sandbox.run(&["-c", "SELECT 1,\n  :nobody + 1"]);
    assert_eq!(unset.status, Some(1));
    assert_eq!(
        unset.stderr,
        "error: no variable nobody\n  hint: \\set nobody VALUE sets it, as -v nobody=VALUE does\n   |\n 2 |   :nobody + 1\n   |   ^^^^^^^\n"
    );
    assert_eq!(
        sandbox.run(&["-v", "1=2", "-c", "SELECT 1"]).status,
        Some(2)
    );
}

#[test]
fn errors_are_placed_in_what_was_written_and_not_in_what_a_variable_made_of_it() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "s.sql",
        "\\set long 1 + 1 + 1 + 1 + 1\nSELECT :long, xyz, :long;\n",
    );
    let run = sandbox.run(&["-f", "s.sql"]);
    assert!(
        run.stderr.starts_with("error: s.sql:2:15: no column xyz\n"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr
            .ends_with(" 2 | SELECT :long, xyz, :long\n   |               ^^^\n"),
        "{}",
        run.stderr
    );
}

#[test]
fn scripts_include_scripts_beside_them() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path().join("sub")).unwrap();
    sandbox.write(
        "main.sql",
        "SELECT 1 AS a;\n\\i sub/one.sql\nSELECT 4 AS a;\n",
    );
    sandbox.write("sub/one.sql", "SELECT 2 AS a;\n\\i 'two.sql'\n");
    sandbox.write("sub/two.sql", "SELECT 3 AS a");
    assert_eq!(
        sandbox.run(&["-f", "main.sql"]).data(),
        "a\n1\na\n2\na\n3\na\n4\n"
    );
    // From elsewhere, and by a command.
    assert_eq!(
        sandbox.run(&["-c", "\\i sub/one.sql"]).data(),
        "a\n2\na\n3\n"
    );

    sandbox.write("sub/two.sql", "\nSELECT 3 AS a, x");
    let failed = sandbox.run(&["-f", "main.sql"]);
    assert_eq!(
        (failed.status, failed.stdout.as_str()),
        (Some(1), "a\n1\na\n2\n")
    );
    let place = Path::new("sub").join("two.sql");
    let words = format!("error: {}:2:16: no column x\n", place.display());
    assert!(failed.stderr.starts_with(&words), "{}", failed.stderr);

    sandbox.write("again.sql", "\\i again.sql\n");
    let endless = sandbox.run(&["-f", "again.sql"]);
    assert_eq!(endless.status, Some(2));
    assert!(
        endless.stderr.contains("include each other"),
        "{}",
        endless.stderr
    );
    let missing = sandbox.run(&["-c", "\\i nothing.sql"]);
    assert_eq!(missing.status, Some(2));
    assert!(
        missing.stderr.contains("can't read nothing.sql"),
        "{}",
        missing.stderr
    );
}

#[test]
fn a_statement_may_take_so_long_and_no_longer() {
    let sandbox = Sandbox::new();
    let started = Instant::now();
    let endless = "SELECT count(*) FROM generate_series(1, 1000000000000)";
    let run = sandbox.run(&[
        "--timeout",
        "300ms",
        "-c",
        "SELECT 1 AS a",
        "-c",
        endless,
        "-c",
        "SELECT 2 AS a",
    ]);
    assert_eq!(run.status, Some(4), "{}", run.stderr);
    assert_eq!(run.stdout, "a\n1\n");
    assert!(
        run.stderr
            .contains("canceled after 0.3 s, which is the limit"),
        "{}",
        run.stderr
    );
    assert!(started.elapsed() < Duration::from_secs(30));
    // What computes without a pause is left all the same.
    let join = "SELECT count(*) FROM generate_series(1, 200000) a JOIN generate_series(1, 200000) b ON a.value::text || 'a' > b.value::text || 'b'";
    let arguments = [
        "--timeout",
        "300ms",
        "--on-error",
        "continue",
        "-c",
        join,
        "-c",
        "SELECT 2 AS a",
    ];
    let run = sandbox.run(&arguments);
    assert_eq!((run.status, run.stdout.as_str()), (Some(4), "a\n2\n"));
    assert_eq!(
        sandbox.run(&["--timeout", "soon", "-c", "SELECT 1"]).status,
        Some(2)
    );
}

#[test]
fn programs_read_errors_as_json() {
    let sandbox = Sandbox::new();
    sandbox.write("s.sql", "SELECT 1;\n SELECT a,\n carier FROM demo.nycflights13.airlines;\nSELECT * FROM demo.nycflights13.nothing;\n");
    let (run, errors) = sandbox.told(&[]);
    assert_eq!(errors.len(), 2, "{}", run.stderr);
    let column = &errors[0];
    assert_eq!(column["error"], "no column a");
    assert_eq!(
        (&column["file"], &column["line"], &column["column"]),
        (&"s.sql".into(), &2.into(), &9.into())
    );
    assert_eq!(column["status"], 1);
    let table = &errors[1];
    assert_eq!(table["http_status"], 404);
    assert_eq!(table["resource"], "demo.nycflights13.nothing");
    assert_eq!((&table["line"], &table["column"]), (&4.into(), &15.into()));
}

#[test]
fn quiet_leaves_out_what_went_well() {
    let sandbox = Sandbox::new();
    let copy = "COPY (SELECT 1 AS a) TO 'a.csv'";
    let run = sandbox.run(&["--local", "-c", copy]);
    assert_eq!(run.stderr.lines().count(), 2, "{}", run.stderr);
    let run = sandbox.run(&["--local", "--quiet", "-c", copy]);
    assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""));
    let failed = sandbox.run(&["-q", "-c", "SELECT x"]);
    assert!(
        failed.stderr.starts_with("error: no column x"),
        "{}",
        failed.stderr
    );
}

#[test]
fn default_datasets_come_from_options_too() {
    let sandbox = Sandbox::new();
    let arguments = [
        "--local",
        "--dataset",
        "demo.nycflights13",
        "-c",
        "SELECT count(*) AS n FROM airlines",
    ];
    let output = sandbox
        .command(&arguments)
        .env("REDIVIS_DEFAULT_WORKFLOW", "nobody.nothing")
        .output();
    assert_eq!(Run::of(output.unwrap()).data(), "n\n16\n");
    let both = sandbox.run(&["--dataset", "a.b", "--workflow", "a.c", "-c", "SELECT 1"]);
    assert_eq!(both.status, Some(2));
    let none = sandbox.run(&["--dataset", "nonsense", "-c", "SELECT 1"]);
    assert_eq!(none.status, Some(2));
    assert!(none.stderr.contains("--dataset: "), "{}", none.stderr);
}

#[test]
fn a_statement_is_watched() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["-c", "SELECT 1 AS a", "-c", "\\watch 0.01 2"]);
    assert_eq!(run.data(), "a\n1\na\n1\na\n1\n");
    let nothing = sandbox.run(&["-c", "\\watch"]);
    assert_eq!(nothing.status, Some(2));
    assert_eq!(sandbox.run(&["-c", "\\watch never"]).status, Some(2));
}

#[test]
fn the_last_error_is_told_with_its_causes() {
    let sandbox = Sandbox::new();
    let arguments = [
        "--local",
        "--on-error",
        "continue",
        "-c",
        "SELECT * FROM demo.nycflights13.nothing",
        "-c",
        "\\errverbose",
    ];
    let run = sandbox.run(&arguments);
    assert_eq!(run.status, Some(1));
    let (_, told) = run.stderr.split_once("\nerror: External error").unwrap();
    for fact in [
        "operation: get table",
        "resource: demo.nycflights13.nothing",
        "HTTP status: 404",
        "code: not_found",
    ] {
        assert!(told.contains(fact), "{}", run.stderr);
    }
    let none = sandbox.run(&["-c", "\\errverbose"]);
    assert_eq!(none.stderr, "no statement has failed\n");
}

#[cfg(unix)]
#[test]
fn all_of_it_works_at_the_prompt() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "two.sql",
        "SELECT 'fir' || 'st';\nSELECT nothing;\nSELECT 'nev' || 'er';\n",
    );
    let mut session = crate::prompt::start(&sandbox);
    session.send_line("\\set n 41").unwrap();
    session.exp_string("redivis=> ").unwrap();
    session.send_line("SELECT 'is', :n + 1;").unwrap();
    session.exp_string("42").unwrap();
    session.exp_string("redivis=> ").unwrap();
    // A file stops at its first error, which has its place; the shell goes on.
    session.send_line("\\i two.sql").unwrap();
    session.exp_string("first").unwrap();
    session
        .exp_string("error: two.sql:2:8: no column nothing")
        .unwrap();
    session.exp_string("^^^^^^^").unwrap();
    let rest = session.exp_string("redivis=> ").unwrap();
    assert!(!rest.contains("never"), "{rest}");
    session.send_line("SELECT something;").unwrap();
    session.exp_string(" 1 | SELECT something").unwrap();
    session.exp_string("redivis=> ").unwrap();
    session.send_line("\\errverbose").unwrap();
    session.exp_string("error: ").unwrap();
    session.exp_string("redivis=> ").unwrap();
    // Watching ends with Ctrl-C.
    session.send_line("SELECT 'tick' || 'tock';").unwrap();
    session.exp_string("ticktock").unwrap();
    session.exp_string("redivis=> ").unwrap();
    session.send_line("\\watch 0.05").unwrap();
    for _ in 0..3 {
        session.exp_string("ticktock").unwrap();
    }
    session.send_control('c').unwrap();
    session.exp_string("canceled").unwrap();
    session.exp_string("redivis=> ").unwrap();
    session.send_control('d').unwrap();
    session.exp_eof().unwrap();
}
