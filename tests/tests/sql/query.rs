//! `redivis_query('…')`: SQL that runs on Redivis, its result read like a table.
//!
//! Queries run on the server of the sample data. Where the service does what that server never does, the wire answers for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion_redivis::{DefaultParent, QueryError, Redivis};
use redivis_tests::proxy::{Action, Proxy, Request};
use redivis_tests::server::Server;
use serde_json::{Value, json};

use crate::session::session;

const JSON: &[(&str, &str)] = &[("Content-Type", "application/json")];
const AIRLINES: &str = "SELECT * FROM `demo.nycflights13.airlines`";
const PINNED: &str = "SELECT * FROM `demo.nycflights13:v1_0.airlines`";

/// A session with the sample data behind a proxy.
struct Wire {
    proxy: Proxy,
    redivis: Redivis,
    _server: Server,
}

impl Wire {
    async fn new() -> Self {
        let server = tokio::task::spawn_blocking(Server::sample).await.unwrap();
        let proxy = Proxy::start(server.endpoint()).await;
        let (_, redivis) = session(&proxy.endpoint(), server.token());
        Self {
            proxy,
            redivis,
            _server: server,
        }
    }

    async fn try_sql(&self, sql: &str) -> datafusion::common::Result<Vec<RecordBatch>> {
        self.redivis.sql(sql).await?.collect().await
    }

    async fn sql(&self, sql: &str) -> String {
        let rows = self.try_sql(sql).await;
        let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
        pretty_format_batches(&rows).unwrap().to_string()
    }

    /// How many rows the statement gives.
    async fn rows(&self, sql: &str) -> usize {
        let rows = self.try_sql(sql).await;
        let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
        rows.iter().map(RecordBatch::num_rows).sum()
    }

    /// How often a query runs for the statement.
    async fn runs(&self, sql: &str) -> usize {
        let before = self.started().len();
        self.sql(sql).await;
        self.started().len() - before
    }

    /// What was sent to run.
    fn started(&self) -> Vec<Value> {
        self.bodies("/queries")
    }

    /// What was asked of read sessions of queries.
    fn sessions(&self) -> Vec<Value> {
        let requests = self.proxy.requests();
        let sessions = requests.iter().filter(|request| {
            request.target.starts_with("/queries/") && request.target.ends_with("/readSessions")
        });
        sessions.map(body).collect()
    }

    fn bodies(&self, target: &str) -> Vec<Value> {
        let requests = self.proxy.requests();
        let meant = requests.iter().filter(|request| request.target == target);
        meant.map(body).collect()
    }

    /// Queries end as `outcome` says, after they were running for a while.
    fn queries_end(&self, outcome: Value) {
        let mut polls = 0;
        self.proxy.script(move |request| {
            let running =
                json!({"kind": "query", "id": "q1", "uri": "/queries/q1", "status": "running"});
            match (request.method.as_str(), request.target.as_str()) {
                ("POST", "/api/v1/queries") => Action::reply(201, JSON, running.to_string()),
                ("GET", "/api/v1/queries/q1") => {
                    polls += 1;
                    let answer = if polls < 2 { &running } else { &outcome };
                    Action::reply(200, JSON, answer.to_string())
                }
                _ => Action::Pass,
            }
        });
    }

