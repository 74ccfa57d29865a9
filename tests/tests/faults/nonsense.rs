//! Answers that arrive whole and are wrong: what stands in for Arrow or JSON, other columns, too many rows or too few,
//! sentinels where none or several are.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::physical_plan::collect;
use datafusion_redivis::ScanError;
use redivis::ErrorKind;
use redivis_tests::proxy::{Action, Break, Request};
use serde_json::Value;

use crate::arrow_body::{Ending, answer, body, body_of, empty_body, ends, served};
use crate::wire::{
    BATCH, ROWS, TABLE, Wire, assert_all, batch, found, is_stream, offset, rows, truth, within,
};

const PAGE: &str = "<html><head><title>Sign in to the network</title></head><body>…</body></html>";

fn page() -> Action {
    Action::reply(200, &[("Content-Type", "text/html")], PAGE)
}

fn cut(after: usize) -> Action {
    Action::Break {
        after,
        how: Break::Close,
    }
}

fn is_session(request: &Request) -> bool {
    request.method == "POST"
}

fn is_table(request: &Request) -> bool {
    request.target.ends_with("/tables/local.faults.rows")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_instead_of_rows() {
    let wire = Wire::start().await;
    wire.break_streams([page(), cut(400_000), page()]);
    assert_all(&wire.read(&wire.client(), 1).await.unwrap());

    wire.break_all_streams(page());
    let error = wire.read(&wire.client(), 1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    let told = error.to_string();
    assert!(
        told.contains("the answer is a page instead of Arrow: <html>"),
        "{told}"
    );
    assert!(told.contains("Sign in to the network"), "{told}");
    assert!(told.contains("; gave up after 3 attempts in "), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_instead_of_metadata() {
    let wire = Wire::start().await;
    for chosen in [is_table, is_session] {
        wire.break_requests(chosen, [page(), page()]);
        assert_all(&wire.read(&wire.client(), 1).await.unwrap());

        wire.break_requests(chosen, std::iter::repeat_n(page(), 3));
        let error = wire.read(&wire.client(), 1).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
        let told = error.to_string();
        assert!(
            told.contains("the answer is not JSON but starts with: <html>"),
            "{told}"
        );
        assert!(told.contains("; gave up after 3 attempts in "), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn truncated_json() {
    let wire = Wire::start().await;
    let polite = Action::Break {
        after: 40,
        how: Break::End,
    };
    for chosen in [is_table, is_session] {
        // Cut, and ended as if it were complete.
        wire.break_requests(chosen, [cut(40), polite.clone()]);
        assert_all(&wire.read(&wire.client(), 1).await.unwrap());

        wire.break_requests(chosen, std::iter::repeat_n(polite.clone(), 3));
        let error = wire.read(&wire.client(), 1).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
        let told = error.to_string();
        assert!(
            told.contains("the answer is not what the API promises: EOF"),
            "{told}"
        );

        wire.break_requests(chosen, std::iter::repeat_n(cut(40), 4));
        let error = wire.read(&wire.client(), 1).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport);
        let told = error.to_string();
        assert!(
            told.contains("the connection broke while the answer was read"),
            "{told}"
        );
    }
}

/// Bytes without sense, always the same.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    (0..length).map(next).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_instead_of_arrow() {
    let wire = Wire::start().await;
    let body = served(&wire).await;
    let ends = ends(&body);
    let zeros = vec![0; 4000];
    let huge = [
        [0xff, 0xff, 0xff, 0xff].as_slice(),
        &[0xf0, 0xff, 0xff, 0x7f],
    ]
    .concat();
    for garbage in [noise(4000), zeros, huge, b"PAR1".repeat(50)] {
        // In place of the whole answer, and after its first messages: those rows were right.
        for (kept, resumed) in [(0, 0), (ends[0], 0), (ends[1], BATCH), (ends[2], 2 * BATCH)] {
            let before = wire.offsets().len();
            // The server has not sent these rows, so it would refuse to go on after them.
            let rest = self::body(resumed, ROWS, Ending::Sentinels(1));
            wire.break_streams([answer([&body[..kept], &garbage].concat()), answer(rest)]);
            assert_all(&wire.read(&wire.client(), 1).await.unwrap());
            // Zeros end a stream, though not one whose rows have all come.
            assert_eq!(wire.offsets()[before..][..2], [0, resumed]);
        }
    }
    wire.break_all_streams(answer(noise(4000)));
    let error = wire.read(&wire.client(), 1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    let told = error.to_string();
    assert!(
        told.contains("the answer is not a valid Arrow stream"),
        "{told}"
    );
    assert!(told.contains("; gave up after 3 attempts in "), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_that_change_when_the_read_resumes() {
    let wire = Wire::start().await;
    let end = ends(&served(&wire).await)[1];
    let field = |name: &str, data_type| Field::new(name, data_type, true);
    let id = field("id", DataType::Int64);
    for (fields, words) in [
        (
            vec![id.clone(), field("text", DataType::Int64)],
            "`text` (Utf8), then `text` (Int64)",
        ),
        (
            vec![field("text", DataType::Utf8), id.clone()],
            "`id` (Int64), then `text` (Utf8)",
        ),
        (vec![id], "2 variables, then 1"),
    ] {
        let before = wire.offsets().len();
        wire.break_streams([cut(end), answer(empty_body(&Schema::new(fields)))]);
        let error = wire.read(&wire.client(), 1).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
        let told = error.to_string();
        assert!(
            told.contains("the stream's columns changed while it was read"),
            "{told}"
        );
        assert!(told.contains(words), "{told}");
        assert_eq!(wire.offsets()[before..], [0, BATCH]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offset_that_the_server_refuses() {
    let wire = Wire::start().await;
    let end = ends(&served(&wire).await)[2];
    // The words of a server that lost count of what it has sent.
    let (_, session) = wire.open(&wire.client(), 1).await.unwrap();
    let url = format!(
        "{}/readStreams/{}?offset={}",
        wire.server.endpoint(),
        session.streams[0].id,
        2 * BATCH
    );
    let request = reqwest::Client::new().get(url).bearer_auth(wire.token());
    let refusal = request.send().await.unwrap();
    assert_eq!(refusal.status(), 400);
    let refusal = refusal.bytes().await.unwrap();

    let refused = Action::reply(400, &[("Content-Type", "application/json")], refusal);
    wire.break_streams([cut(end), refused]);
    let error = wire.read(&wire.client(), 1).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Invalid, Some(400))
    );
    let told = error.to_string();
    assert!(
        told.contains("`offset` is 32768, but only 0 rows of this stream were read so far"),
        "{told}"
    );
    assert_eq!(wire.offsets(), [0, 2 * BATCH]);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_rows_than_were_asked_for() {
    let wire = Wire::start().await;
    // In one batch with those wanted, in the next batch, and far more.
    for limit in [10, BATCH, 20_000, ROWS - 1] {
        wire.break_streams([answer(body(0, ROWS, Ending::Sentinels(1)))]);
        let sql = format!("SELECT id, text FROM {TABLE} LIMIT {limit}");
        let rows = wire.sql(&sql).await.unwrap();
        assert!(rows == truth()[..limit as usize], "LIMIT {limit}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fewer_rows_than_there_are_by_the_services_own_count() {
    let wire = Wire::start().await;
    let all = format!("SELECT id, text FROM {TABLE}");
    for (sql, sent, wanted) in [
        (all.clone(), ROWS - 1, ROWS),
        (all.clone(), 0, ROWS),
        (format!("{all} LIMIT 20000"), BATCH, 20_000),
        (format!("{all} LIMIT 20000 OFFSET 100"), BATCH, 20_100),
        (format!("{all} LIMIT 1"), 0, 1),
    ] {
        wire.break_streams([answer(body(0, sent, Ending::Sentinels(1)))]);
        let told = row_count(&wire, &sql).await;
        let words = format!("{sent} rows came where there must be {wanted}");
        assert!(told.contains(&words), "{told}");
    }
}

/// The words of a read that has other rows than there must be.
async fn row_count(wire: &Wire, sql: &str) -> String {
    let error = wire.sql(sql).await.unwrap_err();
    match found(&error) {
        Some(error @ ScanError::RowCount { .. }) => error.to_string(),
        other => panic!("{sql}: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_rows_than_there_are_by_the_services_own_count() {
    let wire = Wire::start().await;
    let repeated = [batch(0, ROWS), batch(ROWS - 5, ROWS)];
    wire.break_streams([answer(body_of(&repeated))]);
    let sql = format!("SELECT id, text FROM {TABLE}");
    let told = row_count(&wire, &sql).await;
    assert!(
        told.contains("40005 rows came where there must be 40000"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_only_one_of_several_streams_lacks() {
    let wire = Wire::start().await;
    // A table that says it is large is read through several streams.
    let url = format!("{}/tables/{TABLE}", wire.server.endpoint());
    let request = reqwest::Client::new().get(url).bearer_auth(wire.token());
    let table = request.send().await.unwrap().bytes().await.unwrap();
    let mut table: Value = serde_json::from_slice(&table).unwrap();
    table["numBytes"] = (4 * (4 << 20)).into();
    let table = Action::reply(
        200,
        &[("Content-Type", "application/json")],
        table.to_string(),
    );
    let mut nothing = Some(answer(body(0, 0, Ending::Sentinels(1))));
    wire.proxy.script(move |request| match request {
        request if is_table(request) => table.clone(),
        request if is_stream(request) => nothing.take().unwrap_or(Action::Pass),
        _ => Action::Pass,
    });
    let (context, redivis) = wire.session(wire.client());
    let sql = format!("SELECT id, text FROM {TABLE}");
    let statement = redivis.sql(&sql).await.unwrap();
    let plan = statement.create_physical_plan().await.unwrap();
    let run = || within(collect(Arc::clone(&plan), context.task_ctx()));
    let error = run().await.unwrap_err();
    let (came, expected) = match found(&error) {
        Some(ScanError::RowCount { came, expected, .. }) => (*came, *expected),
        other => panic!("{error}: {other:?}"),
    };
    assert_eq!((came, expected), (30_000, 40_000));
    // Counted afresh, again and again.
    assert_all(&rows(&run().await.unwrap()));
    assert_all(&rows(&run().await.unwrap()));
    assert_eq!(wire.offsets(), [0; 3 * 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_in_other_batches_after_every_break() {
    let wire = Wire::start().await;
    let pieces = |from: i64, size: i64| {
        let batches: Vec<RecordBatch> = (from..ROWS)
            .step_by(size as usize)
            .map(|start| batch(start, ROWS.min(start + size)))
            .collect();
        body_of(&batches)
    };
    let mut requests = 0;
    wire.proxy.script(move |request| {
        if !is_stream(request) {
            return Action::Pass;
        }
        requests += 1;
        let body = pieces(offset(request), [1013, 7919, 20_011, 331][requests % 4]);
        let sent = match requests {
            ..8 => body.len() / 3,
            _ => body.len(),
        };
        answer(&body[..sent])
    });
    assert_all(&wire.read(&wire.client(), 1).await.unwrap());
    let offsets = wire.offsets();
    assert_eq!(offsets.len(), 8);
    assert!(offsets.is_sorted());
}

#[tokio::test(flavor = "multi_thread")]
async fn several_sentinels() {
    let wire = Wire::start().await;
    wire.break_streams([answer(body(0, ROWS, Ending::Sentinels(3)))]);
    assert_all(&wire.read(&wire.client(), 1).await.unwrap());
    assert_eq!(wire.offsets(), [0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sentinel_before_the_end() {
    let wire = Wire::start().await;
    let none = batch(0, 0);
    let early = [
        batch(0, 9),
        none.clone(),
        batch(9, 500),
        none,
        batch(500, ROWS),
    ];
    wire.break_streams([answer(body_of(&early))]);
    assert_all(&wire.read(&wire.client(), 1).await.unwrap());
    assert_eq!(wire.offsets(), [0]);
    // Rows after a sentinel show that it meant nothing: cut behind it, the read goes on.
    let before = body_of(&[batch(0, 9)]).len() - 8;
    let rest = body(9, ROWS, Ending::Sentinels(1));
    let Action::Reply(mut cut) = answer(body_of(&early)) else {
        panic!("no reply")
    };
    cut.truncate(cut.len() - body_of(&early).len() + before);
    wire.break_streams([Action::Reply(cut), answer(rest)]);
    assert_all(&wire.read(&wire.client(), 1).await.unwrap());
    assert_eq!(wire.offsets(), [0, 0, 9]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sentinel_without_the_end_marker() {
    let wire = Wire::start().await;
    let whole = body(0, ROWS, Ending::Sentinels(1));
    wire.break_streams([answer(&whole[..whole.len() - 8])]);
    assert_all(&wire.read(&wire.client(), 1).await.unwrap());
    assert_eq!(wire.offsets(), [0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sentinel_that_is_missing() {
    let wire = Wire::start().await;
    // With the end of the stream and without it.
    for ending in [Ending::Sentinels(0), Ending::Nothing] {
        let before = wire.offsets().len();
        let rest = body(ROWS, ROWS, Ending::Sentinels(1));
        wire.break_streams([answer(body(0, ROWS, ending)), answer(rest)]);
        assert_all(&wire.read(&wire.client(), 1).await.unwrap());
        assert_eq!(wire.offsets()[before..], [0, ROWS]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_knows_no_sentinel() {
    let wire = Wire::start().await;
    // Its streams may also end early, as those of a service that stops at a time limit.
    for stops_at in [ROWS, 2 * BATCH] {
        let before = wire.offsets().len();
        wire.proxy.script(move |request| match is_stream(request) {
            true => {
                let from = offset(request);
                let to = if from < stops_at { stops_at } else { ROWS };
                answer(body(from, to, Ending::Sentinels(0)))
            }
            false => Action::Pass,
        });
        assert_all(&wire.read(&wire.client(), 1).await.unwrap());
        let offsets = &wire.offsets()[before..];
        match stops_at {
            ROWS => assert_eq!(offsets, [0, ROWS]),
            _ => assert_eq!(offsets, [0, stops_at, ROWS]),
        }
    }
    // Without the end of the stream either, nothing tells a cut from an end.
    wire.proxy.script(move |request| match is_stream(request) {
        true => answer(body(offset(request), ROWS, Ending::Nothing)),
        false => Action::Pass,
    });
    let error = wire.read(&wire.client(), 1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    let told = error.to_string();
    assert!(
        told.contains("the answer stopped before its end; gave up after 4 attempts"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_does_not_fit_is_named() {
    let wire = Wire::start().await;
    let columns: [(&str, ArrayRef); 2] = [
        ("id", Arc::new(StringArray::from(vec!["1", "1.5"]))),
        ("text", Arc::new(Int64Array::from(vec![1, 2]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    wire.break_streams([answer(body_of(&[batch]))]);
    let error = wire.read(&wire.client(), 1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    let told = error.to_string();
    assert!(told.contains("variable `id`: the value `1.5`"), "{told}");
}
