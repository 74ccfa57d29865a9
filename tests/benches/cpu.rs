//! What decoding costs: seconds of processors for each GB of Arrow, against what no reader can do without, `reqwest` and arrow's
//! `StreamDecoder`.
//!
//! Both are run as processes of their own, so that the origin's work is not counted. Run with
//! `cargo bench --workspace --bench cpu`.

use std::env;
use std::process::Command;

use arrow::buffer::Buffer;
use arrow::ipc::reader::StreamDecoder;
use datafusion::execution::context::SessionContext;
use datafusion::physical_plan::ExecutionPlanProperties;
use datafusion::prelude::SessionConfig;
use futures::stream::StreamExt;
use redivis::{Client, Token};
use redivis_tests::bench::measure::in_turn;
use redivis_tests::bench::origin::{Line, Origin};
use redivis_tests::bench::tables;
use redivis_tests::binaries;
use tokio::task::JoinSet;

const RUNS: usize = 7;
const STREAMS: usize = 8;

fn main() {
    let arguments: Vec<String> = env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("floor") => floor(arguments[2..].to_vec()),
        Some("scan") => scan(&arguments[2]),
        _ => compare(),
    }
}

fn compare() {
    let scratch = binaries::target_folder().join("redivis-tests/bench-data");
    let table = tables::lineitem(&scratch, 1.0);
    let gigabytes = table.bytes() as f64 / 1e9;
    let origin = Origin::start(vec![table], 1, Line::default());
    let this = env::current_exe().expect("the path of this program");
    let floor = || {
        let mut command = Command::new(&this);
        command
            .arg("floor")
            .args(origin.stream_urls("lineitem", STREAMS));
        command
    };
    let scan = || {
        let mut command = Command::new(&this);
        command.arg("scan").arg(origin.endpoint());
        command
    };
    let costs = in_turn(RUNS, &[&floor, &scan]);
    println!(
        "{:<46}{:>14}{:>10}{:>12}",
        "", "CPU s per GB", "seconds", "peak MB"
    );
    for (name, cost) in [
        ("reqwest and StreamDecoder", costs[0]),
        ("a scan, all variables", costs[1]),
    ] {
        let (cpu, seconds, peak) = (cost.cpu / gigabytes, cost.seconds, cost.megabytes);
        println!("{name:<46}{cpu:>14.2}{seconds:>10.2}{peak:>12.0}");
    }
    println!(
        "\nscan / floor: {:.2} (bound: 1.2)",
        costs[1].cpu / costs[0].cpu
    );
}

/// Reads the streams, decodes them and drops what comes.
#[tokio::main]
async fn floor(urls: Vec<String>) {
    let client = reqwest::Client::new();
    let mut streams = JoinSet::new();
    for url in urls {
        let client = client.clone();
        streams.spawn(async move {
            let response = client.get(url).send().await.expect("an answer");
            let mut chunks = response.bytes_stream();
            let (mut decoder, mut rows) = (StreamDecoder::new(), 0);
            while let Some(chunk) = chunks.next().await {
                let mut chunk = Buffer::from(chunk.expect("a part of the answer"));
                while !chunk.is_empty() {
                    if let Some(batch) = decoder.decode(&mut chunk).expect("valid Arrow") {
                        rows += batch.num_rows();
                    }
                }
            }
            rows
        });
    }
    let rows: usize = streams.join_all().await.into_iter().sum();
    assert_eq!(rows, 6_001_215);
}

/// Executes a scan of all variables and drops what comes.
#[tokio::main]
async fn scan(endpoint: &str) {
    let client = Client::builder()
        .endpoint(endpoint)
        .token(Token::new("bench"));
    let ctx = SessionContext::new_with_config(SessionConfig::new());
    let client = client.build().expect("a client");
    let redivis = datafusion_redivis::register(&ctx, client).expect("a session");
    let frame = redivis
        .sql("SELECT * FROM redivis.'bench.tpch.lineitem'")
        .await;
    let plan = frame
        .expect("a statement")
        .create_physical_plan()
        .await
        .expect("a plan");
    let mut partitions = JoinSet::new();
    for partition in 0..plan.output_partitioning().partition_count() {
        let batches = plan
            .execute(partition, ctx.task_ctx())
            .expect("a partition");
        partitions.spawn(batches.fold(0, async |rows, batch| {
            rows + batch.expect("rows").num_rows()
        }));
    }
    let rows: usize = partitions.join_all().await.into_iter().sum();
    assert_eq!(rows, 6_001_215);
}
