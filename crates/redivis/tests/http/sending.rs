//! Bytes on their way to temp uploads: what is sent, in which order, and what is believed.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use redivis::write::{Content, NewTempUpload, SendProgress, SessionUrl, TempUpload};
use redivis::{Client, ErrorKind, Result, RetryPolicy};

use crate::script::{Answer, Script, TOKEN, json, response};

const MIB: usize = 1 << 20;
const SESSION: &str = "/sessions/very-secret-session";

/// Bytes that tell their position.
pub(crate) fn text(length: usize) -> String {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let lines = (0..MIB / 2).map(|line| format!("{line:063}\n"));
        lines.collect()
    });
    TEXT[..length].to_owned()
}

pub(crate) fn status(line: &str) -> Answer {
    Answer::Bytes(response(line, "", b""))
}

/// The answer to a chunk or a probe: so many bytes have arrived.
fn holds(bytes: usize) -> Answer {
    Answer::Bytes(holding(bytes))
}

fn holding(bytes: usize) -> Vec<u8> {
    let range = match bytes {
        0 => String::new(),
        bytes => format!("Range: bytes=0-{}\r\n", bytes - 1),
    };
    response("308 Resume Incomplete", &range, b"")
}

fn opened(origin: &str) -> Answer {
    let location = format!("Location: {origin}{SESSION}\r\n");
    Answer::Bytes(response("201 Created", &location, b""))
}

fn created(origin: &str, size: usize, resumable: bool) -> Answer {
    json(
        "201 Created",
        &format!(
            r#"{{"kind":"tempUploadList","results":[{{"id":"secret-temp-upload","url":"{origin}/temp/very-secret-upload",
                "size":"{size}","resumable":{resumable}}}]}}"#
        ),
    )
}

pub(crate) async fn temp_upload(client: &Client, size: usize) -> TempUpload {
    let new = NewTempUpload::new("data.csv", size as u64);
    let created = client
        .create_temp_uploads("/tables/o.d:next.t", &[new])
        .await;
    created.unwrap().remove(0)
}

/// Sends so many bytes in the resumable way, with these answers once the session is open.
async fn resumable(length: usize, answers: Vec<Answer>) -> (Script, Arc<SendProgress>, Result<()>) {
    let script = Script::play_at(|origin| {
        let start = [created(origin, length, true), opened(origin)];
        start.into_iter().chain(answers).collect()
    })
    .await;
    let (progress, end) = send(&script, length).await;
    (script, progress, end)
}

async fn send(script: &Script, length: usize) -> (Arc<SendProgress>, Result<()>) {
    send_by(
        script.client().with_upload_chunk_size(Some(8 << 20)),
        length,
    )
    .await
}

async fn send_by(client: Client, length: usize) -> (Arc<SendProgress>, Result<()>) {
    let upload = temp_upload(&client, length).await;
    let progress = Arc::new(SendProgress::default());
    let content = Content::bytes(text(length));
    let end = client.send(&upload, &content, &progress).await;
    if let Err(error) = &end {
        let shown = format!("{error} {error:?} {upload:?}");
        assert!(!shown.contains("secret"), "{shown}");
    }
    (progress, end)
}

/// The `Content-Range` of each `PUT`.
fn ranges(script: &Script) -> Vec<String> {
    let requests = script.requests();
    requests
        .iter()
        .filter(|request| request.starts_with("PUT "))
        .map(|request| {
            request
                .lines()
                .find_map(|line| line.strip_prefix("content-range: "))
                .unwrap_or("none")
                .to_owned()
        })
        .collect()
}

