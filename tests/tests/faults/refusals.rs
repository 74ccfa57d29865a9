//! A service that fails or is away: bursts are waited out wherever they come, and what lasts is told.

use std::time::Duration;

use futures::TryStreamExt;
use redivis::ErrorKind;
use redivis::read::variables_schema;
use redivis_tests::proxy::{Action, Break};

use crate::wire::{
    TABLE, Wire, assert_all, is_stream, patience, rows, service_error, shell, within,
};

#[tokio::test(flavor = "multi_thread")]
async fn bursts_of_server_errors_are_waited_out_at_every_request() {
    let wire = Wire::start().await;
    for status in [500, 502, 503, 504] {
        // The first three of each kind of request fail: table, variables, session, stream.
        let mut seen = std::collections::HashMap::<String, usize>::new();
        wire.proxy.script(move |request| {
            let kind = request.path().split("/readStreams/").next().unwrap();
            let times = seen.entry(kind.to_owned()).or_default();
            *times += 1;
            match *times {
                ..=3 => Action::reply(status, &[], "<title>Out of order</title>"),
                _ => Action::Pass,
            }
        });
        assert_all(&wire.read(&wire.client(), 1).await.unwrap());
        let requests = wire.proxy.requests().len();
        let rows = wire.sql(&format!("SELECT id, text FROM {TABLE}")).await;
        assert_all(&rows.unwrap());
        // A statement asks for the variables by the table's reference.
        assert_eq!(wire.proxy.requests().len(), requests + 3 + 4);
    }
    assert_eq!(wire.offsets(), [0; 4 * 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_in_the_middle_of_the_rows() {
    let wire = Wire::start().await;
    let cut = Action::Break {
        after: 400_000,
        how: Break::Close,
    };
    let failures = [503, 500, 429].map(|status| Action::reply(status, &[], "busy"));
    wire.break_streams([vec![cut], failures.to_vec()].concat()[..3].to_vec());
    assert_all(&wire.read(&wire.client(), 1).await.unwrap());
    let offsets = wire.offsets();
    assert!(offsets[1] > 0);
    assert_eq!(offsets[1..], [offsets[1]; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn server_errors_that_stay_are_told() {
    let wire = Wire::start().await;
    for (status, words) in [
        (500, "HTTP 500"),
        (502, "HTTP 502"),
        (503, "HTTP 503"),
        (504, "HTTP 504"),
    ] {
        wire.break_all_streams(Action::reply(status, &[], "<title>Out of order</title>"));
        let error = wire.read(&wire.client(), 1).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(error.status(), Some(status));
        let told = error.to_string();
        assert!(
            told.contains(&format!(
                "Out of order ({words}); gave up after 4 attempts in "
            )),
            "{told}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_connections_are_tried_until_the_service_is_back() {
    let mut wire = Wire::start().await;
    let policy = redivis::RetryPolicy {
        max_attempts: 10_000,
        ..patience()
    };
    let client = wire.builder().retry(policy).build().unwrap();
    let read = within(async {
        let (table, session) = wire.open(&client, 1).await.unwrap();
        let schema = variables_schema(&client.variables(&table.uri).await.unwrap());
        // The first rows come, and then the service goes away.
        wire.break_streams([Action::Break {
            after: 400_000,
            how: Break::Stall,
        }]);
        let stream = client.read_arrow(&session.streams[0], schema);
        let progress = stream.progress();
        let read = tokio::spawn(stream.try_collect::<Vec<_>>());
        while progress.rows() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        wire.proxy.refuse().await;
        while progress.retries() < 5 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        wire.proxy.reopen().await;
        read.await.unwrap().unwrap()
    });
    assert_all(&rows(&read.await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_refused_for_good_is_told() {
    let mut wire = Wire::start().await;
    let client = wire.client();
    let (table, session) = wire.open(&client, 1).await.unwrap();
    let schema = variables_schema(&client.variables(&table.uri).await.unwrap());
    wire.proxy.refuse().await;

    let stream = client.read_arrow(&session.streams[0], schema);
    let error = within(stream.try_collect::<Vec<_>>()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    let told = error.to_string();
    assert!(told.starts_with("cannot read stream "), "{told}");
    assert!(told.contains(": cannot connect to 127.0.0.1:"), "{told}");
    assert!(told.contains("; gave up after 4 attempts in "), "{told}");

    // Before rows flow the endpoint may just be wrong, so it is told sooner.
    let sql = wire.sql(&format!("SELECT id, text FROM {TABLE}")).await;
    let told = service_error(&sql.unwrap_err()).to_string();
    assert!(
        told.starts_with("cannot get table local.faults.rows: cannot connect to "),
        "{told}"
    );
    assert!(told.contains("; gave up after 3 attempts in "), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_does_not_exist_is_told() {
    let run = shell(
        "http://redivis.invalid/api/v1",
        &format!("SELECT * FROM {TABLE}"),
        None,
        "warn",
    )
    .await;
    assert_eq!(run.status.code(), Some(3), "{}", run.stderr);
    assert_eq!(run.stdout, "");
    let told = run.stderr;
    assert!(
        told.contains("cannot get table local.faults.rows: cannot connect to "),
        "{told}"
    );
    assert!(
        told.contains("hint: check the network and REDIVIS_API_ENDPOINT"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_no_failure_of_the_service_is_not_repeated() {
    let wire = Wire::start().await;
    for (status, kind) in [
        (400, ErrorKind::Invalid),
        (401, ErrorKind::Unauthorized),
        (403, ErrorKind::Forbidden),
        (404, ErrorKind::NotFound),
    ] {
        let before = wire.offsets().len();
        wire.proxy.script(move |request| match is_stream(request) {
            true => Action::reply(status, &[], "the words of the service"),
            false => Action::Pass,
        });
        let error = wire.read(&wire.client(), 1).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (kind, None));
        assert!(
            error.message().starts_with("the words of the service"),
            "{error}"
        );
        assert_eq!(wire.offsets()[before..], [0]);
    }
}
