//! What fails: the exit status, the words, and what they must not contain.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use crate::server::Private;
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
        run.stderr.starts_with("error: script.sql:5:5: syntax: "),
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

#[test]
fn authorization_failures_say_how_to_sign_in() {
    let server = Private::table("lab/secret/people.csv", "name\nAda\n");
    let sandbox = Sandbox::new();
    let arguments = ["-c", "SELECT * FROM redivis.'lab.secret.people'"];

    let mut command = server.anonymous(&sandbox, &arguments);
    let anonymous = Run::of(command.output().unwrap());
    assert_eq!(anonymous.status, Some(3), "{}", anonymous.stderr);
    assert!(
        anonymous.stderr.contains("REDIVIS_API_TOKEN"),
        "{}",
        anonymous.stderr
    );
    assert_eq!(anonymous.stdout, "");

    let mut command = server.command(&sandbox, &arguments);
    let allowed = Run::of(command.output().unwrap());
    assert_eq!(allowed.data(), "name\nAda\n");
}

/// A service that refuses everything but what it says of the dataset.
fn refusing(dataset: Option<&'static str>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = String::new();
            let mut lines = BufReader::new(stream.try_clone().unwrap());
            lines.read_line(&mut request).unwrap();
            let mut header = String::new();
            while lines.read_line(&mut header).is_ok_and(|read| read > 2) {
                header.clear();
            }
            let (status, body) = match dataset.filter(|_| request.contains("/datasets/")) {
                Some(dataset) => ("200 OK", dataset),
                None => (
                    "403 Forbidden",
                    r#"{"error": "forbidden", "error_description": "Data access is required"}"#,
                ),
            };
            let answer = format!(
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    endpoint
}

#[test]
fn a_refusal_says_where_access_is_asked_for() {
    let sandbox = Sandbox::new();
    let told = r#"{"uri": "/datasets/lab.secret", "name": "secret", "url": "https://redivis.example/datasets/1q86-secret"}"#;
    let elsewhere =
        r#"{"uri": "/datasets/lab.secret", "name": "secret", "url": "javascript:alert(1)"}"#;
    for (dataset, page) in [
        (
            Some(told),
            Some("https://redivis.example/datasets/1q86-secret"),
        ),
        (Some(elsewhere), None),
        (None, None),
    ] {
        let endpoint = refusing(dataset);
        let page = page.map_or_else(|| format!("{endpoint}/lab/secret"), str::to_owned);
        let mut command = sandbox.command(&["-c", "SELECT * FROM redivis.'lab.secret.people'"]);
        command
            .env("REDIVIS_API_ENDPOINT", format!("{endpoint}/api/v1"))
            .env("REDIVIS_API_TOKEN", "a-token-of-somebody");
        let run = Run::of(command.output().unwrap());
        assert_eq!(run.status, Some(3), "{}", run.stderr);
        assert!(
            run.stderr.contains("Data access is required")
                && run
                    .stderr
                    .contains(&format!("  hint: ask for access at {page}; ")),
            "{}",
            run.stderr
        );
    }
}

#[test]
fn a_token_is_never_printed() {
    const SECRET: &str = "sEcReT-0123456789-token";
    let server = Private::table("lab/secret/people.csv", "name\nAda\n");
    let sandbox = Sandbox::new();
    for (sql, log) in [
        ("SELECT * FROM redivis.'lab.secret.people'", "trace"),
        ("SHOW ALL", "debug"),
        ("\\dt lab.secret", "trace"),
    ] {
        let output = server
            .anonymous(&sandbox, &["-c", sql])
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

/// What is said of a statement that fails over the sample data, without the note of what is served.
#[track_caller]
fn said(statement: &str) -> String {
    let said = fails(&["--local", "-c", statement], 1);
    let (_served, said) = said.split_once('\n').unwrap();
    // The words, without the place.
    let lines = said.split_inclusive('\n');
    lines.take_while(|line| !line.starts_with("   |")).collect()
}

const AIRLINES: &str = "FROM demo.nycflights13.airlines";

#[test]
fn hints_lead_somewhere() {
    for (statement, words) in [
        (
            "SELECT mode(name)",
            "error: no function mode\n  hint: write SELECT x FROM … GROUP BY x ORDER BY count(*) DESC LIMIT 1\n",
        ),
        (
            "SELECT year(name)",
            "error: no function year\n  hint: write date_part('year', x)\n",
        ),
        (
            "SELECT uper(name)",
            "error: no function uper\n  hint: did you mean upper?\n",
        ),
        (
            "SELECT frobnicate(name)",
            "error: no function frobnicate\n  hint: SHOW FUNCTIONS lists all\n",
        ),
        (
            "SELECT q.name",
            "error: no table or alias q for the column name\n  hint: there is demo.nycflights13.airlines\n",
        ),
        (
            "SELECT xyz",
            "error: no column xyz\n  hint: columns: carrier, name\n",
        ),
    ] {
        let said = said(&format!("{statement} {AIRLINES}"));
        assert_eq!(said, words, "{statement}");
    }
    // Columns are counted once, wherever the planner looks for them.
    let ordered = said(&format!("SELECT carrier {AIRLINES} ORDER BY xyz"));
    assert!(
        ordered.ends_with("hint: columns: carrier, name\n"),
        "{ordered}"
    );
    let grouped = said(
        "SELECT tailnum, count(*) FROM demo.nycflights13.planes GROUP BY tailnum HAVING xyz > 1",
    );
    assert!(grouped.contains("none of the 10 columns"), "{grouped}");
    // What can't be done is not advised.
    let update = said("UPDATE redivis.'demo.nycflights13.airlines' SET name = 'x'");
    assert!(update.contains("is released and never changes"), "{update}");
    assert!(!update.contains("CREATE OR REPLACE"), "{update}");
}

#[test]
fn a_function_that_does_not_take_a_type_is_no_bug() {
    let said = said(&format!("SELECT sum(name) {AIRLINES}"));
    assert!(
        said.starts_with("error: sum does not take (text)\n  hint: it takes sum(Decimal), "),
        "{said}"
    );
    assert!(said.contains("CAST"), "{said}");
    assert!(!said.contains("bug"), "{said}");
    assert_eq!(said.lines().count(), 2, "{said}");
}

#[test]
fn escape_codes_in_data_do_not_reach_the_terminal() {
    let run = Sandbox::new().run(&["-c", "SELECT CAST(chr(27) || '[31mred' || chr(7) AS INT)"]);
    assert_eq!(run.status, Some(1));
    assert!(
        run.stderr.contains("\\u{1b}[31mred\\u{7}"),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains('\u{1b}'), "{}", run.stderr);
}

#[test]
fn settings_of_redivis_can_be_reset() {
    let run = Sandbox::new().run(&[
        "-c",
        "SET redivis.max_streams = 3; RESET redivis.max_streams; SHOW redivis.max_streams",
        "-c",
        "SET redivis.read_timeout = '5s'; RESET redivis.read_timeout",
    ]);
    assert_eq!(run.data(), "name,value\nredivis.max_streams,8\n");
    let unknown = fails(&["-c", "RESET redivis.nothing"], 1);
    assert!(
        unknown.contains("there is no option redivis.nothing"),
        "{unknown}"
    );
}
