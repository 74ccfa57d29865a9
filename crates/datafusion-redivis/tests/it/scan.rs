//! Rows: all of them, once, cut where the statement says.

use std::sync::Arc;

use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion_redivis::RedivisScanExec;
use redivis::Client;

use crate::support::{client, fixture, session};

const FLIGHTS: &str = "redivis.'demo.nycflights13.flights'";

#[tokio::test]
async fn all_rows_come_once_over_several_streams() {
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

fn find(plan: &Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
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
    assert!(of("time_elapsed_scanning_total") > 0);
}

#[tokio::test]
async fn a_dropped_read_leaves_the_session_usable() {
    use futures::StreamExt;
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

#[tokio::test]
async fn an_expired_session_is_replaced_while_nothing_was_used() {
    let data = tempfile::tempdir().unwrap();
    let config = redivis_server::Config {
        sample: true,
        session_ttl: std::time::Duration::ZERO,
        ..redivis_server::Config::directory(data.path())
    };
    let server = redivis_server::Server::start(config).await.unwrap();
    let (_, redivis) = session(client(&server));
    // Sessions expire before they can be read: the second one does not help either, and the error says so.
    let frame = redivis
        .sql(&format!("SELECT carrier FROM {FLIGHTS} LIMIT 3"))
        .await
        .unwrap();
    let error = frame.collect().await.unwrap_err().to_string();
    assert!(error.contains("Run the statement again"), "{error}");
}
