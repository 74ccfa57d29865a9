//! `redivis.pushdown`: parts of plans that run on Redivis as queries, and what becomes of them where that fails.

use std::sync::Arc;

use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::common::stats::Precision;
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::{ExecutionPlan, displayable};
use datafusion_redivis::{Redivis, RedivisBuilder, RedivisScanExec};
use redivis::{Client, Token};
use redivis_tests::proxy::{Action, Proxy};
use redivis_tests::server::Server;
use serde_json::json;

use crate::session::session;

const JSON: &[(&str, &str)] = &[("Content-Type", "application/json")];
const FLIGHTS: &str = "redivis.'demo.nycflights13.flights'";
const BY_CARRIER: &str = "SELECT carrier, count(*) AS n, avg(dep_delay) AS delay \
    FROM redivis.'demo.nycflights13.flights' WHERE month = 6 AND origin = 'JFK' GROUP BY carrier ORDER BY carrier";

async fn sample() -> Server {
    tokio::task::spawn_blocking(Server::sample).await.unwrap()
}

async fn set(redivis: &Redivis, setting: &str) {
    redivis
        .sql(&format!("SET redivis.{setting}"))
        .await
        .unwrap();
}

/// The physical plan, without the ids of this run's server.
async fn plan(redivis: &Redivis, sql: &str) -> String {
    let frame = redivis.sql(sql).await.unwrap();
    let plan = frame.create_physical_plan().await.unwrap();
    let text = displayable(plan.as_ref()).indent(false).to_string();
    // In backticks: `demo:1abc:v1_0.flights:2xyz`.
    let is_id = |part: &str| part.len() == 4 && !part.starts_with("v1_");
    let without_ids = |name: &str| {
        let parts = name.split('.').map(|part| {
            let (name, rest) = part.split_once(':').unwrap_or((part, ""));
            let kept = rest.split(':').filter(|it| !it.is_empty() && !is_id(it));
            std::iter::once(name)
                .chain(kept)
                .collect::<Vec<_>>()
                .join(":")
        });
        parts.collect::<Vec<_>>().join(".")
    };
    let parts = text.split('`').enumerate();
    let parts = parts.map(|(i, part)| match i % 2 {
        0 => part.to_owned(),
        _ => without_ids(part),
    });
    parts.collect::<Vec<_>>().join("`")
}

async fn rows(redivis: &Redivis, sql: &str) -> String {
    let batches = redivis.sql(sql).await.unwrap().collect().await.unwrap();
    pretty_format_batches(&batches).unwrap().to_string()
}

