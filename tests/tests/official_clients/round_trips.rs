//! What `redivis-sql` writes the Python client reads, and the other way round: every value of every type, as it was.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use redivis_tests::process::{self, Finished};
use redivis_tests::proxy::Proxy;
use redivis_tests::python::PythonClient;
use redivis_tests::server::Server;
use redivis_tests::{binaries, server};
use tempfile::TempDir;

use crate::NEWEST;
use crate::reading::ways;

const LIMIT: Duration = Duration::from_secs(120);
const DATASET: &str = "ann.trips";

/// A server with an empty draft, and a folder with the tables to send.
struct Trip {
    client: PythonClient,
    server: Server,
    proxy: Proxy,
    folder: TempDir,
    _data: TempDir,
}

impl Trip {
    async fn new() -> Trip {
        let work = tokio::task::spawn_blocking(|| {
            let client = PythonClient::version(NEWEST);
            let (folder, data) = (TempDir::new().unwrap(), TempDir::new().unwrap());
            client.run_offline("make_every_value.py", &[folder.path().to_str().unwrap()]);
            let server = Server::directory(data.path());
            (client, server, folder, data)
        });
        let (client, server, folder, data) = work.await.unwrap();
        let trip = Trip {
            client,
            proxy: Proxy::start(server.endpoint()).await,
            server,
            folder,
            _data: data,
        };
        trip.sql(&["CALL redivis.create_dataset('ann.trips')"]);
        trip
    }

