//! Read sessions and their streams: how many, how they end, where they can be taken up again (redivis-api §5.1, §5.2).

use std::io::Cursor;

use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use serde_json::{Value, json};

use super::answers::{fields, form};
use super::examination::Examination;
use super::probe::{Answer, Outcome, summary};
use crate::failure::Failure;

/// Rows of the sessions that are looked at.
const ROWS: u64 = 1000;
/// What an Arrow stream ends with, if it does.
const END_MARKER: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];

pub(super) async fn ask(examination: &Examination) -> Result<(), Failure> {
    let report = &examination.report;
    report.section("read sessions")?;
    let whole = session(examination, json!({})).await;
    report.line("POST readSessions {}", &summary(&whole))?;
    fields(examination, &whole, &["kind", "numRows"])?;
    if let Ok(answer) = &whole {
        let stream = &answer.json()["streams"][0];
        for name in ["id", "format", "estimatedRows", "expiresAt"] {
            let form = form(stream.get(name));
            report.line(&format!("  streams[0].{name}"), &form)?;
        }
    }
    let few = session(examination, json!({"maxResults": 3})).await;
    report.line("POST readSessions maxResults 3", &summary(&few))?;
    fields(examination, &few, &["numRows"])?;
    for count in [1, 2, 4, 8, 64] {
        let asked = session(examination, json!({"requestedStreamCount": count})).await;
        let given = asked.map(|answer| match &answer.json()["streams"] {
            Value::Array(streams) => format!("{} streams", streams.len()),
            _ => answer.summary(),
        });
        let given = given.unwrap_or_else(|error| error);
        report.line(&format!("requestedStreamCount {count}"), &given)?;
    }
    let unknown = examination
        .probe
        .get("/readStreams/no-such-stream?offset=0")
        .await;
    report.line("GET unknown stream", &summary(&unknown))?;

    arrow(examination).await?;
    text(examination, "jsonl").await?;
    text(examination, "csv").await
}

/// Asks for a read session on the table.
pub(super) async fn session(examination: &Examination, request: Value) -> Outcome {
    let path = format!("{}/readSessions", examination.table.uri);
    examination.probe.post(&path, &request).await
}

/// The paths of a session's streams.
pub(super) fn paths(session: &Answer) -> Vec<String> {
    let json = session.json();
    let streams = json["streams"].as_array().into_iter().flatten();
    streams
        .filter_map(|stream| Some(format!("/readStreams/{}", stream["id"].as_str()?)))
        .collect()
}

/// The path of the only stream of a new session, or nothing after saying why.
async fn stream(examination: &Examination, format: &str) -> Result<Option<String>, Failure> {
    let request = json!({"format": format, "maxResults": ROWS, "requestedStreamCount": 1});
    let asked = session(examination, request).await;
    let path = asked
        .as_ref()
        .ok()
        .and_then(|it| paths(it).into_iter().next());
    if path.is_none() {
        examination
            .report
            .line("POST readSessions", &summary(&asked))?;
    }
    Ok(path)
}

async fn arrow(examination: &Examination) -> Result<(), Failure> {
    let (probe, report) = (&examination.probe, &examination.report);
    report.section(&format!("a stream in arrow (at most {ROWS} rows)"))?;
    let Some(path) = stream(examination, "arrow").await? else {
        return Ok(());
    };
    let sentinel = format!("{path}?offset=0&eosSentinel=true");
    let first = probe.get(&sentinel).await;
    report.line("eosSentinel=true", &summary(&first))?;
    let Ok(first) = first else {
        return Ok(());
    };
    let whole = Arrow::of(&first.body);
    whole.report(examination, true)?;
    let again = probe.get(&sentinel).await;
    let same = again.as_ref().is_ok_and(|again| again.body == first.body);
    let same = if same {
        "the same bytes"
    } else {
        "other bytes"
    };
    report.line("asked again", &format!("{same}; {}", summary(&again)))?;

    let plain = probe.get(&format!("{path}?offset=0")).await;
    report.line("without eosSentinel", &summary(&plain))?;
    if let Ok(plain) = plain {
        Arrow::of(&plain.body).report(examination, false)?;
    }
    for (label, offset) in [
        ("offset 1", "1".to_owned()),
        ("offset 1e+00", "1e%2B00".to_owned()),
        ("offset at the end", whole.rows.to_string()),
        ("offset beyond the end", (whole.rows + 1).to_string()),
    ] {
        let path = format!("{path}?offset={offset}&eosSentinel=true");
        let asked = probe.get(&path).await;
        report.line(label, &summary(&asked))?;
        if let Ok(answer) = asked.as_ref()
            && answer.status.is_success()
        {
            Arrow::of(&answer.body).report(examination, false)?;
        }
    }
    if !probe.is_anonymous() {
        let asked = probe.get_anonymously(&sentinel).await;
        report.line("without token", &summary(&asked))?;
    }
    Ok(())
}

/// What the bytes of an Arrow stream hold.
#[derive(Default)]
struct Arrow {
    rows: u64,
    batches: usize,
    largest: usize,
    /// Batches without rows, the last one apart.
    empty_within: usize,
    empty_at_end: bool,
    end_marker: bool,
    schema: String,
    error: Option<String>,
}

