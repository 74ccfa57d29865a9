//! Rows: all of them, once, cut where the statement says.

use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::Int64Type;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::SessionContext;
use datafusion_redivis::{Redivis, RedivisScanExec};
use futures::{FutureExt, StreamExt};
use redivis::Client;
use redivis_server::{Config, Server};

use crate::support::{client, fixture, session};

const FLIGHTS: &str = "redivis.'demo.nycflights13.flights'";

/// A session on `lab.wide:v1_0.rows`: 4,000 numbers, each beside 20 kB of text, so that several streams are worth it.
async fn wide_table() -> (Server, SessionContext, Redivis, tempfile::TempDir) {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("lab/wide");
    std::fs::create_dir_all(&folder).unwrap();
    let rows = "SELECT value AS id, concat(value, repeat('x', 20000)) AS pad FROM generate_series(1, 4000)";
    let copy = format!(
        "COPY ({rows}) TO '{}' STORED AS PARQUET",
        folder.join("rows.parquet").display()
    );
    SessionContext::new()
        .sql(&copy)
        .await
        .unwrap()
        .collect()
        .await
        .unwrap();
    let server = Server::start(Config::directory(data.path())).await.unwrap();
    let (ctx, redivis) = session(client(&server));
    (server, ctx, redivis, data)
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_share_the_streams_of_one_session() {
    let (_server, ctx, redivis, _data) = wide_table().await;
    // As many as there are streams, however many cores there are.
    for (most, partitions) in [(8, 8), (2, 2), (1, 1)] {
        redivis
            .sql(&format!("SET redivis.max_streams = {most}"))
            .await
            .unwrap();
        let plan = redivis
            .sql("SELECT id, pad FROM redivis.'lab.wide.rows'")
            .await
            .unwrap()
            .create_physical_plan()
            .await
            .unwrap();
        let scan = find(&plan);
        assert_eq!(scan.properties().partitioning.partition_count(), partitions);
        // A later limit that one stream can serve leaves the other partitions empty.
        for limit in [None, Some(4000), Some(9)] {
            let scan = limit.map_or(Arc::clone(&scan), |limit| {
                scan.with_fetch(Some(limit)).unwrap()
            });
            let mut ids = vec![];
            for partition in 0..partitions {
                let mut rows = scan.execute(partition, ctx.task_ctx()).unwrap();
                while let Some(batch) = rows.next().await {
                    let batch = batch.unwrap();
                    ids.extend(
                        batch
                            .column(0)
                            .as_primitive::<Int64Type>()
                            .values()
                            .iter()
                            .copied(),
                    );
                }
            }
            ids.sort_unstable();
            let expected: Vec<i64> = (1..=limit.map_or(4000, |limit| limit as i64)).collect();
            assert_eq!(ids, expected, "{partitions} partitions, limit {limit:?}");
        }
    }
}

#[tokio::test]
async fn all_rows_come_once() {
    let it = fixture().await;
    assert_eq!(
        it.value(&format!("SELECT count(*) FROM {FLIGHTS}")).await,
        "336776"
    );
    // Counted from the rows rather than from what the service says of them.
    assert_eq!(
        it.value(&format!("SELECT count(*) FROM {FLIGHTS} WHERE year = 2013"))
            .await,
        "336776"
    );
    assert_eq!(
        it.value(&format!("SELECT sum(distance) FROM {FLIGHTS}"))
            .await,
        "350217607"
    );
    it.batches("SET redivis.max_streams = 1").await;
    assert_eq!(
        it.value(&format!("SELECT sum(distance) FROM {FLIGHTS}"))
            .await,
        "350217607"
    );
}

#[tokio::test]
async fn limits_are_exact() {
    let it = fixture().await;
    for (clause, rows) in [
        ("LIMIT 0", 0),
        ("LIMIT 1", 1),
        ("LIMIT 10 OFFSET 3", 10),
        ("OFFSET 336770", 6),
        ("LIMIT 20000", 20_000),
        ("LIMIT 20000 OFFSET 330000", 6_776),
        ("LIMIT 9999999", 336_776),
        ("LIMIT 5 OFFSET 9999999", 0),
    ] {
        let batches = it
            .batches(&format!("SELECT carrier FROM {FLIGHTS} {clause}"))
            .await;
        let read: usize = batches.iter().map(|batch| batch.num_rows()).sum();
        assert_eq!(read, rows, "{clause}");
    }
}

#[tokio::test]
async fn a_limit_may_come_after_planning() {
    let it = fixture().await;
    let plan = it
        .plan(&format!("SELECT carrier, distance FROM {FLIGHTS}"))
        .await;
    let scan = find(&plan);
    for fetch in [0, 7, 15_000] {
        let limited = scan.with_fetch(Some(fetch)).unwrap();
        assert_eq!(limited.fetch(), Some(fetch));
        let batches = collect(limited, it.ctx.task_ctx()).await.unwrap();
        assert_eq!(
            batches.iter().map(|batch| batch.num_rows()).sum::<usize>(),
            fetch
        );
    }
    // A plan reads the same when it is executed again, and when its state was reset.
    let again = Arc::clone(&plan).reset_state().unwrap();
    for plan in [&plan, &plan, &again] {
        let batches = collect(Arc::clone(plan), it.ctx.task_ctx()).await.unwrap();
        assert_eq!(
            batches.iter().map(|batch| batch.num_rows()).sum::<usize>(),
            336_776
        );
    }
}

pub(crate) fn find(plan: &Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    if plan.as_ref().is::<RedivisScanExec>() {
        return Arc::clone(plan);
    }
    find(plan.children().first().expect("no scan in the plan"))
}

#[tokio::test]
async fn a_scan_of_no_columns_yields_row_counts() {
    let it = fixture().await;
    let batches = it
        .batches(&format!("SELECT 1 AS one FROM {FLIGHTS} LIMIT 11"))
        .await;
    assert_eq!(
        batches.iter().map(|batch| batch.num_rows()).sum::<usize>(),
        11
    );
    // An unreleased table's count is not taken from what the service says.
    assert_eq!(
        it.value("SELECT count(*) FROM redivis.'lab.weather:next.readings'")
            .await,
        "5"
    );
}

#[tokio::test]
async fn uploads_that_disagree_are_aligned() {
    let it = fixture().await;
    let sql = r#"SELECT "StationID", "Reading" FROM redivis.'lab.weather:next.readings' ORDER BY "Reading""#;
    insta::assert_snapshot!(it.rows(sql).await, @r"
    +-----------+---------+
    | StationID | Reading |
    +-----------+---------+
    | 1         | 1.5     |
    | 2         | 2.5     |
    | 3         | 3.5     |
    | 1         | 4.5     |
    | 2         | 5.5     |
    +-----------+---------+
    ");
}

#[tokio::test]
async fn batches_are_no_larger_than_asked_for() {
    let it = fixture().await;
    it.batches("SET datafusion.execution.batch_size = 100")
        .await;
    let batches = it
        .batches(&format!("SELECT flight FROM {FLIGHTS} LIMIT 5000"))
        .await;
    assert!(batches.iter().all(|batch| batch.num_rows() <= 100));
}

#[tokio::test]
async fn joins_of_remote_tables() {
    let it = fixture().await;
    let sql = "SELECT a.name, round(avg(f.arr_delay), 2) AS mean_delay FROM redivis.'demo.nycflights13.flights' f \
               JOIN redivis.'demo.nycflights13.airlines' a USING (carrier) GROUP BY 1 ORDER BY 2 DESC";
    let rows = it.rows(sql).await;
    let lines: Vec<&str> = rows.lines().collect();
    assert_eq!(lines.len(), 4 + 16);
    assert!(
        lines[3].contains("Frontier Airlines Inc.") && lines[3].contains("21.92"),
        "{rows}"
    );
    assert!(
        lines[18].contains("Alaska Airlines Inc.") && lines[18].contains("-9.93"),
        "{rows}"
    );
}

#[tokio::test]
async fn labels_travel_with_the_columns() {
    let it = fixture().await;
    let frame = it
        .redivis
        .sql(&format!("SELECT month FROM {FLIGHTS} LIMIT 1"))
        .await
        .unwrap();
    let planned = frame.schema().field(0).metadata().clone();
    assert_eq!(planned["redivis.type"], "integer");
    assert!(planned.contains_key("redivis.label"));
    let batches = frame.collect().await.unwrap();
    assert_eq!(batches[0].schema().field(0).metadata(), &planned);
}

#[tokio::test]
async fn a_described_table_carries_descriptions_and_value_labels() {
    let it = fixture().await;
    let described = it
        .redivis
        .describe("demo.nycflights13.airports")
        .await
        .unwrap();
    assert_eq!(described.variables()[6].value_labels.len(), 3);
    let frame = it
        .redivis
        .sql("SELECT dst FROM redivis.'demo.nycflights13.airports' LIMIT 1")
        .await
        .unwrap();
    let batches = frame.collect().await.unwrap();
    let schema = batches[0].schema();
    let metadata = schema.field(0).metadata();
    assert_eq!(metadata["redivis.label"], "Daylight saving");
    assert_eq!(
        metadata["redivis.valueLabels"],
        r#"{"A":"US daylight saving time","U":"Unknown","N":"No daylight saving time"}"#
    );
    assert!(metadata["redivis.description"].starts_with("Which daylight saving time"));
}

#[tokio::test]
async fn without_a_token_public_tables_can_be_read() {
    let it = fixture().await;
    let anonymous = Client::builder()
        .endpoint(it.server.endpoint())
        .build()
        .unwrap();
    let (_, redivis) = session(anonymous);
    let frame = redivis
        .sql(&format!("SELECT carrier FROM {FLIGHTS} LIMIT 12"))
        .await
        .unwrap();
    let batches = frame.collect().await.unwrap();
    assert_eq!(
        batches.iter().map(|batch| batch.num_rows()).sum::<usize>(),
        12
    );
    let frame = redivis
        .sql("SELECT count(*) FROM redivis.'demo.nycflights13.airlines' WHERE carrier <> ''")
        .await
        .unwrap();
    let batches = frame.collect().await.unwrap();
    assert_eq!(batches[0].num_rows(), 1);
    assert!(
        redivis
            .sql("SELECT * FROM redivis.'lab.weather.Stations'")
            .await
            .is_err()
    );
}

#[tokio::test]
async fn metrics_tell_what_was_read() {
    let it = fixture().await;
    let plan = it.plan(&format!("SELECT flight FROM {FLIGHTS}")).await;
    collect(Arc::clone(&plan), it.ctx.task_ctx()).await.unwrap();
    let metrics = find(&plan).metrics().unwrap();
    assert_eq!(metrics.output_rows(), Some(336_776));
    let of = |name: &str| {
        metrics
            .sum_by_name(name)
            .map(|value| value.as_usize())
            .unwrap_or_default()
    };
    // Eight bytes for each number.
    assert!(of("bytes_scanned") >= 336_776 * 8, "{metrics}");
    assert!(of("streams") >= 1);
    assert_eq!(of("retries"), 0);
    // Work and waiting are told apart, and are all that there is.
    let work = metrics.elapsed_compute().unwrap_or_default();
    assert!(work > 0);
    assert!(of("time_elapsed_waiting") > 0);
    // DataFusion counts no time as less than a nanosecond.
    let all = of("time_elapsed_scanning_total");
    assert!((work + of("time_elapsed_waiting")).abs_diff(all) < all / 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_opened_when_execution_starts() {
    let it = fixture().await;
    let plan = it.plan(&format!("SELECT flight FROM {FLIGHTS}")).await;
    let scan = find(&plan);
    let opened = |scan: &Arc<dyn ExecutionPlan>| {
        let metrics = scan.metrics().unwrap();
        let streams = metrics.sum_by_name("streams");
        streams.is_some_and(|streams| streams.as_usize() > 0)
    };
    let rows = scan.execute(0, it.ctx.task_ctx()).unwrap();
    let patience = tokio::time::timeout(Duration::from_secs(30), async {
        while !opened(&scan) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    patience.await.unwrap();
    drop(rows);
}

#[test]
fn a_plan_outlives_the_runtime_that_it_was_executed_on() {
    let service = tokio::runtime::Runtime::new().unwrap();
    let it = service.block_on(fixture());
    let plan = service.block_on(it.plan("SELECT * FROM redivis.'demo.nycflights13.airlines'"));
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let mut rows = {
        let gone = runtime();
        let _entered = gone.enter();
        plan.execute(0, it.ctx.task_ctx()).unwrap()
    };
    let batch = runtime().block_on(rows.next()).unwrap().unwrap();
    assert_eq!(batch.num_rows(), 16);
}

#[tokio::test]
async fn a_dropped_read_leaves_the_session_usable() {
    let it = fixture().await;
    let frame = it
        .redivis
        .sql(&format!("SELECT * FROM {FLIGHTS}"))
        .await
        .unwrap();
    let mut stream = frame.execute_stream().await.unwrap();
    stream.next().await.unwrap().unwrap();
    drop(stream);
    assert_eq!(
        it.value(&format!("SELECT max(distance) FROM {FLIGHTS}"))
            .await,
        "4983"
    );
}

/// A session on a server whose read sessions live half a second.
async fn short_lived() -> (redivis_server::Server, SessionContext, Redivis) {
    let config = Config {
        session_ttl: Duration::from_millis(500),
        ..Config::sample()
    };
    let server = Server::start(config).await.unwrap();
    let (ctx, redivis) = session(client(&server));
    (server, ctx, redivis)
}

/// A scan of all columns in several partitions.
async fn wide_scan(redivis: &Redivis) -> Arc<dyn ExecutionPlan> {
    let plan = redivis
        .sql(&format!("SELECT * FROM {FLIGHTS}"))
        .await
        .unwrap()
        .create_physical_plan()
        .await
        .unwrap();
    find(&plan)
}

const LONGER: Duration = Duration::from_millis(800);

#[tokio::test]
async fn a_session_that_expired_unused_is_replaced() {
    let (_server, ctx, redivis) = short_lived().await;
    let mut rows = find_one_partition(&redivis)
        .await
        .execute(0, ctx.task_ctx())
        .unwrap();
    // The execution asks for the session; by the next poll it is too old.
    assert!(rows.next().now_or_never().is_none());
    tokio::time::sleep(LONGER).await;
    let mut read = 0;
    while let Some(batch) = rows.next().await {
        read += batch.unwrap().num_rows();
    }
    assert_eq!(read, 16);
}

async fn find_one_partition(redivis: &Redivis) -> Arc<dyn ExecutionPlan> {
    let sql = "SELECT * FROM redivis.'demo.nycflights13.airlines'";
    find(
        &redivis
            .sql(sql)
            .await
            .unwrap()
            .create_physical_plan()
            .await
            .unwrap(),
    )
}

#[tokio::test]
async fn a_session_that_expired_in_use_is_not_the_next_execution_s() {
    let (_server, ctx, redivis) = short_lived().await;
    let scan = wide_scan(&redivis).await;
    // As DataFusion does: all partitions of an execution have its context.
    let contexts = [ctx.task_ctx(), ctx.task_ctx()];
    let mut first = scan.execute(0, Arc::clone(&contexts[0])).unwrap();
    assert!(first.next().await.unwrap().unwrap().num_rows() > 0);
    tokio::time::sleep(LONGER).await;
    let mut again = scan.execute(0, Arc::clone(&contexts[1])).unwrap();
    assert!(again.next().await.unwrap().unwrap().num_rows() > 0);
}

#[tokio::test]
async fn a_service_whose_sessions_are_always_gone_is_given_up() {
    let config = Config {
        session_ttl: Duration::ZERO,
        ..Config::sample()
    };
    let server = Server::start(config).await.unwrap();
    let (_, redivis) = session(client(&server));
    let frame = redivis
        .sql(&format!("SELECT carrier FROM {FLIGHTS} LIMIT 3"))
        .await
        .unwrap();
    let error = frame.collect().await.unwrap_err().to_string();
    assert!(!error.contains("were used"), "{error}");
}

#[tokio::test]
async fn a_scan_tells_what_it_reads() {
    let it = fixture().await;
    let of = async |sql: &str| find(&it.plan(sql).await);
    let plan = of(&format!("SELECT dest, carrier FROM {FLIGHTS} LIMIT 7")).await;
    let scan = plan.downcast_ref::<RedivisScanExec>().unwrap();
    assert_eq!(scan.source(), "demo.nycflights13:v1_0.flights");
    let reference = scan.reference().unwrap();
    assert_eq!(reference.parent().owner(), "demo");
    assert_eq!(reference.name(), "flights");
    assert_eq!(scan.version().unwrap().to_string(), "v1_0");
    let schema = scan.schema();
    let names: Vec<&str> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    assert_eq!(names.len(), scan.projection().len());
    assert_eq!(scan.fetch(), Some(7));
    assert_eq!(scan.streams(), 1);

    let plan = of("SELECT * FROM redivis.'lab.weather:next.readings'").await;
    let scan = plan.downcast_ref::<RedivisScanExec>().unwrap();
    assert_eq!(scan.source(), "lab.weather:next.readings");
    assert_eq!(scan.version().unwrap().to_string(), "next");
    assert_eq!((scan.projection(), scan.fetch()), ([0, 1].as_slice(), None));
}
