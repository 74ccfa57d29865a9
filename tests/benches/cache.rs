//! What the cache saves: TPC-H's query 6 over a line that gives each connection 40 MB/s and each request 50 ms, the first time and
//! the second, against DuckDB on the same Parquet files.
//!
//! Run with `cargo bench --workspace --bench cache`.

use std::fs;
use std::path::{Path, PathBuf};

use redivis_tests::bench::measure::{in_turn, run};
use redivis_tests::bench::origin::{Line, Origin};
use redivis_tests::bench::{shell, tables};
use redivis_tests::{binaries, duckdb};

const RUNS: usize = 7;
const MORE: usize = 10;
const SUM: &str = "SELECT sum(l_extendedprice * l_discount) AS revenue";
const WHERE: &str = "WHERE l_shipdate >= DATE '1994-01-01' AND l_shipdate < DATE '1995-01-01' \
    AND l_discount BETWEEN 0.05 AND 0.07 AND l_quantity < 24";

fn main() {
    let scratch = binaries::target_folder().join("redivis-tests/bench-data");
    let table = tables::lineitem(&scratch, 1.0);
    let origin = Origin::start(vec![table], 1, Line::FAR);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let cache = folder.path().join("cache");
    let sql = format!("{SUM} FROM redivis.'bench.tpch.lineitem' {WHERE}");
    let cached = || {
        let mut command = shell(&origin, &sql);
        command.arg("--cache").arg(&cache);
        command
    };

    let plain = run(shell(&origin, &sql));
    let first = run(cached());
    let second = in_turn(RUNS, &[&cached])[0];
    // A process with one query, and one with so many more: the difference is what a query takes in a process that runs.
    let offline = || {
        let mut command = cached();
        command.arg("--offline");
        command
    };
    let more = || {
        let mut command = offline();
        command.args([["-c", &sql]; MORE].concat());
        command
    };
    let costs = in_turn(RUNS, &[&offline, &more]);
    let (offline, more) = (costs[0], costs[1]);
    let alone = (more.seconds - offline.seconds) / MORE as f64;
    let files = parquet_files(&cache);
    let list = files.iter().map(|file| format!("'{}'", file.display()));
    let list = list.collect::<Vec<_>>().join(", ");
    let duckdb = duckdb::seconds(&format!("{SUM} FROM read_parquet([{list}]) {WHERE}"), RUNS);

    println!(
        "{:<50}{:>10}{:>10}{:>12}",
        "TPC-H query 6, scale factor 1", "seconds", "CPU", "peak MB"
    );
    for (name, cost) in [
        ("without the cache", plain),
        ("the first time, which fills it", first),
        ("the second time", second),
        ("offline", offline),
    ] {
        let (seconds, cpu, peak) = (cost.seconds, cost.cpu, cost.megabytes);
        println!("{name:<50}{seconds:>10.3}{cpu:>10.2}{peak:>12.0}");
    }
    for (name, seconds) in [
        ("offline, the query alone", alone),
        ("DuckDB on the same files, the query alone", duckdb),
    ] {
        println!("{name:<50}{seconds:>10.3}");
    }
    println!(
        "\nfirst / second: {:.1} (bound: 20)",
        first.seconds / second.seconds
    );
    println!(
        "offline / DuckDB, the queries alone: {:.2} (bound: 1.5)",
        alone / duckdb
    );
}

fn parquet_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = vec![];
    for entry in fs::read_dir(folder)
        .expect("a folder of the cache")
        .flatten()
    {
        let path = entry.path();
        if path.is_dir() {
            files.extend(parquet_files(&path));
        } else if path.extension().is_some_and(|kind| kind == "parquet") {
            files.push(path);
        }
    }
    files
}
