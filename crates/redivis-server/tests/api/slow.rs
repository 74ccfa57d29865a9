//! Clients that are slow, stuck or gone: they are given up after a time, and nobody else notices.

use std::time::{Duration, Instant};

use futures::future::join_all;
use redivis_server::Config;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::support::{Local, numbers, parquet};

const PATIENCE: Duration = Duration::from_millis(700);
/// Long enough on a busy machine.
const LIMIT: Duration = Duration::from_secs(30);

async fn impatient(set: impl FnOnce(&mut Config)) -> Local {
    let table = parquet(&numbers(3));
    let files = [
        ("o/d/t.parquet", table.as_slice()),
        ("o/d/next/t/u.parquet", table.as_slice()),
    ];
    Local::with(&files, |config| {
        config.patience = PATIENCE;
        set(config);
    })
    .await
}

async fn connected(local: &Local, start: &str) -> TcpStream {
    let mut stream = TcpStream::connect(local.server.address()).await.unwrap();
    stream.write_all(start.as_bytes()).await.unwrap();
    stream
}

/// Everything that the server still says, until it closes the connection.
async fn rest(mut stream: TcpStream) -> String {
    let mut said = Vec::new();
    let reading = stream.read_to_end(&mut said);
    // A reset is an end as well.
    let _ = timeout(LIMIT, reading).await.expect("the server hangs up");
    String::from_utf8_lossy(&said).into_owned()
}

#[tokio::test]
async fn who_does_not_finish_a_request_is_given_up_and_others_are_served() {
    let local = impatient(|_| ()).await;
    let token = local.server.token().unwrap();
    let body = format!(
        "POST /api/v1/tables/o.d.t/readSessions HTTP/1.1\r\nhost: h\r\nauthorization: Bearer {token}\r\ncontent-length: 100\r\n\r\n{{"
    );
    let stuck = [
        "",
        "GET /api/v1/users/me HT",
        "GET /api/v1/users/me HTTP/1.1\r\nhost: h\r\nx-slow: ",
        &body,
    ];
    let stuck = join_all((0..60).map(|n| connected(&local, stuck[n % stuck.len()]))).await;
    let started = Instant::now();
    assert_eq!(local.text("/tables/o.d.t/rows").await.lines().count(), 3);
    assert!(started.elapsed() < PATIENCE, "others waited");
    for said in join_all(stuck.into_iter().map(rest)).await {
        assert!(!said.contains("200 OK"), "{said}");
    }
}

#[tokio::test]
async fn one_byte_at_a_time_is_too_slow_for_headers() {
    let local = impatient(|_| ()).await;
    let mut stream = connected(&local, "GET /api/v1/users/me HTTP/1.1\r\nx-slow: ").await;
    let dripping = async {
        // Each byte comes in time, but the end does not.
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(PATIENCE / 10).await;
        }
    };
    timeout(LIMIT, dripping).await.expect("the server hangs up");
}

#[tokio::test]
async fn a_connection_is_not_kept_idle_for_ever() {
    let local = impatient(|_| ()).await;
    let request = "GET /api/v1/nothing HTTP/1.1\r\nhost: h\r\n\r\n";
    let said = rest(connected(&local, request).await).await;
    assert!(said.starts_with("HTTP/1.1 404"), "{said}");
}

#[tokio::test]
async fn what_a_stuck_upload_sent_is_kept() {
    let local = impatient(|_| ()).await;
    let entry = json!({"tempUploads": [{"size": 1000, "resumable": true}]});
    let (_, body) = local.post("/tables/o.d:next.t/tempUploads", entry).await;
    let url = body["results"][0]["url"].as_str().unwrap();
    let client = reqwest::Client::new();
    let start = client.post(url).header("x-goog-resumable", "start");
    let start = start.header("content-length", "0").send().await.unwrap();
    let session = start.headers()["location"].to_str().unwrap().to_owned();
    let path = session.split_once("/api/").unwrap().1;
    let head = format!(
        "PUT /api/{path} HTTP/1.1\r\nhost: h\r\ncontent-range: bytes 0-999/1000\r\ncontent-length: 1000\r\n\r\n"
    );
    let said = rest(connected(&local, &format!("{head}{}", "x".repeat(300))).await).await;
    assert!(said.starts_with("HTTP/1.1 400"), "{said}");
    let probe = client.put(&session).header("content-range", "bytes */1000");
    let probe = probe.header("content-length", "0").send().await.unwrap();
    assert_eq!(probe.status(), 308);
    assert_eq!(probe.headers()["range"], "bytes=0-299");
}

