//! Time: silence ends after the read timeout and the read goes on, slowness is no silence, and giving up has a limit and says
//! what was tried.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use futures::{StreamExt, TryStreamExt};
use redivis::read::variables_schema;
use redivis::{ErrorKind, RetryPolicy};
use redivis_tests::proxy::{Action, Break, End};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::arrow_body::{ends, rows_before, served};
use crate::wire::{ROWS, TABLE, Wire, assert_all, is_stream, patience, rows, within};

const SHORT: Duration = Duration::from_millis(250);

fn stall(after: usize) -> Action {
    Action::Break {
        after,
        how: Break::Stall,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_stream_resumes() {
    let wire = Wire::start().await;
    let client = wire.builder().read_timeout(SHORT).build().unwrap();
    let ends = ends(&served(&wire).await);
    for after in [0, ends[0] - 3, ends[1], ends[2] + 1000, ends[3]] {
        let before = wire.offsets().len();
        wire.break_streams([stall(after)]);
        let started = Instant::now();
        assert_all(&wire.read(&client, 1).await.unwrap());
        assert!(started.elapsed() >= SHORT);
        let offsets = &wire.offsets()[before..];
        assert_eq!(offsets[..2], [0, rows_before(&ends, after)]);
        // The silent connection is given up, not kept.
        let left = |exchange: &redivis_tests::proxy::Exchange| {
            exchange.action == stall(after) && exchange.end == Some(End::ClientLeft)
        };
        wire.proxy.wait_for(SHORT * 20, left).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_stream_does_not_slow_the_others() {
    const STREAMS: u64 = 4;
    let wire = Wire::start().await;
    let mut table = wire.get("/tables/local.faults.rows").await;
    table["numBytes"] = (STREAMS * (4 << 20)).into();
    let table = Action::reply(
        200,
        &[("Content-Type", "application/json")],
        table.to_string(),
    );
    let mut stalled = Some(stall(0));
    wire.proxy.script(move |request| match request {
        request if request.path().ends_with(TABLE) => table.clone(),
        request if is_stream(request) => stalled.take().unwrap_or(Action::Pass),
        _ => Action::Pass,
    });
    let client = wire.builder().read_timeout(Duration::from_secs(3600));
    let (_context, redivis) = wire.session(client.build().unwrap());
    within(async {
        let frame = redivis.sql(&format!("SELECT id, text FROM {TABLE}")).await;
        let mut batches = frame.unwrap().execute_stream().await.unwrap();
        let mut rows = 0;
        while rows < ROWS as usize * 3 / 4 {
            rows += batches.next().await.unwrap().unwrap().num_rows();
        }
        assert_eq!(rows, ROWS as usize * 3 / 4);
    })
    .await;
    assert_eq!(wire.offsets(), [0; STREAMS as usize]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_session_sets_how_long_silence_may_last() {
    let wire = Wire::start().await;
    let client = wire.builder().read_timeout(Duration::from_secs(3600));
    let (_context, redivis) = wire.session(client.build().unwrap());
    wire.break_streams([stall(300_000)]);
    let batches = within(async {
        redivis.sql("SET redivis.read_timeout = '250ms'").await?;
        let rows = redivis
            .sql(&format!("SELECT id, text FROM {TABLE}"))
            .await?;
        rows.collect().await
    });
    assert_all(&rows(&batches.await.unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_drip_is_no_silence() {
    let wire = Wire::start().await;
    let timeout = Duration::from_secs(1);
    let client = wire.builder().read_timeout(timeout).build().unwrap();
    let size = served(&wire).await.len();
    // Two seconds for the whole of it.
    wire.break_all_streams(Action::Drip {
        bytes: size / 200,
        pause: Duration::from_millis(10),
    });
    let before = wire.offsets().len();
    let started = Instant::now();
    assert_all(&wire.read(&client, 1).await.unwrap());
    assert!(started.elapsed() > timeout);
    assert_eq!(wire.offsets()[before..], [0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_without_end_is_given_up() {
    let wire = Wire::start().await;
    let client = wire.builder().read_timeout(SHORT).build().unwrap();
    wire.break_all_streams(stall(200));
    let error = wire.read(&client, 1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    let told = error.to_string();
    assert!(
        told.contains("nothing arrived for 0.25 s; gave up after 4 attempts in "),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_never_answers_is_given_up() {
    // Connections are made, for the system makes them, but nobody reads what comes.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = redivis::Client::builder()
        .endpoint(format!("http://{}/api/v1", silent.local_addr().unwrap()))
        .response_timeout(SHORT)
        .retry(patience())
        .build()
        .unwrap();
    let started = Instant::now();
    let reference = TABLE.parse().unwrap();
    let error = within(client.table(&reference)).await.unwrap_err();
    assert!(started.elapsed() >= 4 * SHORT);
    assert_eq!(error.kind(), ErrorKind::Transport);
    let told = error.to_string();
    assert!(
        told.starts_with("cannot get table local.faults.rows: "),
        "{told}"
    );
    assert!(
        told.contains("nothing arrived for 0.25 s; gave up after 4 attempts in "),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_never_made_is_given_up() {
    // With a full queue of connections that nobody takes, the system answers no further ones.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let full = socket.listen(1).unwrap();
    let address = full.local_addr().unwrap();
    let mut queued = Vec::new();
    while let Ok(connection) = tokio::time::timeout(SHORT, TcpStream::connect(address)).await {
        queued.push(connection.unwrap());
        assert!(queued.len() < 100, "the queue has no end");
    }
    let client = redivis::Client::builder()
        .endpoint(format!("http://{address}/api/v1"))
        .connect_timeout(SHORT)
        .retry(patience())
        .build()
        .unwrap();
    let reference = TABLE.parse().unwrap();
    let error = within(client.table(&reference)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    let told = error.to_string();
    assert!(
        told.contains(&format!(": cannot connect to {address}: ")),
        "{told}"
    );
    assert!(told.contains("; gave up after 3 attempts in "), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn giving_up_has_a_time_limit() {
    let wire = Wire::start().await;
    let policy = RetryPolicy {
        max_attempts: u32::MAX,
        max_elapsed: Duration::from_millis(400),
        ..patience()
    };
    let client = wire.builder().retry(policy).build().unwrap();
    wire.break_all_streams(Action::Close);
    let started = Instant::now();
    let error = wire.read(&client, 1).await.unwrap_err();
    assert!(started.elapsed() >= Duration::from_millis(350));
    assert_eq!(error.kind(), ErrorKind::Transport);
    let (attempts, time) = error.attempts().unwrap();
    assert!(attempts > 4 && time <= Duration::from_secs(5), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_limit_counts_from_the_first_failure_and_not_from_the_start() {
    let wire = Wire::start().await;
    let limit = Duration::from_millis(400);
    let policy = RetryPolicy {
        max_elapsed: limit,
        ..patience()
    };
    let client = wire.builder().retry(policy).build().unwrap();
    let cut = Action::Break {
        after: ends(&served(&wire).await)[2],
        how: Break::Close,
    };
    wire.break_streams([cut]);
    within(async {
        let (table, session) = wire.open(&client, 1).await.unwrap();
        let schema = variables_schema(&client.variables(&table.uri).await.unwrap());
        let mut stream = client.read_arrow(&session.streams[0], Arc::clone(&schema));
        let first = stream.next().await.unwrap().unwrap();
        // Working on the first rows takes longer than giving up does.
        tokio::time::sleep(2 * limit).await;
        let rest: Vec<_> = stream.try_collect().await.unwrap();
        assert_all(&rows(&[vec![first], rest].concat()));
    })
    .await;
}

/// How long a read takes that is told once to come back after a time.
async fn read_after(retry_after: &str, policy: RetryPolicy) -> Duration {
    let wire = Wire::start().await;
    let client = wire.builder().retry(policy).build().unwrap();
    let limited = Action::reply(429, &[("Retry-After", retry_after)], "slow down");
    wire.break_streams([limited]);
    let started = Instant::now();
    assert_all(&wire.read(&client, 1).await.unwrap());
    assert_eq!(wire.offsets(), [0, 0]);
    started.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_in_seconds_is_waited_for() {
    let took = read_after("1", patience()).await;
    assert!(took >= Duration::from_secs(1), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_as_a_date_is_waited_for() {
    // A date has whole seconds: this one is between one and two seconds away.
    let date = SystemTime::now() + Duration::from_secs(3);
    let took = read_after(&httpdate::fmt_http_date(date), patience()).await;
    assert!(took >= Duration::from_millis(500), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_is_waited_for_up_to_a_limit() {
    let policy = RetryPolicy {
        max_retry_after: SHORT,
        ..patience()
    };
    let took = read_after("86400", policy).await;
    assert!(took >= SHORT, "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_of_requests_that_stays_is_told() {
    let wire = Wire::start().await;
    let body = r#"{"status":429,"error":"rate_limit_exceeded","error_description":"Too many requests in a minute"}"#;
    let limited = Action::reply(429, &[("Retry-After", "0")], body);
    wire.proxy.script(move |request| match is_stream(request) {
        true => limited.clone(),
        false => Action::Pass,
    });
    let error = wire.read(&wire.client(), 1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(error.status(), Some(429));
    let told = error.to_string();
    assert!(
        told.contains("Too many requests in a minute (HTTP 429, rate_limit_exceeded); gave up after 4 attempts in "),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_came_do_not_wait_for_those_that_did_not() {
    let wire = Wire::start().await;
    let ends = ends(&served(&wire).await);
    let after = ends[2] + 1000;
    let came = rows_before(&ends, after);
    for batch_size in [100, 8192, 20_000, 1_000_000] {
        let (context, redivis) = wire.session(wire.client());
        let first = wire.offsets().len();
        wire.break_streams([stall(after)]);
        within(async {
            let size = format!("SET datafusion.execution.batch_size = {batch_size}");
            redivis.sql(&size).await.unwrap();
            let sql = format!("SELECT id, text FROM {TABLE}");
            let plan = redivis.sql(&sql).await.unwrap();
            let plan = plan.create_physical_plan().await.unwrap();
            let mut stream = plan.execute(0, context.task_ctx()).unwrap();
            let mut rows = 0;
            while rows < came {
                rows += stream.next().await.unwrap().unwrap().num_rows() as i64;
            }
            assert_eq!(rows, came);
        })
        .await;
        // It is still the first connection, which says nothing more.
        assert_eq!(wire.offsets().len(), first + 1, "{batch_size}");
    }
}
