//! How fast and in how much memory a table is read from near by, against `curl` and the official Python client.
//!
//! All of them read the same bytes from the same static origin in turn; medians and their ratios are printed. Run with
//! `cargo bench --workspace --bench read_path`.

use std::path::Path;
use std::process::Command;

use redivis_tests::bench::measure::{self, in_turn};
use redivis_tests::bench::origin::{Line, Origin};
use redivis_tests::bench::tables;
use redivis_tests::bench::{curl, shell, sums};
use redivis_tests::binaries;
use redivis_tests::python::PythonClient;

const RUNS: usize = 5;
const STREAMS: usize = 8;

fn main() {
    let scratch = binaries::target_folder().join("redivis-tests/bench-data");
    let table = || tables::lineitem(&scratch, 1.0);
    let (rows, bytes) = (table().rows, table().bytes());
    println!(
        "lineitem at scale factor 1: {rows} rows, {:.0} MB of Arrow in {STREAMS} read streams",
        bytes as f64 / 1e6
    );
    let python = PythonClient::version("0.21.1");
    let home = tempfile::tempdir().expect("a temporary folder");
    let origin = Origin::start(vec![table()], 1, Line::default());
    let aggregate = sums(&table());

    let costs = in_turn(
        RUNS,
        &[
            &|| curl(&origin, "lineitem", STREAMS, 2),
            &|| shell(&origin, &aggregate),
            &|| python_command(&python, &origin, rows, home.path()),
        ],
    );
    let [curl, ours, theirs] = costs[..] else {
        unreachable!("as many costs as commands")
    };
    println!(
        "\n{:<46}{:>10}{:>10}{:>12}",
        "", "seconds", "CPU", "peak MB"
    );
    for (name, cost) in [
        ("curl, two streams at a time", curl),
        ("redivis-sql, aggregate over 16 variables", ours),
        ("redivis-python 0.21.1, to_arrow_table", theirs),
    ] {
        let (seconds, cpu, peak) = (cost.seconds, cost.cpu, cost.megabytes);
        println!("{name:<46}{seconds:>10.2}{cpu:>10.2}{peak:>12.0}");
    }
    println!(
        "\nredivis-sql / curl: {:.2} (bound: 1.15)",
        ours.seconds / curl.seconds
    );
    println!(
        "redivis-sql / redivis-python: {:.2} (bound: 0.25)",
        ours.seconds / theirs.seconds
    );

    origin.take_sent();
    let limited = measure::run(shell(
        &origin,
        "SELECT * FROM redivis.'bench.tpch.lineitem' LIMIT 10",
    ));
    // The origin ignores maxResults: what it sent is what was in flight when the reader hung up.
    println!(
        "\nLIMIT 10 of an origin that ignores maxResults: {:.2} s, {:.1} MB sent",
        limited.seconds,
        origin.take_sent() as f64 / 1e6
    );

    let tenfold = Origin::start(vec![table()], 10, Line::default());
    let large = measure::run(shell(&tenfold, &aggregate));
    println!(
        "ten times the table ({:.1} GB): {:.1} s, peak {:.0} MB",
        bytes as f64 * 10.0 / 1e9,
        large.seconds,
        large.megabytes
    );
}

fn python_command(python: &PythonClient, origin: &Origin, rows: u64, home: &Path) -> Command {
    python.command(
        "read_whole_table.py",
        &["bench.tpch.lineitem", &rows.to_string()],
        &origin.endpoint(),
        Some("bench"),
        home,
    )
}
