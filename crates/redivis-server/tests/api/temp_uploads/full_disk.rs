//! A disk that takes no more: the client is told, what was confirmed stays, and the server goes on.

use super::{pattern, process::Process, progress, refusal, sent, started, stored};

/// No file may become larger than 1 MB (sh counts blocks of 512 bytes).
const SMALL: [&str; 4] = [
    "sh",
    "-c",
    r#"trap '' XFSZ; ulimit -f 2000; exec "$@""#,
    "sh",
];

#[tokio::test]
async fn what_was_confirmed_stays_and_the_rest_is_told_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path(), &SMALL);
    let bytes = pattern(3_000_000);
    let url = server.announced(folder.path(), bytes.len()).await;
    let session = started(&url, bytes.len()).await;
    let (chunk, last) = (512 << 10, bytes.len() - 1);
    let first = sent(
        &session,
        &format!("bytes 0-{}/*", chunk - 1),
        &bytes[..chunk],
    )
    .await;
    assert_eq!(progress(&first), (308, Some(chunk)));
    let rest = format!("bytes {chunk}-{last}/{}", bytes.len());
    let refused = sent(&session, &rest, &bytes[chunk..]).await;
    let (status, words) = refusal(refused).await;
    assert!(status == 507 && words.contains("full"), "{status} {words}");
    let (status, there) = progress(&sent(&session, "bytes */*", b"").await);
    let there = there.unwrap();
    assert!(
        status == 308 && (chunk..=1_024_000).contains(&there),
        "{there}"
    );
    assert_eq!(stored(folder.path()), [&bytes[..there]]);

    let url = server.announced(folder.path(), 1000).await;
    let session = started(&url, 1000).await;
    assert_eq!(
        sent(&session, "bytes 0-999/1000", &bytes[..1000])
            .await
            .status(),
        200
    );
}
