//! How fast and in how much memory a table is read, against `curl` and the official Python client.
//!
//! All of them read the same bytes from the same static origin in turn (A B C A B C …), so that a machine whose speed
//! drifts treats them alike; the medians and their ratios are printed. Run with
//! `cargo bench --workspace --bench read_path`.

mod data;
mod origin;

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use data::{Lineitem, STREAMS};
use origin::Origin;
use redivis_tests::binaries;
use redivis_tests::python::PythonClient;

const RUNS: usize = 5;
const TABLE: &str = "redivis.'bench.tpch.lineitem'";
const TOKEN: &str = "bench";

fn main() {
    let scratch = binaries::target_folder().join("redivis-tests/bench-data");
    let table = Arc::new(data::lineitem(&scratch));
    println!(
        "lineitem at scale factor 1: {} rows, {:.0} MB of Arrow in {STREAMS} read streams",
        table.rows,
        table.bytes as f64 / 1e6
    );
    let shell = binaries::redivis_sql();
    let python = PythonClient::version("0.21.1");
    let home = tempfile::tempdir().expect("a temporary folder");
    let origin = Origin::start(Arc::clone(&table), 1);

    let shell_command = |endpoint: String, sql: &str| {
        let mut command = Command::new(shell);
        command
            .args(["-c", sql])
            .env("REDIVIS_API_ENDPOINT", endpoint)
            .env("REDIVIS_API_TOKEN", TOKEN);
        command
    };
    let aggregate = aggregate(&table);
    let (mut curl, mut ours, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for run in 0..=RUNS {
        let samples = [
            measure(curl_command(&origin)),
            measure(shell_command(origin.endpoint(), &aggregate)),
            measure(python_command(&python, &origin, home.path())),
        ];
        // The first round warms the page cache.
        if run > 0 {
            for (list, sample) in [&mut curl, &mut ours, &mut theirs].into_iter().zip(samples) {
                list.push(sample);
            }
        }
    }
    println!("\n{:<46}{:>10}{:>12}", "", "seconds", "peak MB");
    report("curl, two streams at a time", &curl);
    report("redivis-sql, aggregate over 16 variables", &ours);
    report("redivis-python 0.21.1, to_arrow_table", &theirs);
    let (curl_time, our_time, their_time) =
        (median_time(&curl), median_time(&ours), median_time(&theirs));
    println!(
        "\nredivis-sql / curl: {:.2} (bound: 2 × curl + 0.3 s = {:.2} s)",
        our_time / curl_time,
        2.0 * curl_time + 0.3
    );
    println!(
        "redivis-sql / redivis-python: {:.2} (bound: 0.25)",
        our_time / their_time
    );

    origin.take_sent();
    let limited = measure(shell_command(
        origin.endpoint(),
        &format!("SELECT * FROM {TABLE} LIMIT 10"),
    ));
    // The origin ignores maxResults: what it sent is what was in flight when the reader hung up.
    println!(
        "\nLIMIT 10 of an origin that ignores maxResults: {:.2} s, {:.1} MB sent",
        limited.time.as_secs_f64(),
        origin.take_sent() as f64 / 1e6
    );

    let tenfold = Origin::start(Arc::clone(&table), 10);
    let large = measure(shell_command(tenfold.endpoint(), &aggregate));
    println!(
        "ten times the table ({:.1} GB): {:.1} s, peak {:.0} MB",
        table.bytes as f64 * 10.0 / 1e9,
        large.time.as_secs_f64(),
        large.peak_megabytes()
    );
}

/// Uses every variable, so that projection can spare nothing.
fn aggregate(table: &Lineitem) -> String {
    let columns = table.schema.fields().iter().map(|field| {
        let function = if field.data_type().is_numeric() {
            "sum"
        } else {
            "max"
        };
        format!("{function}({})", field.name())
    });
    format!(
        "SELECT count(*), {} FROM {TABLE}",
        columns.collect::<Vec<_>>().join(", ")
    )
}

fn curl_command(origin: &Origin) -> Command {
    let mut command = Command::new("curl");
    command.args([
        "--silent",
        "--no-progress-meter",
        "--fail",
        "--parallel",
        "--parallel-max",
        "2",
    ]);
    for url in origin.stream_urls(STREAMS) {
        command.args(["--output", "/dev/null", &url]);
    }
    command
}

fn python_command(python: &PythonClient, origin: &Origin, home: &Path) -> Command {
    python.command(
        "read_whole_table.py",
        &["bench.tpch.lineitem", "6001215"],
        &origin.endpoint(),
        Some(TOKEN),
        home,
    )
}

struct Sample {
    time: Duration,
    peak_kilobytes: u64,
}

impl Sample {
    fn peak_megabytes(&self) -> f64 {
        self.peak_kilobytes as f64 / 1024.0
    }
}

/// Runs the command to its end. The peak is the kernel's own high-water mark, read until the process is gone.
fn measure(mut command: Command) -> Sample {
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("start {command:?}: {error}"));
    let status_file = format!("/proc/{}/status", child.id());
    let watcher = std::thread::spawn(move || {
        let mut peak_kilobytes = 0;
        while let Some(peak) = std::fs::read_to_string(&status_file)
            .ok()
            .as_deref()
            .and_then(high_water_mark)
        {
            peak_kilobytes = peak;
            std::thread::sleep(Duration::from_millis(5));
        }
        peak_kilobytes
    });
    let status = child.wait().expect("wait for the command");
    let time = started.elapsed();
    assert!(status.success(), "{command:?} ended with {status}");
    Sample {
        time,
        peak_kilobytes: watcher.join().expect("watch the command"),
    }
}

fn high_water_mark(status: &str) -> Option<u64> {
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?
        .trim()
        .strip_suffix(" kB")?
        .parse()
        .ok()
}

fn median_time(samples: &[Sample]) -> f64 {
    let mut times: Vec<_> = samples
        .iter()
        .map(|sample| sample.time.as_secs_f64())
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn report(name: &str, samples: &[Sample]) {
    let peak = samples
        .iter()
        .map(Sample::peak_megabytes)
        .fold(0.0, f64::max);
    println!("{name:<46}{:>10.2}{:>12.0}", median_time(samples), peak);
}
