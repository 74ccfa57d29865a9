//! What a query on Redivis saves: bytes read and time, `redivis.pushdown` off and auto, over a line that gives each connection
//! 40 MB/s and each request 50 ms. The local server is at its other end, on the same processors.
//!
//! Run with `cargo bench --workspace --bench pushdown`.

use std::process::Command;

use redivis_tests::bench::far::Far;
use redivis_tests::bench::measure::{Cost, in_turn, run};
use redivis_tests::bench::origin::Line;
use redivis_tests::bench::tables;
use redivis_tests::binaries;
use redivis_tests::server::Server;

const RUNS: usize = 3;
const STATEMENTS: [(&str, &str); 4] = [
    (
        "a filter that keeps 0.1 %",
        "SELECT * FROM bench.tpch.lineitem WHERE l_partkey BETWEEN 1000 AND 1200",
    ),
    (
        "a small aggregate",
        "SELECT l_returnflag, l_linestatus, sum(l_quantity), avg(l_discount), count(*) FROM bench.tpch.lineitem \
         WHERE l_shipdate <= DATE '1998-09-02' GROUP BY 1, 2 ORDER BY 1, 2",
    ),
    (
        "the top 10",
        "SELECT * FROM bench.tpch.lineitem ORDER BY l_extendedprice DESC, l_orderkey LIMIT 10",
    ),
    (
        "a join of three tables",
        "SELECT c_mktsegment, o_orderpriority, sum(l_extendedprice) FROM bench.tpch.lineitem \
         JOIN bench.tpch.orders ON l_orderkey = o_orderkey JOIN bench.tpch.customer ON o_custkey = c_custkey \
         WHERE o_orderdate >= DATE '1998-07-01' GROUP BY 1, 2 ORDER BY 1, 2",
    ),
];

fn main() {
    let scratch = binaries::target_folder().join("redivis-tests/bench-data");
    let of_tpch = [
        tables::lineitem(&scratch, 1.0),
        tables::orders(&scratch),
        tables::customer(&scratch),
    ];
    let server = Server::directory(&tables::dataset(&scratch, &of_tpch));
    let far = Far::from(server.endpoint(), Line::FAR);
    let shell = |setting: &str, sql: &str, more: &[&str]| {
        let mut command = Command::new(binaries::redivis_sql());
        command
            .args([
                "-q",
                "-c",
                &format!("SET redivis.pushdown = {setting}"),
                "-c",
                sql,
            ])
            .args(more)
            .env("REDIVIS_API_ENDPOINT", far.endpoint())
            .env(
                "REDIVIS_API_TOKEN",
                server.token().expect("the server's token"),
            );
        command
    };
    println!(
        "{:<28}{:>10}{:>10}{:>14}{:>14}{:>14}{:>10}",
        "TPC-H, scale factor 1",
        "off, s",
        "auto, s",
        "off, MB",
        "auto, MB",
        "answer, MB",
        "× faster"
    );
    for (name, sql) in STATEMENTS {
        let costs = in_turn(
            RUNS,
            &[&|| shell("off", sql, &[]), &|| shell("auto", sql, &[])],
        );
        let bytes = |setting| {
            far.take_sent();
            run(shell(setting, sql, &[]));
            far.take_sent() as f64
        };
        let (off, auto) = (bytes("off"), bytes("auto"));
        let answer = tempfile::NamedTempFile::new().expect("a temporary file");
        let path = answer.path().to_str().expect("a path in UTF-8");
        run(shell("auto", sql, &["--format", "arrow", "-o", path]));
        let answer = std::fs::metadata(path).expect("the answer").len() as f64;
        row(name, costs[0], costs[1], [off, auto, answer]);
    }
}

fn row(name: &str, off: Cost, auto: Cost, bytes: [f64; 3]) {
    let [read, pushed, answer] = bytes.map(|bytes| bytes / 1e6);
    let (off, auto) = (off.seconds, auto.seconds);
    let ratio = off / auto;
    println!(
        "{name:<28}{off:>10.2}{auto:>10.2}{read:>14.1}{pushed:>14.3}{answer:>14.3}{ratio:>10.1}"
    );
}
