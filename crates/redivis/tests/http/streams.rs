//! Read streams over connections that break in every way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use arrow::ipc::writer::StreamWriter;
use futures::{StreamExt, TryStreamExt};
use redivis::read::{ArrowStream, ReadStreamInfo};
use redivis::{ErrorKind, Result};

use crate::script::{Answer, Script, TOKEN, response};

pub(crate) fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, true)]))
}

pub(crate) fn batch(from: i64, to: i64) -> RecordBatch {
    RecordBatch::try_new(
        schema(),
        vec![Arc::new(Int64Array::from_iter_values(from..to))],
    )
    .unwrap()
}

/// An IPC stream of rows `from..to` in batches of 4, ended by a sentinel if wanted.
pub(crate) fn ipc(from: i64, to: i64, sentinel: bool) -> Vec<u8> {
    let mut writer = StreamWriter::try_new(Vec::new(), &schema()).unwrap();
    for start in (from..to).step_by(4) {
        writer.write(&batch(start, to.min(start + 4))).unwrap();
    }
    if sentinel {
        writer.write(&batch(0, 0)).unwrap();
    }
    writer.into_inner().unwrap()
}

pub(crate) fn info(id: &str) -> ReadStreamInfo {
    serde_json::from_value(serde_json::json!({ "id": id })).unwrap()
}

pub(crate) async fn numbers(stream: ArrowStream) -> Result<Vec<i64>> {
    let batches: Vec<RecordBatch> = stream.try_collect().await?;
    Ok(batches
        .iter()
        .flat_map(|batch| {
            batch
                .column(0)
                .as_primitive::<Int64Type>()
                .values()
                .to_vec()
        })
        .collect())
}

async fn read(script: &Script) -> Result<Vec<i64>> {
    numbers(script.client().read_arrow(&info("s1"), schema())).await
}

pub(crate) fn ok(body: &[u8]) -> Vec<u8> {
    response("200 OK", "", body)
}

/// An answer that says how long it is and stops before that.
pub(crate) fn cut(body: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = ok(body);
    bytes.truncate(bytes.len() - body.len() + at);
    bytes
}

