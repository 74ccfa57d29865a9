//! A plan that is executed several times, one after another or at once: each execution reads one session, of its own.
//!
//! The streams of two sessions do not line up, so the sessions here lay the rows out differently on purpose: whoever mixes
//! them loses rows and repeats others.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use datafusion::execution::TaskContext;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use datafusion::prelude::SessionContext;
use futures::{FutureExt, StreamExt, TryStreamExt};
use redivis::{Client, ErrorKind};
use redivis_tests::proxy::{Action, Break};
use serde_json::Value;

use crate::wire::{Row, TABLE, Wire, assert_all, patience, rows, service_error, truth, within};

const PARTITIONS: usize = 3;

fn is_session(method: &str, target: &str) -> bool {
    method == "POST" && target.ends_with("/readSessions")
}

fn sessions(wire: &Wire) -> usize {
    let requests = wire.proxy.requests().into_iter();
    requests
        .filter(|request| is_session(&request.method, &request.target))
        .count()
}

/// The head of an answer, and then nothing.
const STALL: Action = Action::Break {
    after: 0,
    how: Break::Stall,
};

/// A plan of all rows in three partitions. The streams of each session are those of the one before, turned by one place.
async fn plan(wire: &Wire, sessions: usize) -> (SessionContext, Arc<dyn ExecutionPlan>) {
    plan_of(wire, wire.client(), sessions).await
}

async fn plan_of(
    wire: &Wire,
    client: Client,
    sessions: usize,
) -> (SessionContext, Arc<dyn ExecutionPlan>) {
    let mut table = wire.get("/tables/local.faults.rows").await;
    table["numBytes"] = (PARTITIONS as u64 * (4 << 20)).into();
    let request = serde_json::json!({"format": "arrow", "requestedStreamCount": PARTITIONS});
    let path = "/tables/local.faults:v1_0.rows/readSessions";
    let mut answers: Vec<Value> = vec![];
    for turned in 0..sessions {
        let mut session = wire.post(path, &request).await;
        let streams = session["streams"].as_array_mut().unwrap();
        assert_eq!(streams.len(), PARTITIONS);
        streams.rotate_left(turned % PARTITIONS);
        answers.insert(0, session);
    }
    wire.proxy.script(move |request| {
        if is_session(&request.method, &request.target) {
            answers.pop().map_or(Action::Close, reply)
        } else if request.method == "GET" && request.path().ends_with("/tables/local.faults.rows") {
            reply(table.clone())
        } else {
            Action::Pass
        }
    });
    let (context, redivis) = wire.session(client);
    let sql = format!("SELECT id, text FROM {TABLE}");
    let plan = redivis.sql(&sql).await.unwrap();
    let plan = plan.create_physical_plan().await.unwrap();
    assert_eq!(plan.output_partitioning().partition_count(), PARTITIONS);
    (context, plan)
}

fn reply(answer: Value) -> Action {
    let json = [("Content-Type", "application/json")];
    Action::reply(200, &json, answer.to_string())
}

