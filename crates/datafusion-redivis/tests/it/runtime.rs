//! Reading on another runtime than the one that executes plans.

use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::Int64Type;
use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{DataFrame, SessionConfig, SessionContext};
use datafusion_redivis::{RedivisBuilder, RedivisTable};
use futures::StreamExt;
use redivis_server::{Config, Server};
use tokio::runtime::{Builder, Runtime};

use crate::support::client;

/// A runtime that drives neither sockets nor timers.
fn bare() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

/// All flights as a data frame that reads on `io`, with the memory that the reading takes.
fn flights(io: &Runtime, server: &Server) -> (DataFrame, Arc<dyn MemoryPool>) {
    let reference = "demo.nycflights13.flights".parse().unwrap();
    let table = io.block_on(RedivisTable::fetch(&client(server), &reference));
    let table = table.unwrap().with_io_runtime(io.handle().clone());
    let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(1 << 30));
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(Arc::clone(&pool));
    let config = SessionConfig::new().with_target_partitions(4);
    let ctx = SessionContext::new_with_config_rt(config, runtime.build_arc().unwrap());
    (ctx.read_table(Arc::new(table)).unwrap(), pool)
}

fn io() -> (Runtime, Server) {
    let io = Builder::new_multi_thread().enable_all().build().unwrap();
    let server = io.block_on(Server::start(Config::sample())).unwrap();
    (io, server)
}

#[test]
fn a_runtime_that_drives_no_sockets_executes_plans() {
    let (io, server) = io();
    let (flights, _pool) = flights(&io, &server);
    let batches = bare().block_on(async {
        let distances = flights.select_columns(&["distance"]).unwrap();
        distances.collect().await.unwrap()
    });
    let distances = batches.iter().flat_map(|batch| {
        let column = batch.column(0).as_primitive::<Int64Type>();
        column.values().iter().copied()
    });
    let (count, sum) = distances.fold((0, 0), |(count, sum), one| (count + 1, sum + one));
    assert_eq!((count, sum), (336_776, 350_217_607));
}

#[test]
fn a_session_plans_and_reads_on_the_runtime_that_it_was_built_with() {
    let (io, server) = io();
    let ctx = SessionContext::new();
    let builder = RedivisBuilder::new(client(&server)).io_runtime(io.handle().clone());
    let redivis = builder.register(&ctx).unwrap();
    let sql = "SELECT sum(distance) FROM redivis.'demo.nycflights13.flights'";
    // Looking tables up is reading too.
    let sum = bare().block_on(async { redivis.sql(sql).await?.collect().await });
    let sum = sum.unwrap()[0]
        .column(0)
        .as_primitive::<Int64Type>()
        .value(0);
    assert_eq!(sum, 350_217_607);
}

#[test]
fn a_read_that_is_dropped_ends_on_the_other_runtime_too() {
    let (io, server) = io();
    let (flights, pool) = flights(&io, &server);
    bare().block_on(async {
        let mut stream = flights.execute_stream().await.unwrap();
        stream.next().await.unwrap().unwrap();
    });
    // Nobody is there any more: the reader gives back what it holds.
    let started = Instant::now();
    while pool.reserved() > 0 {
        assert!(started.elapsed() < Duration::from_secs(30), "it reads on");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_read_whose_runtime_is_gone_is_an_error() {
    let (io, server) = io();
    let (flights, _pool) = flights(&io, &server);
    io.block_on(server.stop());
    drop(io);
    let error = bare().block_on(flights.collect()).unwrap_err().to_string();
    assert!(
        error.contains("the runtime that reads from Redivis has shut down"),
        "{error}"
    );
}
