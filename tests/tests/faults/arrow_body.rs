//! Bodies of read streams: the server's own with the places where messages end, and those of services that behave otherwise.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::ipc::root_as_message;
use arrow::ipc::writer::StreamWriter;
use redivis_tests::proxy::Action;

use crate::wire::{BATCH, ROWS, Wire, batch};

/// What a service ends a body with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// So many sentinels, then the end of the stream.
    Sentinels(usize),
    /// Nothing at all.
    Nothing,
}

/// The body for the rows `from..to`, in batches as large as the server's.
pub(crate) fn body(from: i64, to: i64, ending: Ending) -> Vec<u8> {
    let schema = batch(0, 0).schema();
    let mut writer = StreamWriter::try_new(Vec::new(), &schema).unwrap();
    for start in (from..to).step_by(BATCH as usize) {
        writer.write(&batch(start, to.min(start + BATCH))).unwrap();
    }
    match ending {
        Ending::Sentinels(count) => {
            for _ in 0..count {
                writer.write(&batch(0, 0)).unwrap();
            }
            writer.into_inner().unwrap()
        }
        Ending::Nothing => writer.get_ref().clone(),
    }
}

/// A body of some batches, with a sentinel.
pub(crate) fn body_of(batches: &[RecordBatch]) -> Vec<u8> {
    let schema = batches[0].schema();
    let mut writer = StreamWriter::try_new(Vec::new(), &schema).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.write(&RecordBatch::new_empty(schema)).unwrap();
    writer.into_inner().unwrap()
}

/// A body of one schema and no rows.
pub(crate) fn empty_body(schema: &Schema) -> Vec<u8> {
    let writer = StreamWriter::try_new(Vec::new(), schema).unwrap();
    writer.into_inner().unwrap()
}

/// An answer with such a body.
pub(crate) fn answer(body: impl AsRef<[u8]>) -> Action {
    Action::reply(
        200,
        &[("Content-Type", "application/vnd.apache.arrow.stream")],
        body,
    )
}

/// What the server sends for all rows in one stream.
pub(crate) async fn served(wire: &Wire) -> Vec<u8> {
    let (_, session) = wire.open(&wire.client(), 1).await.unwrap();
    let url = format!(
        "{}/readStreams/{}?offset=0&eosSentinel=true",
        wire.server.endpoint(),
        session.streams[0].id
    );
    let request = reqwest::Client::new()
        .get(url)
        .bearer_auth(wire.token())
        .send();
    let answer = request.await.unwrap().error_for_status().unwrap();
    answer.bytes().await.unwrap().to_vec()
}

/// Where the messages of a body end: schema, batches, sentinel, end of the stream.
pub(crate) fn ends(body: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut at = 0;
    while at < body.len() {
        assert_eq!(body[at..at + 4], [0xff; 4]);
        let length = u32::from_le_bytes(body[at + 4..at + 8].try_into().unwrap()) as usize;
        let metadata = &body[at + 8..at + 8 + length];
        at += 8 + length;
        if length > 0 {
            at += root_as_message(metadata).unwrap().bodyLength() as usize;
        }
        ends.push(at);
    }
    // The places of the tests below: rows come in three batches.
    assert_eq!(ends.len(), 6, "{ends:?}");
    ends
}

/// How many rows have come completely with the first `at` bytes of the server's body.
pub(crate) fn rows_before(ends: &[usize], at: usize) -> i64 {
    let batches = ends[1..4].iter().filter(|end| **end <= at).count();
    ROWS.min(batches as i64 * BATCH)
}
