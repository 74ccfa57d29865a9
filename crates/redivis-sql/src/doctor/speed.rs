//! Streams at once: how many connections are let in, and how fast each is.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::json;
use tokio::time::timeout_at;

use super::examination::Examination;
use super::probe::summary;
use super::streams::{paths, session};
use crate::failure::Failure;

/// Rows of each session, and how long it is read.
const ROWS: u64 = 1_000_000;
const LIMIT: Duration = Duration::from_secs(10);

/// What one stream gave.
struct Flow {
    /// The status, or why there was none.
    status: String,
    first_byte: Duration,
    bytes: usize,
    took: Duration,
    end: &'static str,
}

pub(super) async fn measure(examination: &Examination) -> Result<(), Failure> {
    let report = &examination.report;
    let title = "speed of arrow streams, each a connection (at most 1,000,000 rows or 10 s)";
    report.section(title)?;
    for count in [1, 2, 4, 8] {
        let label = format!("{count} asked for");
        let request = json!({"maxResults": ROWS, "requestedStreamCount": count});
        let asked = session(examination, request).await;
        let paths = asked.as_ref().map(paths).unwrap_or_default();
        if paths.is_empty() {
            report.line(&label, &summary(&asked))?;
            continue;
        }
        let start = Instant::now();
        let flows = join_all(paths.iter().map(|path| flow(examination, path))).await;
        let took = start.elapsed();
        let bytes: usize = flows.iter().map(|flow| flow.bytes).sum();
        let total = format!(
            "{} given: {bytes} bytes in {} ms, {}",
            flows.len(),
            took.as_millis(),
            rate(bytes, took)
        );
        report.line(&label, &total)?;
        for flow in &flows {
            let line = format!(
                "{}, first byte after {} ms, {} bytes, {}, {}",
                flow.status,
                flow.first_byte.as_millis(),
                flow.bytes,
                rate(flow.bytes, flow.took),
                flow.end
            );
            report.line("  stream", &line)?;
        }
    }
    Ok(())
}

async fn flow(examination: &Examination, path: &str) -> Flow {
    let start = Instant::now();
    let deadline = tokio::time::Instant::now() + LIMIT;
    let mut flow = Flow {
        status: "no answer".to_owned(),
        first_byte: Duration::ZERO,
        bytes: 0,
        took: LIMIT,
        end: "stopped by the limit",
    };
    let path = format!("{path}?offset=0&eosSentinel=true");
    let read = async {
        let mut response = match examination.probe.open(&path).await {
            Ok(response) => response,
            Err(error) => {
                flow.status = error;
                return "failed";
            }
        };
        flow.status = response.status().as_u16().to_string();
        loop {
            match response.chunk().await {
                Ok(Some(bytes)) => {
                    if flow.bytes == 0 {
                        flow.first_byte = start.elapsed();
                    }
                    flow.bytes += bytes.len();
                }
                Ok(None) => return "to its end",
                Err(_) => return "broken off",
            }
        }
    };
    if let Ok(end) = timeout_at(deadline, read).await {
        flow.end = end;
        flow.took = start.elapsed();
    }
    flow
}

fn rate(bytes: usize, took: Duration) -> String {
    let megabytes = bytes as f64 / 1e6 / took.as_secs_f64().max(1e-6);
    format!("{megabytes:.1} MB/s")
}
