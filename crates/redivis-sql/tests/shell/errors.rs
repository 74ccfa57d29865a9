//! What fails: the exit status, the words, and what they must not contain.

use redivis_server::{Config, Server};

use crate::{Run, Sandbox};

#[track_caller]
fn fails(arguments: &[&str], status: i32) -> String {
    let run = Sandbox::new().run(arguments);
    assert_eq!(run.status, Some(status), "stderr: {}", run.stderr);
    assert_eq!(run.stdout, "", "a failure is not data");
    run.stderr
}

#[test]
fn each_kind_of_failure_has_its_status() {
    fails(&["-c", "SELECT 1 +"], 1);
    fails(&["-c", "SELECT 1 / 0"], 1);
    fails(
        &[
            "--local",
            "-c",
            "SELECT * FROM redivis.'demo.nycflights13.nothing'",
        ],
        1,
    );
    fails(&["--nonsense"], 2);
    fails(&["--format", "xml"], 2);
    fails(&["-f", "missing.sql"], 2);
    fails(&["-o", "out.unknown", "-c", "SELECT 1"], 2);
    fails(&["-c", "\\nonsense"], 2);
    fails(&["--local", "missing-folder"], 2);
    fails(&["-r", "nonsense", "-c", "SELECT 1"], 2);
}

#[test]
fn a_script_stops_at_its_first_error() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "script.sql",
        "SELECT 1 AS a;\n\n-- next\nSELECT\n  a,, b;\nSELECT 3 AS c;\n",
    );
    let run = sandbox.run(&["-f", "script.sql", "-c", "SELECT 4"]);
    assert_eq!(run.status, Some(1));
    assert_eq!(run.stdout, "a\n1\n");
    assert!(
        run.stderr.starts_with("error: script.sql:5: syntax: "),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains(" 5 |   a,, b\n"), "{}", run.stderr);
}

#[test]
fn unknown_columns_and_tables_come_with_a_hint() {
    let stderr = fails(
        &[
            "--local",
            "-c",
            "SELECT dep_dealy FROM redivis.'demo.nycflights13.flights'",
        ],
        1,
    );
    assert!(stderr.contains("no column dep_dealy"), "{stderr}");
    assert!(stderr.contains("dep_delay"), "{stderr}");
    let stderr = fails(&["-c", "SELECT * FROM nothing"], 1);
    assert!(stderr.contains("no table 'nothing'"), "{stderr}");
}

#[test]
fn a_binary_file_holds_one_result() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["-o", "out.parquet", "-c", "SELECT 1 AS a; SELECT 2 AS a"]);
    assert_eq!(run.status, Some(2), "{}", run.stderr);
    assert!(run.stderr.contains("one result"), "{}", run.stderr);
    assert_eq!(sandbox.names(), Vec::<String>::new());
}

/// A server whose data is not public.
fn private_server() -> (tokio::runtime::Runtime, Server, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let dataset = folder.path().join("lab/secret");
    std::fs::create_dir_all(&dataset).unwrap();
    std::fs::write(dataset.join("people.csv"), "name\nAda\n").unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let server = runtime
        .block_on(Server::start(Config::directory(folder.path())))
        .unwrap();
    (runtime, server, folder)
}

#[test]
fn authorization_failures_say_how_to_sign_in() {
    let (_runtime, server, _folder) = private_server();
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(&["-c", "SELECT * FROM redivis.'lab.secret.people'"]);
    command.env("REDIVIS_API_ENDPOINT", server.endpoint());

    let anonymous = Run::of(command.output().unwrap());
    assert_eq!(anonymous.status, Some(3), "{}", anonymous.stderr);
    assert!(
        anonymous.stderr.contains("REDIVIS_API_TOKEN"),
        "{}",
        anonymous.stderr
    );
    assert_eq!(anonymous.stdout, "");

    let allowed = Run::of(
        command
            .env("REDIVIS_API_TOKEN", server.token().unwrap())
            .output()
            .unwrap(),
    );
    assert_eq!(allowed.data(), "name\nAda\n");
}

#[test]
fn a_token_is_never_printed() {
    const SECRET: &str = "sEcReT-0123456789-token";
    let (_runtime, server, _folder) = private_server();
    let sandbox = Sandbox::new();
    for (sql, log) in [
        ("SELECT * FROM redivis.'lab.secret.people'", "trace"),
        ("SHOW ALL", "debug"),
        ("\\dt lab.secret", "trace"),
    ] {
        let output = sandbox
            .command(&["-c", sql])
            .env("REDIVIS_API_ENDPOINT", server.endpoint())
            .env("REDIVIS_API_TOKEN", SECRET)
            .env("RUST_LOG", log)
            .output()
            .unwrap();
        let run = Run::of(output);
        assert!(
            !run.stdout.contains(SECRET) && !run.stderr.contains(SECRET),
            "{sql}"
        );
    }
}
