//! The server under load: 64 readers and 8 uploaders for a minute.
//!
//! `cargo bench --workspace --bench load` (Linux; `LOAD_SECONDS=5` for less). Any error ends it. It prints requests and
//! bytes a second, how evenly clients were served, and the server's memory; then what a stream of Arrow takes beside
//! decoding the same Parquet file here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a measurement that cannot go on has failed"
)]

mod data;
mod server;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};
use server::Server;
use tokio::task::JoinSet;

const READERS: usize = 64;
const UPLOADERS: usize = 8;
const TABLE: &str = "/tables/o.d.t";

/// What one client has had so far.
#[derive(Debug, Default)]
struct Served {
    requests: AtomicU64,
    bytes: AtomicU64,
}

impl Served {
    fn count(&self, bytes: usize) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

#[tokio::main]
async fn main() {
    let seconds = std::env::var("LOAD_SECONDS").map_or(60, |seconds| seconds.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("o/d/t.parquet");
    let rows = data::write(&file);
    let server = Arc::new(Server::start(folder.path()));
    let served: Vec<Arc<Served>> = (0..READERS + UPLOADERS).map(|_| Arc::default()).collect();
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut clients = JoinSet::new();
    for (number, served) in served.iter().enumerate() {
        let (server, served) = (Arc::clone(&server), Arc::clone(served));
        clients.spawn(async move {
            if number < READERS {
                read(&server, &served, rows, number, end).await;
            } else {
                upload(&server, &served, number, end).await;
            }
        });
    }
    let mut memory = Vec::new();
    while Instant::now() < end {
        memory.push(server.memory());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // A client that failed ends all.
    clients.join_all().await;

    let sum = |of: fn(&Served) -> &AtomicU64, clients: &[Arc<Served>]| -> u64 {
        clients
            .iter()
            .map(|client| of(client).load(Ordering::Relaxed))
            .sum()
    };
    let requests = sum(|served| &served.requests, &served);
    let bytes = sum(|served| &served.bytes, &served);
    println!(
        "{READERS} readers and {UPLOADERS} uploaders, {seconds} s: {} requests/s, {} MB/s, no error",
        requests / seconds,
        bytes / seconds / 1_000_000
    );
    for (who, clients) in [
        ("reader", &served[..READERS]),
        ("uploader", &served[READERS..]),
    ] {
        let each = clients
            .iter()
            .map(|client| client.bytes.load(Ordering::Relaxed));
        let (least, most) = (each.clone().min().unwrap(), each.max().unwrap());
        println!(
            "bytes of each {who}: {least} to {most}, {:.2} of the most",
            least as f64 / most as f64
        );
    }
    let third = memory.len() / 3;
    let most = |part: &[u64]| part.iter().max().map_or(0, |kilobytes| kilobytes / 1000);
    println!(
        "memory of the server: at most {} MB in the first third, {} MB in the last",
        most(&memory[..third]),
        most(&memory[memory.len() - third..])
    );
    compare(&server, &file, rows).await;
}

/// Reads tables in streams, all of them or some rows, again and again.
async fn read(server: &Server, served: &Served, rows: u64, number: usize, end: Instant) {
    for turn in number.. {
        if Instant::now() >= end {
            return;
        }
        let limit = [rows, 1000, rows / 4, 1][turn % 4];
        let wanted = json!({"requestedStreamCount": 1 + turn % 3, "maxResults": limit});
        let session = server.post(&format!("{TABLE}/readSessions"), &wanted).await;
        served.count(0);
        assert_eq!(session["numRows"], limit);
        for stream in session["streams"].as_array().unwrap() {
            server.drain(stream, &served.bytes).await;
            served.count(0);
        }
    }
}

/// Uploads files into tables of its own, and releases them.
async fn upload(server: &Server, served: &Served, number: usize, end: Instant) {
    let dataset = format!("local.d{number}");
    server
        .post(
            "/users/local/datasets",
            &json!({"name": format!("d{number}")}),
        )
        .await;
    server
        .post(
            &format!("/datasets/{dataset}:next/tables"),
            &json!({"name": "t", "uploadMergeStrategy": "replace"}),
        )
        .await;
    let csv = data::csv(20_000);
    for turn in 0.. {
        if Instant::now() >= end {
            return;
        }
        let path = format!("/tables/{dataset}:next.t/uploads?name=u{turn}.csv&type=delimited");
        let mut upload = server.send(&path, csv.clone()).await;
        served.count(csv.len());
        while upload["status"] != "completed" {
            assert_ne!(upload["status"], "failed", "{upload}");
            tokio::time::sleep(Duration::from_millis(20)).await;
            upload = server.get(upload["uri"].as_str().unwrap()).await;
            served.count(0);
        }
        assert_eq!(upload["numRows"], 20_000);
        server
            .post(
                &format!("/datasets/{dataset}/versions/next/release"),
                &json!({}),
            )
            .await;
        server
            .post(&format!("/datasets/{dataset}/versions"), &json!({}))
            .await;
        served.count(0);
    }
}

/// One stream of all rows, beside decoding them here: the best of some turns each.
async fn compare(server: &Server, file: &Path, rows: u64) {
    let (mut streamed, mut decoded) = (Duration::MAX, Duration::MAX);
    for _ in 0..5 {
        let session: Value = server
            .post(&format!("{TABLE}/readSessions"), &json!({}))
            .await;
        let started = Instant::now();
        server
            .drain(&session["streams"][0], &AtomicU64::new(0))
            .await;
        streamed = streamed.min(started.elapsed());
        let started = Instant::now();
        let file = std::fs::File::open(file).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        let batches = reader.with_batch_size(8192).build().unwrap();
        let count: usize = batches.map(|batch| batch.unwrap().num_rows()).sum();
        assert_eq!(count as u64, rows);
        decoded = decoded.min(started.elapsed());
    }
    println!(
        "{rows} rows as a stream of Arrow: {streamed:.0?}; decoded from Parquet: {decoded:.0?}; ratio {:.2}",
        streamed.as_secs_f64() / decoded.as_secs_f64()
    );
}
