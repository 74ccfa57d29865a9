//! `redivis-sql upload` and the commands around it, on a folder that is served by the shell itself.

use crate::{Run, Sandbox};

const TABLE: &str = "me.zoo:next.animals";

/// A folder with an empty table in an unreleased dataset.
fn zoo() -> Sandbox {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path().join("data")).unwrap();
    let steps = [
        "--local",
        "data",
        "-c",
        r"\create dataset me.zoo",
        "-c",
        r"\create table 'me.zoo:next.animals'",
    ];
    let made = sandbox.run(&steps).data();
    assert!(made.starts_with("dataset\nme.zoo:"), "{made}");
    assert!(made.contains("\ntable\nme.zoo:"), "{made}");
    sandbox
}

#[test]
fn a_copy_has_the_format_that_its_name_says() {
    let sandbox = zoo();
    for (name, cat) in [
        ("cats.tsv", "t"),
        ("cats.jsonl", "j"),
        ("cats.parquet", "p"),
    ] {
        let copy = format!(
            "COPY (SELECT '{cat}, a cat' AS name, 4 AS legs) TO 'redivis://{TABLE}/{name}'"
        );
        let run = sandbox.run(&["--local", "data", "-c", &copy]);
        assert_eq!(run.status, Some(0), "{}", run.stderr);
    }
    assert_eq!(
        animals(&sandbox),
        "name,legs\n\"j, a cat\",4\n\"p, a cat\",4\n\"t, a cat\",4\n"
    );
    // What a line of JSON cannot carry is refused, under each of its names.
    let copy = format!(
        "COPY (SELECT 'x' AS name, CAST('NaN' AS DOUBLE) AS legs) TO 'redivis://{TABLE}/nan.jsonl'"
    );
    let run = sandbox.run(&["--local", "data", "-c", &copy]);
    assert_eq!(run.status, Some(1));
    assert!(
        run.stderr.contains("cannot be written as json"),
        "{}",
        run.stderr
    );
}

fn upload(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    sandbox.run(&[&["--local", "data", "upload"], arguments].concat())
}

fn query(sandbox: &Sandbox, sql: &str) -> String {
    sandbox.run(&["--local", "data", "-c", sql]).data()
}

fn animals(sandbox: &Sandbox) -> String {
    query(
        sandbox,
        "SELECT name, legs FROM redivis.'me.zoo:next.animals' ORDER BY name, legs",
    )
}