fn requests(proxy: &Proxy, method: &str, end: &str) -> usize {
    let requests = proxy.requests();
    let these = requests
        .iter()
        .filter(|it| it.method == method && it.path().ends_with(end));
    these.count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_shows_what_is_sent() {
    let server = sample().await;
    let (_, redivis) = session(server.endpoint(), server.token());
    set(&redivis, "pushdown = always").await;
    insta::assert_snapshot!("filter_and_aggregate", plan(&redivis, BY_CARRIER).await);
    insta::assert_snapshot!(
        "joins_and_top",
        plan(
            &redivis,
            "SELECT a.name, count(DISTINCT f.dest) AS places, min(f.dep_delay) AS earliest \
             FROM demo.nycflights13.flights f JOIN demo.nycflights13.airlines a ON a.carrier = f.carrier \
             WHERE f.dest IN (SELECT faa FROM demo.nycflights13.airports WHERE lat > 40.0) AND a.name NOT LIKE '%Inc\\_' \
             GROUP BY a.name HAVING count(*) > 100 ORDER BY places DESC LIMIT 5 OFFSET 1",
        )
        .await
    );
    insta::assert_snapshot!(
        "what_stays",
        plan(
            &redivis,
            &format!(
                "SELECT median(dep_delay) FROM {FLIGHTS} WHERE month = 6 AND upper(origin) = 'JFK'"
            ),
        )
        .await
    );
    insta::assert_snapshot!(
        "local_side",
        plan(
            &redivis,
            &format!(
                "SELECT v.x, f.n FROM (VALUES ('AA'), ('DL')) v(x) \
                 JOIN (SELECT carrier, count(*) AS n FROM {FLIGHTS} GROUP BY 1) f ON f.carrier = v.x"
            ),
        )
        .await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_saves_nothing_is_read_as_it_is() {
    let server = sample().await;
    let (_, redivis) = session(server.endpoint(), server.token());
    set(&redivis, "pushdown = always").await;
    for sql in [
        format!("SELECT * FROM {FLIGHTS}"),
        format!("SELECT carrier, carrier AS again FROM {FLIGHTS} LIMIT 10"),
        format!("SELECT carrier FROM {FLIGHTS} ORDER BY carrier"),
        format!("SELECT carrier FROM {FLIGHTS} UNION ALL SELECT origin FROM {FLIGHTS}"),
    ] {
        let plan = plan(&redivis, &sql).await;
        assert!(!plan.contains("RedivisQueryExec"), "{sql}\n{plan}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_runs_nothing_and_a_statement_one_query() {
    let server = sample().await;
    let proxy = Proxy::start(server.endpoint()).await;
    let (_, redivis) = session(&proxy.endpoint(), server.token());
    let off = rows(&redivis, BY_CARRIER).await;
    set(&redivis, "pushdown = always").await;
    let explained = rows(&redivis, &format!("EXPLAIN {BY_CARRIER}")).await;
    assert!(
        explained.contains("AVG(CAST(t1.`dep_delay` AS FLOAT64))"),
        "{explained}"
    );
    assert_eq!(requests(&proxy, "POST", "/queries"), 0);
    let sessions = requests(&proxy, "POST", "/readSessions");
    assert_eq!(rows(&redivis, BY_CARRIER).await, off);
    assert_eq!(requests(&proxy, "POST", "/queries"), 1);
    assert_eq!(requests(&proxy, "POST", "/readSessions"), sessions + 1);
    let analyzed = rows(&redivis, &format!("EXPLAIN ANALYZE {BY_CARRIER}")).await;
    for metric in ["query_time=", "bytes_scanned=", "output_rows=10"] {
        assert!(analyzed.contains(metric), "{metric} in\n{analyzed}");
    }
    // A plan can be executed again, and so runs again.
    let frame = redivis.sql(BY_CARRIER).await.unwrap();
    let before = requests(&proxy, "POST", "/queries");
    assert_eq!(
        frame.clone().count().await.unwrap(),
        frame.count().await.unwrap()
    );
    assert_eq!(requests(&proxy, "POST", "/queries"), before + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn auto_weighs_what_it_saves() {
    let server = sample().await;
    let proxy = Proxy::start(server.endpoint()).await;
    let (_, redivis) = session(&proxy.endpoint(), server.token());
    set(&redivis, "pushdown = auto").await;
    let small = plan(&redivis, BY_CARRIER).await;
    assert!(small.contains("is sooner than a query (5.0 s)"), "{small}");
    assert_eq!(requests(&proxy, "GET", "/statistics"), 0);

    set(&redivis, "query_cost = '1ms'").await;
    let large = plan(&redivis, BY_CARRIER).await;
    assert!(large.contains("RedivisQueryExec"), "{large}");
    // One request a variable that the predicates name, once.
    let asked = |proxy: &Proxy| requests(proxy, "GET", "/statistics");
    assert_eq!(asked(&proxy), 2);
    rows(&redivis, BY_CARRIER).await;
    assert_eq!(asked(&proxy), 2);
    // An answer that is as large as the table is no saving.
    let all = plan(
        &redivis,
        &format!("SELECT * FROM {FLIGHTS} WHERE month >= 1"),
    )
    .await;
    assert!(all.contains("not pushed: reading about"), "{all}");
    assert!(!all.contains("RedivisQueryExec"), "{all}");
    let few = plan(
        &redivis,
        &format!("SELECT * FROM {FLIGHTS} WHERE month > 12"),
    )
    .await;
    assert!(few.contains("RedivisQueryExec"), "{few}");
}

fn scans(plan: &Arc<dyn ExecutionPlan>) -> Vec<&RedivisScanExec> {
    let here = plan.downcast_ref::<RedivisScanExec>();
    let below = plan.children().into_iter().flat_map(scans);
    here.into_iter().chain(below).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_of_join_keys_goes_to_the_planner() {
    let server = sample().await;
    let proxy = Proxy::start(server.endpoint()).await;
    let (_, redivis) = session(&proxy.endpoint(), server.token());
    let sql = format!(
        "SELECT f.dest FROM {FLIGHTS} f JOIN redivis.'demo.nycflights13.airports' a ON f.dest = a.faa"
    );
    let distinct = async || {
        let frame = redivis.sql(&sql).await.unwrap();
        let plan = frame.create_physical_plan().await.unwrap();
        let flights = scans(&plan);
        let flights = flights
            .into_iter()
            .find(|scan| scan.source().ends_with("flights"));
        let statistics = flights
            .unwrap()
            .statistics_from_inputs(&[], &StatisticsArgs::new());
        statistics.unwrap().column_statistics[0].distinct_count
    };
    assert_eq!(distinct().await, Precision::Absent);
    set(&redivis, "pushdown = auto").await;
    assert_eq!(distinct().await, Precision::Inexact(105));
    assert_eq!(distinct().await, Precision::Inexact(105));
    assert_eq!(requests(&proxy, "GET", "/statistics"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_on_disk_is_read_from_there() {
    let server = sample().await;
    let folder = tempfile::TempDir::new().unwrap();
    let (_, redivis) = session(server.endpoint(), server.token());
    set(&redivis, "cache = on").await;
    set(
        &redivis,
        &format!("cache_dir = '{}'", folder.path().display()),
    )
    .await;
    set(&redivis, "pushdown = auto").await;
    set(&redivis, "query_cost = '1ms'").await;
    let before = plan(&redivis, BY_CARRIER).await;
    assert!(before.contains("RedivisQueryExec"), "{before}");
    redivis
        .sql("CALL redivis.cache('demo.nycflights13.flights', ['carrier', 'dep_delay', 'month', 'origin'])")
        .await
        .unwrap();
    let after = plan(&redivis, BY_CARRIER).await;
    assert!(after.contains("cached"), "{after}");
    assert!(!after.contains("RedivisQueryExec"), "{after}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_fails_is_an_error_or_its_tables_are_read() {
    let server = sample().await;
    let proxy = Proxy::start(server.endpoint()).await;
    let (_, redivis) = session(&proxy.endpoint(), server.token());
    let off = rows(&redivis, BY_CARRIER).await;
    let refused =
        json!({"status": 400, "error": "invalid_query", "error_description": "no such luck"});
    let failed = json!({
        "kind": "query", "id": "q1", "uri": "/queries/q1", "status": "failed", "errorMessage": "no such luck",
    });
    let others = json!({
        "kind": "query", "id": "q1", "uri": "/tables/demo.nycflights13:v1_0.airlines", "status": "completed",
        "outputNumRows": 16, "outputNumBytes": 500,
    });
    for (status, answer, words) in [
        (400, refused, "no such luck"),
        (201, failed, "no such luck"),
        (
            201,
            others,
            "has the columns carrier, name where carrier, n, delay were asked for",
        ),
    ] {
        proxy.script(
            move |request| match (request.method.as_str(), request.path()) {
                ("POST", path) if path.ends_with("/queries") => {
                    Action::reply(status, JSON, answer.to_string())
                }
                _ => Action::Pass,
            },
        );
        set(&redivis, "pushdown = always").await;
        let error = redivis
            .sql(BY_CARRIER)
            .await
            .unwrap()
            .collect()
            .await
            .unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        set(&redivis, "pushdown = auto").await;
        set(&redivis, "query_cost = '1ms'").await;
        let before = requests(&proxy, "POST", "/queries");
        assert_eq!(rows(&redivis, BY_CARRIER).await, off, "{words}");
        assert_eq!(requests(&proxy, "POST", "/queries"), before + 1, "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_never_changes_is_pushed() {
    let server = sample().await;
    let (_, redivis) = session(server.endpoint(), server.token());
    set(&redivis, "pushdown = always").await;
    redivis
        .sql("CALL redivis.next_version('demo.nycflights13')")
        .await
        .unwrap();
    redivis
        .sql("CREATE TABLE redivis.'demo.nycflights13:next.notes' AS SELECT 1 AS a")
        .await
        .unwrap();
    let sql = "SELECT a FROM redivis.'demo.nycflights13:next.notes' WHERE a > 0";
    let next = plan(&redivis, sql).await;
    assert!(!next.contains("RedivisQueryExec"), "{next}");
    assert!(
        next.contains("is no released version that never changes"),
        "{next}"
    );

    let (_, anonymous) = session(server.endpoint(), None);
    set(&anonymous, "pushdown = always").await;
    let anonymous = plan(&anonymous, BY_CARRIER).await;
    assert!(
        anonymous.contains("not pushed: queries take somebody who is signed in"),
        "{anonymous}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_endpoint_answers_for_its_own_tables() {
    let (here, there) = (sample().await, sample().await);
    let (context, redivis) = session(here.endpoint(), here.token());
    let client = Client::builder()
        .endpoint(there.endpoint())
        .token(Token::new(there.token().unwrap()));
    RedivisBuilder::new(client.build().unwrap())
        .schema_name("other")
        .register(&context)
        .unwrap();
    let sql = "SELECT a.name, b.n FROM redivis.'demo.nycflights13.airlines' a \
        JOIN (SELECT carrier, count(*) AS n FROM other.'demo.nycflights13.flights' GROUP BY 1) b ON a.carrier = b.carrier \
        WHERE a.name > 'D' ORDER BY 1";
    let off = rows(&redivis, sql).await;
    set(&redivis, "pushdown = always").await;
    let plan = plan(&redivis, sql).await;
    assert_eq!(plan.matches("RedivisQueryExec").count(), 2, "{plan}");
    assert_eq!(rows(&redivis, sql).await, off);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_keep_their_order_and_columns_their_names_and_types() {
    let server = sample().await;
    let (_, redivis) = session(server.endpoint(), server.token());
    for sql in [
        format!(
            "SELECT flight, dep_delay FROM {FLIGHTS} ORDER BY dep_delay DESC NULLS LAST, flight LIMIT 7 OFFSET 2"
        ),
        format!(
            "SELECT origin, extract(year FROM time_hour) AS y, row_number() OVER (ORDER BY origin, extract(year FROM time_hour)) AS r FROM {FLIGHTS} \
                 GROUP BY 1, 2 ORDER BY 3"
        ),
        format!(
            "SELECT count(*), count(*) AS \"Group\", sum(distance) AS \"a b\" FROM {FLIGHTS} WHERE dest = 'no such'"
        ),
        format!(
            "SELECT DISTINCT origin FROM {FLIGHTS} WHERE dep_delay > (SELECT avg(dep_delay) FROM {FLIGHTS}) ORDER BY 1"
        ),
        format!(
            "SELECT origin, month, count(*), grouping(month) FROM {FLIGHTS} WHERE month < 3 \
                 GROUP BY CUBE (origin, month) ORDER BY 1, 2, 4"
        ),
    ] {
        set(&redivis, "pushdown = off").await;
        let off = redivis.sql(&sql).await.unwrap();
        let (schema, off) = (off.schema().clone(), off.collect().await.unwrap());
        set(&redivis, "pushdown = always").await;
        let pushed = redivis.sql(&sql).await.unwrap();
        assert_eq!(*pushed.schema(), schema, "{sql}");
        let pushed = pushed.collect().await.unwrap();
        assert_eq!(
            pushed[0].schema().fields(),
            off[0].schema().fields(),
            "{sql}"
        );
        assert_eq!(
            pretty_format_batches(&pushed).unwrap().to_string(),
            pretty_format_batches(&off).unwrap().to_string(),
            "{sql}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_is_no_longer_than_redivis_takes() {
    let server = sample().await;
    let (_, redivis) = session(server.endpoint(), server.token());
    set(&redivis, "pushdown = always").await;
    let many: Vec<String> = (0..40_000).map(|i| format!("{}", i * 1000)).collect();
    let sql = format!(
        "SELECT count(*) FROM {FLIGHTS} WHERE flight IN ({})",
        many.join(", ")
    );
    let plan = plan(&redivis, &sql).await;
    assert!(plan.contains("not pushed: the query would be too long"));
}
