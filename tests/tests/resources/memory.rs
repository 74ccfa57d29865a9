//! The memory that reading takes does not grow with what is read.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use datafusion::common::DataFusionError;
use datafusion::execution::memory_pool::{FairSpillPool, GreedyMemoryPool, MemoryPool};
use datafusion::physical_plan::execute_stream_partitioned;
use futures::StreamExt;
use futures::future::join_all;

use crate::tables::{Served, numbers, repeated, serve, serve_repeated, texts};
use crate::wire::{Running, Wire, peak, wait};

const MB: usize = 1_000_000;
const LIMIT: Duration = Duration::from_secs(120);

/// Runs the shell to its end, and says how much memory it had at most.
#[track_caller]
fn shell_peak(wire: &Wire, arguments: &[&str]) -> usize {
    let mut command = wire.shell(arguments);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut shell = Running {
        child: command.spawn().unwrap(),
    };
    let process = shell.child.id();
    let (mut highest, mut status) = (0, None);
    let ended = wait(LIMIT, || {
        highest = peak(process).unwrap_or(highest);
        status = shell.child.try_wait().unwrap();
        status.is_some()
    });
    assert!(ended, "it took too long");
    assert!(status.unwrap().success(), "{}", shell.said());
    highest
}

/// 64 uploads of 300 variables, 34 MB each: 2.1 GB.
fn wide() -> Served {
    serve("wide", &numbers(14_000, 300), 64)
}

#[test]
fn two_gigabytes_take_less_than_300_megabytes_on_either_side() {
    let table = serve("texts", &texts(1000, 100_000), 20);
    let wire = Wire::to(&table.server);
    let sql = "SELECT max(octet_length(text)) FROM redivis.'local.draft:next.texts'";
    let shell = shell_peak(&wire, &["-c", sql]);
    let server = peak(table.server.process_id()).unwrap();
    assert!(wire.streamed() > 2000 * MB);
    assert!(shell < 300 * MB, "the shell had {} MB", shell / MB);
    assert!(server < 300 * MB, "the server had {} MB", server / MB);
}

#[test]
fn texts_that_are_stored_once_are_sent_in_small_messages_all_the_same() {
    let table = serve_repeated("texts", &repeated(4000, 100_000));
    let wire = Wire::to(&table.server);
    let sql = "SELECT max(octet_length(text)) FROM redivis.'local.draft:next.texts'";
    let shell = shell_peak(&wire, &["-c", sql]);
    let server = peak(table.server.process_id()).unwrap();
    assert!(wire.streamed() > 400 * MB);
    assert!(shell < 200 * MB, "the shell had {} MB", shell / MB);
    assert!(server < 200 * MB, "the server had {} MB", server / MB);
}

#[test]
fn sixty_four_streams_at_once_take_a_few_megabytes_each() {
    let table = wide();
    let wire = Wire::to(&table.server);
    let sql = "SET redivis.max_streams = 64; \
               SELECT * FROM redivis.'local.draft:next.wide' WHERE v0 + v299 < 0";
    let shell = shell_peak(&wire, &["-c", sql]);
    assert_eq!(wire.on("/readStreams/").len(), 64);
    assert!(wire.streamed() > 2000 * MB);
    assert!(shell < 450 * MB, "the shell had {} MB", shell / MB);
}

#[test]
fn streams_that_wait_for_their_reader_hold_a_message_each() {
    let table = wide();
    let wire = Wire::to(&table.server);
    let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(200 * MB));
    let (context, redivis) = wire.session(Some(Arc::clone(&pool)), 64);
    let streams = wire.runtime.block_on(async {
        let frame = redivis
            .sql("SELECT * FROM redivis.'local.draft:next.wide'")
            .await
            .unwrap();
        let plan = frame.create_physical_plan().await.unwrap();
        let mut streams = execute_stream_partitioned(plan, context.task_ctx()).unwrap();
        assert_eq!(streams.len(), 64);
        for first in join_all(streams.iter_mut().map(|stream| stream.next())).await {
            first.unwrap().unwrap();
        }
        streams
    });
    // A batch of the server is a megabyte.
    let reserved = pool.reserved();
    assert!((64 * MB..200 * MB).contains(&reserved), "{reserved}");
    drop(streams);
    assert_eq!(pool.reserved(), 0);
}

#[test]
fn a_message_larger_than_the_pool_is_an_error_that_names_it() {
    let table = serve("texts", &texts(4, 40 * MB), 1);
    let wire = Wire::to(&table.server);
    let pool = Arc::new(GreedyMemoryPool::new(20 * MB));
    let (_context, redivis) = wire.session(Some(pool), 1);
    let error = wire.runtime.block_on(async {
        let frame = redivis
            .sql("SELECT text FROM redivis.'local.draft:next.texts'")
            .await
            .unwrap();
        frame.collect().await.unwrap_err()
    });
    let said = error.to_string();
    assert!(
        matches!(error.find_root(), DataFusionError::ResourcesExhausted(_)),
        "{said}"
    );
    for part in ["RedivisScan[0]", "greedy", "redivis.max_streams"] {
        assert!(said.contains(part), "{said}");
    }
    // The shell says the same of its own pool.
    let sql = "SET datafusion.runtime.memory_limit = '20M'; SELECT text FROM redivis.'local.draft:next.texts'";
    let mut shell = Running::start(wire.shell(&["-c", sql]));
    let status = shell.ends_within(LIMIT);
    let said = shell.said();
    assert_eq!(status.and_then(|status| status.code()), Some(1), "{said}");
    for part in ["RedivisScan[0]", "fair", "redivis.max_streams"] {
        assert!(said.contains(part), "{said}");
    }
    // The message was refused while it came, not when it was there.
    assert!(wire.closes_promptly(), "{:?}", wire.ends());
}

#[test]
fn sorting_what_is_larger_than_the_pool_spills() {
    let table = serve("texts", &texts(20_000, 5000), 2);
    let wire = Wire::to(&table.server);
    let pool = Arc::new(FairSpillPool::new(100 * MB));
    let (_context, redivis) = wire.session(Some(pool), 1);
    let rows = wire.runtime.block_on(async {
        let frame = redivis
            .sql("SELECT text FROM redivis.'local.draft:next.texts' ORDER BY text DESC")
            .await
            .unwrap();
        let mut stream = frame.execute_stream().await.unwrap();
        let mut rows = 0;
        while let Some(batch) = stream.next().await {
            rows += batch.unwrap().num_rows();
        }
        rows
    });
    assert_eq!(rows, 40_000);
}

#[test]
fn every_format_is_written_as_it_comes() {
    let table = serve("texts", &texts(1000, 100_000), 1);
    let wire = Wire::to(&table.server);
    let sql = "SELECT * FROM redivis.'local.draft:next.texts'";
    for format in ["csv", "tsv", "ndjson", "json", "parquet", "arrow"] {
        let before = wire.streamed();
        let shell = shell_peak(&wire, &["--format", format, "-c", sql]);
        assert!(wire.streamed() - before > 100 * MB);
        // The program itself, built for debugging, is 110 MB of it.
        assert!(shell < 185 * MB, "{format} took {} MB", shell / MB);
    }
}
