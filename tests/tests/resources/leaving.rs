//! A reader that goes away: its connections close at once.

use datafusion::physical_plan::execute_stream_partitioned;
use futures::StreamExt;
use redivis::read::ReadSessionRequest;
use redivis_tests::proxy::End;

use crate::tables::{serve, texts};
use crate::wire::{PROMPTLY, Wire};

/// Every read stream that was begun is closed, and at least one of them before its end.
#[track_caller]
fn assert_left(wire: &Wire) {
    assert!(wire.closes_promptly(), "{:?}", wire.ends());
    let streams = wire.on("/readStreams/");
    let left = streams
        .iter()
        .filter(|stream| stream.end == Some(End::ClientLeft));
    assert!(left.count() > 0, "{:?}", wire.ends());
}

#[test]
fn dropping_a_stream_of_the_client_closes_its_connection() {
    let table = serve("texts", &texts(500, 100_000), 1);
    let wire = Wire::to(&table.server);
    let client = wire.client();
    wire.runtime.block_on(async {
        let table = client
            .table(&"local.draft:next.texts".parse().unwrap())
            .await
            .unwrap();
        let variables = client.variables(&table.uri).await.unwrap();
        let session = client
            .create_read_session(&table.uri, &ReadSessionRequest::default())
            .await
            .unwrap();
        let schema = redivis::read::variables_schema(&variables);
        let mut stream = client.read_arrow(&session.streams[0], schema);
        stream.next().await.unwrap().unwrap();
    });
    assert_left(&wire);
}

#[test]
fn dropping_the_partitions_of_a_query_closes_their_connections() {
    let table = serve("texts", &texts(500, 100_000), 4);
    let wire = Wire::to(&table.server);
    let (context, redivis) = wire.session(None, 4);
    wire.runtime.block_on(async {
        let frame = redivis
            .sql("SELECT text FROM redivis.'local.draft:next.texts'")
            .await
            .unwrap();
        let plan = frame.create_physical_plan().await.unwrap();
        let mut streams = execute_stream_partitioned(plan, context.task_ctx()).unwrap();
        assert_eq!(streams.len(), 4);
        for stream in &mut streams {
            stream.next().await.unwrap().unwrap();
        }
    });
    assert_eq!(wire.on("/readStreams/").len(), 4);
    assert_left(&wire);
}

#[test]
fn dropping_a_query_that_waits_closes_its_connection() {
    let table = serve("texts", &texts(500, 100_000), 1);
    let wire = Wire::to(&table.server);
    wire.stall("GET", "/readStreams/", 1000);
    let (_context, redivis) = wire.session(None, 1);
    wire.runtime.block_on(async {
        let frame = redivis.sql("SELECT text FROM redivis.'local.draft:next.texts'").await.unwrap();
        let mut stream = frame.execute_stream().await.unwrap();
        let waited = tokio::select! {
            _ = stream.next() => false,
            stalled = wire.proxy.wait_for(PROMPTLY * 10, |exchange| exchange.body_bytes == 1000) => stalled.is_some(),
        };
        assert!(waited);
    });
    assert_left(&wire);
}

#[test]
fn a_limit_above_a_filter_closes_the_streams() {
    limited(
        "SELECT text FROM redivis.'local.draft:next.texts' WHERE id % 2 = 0 LIMIT 3",
        3,
    );
}

#[test]
fn a_limit_above_a_join_closes_the_streams() {
    limited(
        "SELECT a.text FROM redivis.'local.draft:next.texts' a JOIN (VALUES (1), (2), (3)) AS b(id) ON a.id = b.id LIMIT 2",
        2,
    );
}

#[track_caller]
fn limited(sql: &str, rows: usize) {
    let table = serve("texts", &texts(500, 100_000), 4);
    let wire = Wire::to(&table.server);
    let (_context, redivis) = wire.session(None, 4);
    let batches = wire
        .runtime
        .block_on(async { redivis.sql(sql).await.unwrap().collect().await.unwrap() });
    assert_eq!(
        batches.iter().map(|batch| batch.num_rows()).sum::<usize>(),
        rows
    );
    assert_left(&wire);
}