#[tokio::test]
async fn a_session_its_chunks_and_their_acknowledgements() {
    let length = 20 * MIB + 5;
    let (script, progress, end) = resumable(
        length,
        vec![holds(8 * MIB), holds(16 * MIB), status("200 OK")],
    )
    .await;
    end.unwrap();
    assert_eq!(
        script.lines(),
        [
            "POST /api/v1/tables/o.d:next.t/tempUploads".to_owned(),
            "POST /temp/very-secret-upload".to_owned(),
            format!("PUT {SESSION}"),
            format!("PUT {SESSION}"),
            format!("PUT {SESSION}"),
        ]
    );
    assert_eq!(
        script.parts(0).1,
        format!(r#"{{"tempUploads":[{{"name":"data.csv","size":{length},"resumable":false}}]}}"#)
    );
    let (start, _) = script.parts(1);
    assert!(start.contains("x-goog-resumable: start"));
    assert!(start.contains(&format!("x-upload-content-length: {length}")));
    assert!(start.contains("content-length: 0"));
    assert_eq!(
        ranges(&script),
        [
            format!("bytes 0-8388607/{length}"),
            format!("bytes 8388608-16777215/{length}"),
            format!("bytes 16777216-{}/{length}", length - 1),
        ]
    );
    let sent: String = (2..5).map(|request| script.parts(request).1).collect();
    assert!(sent == text(length), "every byte once, in order");
    assert_eq!(progress.acknowledged(), length as u64);
    assert_eq!(progress.sent(), length as u64);
    assert_eq!((progress.interruptions(), progress.restarts()), (0, 0));
}

#[tokio::test]
async fn after_any_interruption_the_service_is_asked() {
    let busy = |line: &str, retry: &str| Answer::Early(0, response(line, retry, b""));
    for interruption in [
        Answer::Hangup,
        Answer::Early(1000, Vec::new()),
        Answer::Deaf(1000),
        Answer::Stall(Vec::new()),
        busy("500 Internal Server Error", ""),
        busy("502 Bad Gateway", ""),
        busy("503 Service Unavailable", ""),
        busy("504 Gateway Timeout", ""),
        busy("429 Too Many Requests", "Retry-After: 0\r\n"),
        busy("408 Request Timeout", ""),
        busy("409 Conflict", ""),
        busy("416 Range Not Satisfiable", ""),
        busy("400 Bad Request", ""),
    ] {
        let length = MIB;
        let (script, progress, end) = resumable(
            length,
            vec![
                interruption.clone(),
                Answer::Hangup, // the question is interrupted, too
                holds(1000),
                status("201 Created"),
            ],
        )
        .await;
        end.unwrap();
        assert_eq!(
            ranges(&script),
            [
                "bytes 0-1048575/1048576",
                "bytes */1048576",
                "bytes */1048576",
                "bytes 1000-1048575/1048576",
            ]
        );
        let (probe, body) = script.parts(3);
        assert!(probe.contains("content-length: 0") && body.is_empty());
        assert!(script.parts(5).1 == text(length)[1000..]);
        assert_eq!(progress.interruptions(), 2);
        assert_eq!(progress.acknowledged(), length as u64);
    }
}

#[tokio::test]
async fn an_upload_that_was_complete_before_the_answer_was_lost() {
    let (script, _, end) = resumable(100, vec![Answer::Hangup, status("200 OK")]).await;
    end.unwrap();
    assert_eq!(ranges(&script), ["bytes 0-99/100", "bytes */100"]);
}

#[tokio::test]
async fn success_is_believed_for_what_was_sent_only() {
    // After a chunk that is not the last, 200 may mean the chunk or the whole: the service is asked (redivis-api §6.3).
    let length = 9 * MIB;
    let ok = || status("200 OK");
    let (script, _, end) = resumable(length, vec![ok(), holds(8 * MIB), ok()]).await;
    end.unwrap();
    assert_eq!(ranges(&script)[1], format!("bytes */{length}"));
    assert!(ranges(&script)[2].starts_with("bytes 8388608-"));

    let (_, _, end) = resumable(length, vec![ok(), ok()]).await;
    let error = end.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(
        error.message().contains("complete after 8388608 of"),
        "{error}"
    );

    // Success that says how much there is.
    let odd = Answer::Bytes(response("200 OK", "Range: bytes=0-49\r\n", b""));
    let (script, _, end) = resumable(100, vec![odd, ok()]).await;
    end.unwrap();
    assert_eq!(ranges(&script)[1], "bytes 50-99/100");
}

#[tokio::test]
async fn a_service_that_contradicts_itself() {
    let range = |range: &str| {
        let header = format!("Range: {range}\r\n");
        Answer::Bytes(response("308 Resume Incomplete", &header, b""))
    };
    for (answers, words) in [
        (
            vec![holds(8 * MIB + 1)],
            "acknowledges 8388609 bytes where only 8388608 were sent",
        ),
        (vec![range("bytes=5-10")], "not of the form bytes=0-99"),
        (vec![range("tons")], "not of the form bytes=0-99"),
    ] {
        let asked = answers.len();
        let (script, _, end) = resumable(20 * MIB, answers).await;
        let error = end.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
        assert!(!error.is_retryable(), "{error}");
        assert!(error.message().contains(words), "{error}");
        assert_eq!(ranges(&script).len(), asked, "{error}");
    }

    // Taking nothing, or less and less, is tried again a few times.
    let (script, _, end) = resumable(100, vec![holds(0); 20]).await;
    assert!(end.unwrap_err().message().contains("took nothing"));
    assert_eq!(script.requests().len(), 2 + 7, "4 chunks, 3 questions");
    let back = [holds(50), holds(0), holds(0), holds(50), holds(0)];
    let (_, _, end) = resumable(100, back.into_iter().cycle().take(40).collect()).await;
    let error = end.unwrap_err();
    assert_eq!(error.attempts().unwrap().0, 4, "{error}");
}

#[tokio::test]
async fn what_the_service_has_lost_is_sent_again() {
    let length = 20 * MIB;
    for lost in [0, MIB] {
        let answers = vec![
            holds(8 * MIB),
            Answer::Early(0, Vec::new()),
            holds(lost),
            holds(8 * MIB),
            holds(16 * MIB),
            status("200 OK"),
        ];
        let (script, progress, end) = resumable(length, answers).await;
        end.unwrap();
        assert!(ranges(&script)[3].starts_with(&format!("bytes {lost}-")));
        assert_eq!(progress.interruptions(), 2);
        assert_eq!(progress.acknowledged(), length as u64);
    }
}

#[tokio::test]
async fn all_bytes_are_complete_whether_or_not_the_service_says_so() {
    // As the official clients, which take 308 to the last bytes for success.
    let (script, _, end) = resumable(100, vec![holds(100); 2]).await;
    end.unwrap();
    assert_eq!(ranges(&script), ["bytes 0-99/100", "bytes */100"]);
    let (_, _, end) = resumable(100, vec![holds(100), status("200 OK")]).await;
    end.unwrap();
}

#[tokio::test]
async fn all_that_is_left_goes_in_one_request() {
    let length = 20 * MIB;
    let script = Script::play_at(|origin| {
        vec![
            created(origin, length, true),
            opened(origin),
            Answer::Early(9 * MIB, Vec::new()),
            holds(9 * MIB),
            holds(19 * MIB),
            status("201 Created"),
        ]
    })
    .await;
    let (progress, end) = send_by(script.client(), length).await;
    end.unwrap();
    assert_eq!(
        ranges(&script),
        [
            format!("bytes 0-{}/{length}", length - 1),
            format!("bytes */{length}"),
            format!("bytes {}-{}/{length}", 9 * MIB, length - 1),
            format!("bytes {}-{}/{length}", 19 * MIB, length - 1),
        ]
    );
    assert!(script.parts(5).1 == text(length)[19 * MIB..]);
    assert_eq!(progress.reached(), length as u64);
}

#[tokio::test]
async fn refusals_are_final_and_keep_the_secrets() {
    for (line, kind) in [
        ("401 Unauthorized", ErrorKind::Unauthorized),
        ("403 Forbidden", ErrorKind::Forbidden),
        ("413 Content Too Large", ErrorKind::Invalid),
        ("507 Insufficient Storage", ErrorKind::Unavailable),
        ("302 Found", ErrorKind::Protocol),
    ] {
        let words =
            format!(r#"{{"error":"no","error_description":"not to {SESSION} with {TOKEN}"}}"#);
        let (script, _, end) = resumable(100, vec![json(line, &words)]).await;
        let error = end.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains("not to"), "{error}");
        assert_eq!(ranges(&script).len(), 1);
    }
    // Odd refusals are believed soon, and in the service's words.
    let bad = json("400 Bad Request", r#"{"error_description":"wrong range"}"#);
    let (script, _, end) = resumable(100, vec![bad; 20]).await;
    assert!(end.unwrap_err().message().contains("wrong range"));
    assert_eq!(ranges(&script).len(), 3);
}

#[tokio::test]
async fn a_lost_session_is_replaced_a_few_times() {
    for gone in ["404 Not Found", "410 Gone"] {
        let script = Script::play_at(|origin| {
            vec![
                created(origin, 9 * MIB, true),
                opened(origin),
                holds(8 * MIB),
                status(gone),
                opened(origin),
                holds(8 * MIB),
                status("200 OK"),
            ]
        })
        .await;
        let (progress, end) = send(&script, 9 * MIB).await;
        end.unwrap();
        assert_eq!(progress.restarts(), 1);
        assert_eq!(progress.acknowledged(), 9 * MIB as u64);
        let total = 9 * MIB;
        assert_eq!(ranges(&script)[2], format!("bytes 0-8388607/{total}"));

        let script = Script::play_at(|origin| {
            let lost = [opened(origin), status(gone)];
            let lost = std::iter::repeat_n(lost, 9).flatten();
            [created(origin, 100, true)]
                .into_iter()
                .chain(lost)
                .collect()
        })
        .await;
        let (_, end) = send(&script, 100).await;
        assert_eq!(end.unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(ranges(&script).len(), 3);
    }
    // A temp upload that has expired opens no sessions.
    let script =
        Script::play_at(|origin| vec![created(origin, 100, true), status("404 Not Found")]).await;
    let (_, end) = send(&script, 100).await;
    assert_eq!(end.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(script.requests().len(), 2);
}

#[tokio::test]
async fn opening_a_session_is_tried_again() {
    let script = Script::play_at(|origin| {
        vec![
            created(origin, 100, true),
            status("200 OK"), // but where?
            Answer::Hangup,
            status("503 Service Unavailable"),
            Answer::Bytes(response("200 OK", &format!("Location: {SESSION}\r\n"), b"")),
            status("200 OK"),
        ]
    })
    .await;
    let (_, end) = send(&script, 100).await;
    end.unwrap();
    assert_eq!(script.lines()[5], format!("PUT {SESSION}"));
}

#[tokio::test]
async fn going_on_in_another_process() {
    let content = || Content::bytes(text(1000));
    let script = Script::play(vec![Answer::Hangup, holds(400), status("200 OK")]).await;
    let kept = SessionUrl::from_secret(format!("http://{}{SESSION}", script.address));
    assert!(!format!("{kept:?}").contains("secret"));
    let progress = Arc::new(SendProgress::default());
    let client = script.client();
    client.resume(&kept, &content(), &progress).await.unwrap();
    assert_eq!(
        ranges(&script),
        ["bytes */1000", "bytes */1000", "bytes 400-999/1000"]
    );
    assert!(script.parts(2).1 == text(1000)[400..]);
    assert_eq!(progress.acknowledged(), 1000);
    assert_eq!(progress.sent(), 600);

    for (answers, end) in [
        (vec![status("200 OK")], Ok(())),
        (vec![status("404 Not Found")], Err(ErrorKind::NotFound)),
        (vec![holds(1001)], Err(ErrorKind::Protocol)),
    ] {
        let script = Script::play(answers).await;
        let kept = SessionUrl::from_secret(format!("http://{}{SESSION}", script.address));
        let resumed = script.client().resume(&kept, &content(), &progress).await;
        assert_eq!(resumed.map_err(|error| error.kind()), end);
        assert_eq!(script.requests().len(), 1);
    }
}

#[tokio::test]
async fn small_and_empty_files_go_at_once_and_from_the_start_again() {
    let script = Script::play_at(|origin| {
        vec![
            created(origin, 200_000, false),
            Answer::Early(70_000, Vec::new()),
            status("500 Internal Server Error"),
            Answer::Deaf(10),
            status("200 OK"),
        ]
    })
    .await;
    let (progress, end) = send(&script, 200_000).await;
    end.unwrap();
    assert_eq!(progress.acknowledged(), 200_000);
    assert_eq!(progress.interruptions(), 3);
    for request in [2, 4] {
        let (head, body) = script.parts(request);
        assert!(head.contains("content-length: 200000"));
        assert!(!head.contains("content-range"));
        assert!(body == text(200_000), "rewound");
    }

    // Even if the service asked for the resumable way, in which no bytes cannot be sent.
    let script = Script::play_at(|origin| vec![created(origin, 0, true), status("200 OK")]).await;
    let (_, end) = send(&script, 0).await;
    end.unwrap();
    let (head, _) = script.parts(1);
    assert!(head.starts_with("put /temp/"));
    assert!(head.contains("content-length: 0") && !head.contains("content-range"));
}

#[tokio::test]
async fn the_token_goes_to_the_endpoint_only() {
    let elsewhere =
        Script::play_at(|origin| vec![opened(origin), holds(50), status("200 OK")]).await;
    let script = Script::play(vec![created(
        &format!("http://{}", elsewhere.address),
        100,
        true,
    )])
    .await;
    let (_, end) = send(&script, 100).await;
    end.unwrap();
    assert!(script.requests()[0].contains(TOKEN));
    assert_eq!(elsewhere.requests().len(), 3);
    for request in elsewhere.requests() {
        assert!(!request.to_lowercase().contains("authorization"));
        assert!(!request.contains(TOKEN));
    }
    let (script, _, end) = resumable(100, vec![status("200 OK")]).await;
    end.unwrap();
    for request in script.requests() {
        assert!(request.contains(TOKEN), "as the official clients do");
    }
}

#[tokio::test]
async fn odd_places_are_refused() {
    for location in ["ftp://x/y", "http://[", "data:,x"] {
        let script = Script::play_at(|origin| {
            let location = format!("Location: {location}\r\n");
            vec![
                created(origin, 100, true),
                Answer::Bytes(response("200 OK", &location, b"")),
            ]
        })
        .await;
        let (_, end) = send(&script, 100).await;
        assert_eq!(end.unwrap_err().kind(), ErrorKind::Protocol, "{location}");
        assert_eq!(script.requests().len(), 2, "{location}");
    }
}

#[tokio::test]
async fn many_temp_uploads_in_calls_of_a_thousand() {
    let answer = |from: usize, to: usize| {
        let results: Vec<_> = (from..to)
            .map(|i| serde_json::json!({"id": i.to_string(), "url": "http://x/", "size": i.to_string(), "resumable": false}))
            .collect();
        json(
            "200 OK",
            &serde_json::json!({ "results": results }).to_string(),
        )
    };
    let asked: Vec<_> = (0..2500).map(|i| NewTempUpload::new("x", i)).collect();
    let script = Script::play(vec![
        answer(0, 1000),
        answer(1000, 2000),
        answer(2000, 2500),
    ])
    .await;
    let created = script
        .client()
        .create_temp_uploads("/tables/t", &asked)
        .await
        .unwrap();
    assert_eq!(created.len(), 2500);
    assert_eq!((created[2499].id(), created[2499].size()), ("2499", 2499));

    for odd in [answer(0, 999), answer(1, 1001)] {
        let script = Script::play(vec![odd]).await;
        let error = script
            .client()
            .create_temp_uploads("/tables/t", &asked[..1000])
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
    }
    let none = Script::play(vec![]).await;
    assert!(
        none.client()
            .create_temp_uploads("/tables/t", &[])
            .await
            .unwrap()
            .is_empty()
    );
}

/// A file in a folder that goes with it.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new(content: &[u8]) -> Self {
        let name = format!(
            "redivis-sending-{}-{}",
            std::process::id(),
            fastrand::u64(..)
        );
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, content).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn files_are_streamed_and_must_not_change() {
    let length = 9 * MIB;
    let file = Scratch::new(text(length).as_bytes());
    let script = Script::play_at(|origin| {
        vec![
            created(origin, length, true),
            opened(origin),
            Answer::Early(3 * MIB, Vec::new()),
            holds(3 * MIB),
            holds(9 * MIB),
            status("200 OK"),
        ]
    })
    .await;
    let client = script.client().with_upload_chunk_size(Some(8 << 20));
    let upload = temp_upload(&client, length).await;
    let content = Content::file(&file.0).await.unwrap();
    assert_eq!(content.len(), length as u64);
    let progress = Arc::new(SendProgress::default());
    client.send(&upload, &content, &progress).await.unwrap();
    assert!(script.parts(4).1 == text(length)[3 * MIB..]);

    // Longer, shorter, rewritten or gone: nothing that would complete is sent.
    let changes: [fn(&std::path::Path); 4] = [
        |path| {
            let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
            file.write_all(b"more").unwrap();
        },
        |path| {
            let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
            file.set_len(10).unwrap();
        },
        |path| {
            let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
            file.set_modified(std::time::SystemTime::UNIX_EPOCH)
                .unwrap();
        },
        |path| std::fs::remove_file(path).unwrap(),
    ];
    for change in changes {
        let file = Scratch::new(text(1000).as_bytes());
        let content = Content::file(&file.0).await.unwrap();
        change(&file.0);
        for resumable in [true, false] {
            let script = Script::play_at(|origin| {
                let mut answers = vec![created(origin, 1000, resumable)];
                if resumable {
                    answers.push(opened(origin));
                }
                answers.extend([status("200 OK"), status("200 OK")]);
                answers
            })
            .await;
            let client = script.client();
            let upload = temp_upload(&client, 1000).await;
            let error = client.send(&upload, &content, &progress).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
            assert!(!error.is_retryable());
            let whole = text(1000);
            assert!(
                script
                    .requests()
                    .iter()
                    .all(|request| !request.ends_with(&whole))
            );
        }
    }
    let folder = Content::file(std::env::temp_dir()).await.unwrap_err();
    assert_eq!(folder.kind(), ErrorKind::Invalid);
    let missing = Content::file("/nowhere/at/all").await.unwrap_err();
    assert!(missing.to_string().contains("/nowhere/at/all"), "{missing}");
}

#[tokio::test]
async fn another_size_than_announced_is_not_sent() {
    let script = Script::play_at(|origin| vec![created(origin, 100, false)]).await;
    let client = script.client();
    let upload = temp_upload(&client, 100).await;
    let content = Content::bytes(text(99));
    let error = client
        .send(&upload, &content, &Arc::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(script.requests().len(), 1);
}

#[tokio::test]
async fn a_slow_line_is_no_stall_and_dropping_stops() {
    // The service reads slowly, yet each piece comes before the idle timeout.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let session = SessionUrl::from_secret(format!("http://{address}{SESSION}"));
    let (closed, told) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut buffer = vec![0; 64 << 10];
        let _ = socket.read(&mut buffer).await;
        let keep = response("308 Resume Incomplete", "", b"");
        let keep = String::from_utf8(keep)
            .unwrap()
            .replace("Connection: close\r\n", "");
        socket.write_all(keep.as_bytes()).await.unwrap();
        // Until the client is gone.
        while !matches!(socket.read(&mut buffer).await, Ok(0) | Err(_)) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        closed.send(()).unwrap();
    });
    let client = Client::builder()
        .endpoint(format!("http://{address}"))
        .response_timeout(Duration::from_millis(300))
        .read_timeout(Duration::from_millis(300))
        .build()
        .unwrap();
    let content = Content::bytes(vec![7; 200 * MIB]);
    let progress = Arc::new(SendProgress::default());
    let (sending, watched) = (client.clone(), Arc::clone(&progress));
    let task = tokio::spawn(async move { sending.resume(&session, &content, &watched).await });
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(!task.is_finished());
    assert!(progress.sent() > 0);
    assert_eq!(progress.interruptions(), 0);
    task.abort();
    tokio::time::timeout(Duration::from_secs(5), told)
        .await
        .unwrap()
        .unwrap();
}

/// A service at the end of a slow line: it takes a body piece by piece, and answers when it has all of it. Counts the bodies.
async fn slow_line(resumable: bool) -> (String, Arc<AtomicUsize>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(64 << 10).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(16).unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let bodies = Arc::new(AtomicUsize::new(0));
    let (counted, at) = (Arc::clone(&bodies), origin.clone());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let (counted, at) = (Arc::clone(&counted), at.clone());
            tokio::spawn(async move {
                let (head, mut body) = crate::script::read_head(&mut socket).await.unwrap();
                let length = crate::script::content_length(&head);
                let is_body = head.starts_with("PUT ") && length > 0;
                counted.fetch_add(usize::from(is_body), Ordering::Relaxed);
                let mut piece = vec![0; 64 << 10];
                while body.len() < length {
                    match socket.read(&mut piece).await {
                        Ok(0) | Err(_) => return,
                        Ok(n) => body.extend_from_slice(&piece[..n]),
                    }
                    if is_body {
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                }
                let answer = match head.split(' ').next() {
                    Some("PUT") => response("200 OK", "", b""),
                    _ if head.contains("/tempUploads") => {
                        let Answer::Bytes(bytes) = created(&at, SLOW, resumable) else {
                            return;
                        };
                        bytes
                    }
                    _ => response("201 Created", &format!("Location: {at}{SESSION}\r\n"), b""),
                };
                let _ = socket.write_all(&answer).await;
            });
        }
    });
    (origin, bodies)
}

/// More than the buffers on the way hold.
const SLOW: usize = 7 * MIB;

#[tokio::test]
async fn a_slow_line_is_not_cut_while_the_last_bytes_are_on_their_way() {
    for resumable in [false, true] {
        let (origin, bodies) = slow_line(resumable).await;
        let client = Client::builder()
            .endpoint(format!("{origin}/api/v1"))
            .read_timeout(Duration::from_millis(500))
            .response_timeout(Duration::from_millis(500))
            .retry(RetryPolicy::never())
            .build()
            .unwrap();
        let upload = temp_upload(&client, SLOW).await;
        let progress = Arc::new(SendProgress::default());
        let content = Content::bytes(text(SLOW));
        client.send(&upload, &content, &progress).await.unwrap();
        assert_eq!(progress.interruptions(), 0);
        assert_eq!(bodies.load(Ordering::Relaxed), 1);
    }
}
