//! A slow reader slows the service down: nothing is read ahead but what the message in hand and the sockets hold.

use datafusion::physical_plan::execute_stream_partitioned;
use futures::StreamExt;

use crate::tables::{serve, texts};
use crate::wire::Wire;

/// More than the buffers of the sockets on both sides, less than a quarter of the table.
const BUFFERS: usize = 24 << 20;

#[test]
fn a_stream_that_is_not_polled_stops_the_download_and_goes_on_later() {
    let table = serve("texts", &texts(1000, 100_000), 1);
    let wire = Wire::to(&table.server);
    let (context, redivis) = wire.session(None, 1);
    let mut stream = wire.runtime.block_on(async {
        let frame = redivis
            .sql("SELECT text FROM redivis.'local.draft:next.texts'")
            .await
            .unwrap();
        let plan = frame.create_physical_plan().await.unwrap();
        let mut streams = execute_stream_partitioned(plan, context.task_ctx()).unwrap();
        let mut stream = streams.pop().unwrap();
        stream.next().await.unwrap().unwrap();
        stream
    });
    let streamed = wire.standstill();
    assert!(
        streamed < BUFFERS,
        "{streamed} bytes were sent to a reader of one batch"
    );

    let rows = wire.runtime.block_on(async move {
        let mut rows = 0;
        while let Some(batch) = stream.next().await {
            rows += batch.unwrap().num_rows();
        }
        rows
    });
    assert!(rows > 900, "{rows}");
    assert_eq!(wire.on("/readStreams/").len(), 1, "{:?}", wire.ends());
    assert!(wire.streamed() > 100_000_000);
}

#[test]
fn a_result_that_nobody_reads_stops_the_download() {
    let table = serve("texts", &texts(1000, 100_000), 1);
    let wire = Wire::to(&table.server);
    let sql = "SELECT text FROM redivis.'local.draft:next.texts'";
    let _shell = crate::wire::Running::start(wire.shell(&["--format", "csv", "-c", sql]));
    let streamed = wire.standstill();
    assert!(
        streamed < BUFFERS,
        "{streamed} bytes were sent to a shell whose output is not read"
    );
}
