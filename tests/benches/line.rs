//! How fast tables are read from far away: over a line that gives each connection 40 MB/s and each request 50 ms, against `curl`,
//! which only receives, and the official Python client.
//!
//! Run with `cargo bench --workspace --bench line`; numbers behind `--` are the connections to measure with instead of 1, 8 and 16.

use std::env;
use std::process::Command;
use std::time::Duration;

use redivis_tests::bench::measure::{Cost, in_turn};
use redivis_tests::bench::origin::{Line, Origin};
use redivis_tests::bench::{curl, on_one_core, shell, sums, tables};
use redivis_tests::binaries;
use redivis_tests::python::PythonClient;

const RUNS: usize = 3;
const JOIN: &str = "SELECT o_orderpriority, count(*), sum(l_extendedprice) FROM redivis.'bench.tpch.lineitem' \
    JOIN redivis.'bench.tpch.orders' ON l_orderkey = o_orderkey GROUP BY 1 ORDER BY 1";

fn main() {
    let scratch = binaries::target_folder().join("redivis-tests/bench-data");
    let lineitem = || tables::lineitem(&scratch, 1.0);
    let orders = || tables::orders(&scratch);
    let origin = Origin::start(vec![lineitem(), orders()], 1, Line::FAR);
    let aggregate = sums(&lineitem());
    let results = tempfile::tempdir().expect("a temporary folder");
    println!(
        "lineitem at scale factor 1, {:.0} MB of Arrow, and orders, {:.0} MB; 40 MB/s a connection, 50 ms a request",
        lineitem().bytes() as f64 / 1e6,
        orders().bytes() as f64 / 1e6
    );

    // What costs most is waiting for a single connection.
    let asked: Vec<usize> = env::args()
        .filter_map(|number| number.parse().ok())
        .collect();
    let connections = if asked.is_empty() {
        vec![1, 8, 16]
    } else {
        asked
    };
    for (cores, on) in [
        (2, std::convert::identity as fn(Command) -> Command),
        (1, on_one_core),
    ] {
        for &connections in &connections {
            let ours = |sql: &str, more: &[&str]| {
                let settings = format!("SET redivis.max_streams = {connections}");
                let mut command = shell(&origin, &settings);
                command.args(["-c", sql]).args(more);
                on(command)
            };
            let parquet = results.path().join("lineitem.parquet");
            let parquet = parquet.to_str().expect("a path in UTF-8");
            let all = "SELECT * FROM redivis.'bench.tpch.lineitem'";
            let costs = in_turn(
                if connections == 1 { 1 } else { RUNS },
                &[
                    &|| curl(&origin, "lineitem", connections, connections),
                    &|| curl_both(&origin, connections),
                    &|| ours(&aggregate, &[]),
                    &|| ours(JOIN, &[]),
                    &|| ours(all, &["-o", parquet, "--format", "parquet"]),
                    &|| ours(all, &["--format", "csv"]),
                ],
            );
            let [line, both, aggregate, join, export, all] = costs[..] else {
                unreachable!("as many costs as commands")
            };
            println!(
                "\n{connections} connections, {cores} cores{:>32}{:>10}{:>12}{:>12}",
                "seconds", "CPU", "peak MB", "× the line"
            );
            row("the line: lineitem by curl", line, line);
            row("aggregate over 16 variables", aggregate, line);
            row("export to Parquet", export, line);
            row("SELECT * as CSV", all, line);
            row("the line: both tables by curl", both, both);
            row("join of both tables", join, both);
        }
    }

    let python = PythonClient::version("0.21.1");
    let home = tempfile::tempdir().expect("a temporary folder");
    let rows = lineitem().rows.to_string();
    let read = || {
        let arguments = ["bench.tpch.lineitem", &rows];
        python.command(
            "read_whole_table.py",
            &arguments,
            &origin.endpoint(),
            Some("bench"),
            home.path(),
        )
    };
    let costs = in_turn(1, &[&|| curl(&origin, "lineitem", 8, 8), &read]);
    println!();
    row("redivis-python 0.21.1, to_arrow_table", costs[1], costs[0]);

    worth(&scratch);
}

fn row(name: &str, cost: Cost, line: Cost) {
    let (seconds, cpu, peak) = (cost.seconds, cost.cpu, cost.megabytes);
    let ratio = seconds / line.seconds;
    println!("{name:<46}{seconds:>10.2}{cpu:>10.2}{peak:>12.0}{ratio:>12.2}");
}

/// `orders`, and then `lineitem`.
fn curl_both(origin: &Origin, connections: usize) -> Command {
    let mut both = curl(origin, "orders", connections, connections);
    both.arg("--next");
    both.args(curl(origin, "lineitem", connections, connections).get_args());
    both
}

/// How many bytes are worth a stream of their own, where a connection costs two more round trips before its first request, as
/// with TLS: parts of lineitem, read with so many streams.
fn worth(scratch: &std::path::Path) {
    let line = Line {
        connect: Duration::from_millis(100),
        ..Line::FAR
    };
    println!("\nseconds for so many MB with so many streams, where a connection takes 100 ms more");
    const STREAMS: [usize; 4] = [1, 2, 4, 8];
    println!(
        "{:>8}{}",
        "MB",
        STREAMS.map(|streams| format!("{streams:>10}")).concat()
    );
    for megabytes in [4, 8, 16, 32, 64] {
        let mut table = tables::lineitem(scratch, f64::from(megabytes) / 846.0);
        // So that the shell takes as many streams as it may.
        table.said_bytes = 1 << 40;
        let sql = sums(&table);
        let origin = Origin::start(vec![table], 1, line);
        let seconds = STREAMS.map(|streams| {
            let read = || {
                let mut command = shell(&origin, &format!("SET redivis.max_streams = {streams}"));
                command.args(["-c", &sql]);
                command
            };
            let costs = in_turn(RUNS, &[&read]);
            format!("{:>10.2}", costs[0].seconds)
        });
        println!("{megabytes:>8}{}", seconds.concat());
    }
}