#[test]
fn from_files_to_a_release() {
    let sandbox = zoo();
    sandbox.write("cats.csv", "name,legs\ncat,4\nlion,4\n");
    sandbox.write("birds.ndjson", "{\"name\": \"owl\", \"legs\": 2}\n");
    let run = upload(&sandbox, &["cats.csv", "birds.ndjson", TABLE]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert_eq!(run.stdout, "", "standard output is for data");
    assert!(
        run.stderr.contains("cats.csv: uploaded, 2 rows\n"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("birds.ndjson: uploaded, 1 row\n"),
        "{}",
        run.stderr
    );
    assert!(
        !run.stderr.contains('\u{1b}'),
        "no terminal, no line at the bottom"
    );
    assert_eq!(animals(&sandbox), "name,legs\ncat,4\nlion,4\nowl,2\n");

    let steps = [
        "--local",
        "data",
        "-c",
        r"\release me.zoo the first animals",
        "-c",
        "SELECT count(*) AS n FROM redivis.'me.zoo.animals'",
    ];
    let released = sandbox.run(&steps).data();
    assert!(released.contains(":v1_0\n"), "{released}");
    assert!(released.ends_with("n\n3\n"), "{released}");

    // What is released is refused with the way on, and the way leads on.
    let run = upload(&sandbox, &["cats.csv", "me.zoo.animals"]);
    assert_eq!(run.status, Some(2), "{}", run.stderr);
    assert!(
        run.stderr.contains(r"redivis-sql -c '\next me.zoo'"),
        "{}",
        run.stderr
    );
    let opened = sandbox
        .run(&["--local", "data", "-c", r"\next me.zoo"])
        .data();
    assert_eq!(opened, "dataset\nme.zoo:next\n");
    sandbox.write("fish.csv", "name,legs\npike,0\n");
    upload(&sandbox, &["fish.csv", TABLE]).data();
    assert_eq!(
        animals(&sandbox),
        "name,legs\ncat,4\nlion,4\nowl,2\npike,0\n"
    );
}

#[test]
fn options_of_delimited_files() {
    let sandbox = zoo();
    sandbox.write("odd.txt", "cat;-;'a\nb'\nshort\nowl;2;x\n");
    let run = upload(
        &sandbox,
        &[
            "odd.txt",
            "--name",
            "animals of today",
            "--type=delimited",
            "--delimiter",
            ";",
            "--no-header-row",
            "--quote-character",
            "'",
            "--has-quoted-newlines",
            "--allow-jagged-rows",
            "--null-markers",
            "-",
            TABLE,
        ],
    );
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let rows = query(&sandbox, "SELECT * FROM redivis.'me.zoo:next.animals'");
    let mut rows: Vec<&str> = rows.lines().skip(1).collect();
    rows.sort_unstable();
    assert!(rows.contains(&"owl,2,x"), "{rows:?}");
    assert!(rows.contains(&"short,,"), "{rows:?}");
    assert!(rows.contains(&"cat,,\"a"), "{rows:?}");
}

#[test]
fn a_name_that_is_taken() {
    let sandbox = zoo();
    sandbox.write("cats.csv", "name,legs\ncat,4\n");
    upload(&sandbox, &["cats.csv", TABLE]).data();
    sandbox.write("cats.csv", "name,legs\nlion,4\n");

    let run = upload(&sandbox, &["cats.csv", TABLE]);
    assert_eq!(run.status, Some(1));
    assert!(
        run.stderr
            .contains("--rename-on-conflict, --replace-on-conflict or --if-not-exists"),
        "{}",
        run.stderr
    );
    let run = upload(&sandbox, &["--if-not-exists", "cats.csv", TABLE]);
    assert!(run.stderr.contains("was there already"), "{}", run.stderr);
    assert_eq!(animals(&sandbox), "name,legs\ncat,4\n");

    let run = upload(&sandbox, &["--rename-on-conflict", "cats.csv", TABLE]);
    assert!(
        run.stderr.contains("cats.csv: uploaded as "),
        "{}",
        run.stderr
    );
    assert_eq!(animals(&sandbox), "name,legs\ncat,4\nlion,4\n");

    sandbox.write("cats.csv", "name,legs\npuma,4\n");
    upload(&sandbox, &["--replace-on-conflict", "cats.csv", TABLE]).data();
    assert_eq!(animals(&sandbox), "name,legs\nlion,4\npuma,4\n");
}

#[test]
fn a_file_that_cannot_be_read_in() {
    let sandbox = zoo();
    sandbox.write("broken.csv", "name,legs\n\"cat,4\n");
    let run = upload(&sandbox, &["broken.csv", TABLE]);
    assert_eq!(run.status, Some(1));
    assert!(
        run.stderr.contains("error: cannot read in broken.csv: "),
        "{}",
        run.stderr
    );
    // What is left is said, and what is said works.
    let call = run
        .stderr
        .split("; ")
        .nth(1)
        .unwrap()
        .split(" deletes it")
        .next()
        .unwrap();
    assert_eq!(
        call,
        "CALL redivis.delete_upload('me.zoo:next.animals', 'broken.csv')"
    );
    assert!(query(&sandbox, call).contains("broken.csv"));
    let run = upload(&sandbox, &["--remove-on-fail", "broken.csv", TABLE]);
    assert_eq!(run.status, Some(1));
    sandbox.write("broken.csv", "name,legs\ncat,4\n");
    upload(&sandbox, &["broken.csv", TABLE]).data();
}

#[test]
fn mistakes_are_noticed_before_anything_is_sent() {
    let sandbox = zoo();
    sandbox.write("cats.csv", "name,legs\ncat,4\n");
    std::fs::create_dir(sandbox.path().join("more")).unwrap();
    sandbox.write("more/CATS.csv", "name,legs\npuma,4\n");
    for (arguments, status, words) in [
        (
            &["cats.csv"] as &[&str],
            2,
            "upload needs files and a table",
        ),
        (&["cats.csv", "zoo"], 2, "is not a table reference"),
        (&["cats.csv", "dogs.csv", TABLE], 2, "dogs.csv"),
        (&["more", TABLE], 2, "no regular file"),
        (
            &["cats.csv", "more/CATS.csv", TABLE],
            2,
            "another of the files has the name",
        ),
        (
            &["--name=x", "cats.csv", "more/CATS.csv", TABLE],
            2,
            "--name is for one file",
        ),
        (&["cats.csv", "me.zoo:next.plants"], 1, "does not exist"),
        (&["--token=x", "cats.csv", TABLE], 2, "--token"),
    ] {
        let run = upload(&sandbox, arguments);
        assert_eq!(run.status, Some(status), "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(words), "{arguments:?}: {}", run.stderr);
        assert!(!run.stderr.contains("--resume"), "{}", run.stderr);
    }
    assert_eq!(
        query(&sandbox, r"\dt me.zoo:next"),
        "name,rows,bytes,columns,description\nanimals,0,0,0,\n"
    );
}

#[test]
fn commands_say_how_they_are_written() {
    let sandbox = zoo();
    for (command, words) in [
        (r"\create", r"write \create dataset"),
        (r"\create schema x", r"write \create dataset"),
        (r"\next", r"write \next"),
        (r"\release", r"write \release"),
    ] {
        let run = sandbox.run(&["--local", "data", "-c", command]);
        assert_eq!(run.status, Some(2), "{command}: {}", run.stderr);
        assert!(run.stderr.contains(words), "{command}: {}", run.stderr);
    }
    let help = sandbox.run(&["-c", r"\?"]).stderr;
    for command in [r"\create dataset|table", r"\next OWNER", r"\release OWNER"] {
        assert!(help.contains(command), "{help}");
    }
    // The draft is open already: the service says so.
    let run = sandbox.run(&["--local", "data", "-c", r"\next me.zoo"]);
    assert_eq!(run.status, Some(1), "{}", run.stderr);
}

#[test]
fn a_command_uploads_as_the_program_does() {
    let sandbox = zoo();
    sandbox.write("more cats.csv", "name;legs\ncat;4\nlion;4\n");
    let line = format!(r"\upload 'more cats.csv' {TABLE} --delimiter ';' --name cats");
    let run = sandbox.run(&["--local", "data", "-c", &line]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert!(
        run.stderr
            .contains("more cats.csv: uploaded as cats, 2 rows\n")
            || run.stderr.contains("more cats.csv: uploaded, 2 rows\n"),
        "{}",
        run.stderr
    );
    assert_eq!(animals(&sandbox), "name,legs\ncat,4\nlion,4\n");
    for (line, refusal) in [
        (line.as_str(), "has an upload `cats` already"),
        (r"\upload cats.csv", "upload needs files and a table"),
        (r"\upload none.csv me.zoo:next.animals", "none.csv"),
        (
            r"\upload x.csv me.zoo:next.animals --nonsense",
            "unexpected argument '--nonsense'",
        ),
        (r"\upload 'x.csv me.zoo:next.animals", "a quote is open"),
    ] {
        let run = sandbox.run(&["--local", "data", "-c", line]);
        assert_ne!(run.status, Some(0), "{line}");
        assert!(run.stderr.contains(refusal), "{line}: {}", run.stderr);
    }
}