async fn read(
    plan: &Arc<dyn ExecutionPlan>,
    partition: usize,
    context: &Arc<TaskContext>,
) -> Vec<Row> {
    let stream = plan.execute(partition, Arc::clone(context)).unwrap();
    rows(&stream.try_collect::<Vec<_>>().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_that_is_polled_once_and_parked_does_not_block_the_others() {
    let wire = Wire::start().await;
    let (context, plan) = plan(&wire, 1).await;
    let context = context.task_ctx();
    within(async {
        let mut parked = plan.execute(0, Arc::clone(&context)).unwrap();
        assert!(parked.next().now_or_never().is_none());
        let mut all = read(&plan, 1, &context).await;
        all.extend(read(&plan, 2, &context).await);
        let parked: Vec<_> = parked.try_collect().await.unwrap();
        all.extend(rows(&parked));
        all.sort();
        assert_all(&all);
    })
    .await;
    assert_eq!(sessions(&wire), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_cannot_be_made_is_one_error_for_all_who_wait() {
    let wire = Wire::start().await;
    let client = wire.builder().read_timeout(Duration::from_millis(300));
    let (context, plan) = plan_of(&wire, client.build().unwrap(), 1).await;
    wire.break_requests(
        |request| is_session(&request.method, &request.target),
        vec![STALL; 100],
    );
    let context = context.task_ctx();
    let mut streams: Vec<_> = (0..PARTITIONS)
        .map(|partition| plan.execute(partition, Arc::clone(&context)).unwrap())
        .collect();
    let first = futures::future::join_all(streams.iter_mut().map(|stream| stream.next()));
    for error in within(first).await {
        let error = error.unwrap().unwrap_err();
        let error = service_error(&error);
        assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
    }
    // It was asked for as often as the policy allows, not once more for every partition.
    assert_eq!(sessions(&wire), patience().max_attempts as usize);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_nobody_waits_for_is_not_asked_for_any_longer() {
    let wire = Wire::start().await;
    let (context, plan) = plan(&wire, 1).await;
    wire.break_requests(
        |request| is_session(&request.method, &request.target),
        [STALL],
    );
    let context = context.task_ctx();
    let mut stream = plan.execute(0, Arc::clone(&context)).unwrap();
    let waiting = wire.proxy.wait_for(Duration::from_secs(20), |exchange| {
        is_session(&exchange.request.method, &exchange.request.target) && exchange.status.is_some()
    });
    tokio::select! {
        _ = stream.next() => panic!("there is no answer yet"),
        waiting = waiting => assert!(waiting.is_some()),
    }
    drop(stream);
    let left = wire.proxy.wait_for(Duration::from_secs(20), |exchange| {
        is_session(&exchange.request.method, &exchange.request.target) && exchange.end.is_some()
    });
    assert!(left.await.is_some(), "the request outlives the read");
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_that_are_read_one_after_another_share_a_session() {
    let wire = Wire::start().await;
    let (context, plan) = plan(&wire, 4).await;
    // Twice with one context for all partitions, twice with one for each.
    for own in [false, false, true, true] {
        let shared = context.task_ctx();
        let mut all = vec![];
        for partition in 0..PARTITIONS {
            let own = own.then(|| context.task_ctx());
            all.extend(within(read(&plan, partition, own.as_ref().unwrap_or(&shared))).await);
        }
        all.sort();
        assert_all(&all);
    }
    assert_eq!(sessions(&wire), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_that_was_left_does_not_lend_its_session_to_the_next() {
    let wire = Wire::start().await;
    let (context, plan) = plan(&wire, 4).await;
    let shared = context.task_ctx();
    for again in 0..4 {
        let context = if again < 2 {
            Arc::clone(&shared)
        } else {
            context.task_ctx()
        };
        let mut left = plan.execute(0, Arc::clone(&context)).unwrap();
        within(left.next()).await.unwrap().unwrap();
        drop(left);
        assert_eq!(sessions(&wire), again + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn executions_at_once_each_read_every_row_once() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let wire = Wire::start().await;
    const ROUNDS: usize = 12;
    let (context, plan) = plan(&wire, 4 * ROUNDS).await;
    for _ in 0..ROUNDS {
        // Two to four executions, some of them with one context, of which one may never be finished.
        let executions = random.usize(2..=4);
        let shared = context.task_ctx();
        let contexts: Vec<_> = (0..executions)
            .map(|_| {
                if random.bool() {
                    Arc::clone(&shared)
                } else {
                    context.task_ctx()
                }
            })
            .collect();
        let mut order: Vec<(usize, usize)> = (0..executions)
            .flat_map(|execution| (0..PARTITIONS).map(move |partition| (execution, partition)))
            .collect();
        random.shuffle(&mut order);
        let mut streams: Vec<_> = order
            .iter()
            .map(|&(execution, partition)| {
                (
                    execution,
                    plan.execute(partition, Arc::clone(&contexts[execution]))
                        .unwrap(),
                )
            })
            .collect();
        if random.bool() {
            streams.swap_remove(0);
        }
        random.shuffle(&mut streams);
        let reads = streams.into_iter().map(|(execution, stream)| async move {
            (
                execution,
                rows(&stream.try_collect::<Vec<_>>().await.unwrap()),
            )
        });
        let mut read: BTreeMap<usize, Vec<Vec<Row>>> = BTreeMap::new();
        for (execution, rows) in within(futures::future::join_all(reads)).await {
            read.entry(execution).or_default().push(rows);
        }
        for partitions in read.into_values() {
            let complete = partitions.len() == PARTITIONS;
            let mut all = partitions.concat();
            all.sort();
            if complete {
                assert!(all == truth(), "seed {seed}: rows lost or repeated");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_with_other_parameters_shares_no_session() {
    let wire = Wire::start().await;
    let (context, plan) = plan(&wire, 3).await;
    let context = context.task_ctx();
    for plan in [
        Arc::clone(&plan),
        Arc::clone(&plan).reset_state().unwrap(),
        plan.with_fetch(Some(30_000)).unwrap(),
    ] {
        within(plan.execute(0, Arc::clone(&context)).unwrap().next()).await;
    }
    assert_eq!(sessions(&wire), 3);
}