impl Arrow {
    fn of(body: &[u8]) -> Self {
        let mut arrow = Self {
            end_marker: body.ends_with(&END_MARKER),
            ..Self::default()
        };
        if let Err(error) = arrow.read(body) {
            arrow.error = Some(error.to_string());
        }
        arrow
    }

    fn read(&mut self, body: &[u8]) -> Result<(), ArrowError> {
        if !body.starts_with(&END_MARKER[..4]) {
            // The reader would take any bytes for a length, and reserve as much.
            let message = "it does not begin like one".to_owned();
            return Err(ArrowError::ParseError(message));
        }
        let reader = StreamReader::try_new(Cursor::new(body), None)?;
        let schema = reader.schema();
        let types: Vec<String> = schema
            .fields()
            .iter()
            .map(|field| {
                let null = if field.is_nullable() { "" } else { " not null" };
                format!("{}{null}", field.data_type())
            })
            .collect();
        self.schema = types.join(", ");
        let metadata = |keys: usize| if keys > 0 { "; has metadata" } else { "" };
        let in_fields: usize = schema.fields().iter().map(|it| it.metadata().len()).sum();
        self.schema += metadata(schema.metadata().len() + in_fields);
        for batch in reader {
            let rows = batch?.num_rows();
            self.empty_within += usize::from(self.empty_at_end);
            self.empty_at_end = rows == 0;
            self.batches += 1;
            self.largest = self.largest.max(rows);
            self.rows += rows as u64;
        }
        Ok(())
    }

    fn report(&self, examination: &Examination, schema: bool) -> Result<(), Failure> {
        let yes = |it: bool| if it { "yes" } else { "no" };
        let report = &examination.report;
        let rows = format!(
            "{} in {} batches of at most {}",
            self.rows, self.batches, self.largest
        );
        report.line("  rows", &rows)?;
        report.line("  sentinel (empty batch at end)", yes(self.empty_at_end))?;
        report.line("  end marker", yes(self.end_marker))?;
        if self.empty_within > 0 {
            let count = self.empty_within.to_string();
            report.line("  empty batches before the end", &count)?;
        }
        if let Some(error) = &self.error {
            report.line("  is no whole Arrow stream", error)?;
        }
        match schema {
            true => report.line("  types", &self.schema),
            false => Ok(()),
        }
    }
}

async fn text(examination: &Examination, format: &str) -> Result<(), Failure> {
    let (probe, report) = (&examination.probe, &examination.report);
    report.section(&format!("a stream in {format} (at most {ROWS} rows)"))?;
    let Some(path) = stream(examination, format).await? else {
        return Ok(());
    };
    for (label, query) in [
        ("from the start", "offset=0"),
        ("eosSentinel=true", "offset=0&eosSentinel=true"),
        ("offset 1", "offset=1"),
    ] {
        let asked = probe.get(&format!("{path}?{query}")).await;
        report.line(label, &summary(&asked))?;
        let Ok(answer) = asked else { continue };
        if !answer.status.is_success() {
            continue;
        }
        let lines = answer.body.iter().filter(|byte| **byte == b'\n').count();
        report.line("  line ends", &lines.to_string())?;
        if format == "csv" {
            let head = answer
                .body
                .split(|byte| matches!(byte, b'\n' | b'\r'))
                .next();
            let head = String::from_utf8_lossy(head.unwrap_or_default());
            let header = is_header(examination, &head).await;
            report.line("  first line is a header", header)?;
        }
    }
    Ok(())
}

/// Whether a line has the names of the table's variables.
async fn is_header(examination: &Examination, line: &str) -> &'static str {
    let Ok(variables) = examination.client.variables(&examination.table.uri).await else {
        return "not known";
    };
    let names: Vec<String> = variables.iter().map(|it| it.name.to_lowercase()).collect();
    let line = line
        .trim_start_matches('\u{feff}')
        .replace('"', "")
        .to_lowercase();
    if line == names.join(",") { "yes" } else { "no" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, Int64Array, RecordBatch};
    use arrow::ipc::writer::StreamWriter;
    use std::sync::Arc;

    #[test]
    fn ends_of_arrow_streams_are_told_apart() {
        let column: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
        let batch = RecordBatch::try_from_iter([("n", column)]).unwrap();
        let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
        writer.write(&batch).unwrap();
        let cut = writer.get_ref().clone();
        writer.write(&batch.slice(0, 0)).unwrap();
        let unmarked = writer.get_ref().clone();
        writer.finish().unwrap();
        let whole = writer.into_inner().unwrap();
        for (body, sentinel, marker) in [
            (&cut, false, false),
            (&unmarked, true, false),
            (&whole, true, true),
        ] {
            let arrow = Arrow::of(body);
            assert_eq!((arrow.rows, arrow.error), (2, None));
            assert_eq!((arrow.empty_at_end, arrow.end_marker), (sentinel, marker));
        }
        assert!(Arrow::of(&whole[..whole.len() - 30]).error.is_some());
        assert!(Arrow::of(b"<html>").error.is_some());
    }
}
