//! Raw files: listed, added, and read over connections that break.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::ipc::writer::StreamWriter;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::TryStreamExt;
use md5::{Digest, Md5};
use redivis::write::TempUpload;
use redivis::{ErrorKind, Result};

use crate::script::{Answer, Script, json, response};
use crate::sending::text;

const SIZE: usize = 100_000;

fn md5_header(content: &str) -> String {
    format!(
        "Content-Digest: md5=:{}:\r\n",
        STANDARD.encode(Md5::digest(content))
    )
}

/// The whole file, or as much of it as arrives.
fn whole(arrives: usize) -> Answer {
    let content = text(SIZE);
    let headers = format!("Accept-Ranges: bytes\r\n{}", md5_header(&content));
    let mut bytes = response("200 OK", &headers, content.as_bytes());
    bytes.truncate(bytes.len() - SIZE + arrives);
    Answer::Bytes(bytes)
}

/// A part of the file, or as much of it as arrives.
fn part(range: Range<usize>, arrives: usize) -> Answer {
    let content = text(SIZE);
    let header = format!(
        "Content-Range: bytes {}-{}/{SIZE}\r\n{}",
        range.start,
        range.end - 1,
        md5_header(&content)
    );
    let mut bytes = response(
        "206 Partial Content",
        &header,
        &content.as_bytes()[range.clone()],
    );
    bytes.truncate(bytes.len() - range.len() + arrives);
    Answer::Bytes(bytes)
}

async fn read(range: Option<Range<u64>>, answers: Vec<Answer>) -> (Vec<String>, Result<String>) {
    let script = Script::play(answers).await;
    let pieces: Result<Vec<_>> = script
        .client()
        .read_raw_file("abc.def", range)
        .try_collect()
        .await;
    let ranges = script
        .requests()
        .iter()
        .map(|request| {
            let range = request
                .lines()
                .find_map(|line| line.strip_prefix("range: "));
            range.unwrap_or("all").to_owned()
        })
        .collect();
    let text = pieces.map(|pieces| String::from_utf8(pieces.concat()).unwrap());
    (ranges, text)
}

#[tokio::test]
async fn a_file_in_pieces() {
    let (ranges, read_text) = read(None, vec![whole(SIZE)]).await;
    assert!(read_text.unwrap() == text(SIZE));
    assert_eq!(ranges, ["all"]);

    let (ranges, read_text) = read(
        None,
        vec![
            Answer::Hangup,
            whole(30_000),
            part(30_000..SIZE, 20_000),
            Answer::Bytes(response("503 Service Unavailable", "", b"")),
            whole(60_000), // some services know no ranges
            part(60_000..SIZE, 40_000),
        ],
    )
    .await;
    assert!(read_text.unwrap() == text(SIZE));
    assert_eq!(
        ranges,
        [
            "all",
            "all",
            "bytes=30000-99999",
            "bytes=50000-99999",
            "bytes=50000-99999",
            "bytes=60000-99999"
        ]
    );
}

