//! Local files as tables, by their names.

use crate::{Run, Sandbox};

#[test]
fn what_is_written_can_be_read_by_its_name() {
    let sandbox = Sandbox::new();
    let query = "SELECT * FROM (VALUES (1, 'x y'), (2, 'z')) AS t(a, b)";
    for name in [
        "out.csv",
        "out.tsv",
        "out.tab",
        "out.ndjson",
        "out.jsonl",
        "out.parquet",
        "out.arrow",
        "out.feather",
    ] {
        assert_eq!(sandbox.run(&["-o", name, "-c", query]).data(), "");
        let read = format!("SELECT * FROM '{name}'");
        assert_eq!(
            sandbox.run(&["-c", &read]).data(),
            "a,b\n1,x y\n2,z\n",
            "{name}"
        );
        let copy = format!("COPY ({query}) TO 'copy_{name}'");
        assert_eq!(sandbox.run(&["-c", &copy]).status, Some(0), "{name}");
        let read = read.replace(name, &format!("copy_{name}"));
        assert_eq!(
            sandbox.run(&["-c", &read]).data(),
            "a,b\n1,x y\n2,z\n",
            "{name}"
        );
    }
    assert_eq!(sandbox.run(&["-o", "out.json", "-c", query]).data(), "");
    let array = sandbox.run(&["-c", "SELECT * FROM 'out.json'"]).data();
    assert_eq!(array, "a,b\n1,x y\n2,z\n");
    assert_eq!(sandbox.read("copy_out.tsv"), "a\tb\n1\tx y\n2\tz\n");
}

#[test]
fn the_home_is_a_tilde() {
    let sandbox = Sandbox::new();
    sandbox.write("at_home.csv", "a\n1\n");
    let mut command = sandbox.command(&["-c", "SELECT * FROM '~/at_home.csv'"]);
    command.env("HOME", sandbox.path()).current_dir("/");
    assert_eq!(Run::of(command.output().unwrap()).data(), "a\n1\n");
}

#[test]
fn a_csv_file_may_have_other_separators_than_commas() {
    let sandbox = Sandbox::new();
    for (text, columns) in [
        ("a;b\n1;2,5\n", "a,b\n1,\"2,5\"\n"),
        ("a\tb\n1\t2\n", "a,b\n1,2\n"),
        ("a|b\n1|2\n", "a,b\n1,2\n"),
        ("a,b\n1,2\n", "a,b\n1,2\n"),
        ("\"a;b\"\n1\n", "a;b\n1\n"),
    ] {
        sandbox.write("values.csv", text);
        assert_eq!(
            sandbox.run(&["-c", "SELECT * FROM 'values.csv'"]).data(),
            columns
        );
    }
}

#[cfg(unix)]
#[test]
fn standard_input_and_pipes_can_be_read() {
    let sandbox = Sandbox::new();
    let twice = "SELECT a.x, b.y FROM '/dev/stdin' a JOIN '/dev/stdin' b USING (x)";
    for text in [
        "x,y\n1,2\n",
        "x;y\n1;2\n",
        "{\"x\": 1, \"y\": 2}\n",
        "[{\"x\": 1, \"y\": 2}]",
    ] {
        let run = sandbox.run_with_input(&["-c", twice], text);
        assert_eq!(run.data(), "x,y\n1,2\n", "{text}");
    }
    let run = sandbox.run_with_input(&[], "SELECT * FROM '/dev/stdin'");
    assert_eq!(run.status, Some(1));
    assert!(
        run.stderr.contains("standard input has the statements"),
        "{}",
        run.stderr
    );

    let pipe = sandbox.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let writer = std::thread::spawn(move || std::fs::write(pipe, "a,b\n1,2\n").unwrap());
    let run = sandbox.run(&["-c", "SELECT * FROM 'pipe'"]);
    writer.join().unwrap();
    assert_eq!(run.data(), "a,b\n1,2\n");
}