    fn path(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    fn try_sql(&self, arguments: &[&str]) -> Finished {
        let mut command = Command::new(binaries::redivis_sql());
        command.args(arguments).current_dir(self.path());
        server::configure(&mut command, self.server.endpoint(), self.server.token());
        process::run(command, LIMIT)
    }

    /// Runs statements, which succeed, and returns what was said of them.
    fn sql(&self, statements: &[&str]) -> String {
        let arguments: Vec<&str> = statements.iter().flat_map(|sql| ["-c", sql]).collect();
        let finished = self.try_sql(&arguments);
        assert!(
            finished.status.success(),
            "{statements:?}: {}",
            finished.stderr
        );
        finished.stderr
    }

    /// What is said of a statement that fails.
    fn error(&self, statement: &str) -> String {
        let finished = self.try_sql(&["-c", statement]);
        assert!(!finished.status.success(), "{statement}");
        finished.stderr
    }

    fn python(&self, script: &str, arguments: &[&str]) {
        let arguments = [&[self.path(), DATASET], arguments].concat();
        let (endpoint, token) = (self.proxy.endpoint(), self.server.token());
        self.client.run(script, &arguments, &endpoint, token);
    }

    fn compare(&self, version: &str, pairs: &[&str]) {
        let arguments = [&[version], pairs].concat();
        self.python("compare_every_value.py", &arguments);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_sql_writes_python_reads() {
    let trip = Trip::new().await;
    tokio::task::spawn_blocking(move || {
        let told = trip.sql(&[
            "CREATE TABLE redivis.'ann.trips:next.made' AS SELECT * FROM 'values.parquet'",
            "CREATE TABLE redivis.'ann.trips:next.inserted' (id BIGINT, text VARCHAR, whole BIGINT, number DOUBLE,
             truth BOOLEAN, day DATE, moment TIMESTAMP, clock TIME, nothing VARCHAR)",
            "INSERT INTO redivis.'ann.trips:next.inserted' SELECT * FROM 'values.parquet'",
            "CALL redivis.create_table('ann.trips:next.parquet')",
            "COPY (SELECT * FROM 'values.parquet') TO 'redivis://ann.trips:next.parquet/values.parquet'",
            "CALL redivis.create_table('ann.trips:next.csv')",
            "COPY (SELECT * FROM 'csv.parquet') TO 'redivis://ann.trips:next.csv/values.csv'",
            "CALL redivis.create_table('ann.trips:next.json')",
            "COPY (SELECT * FROM 'json.parquet') TO 'redivis://ann.trips:next.json/values.json'",
        ]);
        assert!(told.contains("created ann.trips:next.made with "), "{told}");
        let tables = ["values=made", "values=inserted", "values=parquet", "csv=csv", "json=json"];
        trip.compare("next", &tables);
        let read = ways(&trip.proxy.requests());
        assert_eq!(read, BTreeSet::from(["rows", "session", "stream"]));
        trip.sql(&["CALL redivis.release('ann.trips')"]);
        trip.compare("current", &tables);
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_python_uploads_sql_reads() {
    let trip = Trip::new().await;
    tokio::task::spawn_blocking(move || {
        trip.python("upload_every_value.py", &[]);
        let tables = [
            ("arrow", "values"),
            ("pandas", "values"),
            ("delimited", "json"),
            ("places", "places"),
        ];
        let read = |version: &str| {
            let mut pairs = vec![];
            for (table, file) in tables {
                for format in ["parquet", "arrow"] {
                    let output = format!("{table}-{version}.{format}");
                    let query = format!("SELECT * FROM redivis.'ann.trips:{version}.{table}'");
                    trip.try_sql(&["-o", &output, "-c", &query]).success();
                    assert!(Path::new(trip.path()).join(&output).exists());
                    pairs.push(format!("{file}={output}"));
                }
            }
            let pairs: Vec<&str> = pairs.iter().map(String::as_str).collect();
            trip.compare(version, &pairs);
        };
        read("next");
        trip.sql(&["CALL redivis.release('ann.trips')"]);
        read("current");
        // What has a type of its own keeps it when more rows come, and Python reads them all.
        trip.sql(&[
            "CALL redivis.next_version('ann.trips')",
            "INSERT INTO redivis.'ann.trips:next.places' VALUES (3, 'POINT(1 2)')",
            "COPY (SELECT * FROM redivis.'ann.trips:next.places') TO 'more.parquet'",
        ]);
        trip.compare("next", &["more=places"]);
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_text_does_not_carry_is_refused() {
    let trip = Trip::new().await;
    tokio::task::spawn_blocking(move || {
        trip.sql(&["CALL redivis.create_table('ann.trips:next.t')"]);
        for (query, file, words) in [
            ("SELECT 1 AS n, '' AS x", "a.csv", "an empty text of column `x`"),
            ("SELECT NULLIF('a', 'a') AS x", "a.csv", "a null of column `x`"),
            ("SELECT 1 AS n, '1' AS x", "a.csv", "column `x` of `a.csv` is string, and Redivis takes it for integer"),
            ("SELECT 1 AS n, 'NaN'::DOUBLE AS x", "a.csv", "column `x` of `a.csv` is float, and Redivis takes it for string"),
            ("SELECT 1 AS n, CAST(NULL AS BIGINT) AS x", "a.csv", "column `x` of `a.csv` is integer, and Redivis takes it for string"),
            ("SELECT 1 AS n, 'NaN'::DOUBLE AS x", "a.json", "the value NaN of column `x`"),
            ("SELECT 1 AS n, '-inf'::DOUBLE AS x", "a.json", "the value -inf of column `x`"),
            ("SELECT 1 AS n, CAST(NULL AS BIGINT) AS x", "a.json", "column `x` of `a.json` is integer, and Redivis finds no such column"),
            ("SELECT 1 AS n, '2020-01-31' AS x", "a.json", "column `x` of `a.json` is string, and Redivis takes it for date"),
            ("SELECT 1.5 AS n, make_array(1) AS x", "a.json", "no variables for column `x`"),
            ("SELECT TIMESTAMP '2020-01-01 00:00:00.000000001' AS x", "a.parquet", "row 1"),
            ("SELECT 1 AS x", "folder/", "an upload of ann.trips:next.t has a name"),
        ] {
            let stored = if file.ends_with('/') { "STORED AS CSV" } else { "" };
            let copy = format!("COPY ({query}) TO 'redivis://ann.trips:next.t/{file}' {stored}");
            let error = trip.error(&copy);
            assert!(error.contains(words), "{copy}: {error}");
        }
        let quoted = "COPY (SELECT 'a' AS x) TO 'redivis://ann.trips:next.t/a.csv' OPTIONS (format.quote '''')";
        assert!(trip.error(quoted).contains("format.quote"));
        // Nothing of it is there.
        let left = trip.try_sql(&["-c", "SELECT * FROM redivis.'ann.trips:next.t'"]);
        assert!(!left.status.success() || left.stdout.trim().is_empty(), "{}", left.stdout);
    })
    .await
    .unwrap();
}