#[tokio::test]
async fn who_takes_no_more_of_an_answer_is_given_up() {
    let local = impatient(|config| config.patience = Duration::from_secs(2)).await;
    let new = json!({"name": "files", "publicAccessLevel": "none"});
    assert!(
        local
            .post("/users/local/datasets", new)
            .await
            .0
            .is_success()
    );
    let new = json!({"name": "index", "isFileIndex": true});
    let (status, _) = local.post("/datasets/local.files:next/tables", new).await;
    assert!(status.is_success());
    // More than the sockets between hold.
    let size = 40_000_000;
    let entry = json!({"tempUploads": [{"size": size}]});
    let table = "/tables/local.files:next.index";
    let (_, body) = local.post(&format!("{table}/tempUploads"), entry).await;
    let upload = &body["results"][0];
    let client = reqwest::Client::new();
    let put = client
        .put(upload["url"].as_str().unwrap())
        .body(vec![7; size]);
    assert_eq!(put.send().await.unwrap().status(), 200);
    let files = json!({"files": [{"name": "large", "tempUploadId": upload["id"]}]});
    let (status, body) = local.post(&format!("{table}/rawFiles"), files).await;
    assert_eq!(status, 201);
    let id = body["results"][0]["id"].as_str().unwrap();

    let token = local.server.token().unwrap();
    let request = format!(
        "GET /api/v1/rawFiles/{id} HTTP/1.1\r\nhost: h\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
    );
    // Who reads on gets all of it.
    let whole = rest(connected(&local, &request).await).await;
    assert!(whole.len() > size);
    // Who stops does not, however late it comes back.
    let mut stuck = connected(&local, &request).await;
    let mut begun = [0; 12];
    stuck.read_exact(&mut begun).await.unwrap();
    assert_eq!(begun, *b"HTTP/1.1 200");
    let server = local.server;
    // The end waits for what is being answered: that is over before the grace, because the client was given up.
    let started = Instant::now();
    server.stop().await;
    assert!(
        started.elapsed() < Duration::from_millis(4500),
        "{:?}",
        started.elapsed()
    );
    let part = rest(stuck).await;
    assert!(part.len() < size, "{} bytes", part.len());
}

#[tokio::test]
async fn what_is_under_way_is_finished_before_the_end() {
    let local = impatient(|config| config.patience = LIMIT).await;
    let entry = json!({"tempUploads": [{"size": 10}]});
    let (_, body) = local.post("/tables/o.d:next.t/tempUploads", entry).await;
    let url = body["results"][0]["url"].as_str().unwrap();
    let path = url.split_once("/api/").unwrap().1;
    let head = format!("PUT /api/{path} HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\n12345");
    let mut stream = connected(&local, &head).await;
    let idle = connected(&local, "").await;
    let address = local.server.address();
    // It is under way once the server has made a file for it.
    let folder = local.folder.path().join(".redivis/temporary");
    let under_way = async {
        while std::fs::read_dir(&folder).unwrap().count() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LIMIT, under_way).await.unwrap();
    let stop = tokio::spawn(local.server.stop());
    assert_eq!(rest(idle).await, "");
    assert!(
        TcpStream::connect(address).await.is_err(),
        "it still listens"
    );
    stream.write_all(b"67890").await.unwrap();
    let said = rest(stream).await;
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    stop.await.unwrap();
}

#[tokio::test]
async fn headers_are_limited() {
    let local = impatient(|_| ()).await;
    let many = format!(
        "GET /api/v1/users/me HTTP/1.1\r\nx: {}\r\n\r\n",
        "y".repeat(1 << 20)
    );
    let mut stream = TcpStream::connect(local.server.address()).await.unwrap();
    // The server may hang up before all of it is sent.
    let _ = stream.write_all(many.as_bytes()).await;
    let said = rest(stream).await;
    assert!(
        said.is_empty() || said.starts_with("HTTP/1.1 431"),
        "{said}"
    );
    let names = vec!["n"; 20_000].join(",");
    let (status, error) = local
        .get(&format!("/tables/o.d.t/rows?selectedVariables={names}"))
        .await;
    let told = error["error_description"].as_str().unwrap();
    assert!(status == 400 && told.contains("twice"));
}