#[tokio::test]
async fn a_range_of_a_file() {
    let expected = |range: Range<usize>| text(SIZE)[range].to_owned();
    let (ranges, read_text) = read(
        Some(10..50_000),
        vec![part(10..50_000, 5), part(15..50_000, 49_985)],
    )
    .await;
    assert!(read_text.unwrap() == expected(10..50_000));
    assert_eq!(ranges, ["bytes=10-49999", "bytes=15-49999"]);

    let (_, read_text) = read(Some(10..20), vec![whole(SIZE)]).await;
    assert_eq!(read_text.unwrap(), expected(10..20));
    let (_, read_text) = read(Some(99_990..200_000), vec![part(99_990..SIZE, 10)]).await;
    assert_eq!(read_text.unwrap(), expected(99_990..SIZE));
    let (ranges, read_text) = read(Some(5..5), vec![]).await;
    assert_eq!((ranges.len(), read_text.unwrap()), (0, String::new()));

    let wrong = vec![part(11..20, 9)];
    let (_, read_text) = read(Some(10..20), wrong).await;
    assert_eq!(read_text.unwrap_err().kind(), ErrorKind::Protocol);
    let earlier = vec![part(5..20, 15)];
    let (_, read_text) = read(Some(10..20), earlier).await;
    assert_eq!(read_text.unwrap(), expected(10..20));
    let beyond = Answer::Bytes(response("416 Range Not Satisfiable", "", b""));
    let (_, read_text) = read(Some(SIZE as u64..SIZE as u64 + 5), vec![beyond]).await;
    assert_eq!(read_text.unwrap_err().kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn what_arrives_must_be_what_was_promised() {
    let headers = md5_header("something else");
    let wrong = || Answer::Bytes(response("200 OK", &headers, b"hello"));
    let (_, read_text) = read(None, vec![wrong()]).await;
    assert_eq!(read_text.unwrap_err().kind(), ErrorKind::Data);
    // A part has no checksum of its own.
    let (_, read_text) = read(Some(0..2), vec![wrong()]).await;
    assert_eq!(read_text.unwrap(), "he");
    // Another file under the same id.
    let other = Answer::Bytes(response(
        "206 Partial Content",
        "Content-Range: bytes 100-101/102\r\n",
        b"xy",
    ));
    let (_, read_text) = read(None, vec![whole(100), other]).await;
    assert_eq!(read_text.unwrap_err().kind(), ErrorKind::Protocol);
}

/// A listing of two files, as Arrow.
fn listing() -> Vec<u8> {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("file_id", Arc::new(StringArray::from(vec!["f1.x", "f2.y"]))),
        (
            "file_name",
            Arc::new(StringArray::from(vec!["a/b.png", "c"])),
        ),
        ("size", Arc::new(Int64Array::from(vec![Some(12), None]))),
        (
            "md5_hash",
            Arc::new(StringArray::from(vec![Some("AAAA"), None])),
        ),
        (
            "added_at",
            Arc::new(TimestampMicrosecondArray::from(vec![
                Some(1_700_000_000_000_000),
                None,
            ])),
        ),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

#[tokio::test]
async fn a_listing_may_end_without_the_marker() {
    let listing = listing();
    let unmarked = &listing[..listing.len() - 8];
    let whole = response("200 OK", "", unmarked);
    let unframed = [b"HTTP/1.1 200 OK\r\n\r\n", unmarked].concat();
    let within = response("200 OK", "", &unmarked[..unmarked.len() - 8]);
    for (answer, files) in [(whole, Some(2)), (unframed, None), (within, None)] {
        let script = Script::play(vec![Answer::Bytes(answer)]).await;
        let listed: Result<Vec<_>> = script
            .client()
            .raw_files("/tables/o.d.t")
            .try_collect()
            .await;
        match files {
            Some(files) => assert_eq!(listed.unwrap().len(), files),
            None => assert_eq!(listed.unwrap_err().kind(), ErrorKind::Transport),
        }
    }
}

#[tokio::test]
async fn listing_and_adding() {
    let listing = listing();
    let added =
        r#"{"kind":"rawFileList","results":[{"id":"f3","name":"d","md5Hash":null,"size":"5"}]}"#;
    let script = Script::play(vec![
        Answer::Bytes(response("200 OK", "", &listing)),
        json("201 Created", added),
        json("201 Created", r#"{"results":[]}"#),
    ])
    .await;
    let client = script.client();
    let files: Vec<_> = client
        .raw_files("/tables/o.d.t")
        .try_collect()
        .await
        .unwrap();
    assert_eq!(files.len(), 2);
    assert_eq!(
        (files[0].id.as_str(), files[0].name.as_str()),
        ("f1.x", "a/b.png")
    );
    assert_eq!((files[0].size, files[1].size), (Some(12), None));
    assert_eq!(files[0].md5.as_deref(), Some("AAAA"));
    assert_eq!(files[0].added_at.unwrap().timestamp(), 1_700_000_000);

    let sent = TempUpload::sent_before("t1", "d", 5);
    let files = client
        .add_raw_files("/tables/o.d.t", &[("d", &sent)])
        .await
        .unwrap();
    assert_eq!(files[0].size, Some(5));
    assert_eq!(
        script.lines(),
        [
            "GET /api/v1/tables/o.d.t/rawFiles?format=arrow",
            "POST /api/v1/tables/o.d.t/rawFiles"
        ]
    );
    assert_eq!(
        script.parts(1).1,
        r#"{"files":[{"name":"d","tempUploadId":"t1"}]}"#
    );
    let error = client
        .add_raw_files("/tables/o.d.t", &[("d", &sent)])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
}
