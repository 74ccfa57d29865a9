//! `redivis-sql doctor`: what it reports of a server, and that it leaves nothing there and tells no secrets.

use futures::TryStreamExt;
use redivis::resource::Table;
use redivis_tests::process::{self, Finished};
use redivis_tests::proxy::{Action, Proxy};
use redivis_tests::server::Server;
use serde_json::json;
use tempfile::TempDir;

use crate::wire::{PATIENCE, Wire};

const TABLE: &str = "demo.nycflights13.airlines";

fn doctor(wire: &Wire, arguments: &[&str]) -> Finished {
    process::run(wire.shell(&[&["doctor"], arguments].concat()), PATIENCE)
}

/// Asserts that a line of this section answers so.
#[track_caller]
fn answers(report: &str, section: &str, question: &str, answer: &str) {
    let parts = report.split("\n\n");
    let mut parts = parts.filter(|part| part.trim_start().starts_with(section));
    let part = parts
        .next()
        .unwrap_or_else(|| panic!("{section}: {report}"));
    let mut lines = part.lines().map(str::trim);
    let found = lines.any(|line| {
        let answered = line.strip_prefix(question).map(str::trim_start);
        answered.is_some_and(|answered| answered.starts_with(answer))
    });
    assert!(found, "{question}: {answer}, in\n{part}");
}

/// Asserts that neither the token nor the last piece of a path that only its user should know is in a report.
#[track_caller]
fn tells_no_secrets(wire: &Wire, server: &Server, told: &Finished) {
    let mut secrets = vec![server.token().unwrap().to_owned()];
    for exchange in wire.proxy.exchanges() {
        let path = exchange.request.path().to_owned();
        if path.contains("/readStreams/") || exchange.request.method == "PUT" {
            secrets.extend(path.rsplit('/').next().map(str::to_owned));
        }
    }
    secrets.retain(|secret| secret != "no-such-stream");
    assert!(secrets.len() > 10, "{secrets:?}");
    for secret in secrets {
        let found = told.stdout.contains(&secret) || told.stderr.contains(&secret);
        assert!(!found, "{secret} is in\n{}{}", told.stdout, told.stderr);
    }
}

#[test]
fn it_reports_how_a_server_answers_and_changes_nothing() {
    let server = Server::sample();
    let wire = Wire::to(&server);
    let told = doctor(&wire, &[TABLE]);
    tells_no_secrets(&wire, &server, &told);
    let report = told.success();

    answers(&report, "table", "numRows", "integer 16");
    answers(&report, "table", "createdAt", "integer 1");
    answers(&report, "table", "GET table without token", "200");
    answers(
        &report,
        "table",
        "GET unknown table",
        "404, application/json",
    );
    let arrow = "200, application/vnd.apache.arrow.stream, looks like Arrow";
    answers(&report, "rows in one", "arrow", arrow);
    answers(
        &report,
        "read sessions",
        "streams[0].estimatedRows",
        "integer 16",
    );
    let stream = "a stream in arrow";
    answers(&report, stream, "rows", "16 in 2 batches");
    answers(&report, stream, "sentinel (empty batch at end)", "yes");
    answers(&report, stream, "sentinel (empty batch at end)", "no");
    answers(&report, stream, "end marker", "yes");
    answers(&report, stream, "asked again", "the same bytes; 200");
    answers(&report, stream, "rows", "15 in 2 batches");
    answers(&report, stream, "offset at the end", "200");
    answers(&report, stream, "rows", "0 in 1 batches");
    answers(&report, stream, "offset beyond the end", "400");
    answers(&report, stream, "without token", "401");
    answers(&report, "a stream in csv", "first line is a header", "yes");
    answers(&report, "a stream in csv", "line ends", "17");
    answers(&report, "a stream in jsonl", "line ends", "16");
    answers(&report, "read by", "rows", "16 in ");
    answers(&report, "speed", "8 asked for", "");
    answers(&report, "speed", "stream", "200, ");

    let mut changing = wire.proxy.requests();
    changing.retain(|request| match request.method.as_str() {
        "GET" | "HEAD" => false,
        "POST" => !request.path().ends_with("/readSessions"),
        _ => true,
    });
    assert_eq!(changing, []);
}

