//! What the benchmarks share: large tables, an origin that sends them over a line of known speed, the programs that read
//! them, and a clock for these.

pub mod far;
pub mod measure;
pub mod origin;
pub mod tables;

use std::process::Command;

use self::origin::Origin;
use self::tables::Table;
use crate::binaries;

/// A statement that uses every variable of a table, so that projection can spare nothing.
pub fn sums(table: &Table) -> String {
    let columns = table.schema.fields().iter().map(|field| {
        let function = if field.data_type().is_numeric() {
            "sum"
        } else {
            "max"
        };
        format!("{function}({})", field.name())
    });
    let columns = columns.collect::<Vec<_>>().join(", ");
    format!(
        "SELECT count(*), {columns} FROM redivis.'bench.tpch.{}'",
        table.name
    )
}

/// The built shell, to run a statement.
pub fn shell(origin: &Origin, sql: &str) -> Command {
    let mut command = Command::new(binaries::redivis_sql());
    command
        .args(["-c", sql])
        .env("REDIVIS_API_ENDPOINT", origin.endpoint())
        .env("REDIVIS_API_TOKEN", "bench");
    command
}

/// `curl`, to read all streams of a table, so many at a time.
pub fn curl(origin: &Origin, table: &str, streams: usize, at_a_time: usize) -> Command {
    let mut command = Command::new("curl");
    command.args(["--silent", "--no-progress-meter", "--fail"]);
    command.args([
        "--parallel",
        "--parallel-immediate",
        "--parallel-max",
        &at_a_time.to_string(),
    ]);
    for url in origin.stream_urls(table, streams) {
        command.args(["--output", "/dev/null", &url]);
    }
    command
}

/// The same on one processor.
pub fn on_one_core(command: Command) -> Command {
    let mut one = Command::new("taskset");
    one.args(["--cpu-list", "0"])
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            one.env(name, value);
        }
    }
    one
}
