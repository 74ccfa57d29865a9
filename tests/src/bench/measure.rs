//! What a process costs: time on the wall, time of processors, and memory at its peak.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What one run cost.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// Seconds from its start to its end.
    pub seconds: f64,
    /// Seconds of processors, in the program and in the kernel for it.
    pub cpu: f64,
    /// The most memory that it had, in MB.
    pub megabytes: f64,
}

/// The kernel counts processor time in hundredths of seconds.
const TICKS: f64 = 100.0;

/// Runs the command to its end. What the kernel counts of it is read until it is gone.
pub fn run(mut command: Command) -> Cost {
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("start {command:?}: {error}"));
    let folder = format!("/proc/{}", child.id());
    let watcher = std::thread::spawn(move || {
        let (mut cpu, mut megabytes) = (0.0_f64, 0.0_f64);
        let read = |file| std::fs::read_to_string(format!("{folder}/{file}")).ok();
        while let Some(ticks) = read("stat").as_deref().and_then(ticks) {
            cpu = cpu.max(ticks / TICKS);
            if let Some(peak) = read("status").as_deref().and_then(high_water_mark) {
                megabytes = megabytes.max(peak / 1024.0);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        (cpu, megabytes)
    });
    let status = child.wait().expect("wait for the command");
    let seconds = started.elapsed().as_secs_f64();
    assert!(status.success(), "{command:?} ended with {status}");
    let (cpu, megabytes) = watcher.join().expect("watch the command");
    Cost {
        seconds,
        cpu,
        megabytes,
    }
}

/// Runs commands in turn (A B C A B C …), so that a machine whose speed drifts treats them alike: the median of each. Where there
/// are several rounds, another one before them warms the page cache.
pub fn in_turn(rounds: usize, commands: &[&dyn Fn() -> Command]) -> Vec<Cost> {
    let mut costs = vec![vec![]; commands.len()];
    let first = if rounds > 1 { 0 } else { 1 };
    for round in first..=rounds {
        for (command, costs) in commands.iter().zip(&mut costs) {
            let cost = run(command());
            if round > 0 {
                costs.push(cost);
            }
        }
    }
    costs.into_iter().map(median).collect()
}

/// The run of median time, with the highest peak of all.
fn median(mut costs: Vec<Cost>) -> Cost {
    costs.sort_by(|one, other| one.seconds.total_cmp(&other.seconds));
    let megabytes = costs.iter().map(|cost| cost.megabytes).fold(0.0, f64::max);
    Cost {
        megabytes,
        ..costs[costs.len() / 2]
    }
}

/// Processor time in user mode and in the kernel: fields 14 and 15, counted from behind the name.
fn ticks(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
    let (user, system): (f64, f64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(user + system)
}

fn high_water_mark(status: &str) -> Option<f64> {
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?
        .trim()
        .strip_suffix(" kB")?
        .parse()
        .ok()
}