#[test]
fn it_reports_other_answers_as_they_come() {
    let server = Server::sample();
    let wire = Wire::to(&server);
    let odd = Action::Field {
        name: "estimatedRows",
        value: Some(json!(33.3)),
    };
    wire.act("POST", "/readSessions", odd);
    let report = doctor(&wire, &[TABLE]).success();
    let question = "streams[0].estimatedRows";
    answers(&report, "read sessions", question, "fraction 33.3");

    let told = doctor(&wire, &["demo.nycflights13.nothing"]);
    assert_eq!(told.status.code(), Some(1), "{}", told.stderr);
    assert!(
        told.stderr.contains("check the spelling"),
        "{}",
        told.stderr
    );
}

/// A server with a draft that has one table.
fn draft() -> (TempDir, Server) {
    let folder = TempDir::new().unwrap();
    let table = folder.path().join("local/sent/next/t");
    std::fs::create_dir_all(&table).unwrap();
    std::fs::write(table.join("first.csv"), "n,text\n0,first\n").unwrap();
    let server = Server::directory(folder.path());
    (folder, server)
}

/// The names of the draft's tables.
fn tables(wire: &Wire) -> Vec<String> {
    let dataset = "local.sent:next".parse().unwrap();
    let tables = wire.client().dataset_tables(&dataset);
    let tables: Vec<Table> = wire.runtime.block_on(tables.try_collect()).unwrap();
    tables.into_iter().map(|table| table.name).collect()
}

#[test]
fn it_writes_where_it_may_and_deletes_that_again() {
    let (_folder, server) = draft();
    let wire = Wire::to(&server);
    let told = doctor(&wire, &["local.sent:next.t", "--write", "local.sent"]);
    tells_no_secrets(&wire, &server, &told);
    let report = told.success();
    let (once, resumable) = ("an upload, one request", "an upload, resumable");
    let own = "http://127.0.0.1, the endpoint's own origin";
    answers(&report, once, "url", own);
    answers(&report, once, "PUT", "200");
    answers(&report, once, "status", "completed");
    answers(&report, once, "numRows", "integer 2");
    answers(&report, resumable, "session URL", own);
    answers(&report, resumable, "PUT, how far", "308");
    answers(&report, resumable, "PUT, everything", "200");
    answers(&report, resumable, "numRows", "integer 4");
    answers(&report, resumable, "GET deleted table", "404");
    assert_eq!(tables(&wire), ["t"]);

    let refused = doctor(&wire, &["local.sent:next.t", "--write", "local.sent:v1_0"]);
    assert_eq!(refused.status.code(), Some(2), "{}", refused.stderr);
}

#[test]
fn what_it_cannot_delete_is_told() {
    let (_folder, server) = draft();
    let wire = Wire::to(&server);
    wire.act("DELETE", "/tables/", Action::reply(403, &[], "{}"));
    let told = doctor(&wire, &["local.sent:next.t", "--write", "local.sent"]);
    assert_eq!(told.status.code(), Some(3), "{}", told.stderr);
    let left = tables(&wire);
    let left = left.iter().find(|name| *name != "t").unwrap();
    let words = format!("the table {left} may be left in local.sent:next");
    assert!(told.stderr.contains(&words), "{}", told.stderr);
}

#[test]
fn another_origin_is_not_sent_the_token() {
    let (_folder, server) = draft();
    let wire = Wire::to(&server);
    let elsewhere = wire.runtime.block_on(Proxy::start(server.endpoint()));
    let url = Action::Field {
        name: "url",
        value: Some(json!(format!("{}/nothing", elsewhere.endpoint()))),
    };
    wire.act("POST", "/tempUploads", url);
    let told = doctor(&wire, &["local.sent:next.t", "--write", "local.sent"]);
    assert_eq!(told.status.code(), Some(1), "{}", told.stderr);
    let once = "an upload, one request";
    let foreign = "http://127.0.0.1, another origin, asked without the token";
    answers(&told.stdout, once, "url", foreign);
    answers(&told.stdout, once, "by our client", "fails");
    let there = elsewhere.requests();
    assert!(!there.is_empty());
    for request in there {
        assert_eq!(request.header("authorization"), None, "{request:?}");
    }
    assert_eq!(tables(&wire), ["t"], "deleted all the same");
}
