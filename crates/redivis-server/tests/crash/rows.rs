//! Rows that tell what they are: every value follows from the row's id.

use std::{fmt::Write, ops::Range};

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    model::joined,
    wire::{Gone, Wire},
};

/// Rows from this id on have long texts.
pub(crate) const LONG: i64 = 1 << 40;

/// The text of a row.
fn text(id: i64) -> String {
    let length = if id >= LONG { 300 } else { id % 23 };
    let mut text = format!("t{id:x}");
    text.extend(
        (0..length).map(|at| char::from(b'a' + u8::try_from((id + at * at) % 26).unwrap())),
    );
    text
}

pub(crate) fn as_csv(ids: Range<i64>) -> Vec<u8> {
    let mut csv = "id,text\n".to_owned();
    for id in ids {
        writeln!(csv, "{id},{}", text(id)).unwrap();
    }
    csv.into_bytes()
}

pub(crate) fn as_json(ids: Range<i64>) -> Vec<Value> {
    ids.map(|id| json!({"id": id, "text": text(id)})).collect()
}

pub(crate) fn as_ndjson(ids: Range<i64>) -> Vec<u8> {
    let lines = as_json(ids).into_iter().map(|row| format!("{row}\n"));
    lines.collect::<String>().into_bytes()
}

/// A file that cannot be read to its end.
pub(crate) fn as_broken(ids: Range<i64>) -> Vec<u8> {
    let mut csv = as_csv(ids);
    csv.extend_from_slice(b"1,2,3,4\n");
    csv
}

/// The ids in lines of JSON, each of whose values must be right.
fn checked(what: &str, lines: &[u8]) -> Vec<Range<i64>> {
    let lines = std::str::from_utf8(lines).unwrap().lines();
    joined(lines.map(|line| {
        let row: Value = serde_json::from_str(line).unwrap();
        let id = row["id"]
            .as_i64()
            .unwrap_or_else(|| panic!("{what}: {row}"));
        if let Some(found) = row.get("text") {
            assert_eq!(*found, text(id), "{what}");
        }
        id..id + 1
    }))
}

/// How rows are read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    /// All columns in one answer.
    All,
    /// The ids alone.
    Ids,
    /// A session of up to so many streams.
    Session(u8),
}

impl Way {
    pub(crate) fn any(random: &mut fastrand::Rng) -> Self {
        match random.u8(0..6) {
            0 => Way::All,
            streams @ 1..3 => Way::Session(streams),
            _ => Way::Ids,
        }
    }
}

/// The ids of a table's rows; `None` where it is not there any more.
pub(crate) async fn read(
    wire: &Wire,
    table: &str,
    way: Way,
) -> Result<Option<Vec<Range<i64>>>, Gone> {
    let what = format!("{table} {way:?}");
    let query = match way {
        Way::All => "",
        Way::Ids => "&selectedVariables=id",
        Way::Session(streams) => return read_session(wire, table, streams).await,
    };
    let answer = wire
        .get(&format!("{table}/rows?format=jsonl{query}"))
        .await?;
    if answer.status == 404 {
        return Ok(None);
    }
    answer.success(&what);
    Ok(Some(checked(&what, &answer.body)))
}

async fn read_session(
    wire: &Wire,
    table: &str,
    streams: u8,
) -> Result<Option<Vec<Range<i64>>>, Gone> {
    let what = format!("{table} in {streams} streams");
    let wanted = json!({"format": "jsonl", "requestedStreamCount": streams});
    let session = wire.post(&format!("{table}/readSessions"), &wanted).await?;
    if session.status == 404 {
        return Ok(None);
    }
    let session = session.json(&what);
    let mut lines = Vec::new();
    for stream in session["streams"].as_array().unwrap() {
        let path = format!("/readStreams/{}", stream["id"].as_str().unwrap());
        let answer = wire.answer(wire.request(Method::GET, &path)).await?;
        answer.success(&what);
        lines.extend_from_slice(&answer.body);
    }
    let rows = checked(&what, &lines);
    let count: i64 = rows.iter().map(|range| range.end - range.start).sum();
    assert_eq!(session["numRows"], count, "{what}");
    Ok(Some(rows))
}
