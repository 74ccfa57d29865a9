//! The example programs of the library, built and run as their readers would.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::parquet::arrow::ArrowWriter;
use redivis_tests::server::Server;
use redivis_tests::{binaries, process};

fn example(name: &str, server: &Server, arguments: &[&str]) -> Command {
    let mut command = Command::new(binaries::example(name));
    command.args(arguments);
    server.configure(&mut command);
    command
}

fn printed(command: Command) -> String {
    process::run(command, Duration::from_secs(120)).success()
}

#[test]
fn a_remote_table_is_joined_with_a_local_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fleet.parquet");
    let tail_numbers: ArrayRef = Arc::new(StringArray::from(vec![
        "N14228", "N24211", "N619AA", "unknown",
    ]));
    let fleet = RecordBatch::try_from_iter([("tailnum", tail_numbers)]).unwrap();
    let mut writer =
        ArrowWriter::try_new(File::create(&path).unwrap(), fleet.schema(), None).unwrap();
    writer.write(&fleet).unwrap();
    writer.close().unwrap();

    let server = Server::sample();
    let command = example("join_local_parquet", &server, &[path.to_str().unwrap()]);
    insta::assert_snapshot!(printed(command), @r"
    +---------+---------+--------+
    | tailnum | flights | miles  |
    +---------+---------+--------+
    | N24211  | 130     | 172934 |
    | N14228  | 111     | 171713 |
    | N619AA  | 24      | 32141  |
    +---------+---------+--------+
    ");
}

#[test]
fn data_frames_need_no_sql() {
    let server = Server::sample();
    insta::assert_snapshot!(printed(example("dataframe", &server, &[])), @r"
    +--------+-------+--------------------+
    | origin | late  | miles              |
    +--------+-------+--------------------+
    | EWR    | 10940 | 936.3874771480804  |
    | JFK    | 8401  | 1118.1460540411856 |
    | LGA    | 7240  | 769.9700276243094  |
    +--------+-------+--------------------+
    ");
}

#[test]
fn a_table_provider_needs_no_catalog() {
    let server = Server::sample();
    let command = example("table_provider", &server, &["demo.nycflights13.airlines"]);
    insta::assert_snapshot!(printed(command), @r"
    carrier: string
    name: string
    +------+
    | rows |
    +------+
    | 16   |
    +------+
    ");
}

#[test]
fn two_endpoints_are_compared_in_one_statement() {
    let (one, other) = (Server::sample(), Server::sample());
    let mut command = example("two_endpoints", &one, &[]);
    command.env("OTHER_ENDPOINT", other.endpoint());
    command.env("OTHER_TOKEN", other.token().unwrap());
    insta::assert_snapshot!(printed(command), @r"
    +---------+------------------------+------------------------+
    | carrier | here                   | there                  |
    +---------+------------------------+------------------------+
    | 9E      | Endeavor Air Inc.      | Endeavor Air Inc.      |
    | AA      | American Airlines Inc. | American Airlines Inc. |
    | AS      | Alaska Airlines Inc.   | Alaska Airlines Inc.   |
    +---------+------------------------+------------------------+
    ");
}

#[tokio::test]
async fn a_web_service_answers_what_is_harmless_and_small() {
    let server = Server::sample();
    let mut command = example("read_only_service", &server, &["127.0.0.1:0"]);
    let mut service = Service(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut url = String::new();
    let stdout = service.0.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut url).unwrap();
    let ask = async |sql: &str| {
        let request = reqwest::Client::new().post(url.trim()).body(sql.to_owned());
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let airlines = "redivis.'demo.nycflights13.airlines'";
    let (status, rows) = ask(&format!("SELECT name FROM {airlines} WHERE carrier = 'AA'")).await;
    assert_eq!(
        (status, rows.as_str()),
        (200, r#"[{"name":"American Airlines Inc."}]"#)
    );
    let (status, rows) = ask(&format!("SELECT name FROM {airlines} WHERE carrier = '?'")).await;
    assert_eq!((status, rows.as_str()), (200, "[]"));
    for (sql, why) in [
        ("CREATE TABLE t AS SELECT 1", "DDL not supported"),
        ("COPY (SELECT 1) TO '/tmp/x.csv'", "DML not supported"),
        (
            "CALL redivis.create_dataset('ada.x')",
            "Statement not supported: CALL",
        ),
        ("SET redivis.max_streams = 64", "Statement not supported"),
        (
            "SELECT * FROM redivis.'demo.nycflights13.flights'",
            "more than 1000 rows",
        ),
        ("SELECT * FROM '/etc/passwd'", "not found"),
        ("SELECT", "SQL"),
    ] {
        let (status, error) = ask(sql).await;
        assert_eq!(status, 400, "{sql}: {error}");
        assert!(error.contains(why), "{sql}: {error}");
    }
}

/// A program that runs until the test is done with it.
struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
