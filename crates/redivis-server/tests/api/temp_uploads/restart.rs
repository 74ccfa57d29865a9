//! A server that is killed in the middle of an upload: the next one goes on where it was.

use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::{pattern, process::Process, progress, sent, started, stored};
use crate::support::put;

#[tokio::test]
async fn what_was_confirmed_is_there_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = pattern(3_000_000);
    let mut server = Process::start(folder.path(), &[]);
    let url = server.announced(folder.path(), bytes.len()).await;
    let session = started(&url, bytes.len()).await;

    let mut there = 0;
    for round in 1..=6 {
        // It is killed while bytes come; how far it came is found out only after.
        let url = server.here(&session);
        let (address, path) = url
            .strip_prefix("http://")
            .unwrap()
            .split_once('/')
            .unwrap();
        let mut connection = TcpStream::connect(address).await.unwrap();
        let (total, last) = (bytes.len(), bytes.len() - 1);
        let head = format!(
            "PUT /{path} HTTP/1.1\r\nhost: h\r\ncontent-range: bytes {there}-{last}/{total}\r\ncontent-length: {}\r\n\r\n",
            total - there
        );
        connection.write_all(head.as_bytes()).await.unwrap();
        let part = &bytes[there..there + 400_000 * round / 6 + 1];
        connection.write_all(part).await.unwrap();
        let confirmed = progress(&sent(&url, "bytes */*", b"").await).1.unwrap_or(0);
        drop(server);

        // What a crash leaves half-made is cleared away.
        put(folder.path(), ".redivis/temporary/.aside-left", b"half");
        server = Process::start(folder.path(), &[]);
        let now = progress(&sent(&server.here(&session), "bytes */*", b"").await);
        assert_eq!(now.0, 308);
        let now = now.1.unwrap_or(0);
        assert!(now >= confirmed && now <= there + part.len());
        assert_eq!(stored(folder.path()), [&bytes[..now]]);
        there = now;
    }
    let range = format!("bytes {there}-{}/{}", bytes.len() - 1, bytes.len());
    let response = sent(&server.here(&session), &range, &bytes[there..]).await;
    assert_eq!(response.status(), 200);
    drop(server);
    let server = Process::start(folder.path(), &[]);
    let response = sent(&server.here(&session), "bytes */*", b"").await;
    assert_eq!(response.status(), 200);
    assert_eq!(stored(folder.path()), [bytes]);
}