/// The same body in chunks.
fn chunked(body: &[u8], ended: bool) -> Vec<u8> {
    let mut bytes =
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n".to_vec();
    for chunk in body.chunks(50) {
        bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    if ended {
        bytes.extend_from_slice(b"0\r\n\r\n");
    }
    bytes
}

/// The same body, whose end is the connection's: nothing tells it from a cut.
fn unframed(body: &[u8]) -> Vec<u8> {
    [b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", body].concat()
}

fn expected(to: i64) -> Vec<i64> {
    (0..to).collect()
}

fn line(offset: i64) -> String {
    format!("GET /api/v1/readStreams/s1?offset={offset}&eosSentinel=true")
}

/// Where the messages end: schema, three batches of 4, 4 and 2 rows, sentinel, end.
fn boundaries() -> Vec<usize> {
    let whole = ipc(0, 10, true);
    let none = ipc(0, 0, false).len() - 8;
    let four = ipc(0, 4, false).len() - 8 - none;
    let eight = none + 2 * four;
    let ten = ipc(0, 10, false).len() - 8;
    let boundaries = vec![none, none + four, eight, ten, whole.len() - 8, whole.len()];
    assert!(boundaries.is_sorted());
    boundaries
}

#[tokio::test]
async fn one_answer_is_enough_when_nothing_breaks() {
    for bytes in [ok(&ipc(0, 10, true)), chunked(&ipc(0, 10, true), true)] {
        let script = Script::play(vec![Answer::Bytes(bytes)]).await;
        let stream = script.client().read_arrow(&info("s1"), schema());
        assert!(
            script.requests().is_empty(),
            "nothing is sent before the first poll"
        );
        let progress = stream.progress();
        assert_eq!(numbers(stream).await.unwrap(), expected(10));
        assert_eq!(script.lines(), [line(0)]);
        assert!(
            script.requests()[0]
                .to_lowercase()
                .contains("accept-encoding: identity")
        );
        assert_eq!((progress.rows(), progress.retries()), (10, 0));
        assert_eq!(progress.bytes(), ipc(0, 10, true).len() as u64);
        assert!(progress.opening() > Duration::ZERO);
    }
}

#[tokio::test]
async fn cuts_within_and_between_messages() {
    let whole = ipc(0, 10, true);
    let mut places: Vec<usize> = boundaries();
    places.extend((0..whole.len()).step_by(61));
    for at in places {
        let rows = match boundaries() {
            ends if at >= ends[3] => 10,
            ends if at >= ends[2] => 8,
            ends if at >= ends[1] => 4,
            _ => 0,
        };
        let ends_at_sentinel = at == boundaries()[4];
        for (first, framed) in [
            (cut(&whole, at), false),
            (ok(&whole[..at]), true), // the length is right, the content is not
            (chunked(&whole[..at], false), false),
            (chunked(&whole[..at], true), true),
            (unframed(&whole[..at]), false),
        ] {
            let complete = at == whole.len() || (ends_at_sentinel && framed);
            let script = Script::play(vec![
                Answer::Bytes(first),
                Answer::Bytes(ok(&ipc(rows, 10, true))),
            ])
            .await;
            assert_eq!(read(&script).await.unwrap(), expected(10), "cut at {at}");
            let lines = script.lines();
            assert_eq!(lines[0], line(0));
            match complete {
                true => assert_eq!(lines.len(), 1, "cut at {at}"),
                false => assert_eq!(lines[1], line(rows), "cut at {at}"),
            }
        }
    }
}

#[tokio::test]
async fn every_kind_of_trouble_before_the_first_byte() {
    let script = Script::play(vec![
        Answer::Hangup,
        Answer::Bytes(b"HTTP/1.1 200".to_vec()),
        Answer::Bytes(response("429 Too Many Requests", "Retry-After: 0\r\n", b"")),
        Answer::Bytes(ok(&ipc(0, 10, true))),
    ])
    .await;
    assert_eq!(read(&script).await.unwrap(), expected(10));
    for status in [
        "500 Internal Server Error",
        "502 Bad Gateway",
        "503 Service Unavailable",
        "504 Gateway Timeout",
    ] {
        let script = Script::play(vec![
            Answer::Bytes(response(status, "", b"")),
            Answer::Bytes(ok(&ipc(0, 10, true))),
        ])
        .await;
        assert_eq!(read(&script).await.unwrap(), expected(10), "{status}");
    }
}

#[tokio::test]
async fn a_stall_resumes() {
    let whole = ipc(0, 10, true);
    let script = Script::play(vec![
        Answer::Stall(cut(&whole, boundaries()[2] + 20)),
        Answer::Stall(Vec::new()),
        Answer::Bytes(ok(&ipc(8, 10, true))),
    ])
    .await;
    let stream = script.client().read_arrow(&info("s1"), schema());
    let progress = stream.progress();
    assert_eq!(numbers(stream).await.unwrap(), expected(10));
    assert_eq!(script.lines(), [line(0), line(8), line(8)]);
    assert_eq!(progress.retries(), 2);
}

#[tokio::test]
async fn a_slow_reader_is_no_stall() {
    let script = Script::play(vec![Answer::Bytes(ok(&ipc(0, 10, true)))]).await;
    let mut stream = script.client().read_arrow(&info("s1"), schema());
    let mut rows = 0;
    while let Some(batch) = stream.next().await {
        rows += batch.unwrap().num_rows();
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    assert_eq!((rows, script.requests().len()), (10, 1));
}

#[tokio::test]
async fn a_service_without_sentinels_is_asked_once_more() {
    let script = Script::play(vec![
        Answer::Bytes(ok(&ipc(0, 10, false))),
        Answer::Bytes(ok(&ipc(10, 10, false))),
    ])
    .await;
    assert_eq!(read(&script).await.unwrap(), expected(10));
    assert_eq!(script.lines(), [line(0), line(10)]);

    let script = Script::play(vec![
        Answer::Bytes(ok(&ipc(0, 8, false))),
        Answer::Bytes(ok(&ipc(8, 10, false))),
        Answer::Bytes(ok(&ipc(10, 10, false))),
    ])
    .await;
    assert_eq!(read(&script).await.unwrap(), expected(10));
}

#[tokio::test]
async fn rows_start_the_count_of_attempts_afresh() {
    // Ten breaks, each after some rows, with a policy that allows four attempts.
    let mut answers: Vec<Answer> = (0..10)
        .map(|i| {
            let body = ipc(4 * i, 100, true);
            Answer::Bytes(cut(&body, boundaries()[1] + 16))
        })
        .collect();
    answers.push(Answer::Bytes(ok(&ipc(40, 100, true))));
    let script = Script::play(answers).await;
    assert_eq!(read(&script).await.unwrap(), expected(100));
    assert_eq!(script.requests().len(), 11);
}

#[tokio::test]
async fn refusals_end_the_read_at_once() {
    for (status, kind) in [
        ("401 Unauthorized", ErrorKind::Unauthorized),
        ("403 Forbidden", ErrorKind::Forbidden),
        ("404 Not Found", ErrorKind::NotFound),
        ("410 Gone", ErrorKind::NotFound),
        ("400 Bad Request", ErrorKind::Invalid),
    ] {
        let words = br#"{"error":"no","error_description":"The words of the service"}"#;
        let script = Script::play(vec![
            Answer::Bytes(cut(&ipc(0, 10, true), boundaries()[1])),
            Answer::Bytes(response(
                status,
                "Content-Type: application/json\r\n",
                words,
            )),
        ])
        .await;
        let mut stream = script.client().read_arrow(&info("s1"), schema());
        assert_eq!(stream.next().await.unwrap().unwrap().num_rows(), 4);
        let error = stream.next().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(
            error
                .to_string()
                .starts_with("cannot read stream s1: The words of the service"),
            "{error}"
        );
        assert!(stream.next().await.is_none());
        assert_eq!(script.requests().len(), 2);
    }
}

#[tokio::test]
async fn giving_up_says_what_was_tried() {
    let script = Script::play(vec![Answer::Bytes(cut(&ipc(0, 10, true), 100)); 9]).await;
    let error = read(&script).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(error.is_retryable());
    assert!(
        error.to_string().contains("gave up after 4 attempts in"),
        "{error}"
    );
    assert_eq!(script.requests().len(), 4);
    assert!(!format!("{error:?}").contains(TOKEN));
}

#[tokio::test]
async fn what_is_not_arrow_is_said_to_be_so() {
    for (answer, words) in [
        (
            response(
                "200 OK",
                "Content-Type: text/html\r\n",
                b"<p>Please\nlog in</p>",
            ),
            "a page instead of Arrow: <p>Please log in</p>",
        ),
        (
            response("200 OK", "Content-Type: application/json\r\n", b"{\"a\":1"),
            "JSON instead of Arrow: {\"a\":1",
        ),
        // Declared as Arrow.
        (
            response(
                "200 OK",
                "Content-Type: application/vnd.apache.arrow.stream\r\n",
                b"<title>Please log in</title>",
            ),
            "a page instead of Arrow: <title>Please log in</title>",
        ),
        (
            response(
                "200 OK",
                "Content-Type: application/vnd.apache.arrow.stream\r\n",
                br#"{"error_description":"The stream has expired"}"#,
            ),
            "The stream has expired",
        ),
        (
            chunked(
                b"<p>A page that comes in more than one chunk, each of fifty bytes</p>",
                true,
            ),
            "each of fifty bytes</p>",
        ),
        (
            ok(b"PAR1 this is something else entirely"),
            "text instead of Arrow: PAR1 this is something else entirely",
        ),
        (ok(&[0xff; 100]), "not a valid Arrow stream"),
    ] {
        let script = Script::play(vec![Answer::Bytes(answer.clone()); 9]).await;
        let error = read(&script).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(script.requests().len(), 3);
        // Once in a while something in between answers: the next answer counts.
        let script = Script::play(vec![
            Answer::Bytes(answer),
            Answer::Bytes(ok(&ipc(0, 10, true))),
        ])
        .await;
        assert_eq!(read(&script).await.unwrap(), expected(10));
    }
}

#[tokio::test]
async fn arrow_is_read_whatever_it_is_declared_as() {
    for declared in [
        "text/html",
        "application/json",
        "text/plain; charset=utf-8",
        "",
    ] {
        let header = format!("Content-Type: {declared}\r\n");
        let answer = response("200 OK", &header, &ipc(0, 10, true));
        let script = Script::play(vec![Answer::Bytes(answer)]).await;
        assert_eq!(read(&script).await.unwrap(), expected(10), "{declared}");
        assert_eq!(script.requests().len(), 1);
    }
    // The first bytes may come one by one.
    let mut bytes =
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n".to_vec();
    for byte in ipc(0, 10, true) {
        bytes.extend_from_slice(&[b"1\r\n".as_slice(), &[byte], b"\r\n"].concat());
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    let script = Script::play(vec![Answer::Bytes(bytes)]).await;
    assert_eq!(read(&script).await.unwrap(), expected(10));
}

#[tokio::test]
async fn a_schema_that_changes_is_an_error() {
    let other = Arc::new(Schema::new(vec![Field::new("n", DataType::Utf8, true)]));
    let writer = StreamWriter::try_new(Vec::new(), &other).unwrap();
    let script = Script::play(vec![
        Answer::Bytes(cut(&ipc(0, 10, true), boundaries()[1])),
        Answer::Bytes(ok(&writer.into_inner().unwrap())),
    ])
    .await;
    let error = read(&script).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(
        error.to_string().contains("`n` (Int64), then `n` (Utf8)"),
        "{error}"
    );
}

#[tokio::test]
async fn a_value_that_does_not_fit_names_itself() {
    let script = Script::play(vec![Answer::Bytes(ok(&ipc(5, 7, true)))]).await;
    let wanted = Arc::new(Schema::new(vec![Field::new("N", DataType::Boolean, true)]));
    let stream = script.client().read_arrow(&info("s1"), wanted);
    let error = numbers(stream).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    assert_eq!(
        error.to_string(),
        "cannot read stream s1: variable `N`: the value `5` (Int64) cannot be read as Boolean without loss"
    );
    assert_eq!(script.requests().len(), 1);
}

#[tokio::test]
async fn dropping_the_stream_closes_its_connection() {
    let whole = ipc(0, 10, true);
    let script = Script::play(vec![Answer::Stall(cut(&whole, boundaries()[1]))]).await;
    let mut stream = script.client().read_arrow(&info("s1"), schema());
    stream.next().await.unwrap().unwrap();
    assert_eq!(script.closed(), 0);
    drop(stream);
    let start = Instant::now();
    while script.closed() == 0 {
        assert!(start.elapsed() < Duration::from_secs(1));
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn streams_are_read_only_at_their_own_path() {
    let script = Script::play(vec![Answer::Bytes(ok(&ipc(0, 1, true)))]).await;
    let stream = script
        .client()
        .read_arrow(&info("../users/me?x#y"), schema());
    numbers(stream).await.unwrap();
    assert_eq!(
        script.lines(),
        ["GET /api/v1/readStreams/..%2Fusers%2Fme%3Fx%23y?offset=0&eosSentinel=true"]
    );
}

#[tokio::test]
async fn other_formats_come_as_bytes() {
    let script = Script::play(vec![Answer::Hangup, Answer::Bytes(ok(b"a,b\n1,2\n"))]).await;
    let bytes: Vec<_> = script
        .client()
        .read_bytes(&info("s1"))
        .try_collect()
        .await
        .unwrap();
    assert_eq!(bytes.concat(), b"a,b\n1,2\n");
    let script = Script::play(vec![
        Answer::Bytes(cut(b"a,b\n1,2\n", 4)),
        Answer::Bytes(ok(b"again")),
    ])
    .await;
    let results: Vec<_> = script.client().read_bytes(&info("s1")).collect().await;
    assert!(matches!(&results[..], [Ok(_), Err(error)] if error.kind() == ErrorKind::Transport));
}
