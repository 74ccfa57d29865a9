//! Read sessions that expire, and plans that are executed again.
//!
//! Rows of two sessions do not fit together. So another session takes over only where nothing was handed on; otherwise the
//! read fails, and says how old the session was and what to do.

use std::sync::Arc;
use std::time::Duration;

use datafusion::error::DataFusionError;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::SessionContext;
use datafusion_redivis::ScanError;
use futures::StreamExt;
use redivis::ErrorKind;
use redivis_tests::proxy::{Action, Break};

use crate::wire::{
    TABLE, Wire, assert_all, found, is_stream, patience, rows, service_error, within,
};

const LIFETIME: [&str; 2] = ["--session-ttl", "1s"];

/// A plan of all rows, over a client that tries again until a session has expired.
async fn plan(wire: &Wire) -> (SessionContext, Arc<dyn ExecutionPlan>) {
    let policy = redivis::RetryPolicy {
        max_attempts: 10_000,
        ..patience()
    };
    let client = wire.builder().retry(policy).build().unwrap();
    let (context, redivis) = wire.session(client);
    let sql = format!("SELECT id, text FROM {TABLE}");
    let plan = redivis.sql(&sql).await.unwrap();
    let plan = plan.create_physical_plan().await.unwrap();
    (context, plan)
}

fn sessions(wire: &Wire) -> usize {
    let requests = wire.proxy.requests().into_iter();
    requests
        .filter(|request| request.target.ends_with("/readSessions"))
        .count()
}

/// Waits until the server no longer knows the streams that were asked for so far.
async fn expired(wire: &Wire) {
    let requests = wire.proxy.requests().into_iter();
    let path = requests.rev().find(is_stream).unwrap().path().to_owned();
    let url = format!("{}{path}", wire.server.endpoint());
    let http = reqwest::Client::new();
    within(async {
        loop {
            let answer = http.get(&url).bearer_auth(wire.token()).send();
            if answer.await.unwrap().status() == 404 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

/// Asserts that an error tells the age of the session and what to do.
#[track_caller]
fn assert_gone(error: &DataFusionError) {
    match found(error) {
        Some(ScanError::SessionGone { table, age, .. }) => {
            assert_eq!(table, "local.faults:v1_0.rows");
            assert!(*age >= Duration::from_secs(1));
        }
        other => panic!("{error}: {other:?}"),
    }
    let told = error.to_string();
    assert!(told.contains(" s old and is gone"), "{told}");
    assert!(told.contains("Run the statement again"), "{told}");
    assert!(told.contains("its read session has expired"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_waited_longer_than_a_session_lives() {
    let wire = Wire::with(&LIFETIME).await;
    let (context, plan) = plan(&wire).await;
    // Planning makes no session, so none can expire.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(sessions(&wire), 0);
    let batches = within(collect(plan, context.task_ctx())).await.unwrap();
    assert_all(&rows(&batches));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_executed_twice_reads_two_sessions() {
    let wire = Wire::start().await;
    let (context, plan) = plan(&wire).await;
    for _ in 0..2 {
        let again = collect(Arc::clone(&plan), context.task_ctx());
        assert_all(&rows(&within(again).await.unwrap()));
    }
    assert_eq!((sessions(&wire), wire.offsets().len()), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_expired_unused_is_replaced() {
    let wire = Wire::with(&LIFETIME).await;
    let (context, plan) = plan(&wire).await;
    // No row comes until the session is gone.
    wire.break_all_streams(Action::Close);
    let reading = tokio::spawn(collect(plan, context.task_ctx()));
    wire.proxy
        .wait_for(Duration::from_secs(20), |exchange| {
            is_stream(&exchange.request)
        })
        .await
        .unwrap();
    expired(&wire).await;
    wire.proxy.script(|_| Action::Pass);
    assert_all(&rows(&within(reading).await.unwrap().unwrap()));
    assert_eq!(sessions(&wire), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_expired_after_rows_were_handed_on_is_told() {
    let wire = Wire::with(&LIFETIME).await;
    let (context, plan) = plan(&wire).await;
    let cut = Action::Break {
        after: 400_000,
        how: Break::Close,
    };
    let mut cut = Some(cut);
    wire.proxy.script(move |request| match is_stream(request) {
        true => cut.take().unwrap_or(Action::Close),
        false => Action::Pass,
    });
    within(async {
        let mut stream = plan.execute(0, context.task_ctx()).unwrap();
        assert!(stream.next().await.unwrap().unwrap().num_rows() > 0);
        expired(&wire).await;
        wire.proxy.script(|_| Action::Pass);
        let error = loop {
            match stream.next().await.unwrap() {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert_eq!(service_error(&error).kind(), ErrorKind::NotFound);
        assert_gone(&error);
        assert!(stream.next().await.is_none());
    })
    .await;
    assert_eq!(sessions(&wire), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_whose_session_was_used_and_expired_is_executed_again() {
    let wire = Wire::with(&LIFETIME).await;
    let (context, plan) = plan(&wire).await;
    // Not even one context for both executions makes the second one read what is gone.
    let context = context.task_ctx();
    let first = collect(Arc::clone(&plan), Arc::clone(&context));
    assert_all(&rows(&within(first).await.unwrap()));
    expired(&wire).await;
    let again = within(collect(plan, context)).await;
    assert_all(&rows(&again.unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shell_tells_of_an_expired_session() {
    let wire = Wire::start().await;
    let gone = Action::reply(
        404,
        &[("Content-Type", "application/json")],
        r#"{"status":404,"error":"not_found","error_description":"its read session has expired"}"#,
    );
    let cut = Action::Break {
        after: 400_000,
        how: Break::Close,
    };
    wire.break_streams([cut, gone]);
    let run = wire
        .shell(
            &format!("SELECT id, text FROM {TABLE}"),
            Some(wire.token()),
            "warn",
        )
        .await;
    assert_eq!(run.status.code(), Some(1), "{}", run.stderr);
    let told = run.stderr;
    assert!(told.contains("its read session has expired"), "{told}");
    assert!(
        told.contains("the read session of local.faults:v1_0.rows"),
        "{told}"
    );
    assert!(told.contains(" s old and is gone"), "{told}");
    assert!(told.contains("Run the statement again"), "{told}");
    assert!(!told.contains("check the spelling"), "{told}");
}