    fn set_default(&self, dataset: &str) {
        let dataset = DefaultParent::Dataset(dataset.parse().unwrap());
        self.redivis.set_default_parent(Some(dataset));
    }
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

/// A call with this query.
fn call(query: &str) -> String {
    format!("redivis_query($${query}$$)")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_runs_on_redivis_and_its_result_is_read() {
    let wire = Wire::new().await;
    let sql = format!(
        "SELECT q.NAME FROM {} q WHERE carrier IN ('AS', 'F9') ORDER BY 1",
        call("SELECT *, name = 'it''s' AS b FROM `demo.nycflights13.airlines`")
    );
    insta::assert_snapshot!(wire.sql(&sql.replace("it''s", r"it\'s")).await, @r"
    +------------------------+
    | name                   |
    +------------------------+
    | Alaska Airlines Inc.   |
    | Frontier Airlines Inc. |
    +------------------------+
    ");
    let single = "SELECT count(*) FROM redivis_query('SELECT ''a'' AS a')";
    wire.sql(single).await;
    let started: Vec<Value> = wire
        .started()
        .iter()
        .map(|body| body["query"].clone())
        .collect();
    assert_eq!(
        started,
        [
            r"SELECT *, name = 'it\'s' AS b FROM `demo.nycflights13.airlines`",
            "SELECT 'a' AS a"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_default_dataset_or_workflow_goes_along() {
    let wire = Wire::new().await;
    wire.sql(&format!("SELECT * FROM {}", call("SELECT 1 AS a")))
        .await;
    wire.set_default("demo.nycflights13");
    assert_eq!(
        wire.rows(&format!("SELECT * FROM {}", call("SELECT * FROM airlines")))
            .await,
        16
    );
    wire.set_default("Demo.nycflights13:v1.0");
    assert_eq!(
        wire.rows(&format!(
            "SELECT * FROM {}",
            call("SELECT * FROM `airlines`")
        ))
        .await,
        16
    );
    let workflow = DefaultParent::Workflow("demo.work:ab12".parse().unwrap());
    wire.redivis.set_default_parent(Some(workflow));
    let refused = format!("SELECT * FROM {}", call("SELECT * FROM t"));
    wire.try_sql(&refused).await.unwrap_err();
    // As the official clients send it, and how long the answer may wait for the result.
    assert_eq!(
        wire.started(),
        [
            json!({"query": "SELECT 1 AS a", "timeoutMs": 1000}),
            json!({"query": "SELECT * FROM airlines", "defaultDataset": "demo.nycflights13", "timeoutMs": 1000}),
            json!({"query": "SELECT * FROM `airlines`", "defaultDataset": "Demo.nycflights13:v1_0", "timeoutMs": 1000}),
            json!({"query": "SELECT * FROM t", "defaultWorkflow": "demo.work:ab12", "timeoutMs": 1000}),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_stands_wherever_a_table_does_and_runs_once() {
    let wire = Wire::new().await;
    let query = call(AIRLINES);
    for sql in [
        "SELECT * FROM QUERY",
        "WITH a AS (SELECT * FROM QUERY) SELECT * FROM a",
        "SELECT * FROM (VALUES ('AS')) AS v(carrier) FULL JOIN QUERY q USING (CARRIER)",
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM QUERY)",
        "SELECT (SELECT max(name) FROM LATERAL QUERY) AS m",
        "SELECT * FROM TABLE(QUERY) UNION ALL SELECT * FROM QUERY",
        "CREATE TABLE local_a AS SELECT * FROM QUERY",
        "INSERT INTO local_a SELECT * FROM QUERY",
        "CREATE VIEW local_v AS SELECT * FROM QUERY",
        "EXPLAIN ANALYZE SELECT * FROM QUERY",
        "PREPARE p AS SELECT * FROM QUERY WHERE carrier <> $1",
    ] {
        assert_eq!(wire.runs(&sql.replace("QUERY", &query)).await, 1, "{sql}");
    }
    // Views and prepared statements read the result of the query that ran when they were made.
    for (sql, rows) in [
        ("SELECT * FROM local_a", 32),
        ("SELECT * FROM local_v", 16),
        ("EXECUTE p('AS')", 15),
        ("EXECUTE p('nobody')", 16),
    ] {
        let before = wire.started().len();
        assert_eq!(wire.rows(sql).await, rows, "{sql}");
        assert_eq!(wire.started().len(), before, "{sql}");
    }
    let two = format!(
        "SELECT * FROM {query} JOIN {} USING (carrier) JOIN {query} AS c USING (carrier)",
        call("SELECT carrier FROM `demo.nycflights13.flights` GROUP BY 1")
    );
    assert_eq!(wire.runs(&two).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_result_is_read_with_many_streams_and_joins_with_anything() {
    let wire = Wire::new().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("names.csv");
    std::fs::write(&file, "carrier,short\nAA,American\nUA,United\n").unwrap();
    let names = format!(
        "CREATE EXTERNAL TABLE names STORED AS CSV LOCATION '{}' OPTIONS ('format.has_header' 'true')",
        file.display()
    );
    wire.sql(&names).await;
    // As if each row were larger.
    wire.proxy.script(|request| {
        let rest = request.path().strip_prefix("/api/v1/queries");
        match rest.is_some_and(|rest| !rest.trim_start_matches('/').contains('/')) {
            true => Action::Field {
                name: "outputNumBytes",
                value: Some(json!(100_000_000)),
            },
            false => Action::Pass,
        }
    });
    let of = |flights: &str| {
        format!(
            "SELECT short, a.name, count(f.dep_delay), sum(distance), sum(air_time), max(arr_time), max(tailnum) \
             FROM {flights} f JOIN names USING (carrier) JOIN redivis.'demo.nycflights13.airlines' a USING (carrier) \
             GROUP BY 1, 2 ORDER BY 1"
        )
    };
    let flights = call("SELECT * FROM `demo.nycflights13:v1_0.flights`");
    let rows = wire.sql(&of(&flights)).await;
    assert!(
        rows.contains("| American | American Airlines Inc. | 32093 "),
        "{rows}"
    );
    assert_eq!(rows, wire.sql(&of("demo.nycflights13.flights")).await);
    let asked = &wire.sessions()[0];
    assert!(
        asked["requestedStreamCount"].as_u64().unwrap() > 4,
        "{asked}"
    );
    let mut names: Vec<&str> = asked["selectedVariables"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "air_time",
            "arr_time",
            "carrier",
            "dep_delay",
            "distance",
            "tailnum"
        ]
    );
    let streams = |request: &&Request| request.path().starts_with("/readStreams/");
    assert!(wire.proxy.requests().iter().filter(streams).count() > 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_and_counts_are_those_of_a_table() {
    let wire = Wire::new().await;
    let flights = call("SELECT * FROM `demo.nycflights13:v1_0.flights` WHERE month = 1");
    let count = wire
        .sql(&format!("SELECT count(*) AS n FROM {flights}"))
        .await;
    assert!(count.contains("| 27004 |"), "{count}");
    // The service has counted them.
    assert_eq!(wire.sessions().len(), 0);
    let few = format!("SELECT month, CARRIER FROM {flights} LIMIT 3");
    assert_eq!(wire.rows(&few).await, 3);
    let asked = wire.sessions();
    assert_eq!(
        asked,
        [
            json!({"format": "arrow", "maxResults": 3, "selectedVariables": ["month", "carrier"], "requestedStreamCount": 1})
        ]
    );
    assert_eq!(wire.rows(&format!("SELECT * FROM {flights}")).await, 27_004);
    // All variables are read, so none is named.
    assert_eq!(wire.sessions()[1].get("selectedVariables"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_change_runs_once_a_session() {
    let wire = Wire::new().await;
    let select = |query: &str| format!("SELECT * FROM {}", call(query));
    assert_eq!(wire.runs(&select(PINNED)).await, 1);
    assert_eq!(wire.runs(&select(PINNED)).await, 0);
    assert_eq!(
        wire.runs(&format!("SELECT name FROM {} LIMIT 1", call(PINNED)))
            .await,
        0
    );
    assert_eq!(wire.rows(&select(PINNED)).await, 16);
    // Another text may be another query.
    let other = PINNED.replace("SELECT *", "SELECT  *");
    assert_eq!(wire.runs(&select(&other)).await, 1);
    for may_change in [
        AIRLINES,
        "SELECT name, CURRENT_TIMESTAMP() AS now FROM `demo.nycflights13:v1_0.airlines`",
        "SELECT CURRENT_DATE() AS d",
        "SELECT a.name FROM `demo.nycflights13:v1_0.airlines` a JOIN `demo.nycflights13.flights` f ON a.carrier = f.carrier LIMIT 1",
    ] {
        assert_eq!(wire.runs(&select(may_change)).await, 1, "{may_change}");
        assert_eq!(wire.runs(&select(may_change)).await, 1, "{may_change}");
    }
    // Bare names are those of the default dataset, whichever that is then.
    wire.set_default("demo.nycflights13:v1_0");
    let bare = select("SELECT * FROM airlines");
    assert_eq!(wire.runs(&bare).await, 1);
    assert_eq!(wire.runs(&bare).await, 0);
    wire.set_default("demo.nycflights13");
    assert_eq!(wire.runs(&bare).await, 1);
    assert_eq!(wire.runs(&bare).await, 1);
    wire.set_default("demo.nycflights13:v1_0");
    assert_eq!(wire.runs(&bare).await, 0);
    wire.redivis.refresh();
    assert_eq!(wire.runs(&bare).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_runs_nothing_twice_and_says_what_it_runs() {
    let wire = Wire::new().await;
    let explain = |query: &str| format!("EXPLAIN SELECT name FROM {}", call(query));
    let select = |query: &str| format!("SELECT name FROM {}", call(query));
    let line = |plan: &str| {
        let line = plan.lines().find(|line| line.contains("RedivisScanExec"));
        line.unwrap_or_else(|| panic!("{plan}")).to_owned()
    };
    // The columns are known once it has run; the next statement of this text reads what it gave.
    let plan = wire
        .sql(&format!(
            "EXPLAIN FORMAT INDENT SELECT name FROM {}",
            call(PINNED)
        ))
        .await;
    assert_eq!(wire.started().len(), 1);
    let scan = line(&plan);
    assert!(
        scan.contains("table=queries/") && scan.contains(&format!("run to plan this: {PINNED}")),
        "{scan}"
    );
    assert_eq!(wire.sessions().len(), 0);
    assert_eq!(wire.runs(&select(PINNED)).await, 0);
    assert_eq!(wire.sessions().len(), 1);
    // To explain what may change, the last run is as good as another; to read it, it is not.
    assert_eq!(wire.runs(&explain(AIRLINES)).await, 1);
    assert_eq!(wire.runs(&explain(AIRLINES)).await, 0);
    assert_eq!(wire.runs(&select(AIRLINES)).await, 1);
    let before = wire.started().len();
    let plan = wire
        .sql(&format!(
            "EXPLAIN FORMAT INDENT SELECT name FROM {}",
            call(AIRLINES)
        ))
        .await;
    assert!(
        line(&plan).contains(&format!("result of an earlier run: {AIRLINES}")),
        "{plan}"
    );
    assert_eq!(wire.started().len(), before);
    // Analyzed, it is read.
    assert_eq!(
        wire.runs(&format!(
            "EXPLAIN ANALYZE SELECT name FROM {}",
            call(AIRLINES)
        ))
        .await,
        1
    );
}

/// Lets the service forget the results of all queries that ran before the last `kept`.
fn forget_results(wire: &Wire) -> Arc<AtomicUsize> {
    let refused = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&refused);
    let forgotten: Vec<String> = wire
        .proxy
        .requests()
        .iter()
        .filter(|request| request.path().starts_with("/queries/"))
        .filter_map(|request| Some(request.path().split('/').nth(2)?.to_owned()))
        .collect();
    wire.proxy.script(move |request| {
        let is_gone = |id: &String| request.path().contains(id.as_str());
        match request.method == "POST" && forgotten.iter().any(is_gone) {
            true => {
                count.fetch_add(1, Ordering::Relaxed);
                let body = json!({"status": 410, "error": "gone", "error_description": "expired"});
                Action::reply(410, JSON, body.to_string())
            }
            false => Action::Pass,
        }
    });
    refused
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_expired_is_asked_for_again_once() {
    let wire = Wire::new().await;
    let view = format!("CREATE VIEW v AS SELECT * FROM {}", call(PINNED));
    wire.sql(&view).await;
    let select = format!("SELECT * FROM {}", call(PINNED));
    assert_eq!(wire.started().len(), 1);
    let refused = forget_results(&wire);
    assert_eq!(wire.rows("SELECT * FROM v").await, 16);
    assert_eq!(
        (refused.load(Ordering::Relaxed), wire.started().len()),
        (1, 2)
    );
    // Everybody reads the new one from now on.
    assert_eq!(wire.rows("SELECT * FROM v").await, 16);
    assert_eq!(wire.rows(&select).await, 16);
    assert_eq!(
        (refused.load(Ordering::Relaxed), wire.started().len()),
        (1, 2)
    );
    // A service that forgets at once is not asked for ever.
    wire.proxy.script(|request| {
        let is_session = request.path().ends_with("/readSessions");
        match is_session && request.path().contains("/queries/") {
            true => Action::reply(404, JSON, r#"{"status": 404, "error": "not_found"}"#),
            false => Action::Pass,
        }
    });
    let error = wire.try_sql("SELECT * FROM v").await.unwrap_err();
    assert!(error.to_string().contains("not_found"), "{error}");
    assert_eq!(wire.started().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_with_other_columns_is_refused() {
    let wire = Wire::new().await;
    wire.sql(&format!(
        "CREATE VIEW v AS SELECT * FROM {}",
        call("SELECT 1 AS a")
    ))
    .await;
    forget_results(&wire);
    let forget = wire
        .proxy
        .requests()
        .iter()
        .filter_map(|request| Some(request.path().split('/').nth(2)?.to_owned()))
        .next_back()
        .unwrap();
    wire.proxy.script(move |request| {
        match (
            request.method.as_str(),
            request.path().ends_with("/variables"),
        ) {
            ("POST", _) if request.path().contains(&forget) => Action::reply(404, JSON, "{}"),
            ("GET", true) => Action::reply(
                200,
                JSON,
                r#"{"results":[{"name":"b","type":"integer"}],"nextPageToken":null}"#,
            ),
            _ => Action::Pass,
        }
    });
    let error = wire.try_sql("SELECT * FROM v").await.unwrap_err();
    assert!(error.to_string().contains("other columns"), "{error}");
}

/// The failed query below an error.
fn query_error(error: &datafusion::error::DataFusionError) -> &QueryError {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return found;
        }
        next = error.source();
    }
    panic!("{error}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_query_is_told_in_the_words_of_the_service() {
    let wire = Wire::new().await;
    let message = format!(
        "Unrecognized name: {}x at [1:8]",
        "a very long ".repeat(100)
    );
    let outcome = |status: &str, message: Option<&str>| json!({"kind": "query", "id": "q1", "uri": "/queries/q1", "status": status, "errorMessage": message});
    let refused = json!({"status": 400, "error": "invalid_request", "error_description": message});
    for way in 0..3 {
        match way {
            0 => wire.queries_end(outcome("failed", Some(&message))),
            1 => wire.queries_end(outcome("cancelled", Some(&message))),
            _ => {
                let refused = refused.to_string();
                wire.proxy.script(move |request| match request.path() {
                    "/api/v1/queries" => Action::reply(400, JSON, &refused),
                    _ => Action::Pass,
                });
            }
        }
        let sql = format!("SELECT * FROM {}", call("SELECT x"));
        let error = wire.try_sql(&sql).await.unwrap_err();
        let error = query_error(&error);
        assert_eq!(error.sql(), "SELECT x");
        assert_eq!(error.error().message(), message);
        assert_eq!(error.error().kind(), redivis::ErrorKind::Invalid);
    }
    wire.queries_end(outcome("cancelled", None));
    let error = wire
        .try_sql(&format!("SELECT * FROM {}", call(PINNED)))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("it was cancelled"), "{error}");
    // What failed is no result: it runs again.
    wire.proxy.script(|_| Action::Pass);
    assert_eq!(
        wire.rows(&format!("SELECT * FROM {}", call(PINNED))).await,
        16
    );
}
