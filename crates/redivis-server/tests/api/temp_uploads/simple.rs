//! Plain `PUT`s: all bytes in one request, or nothing.

use std::{io, time::Duration};

use futures::stream;
use reqwest::{Body, Client};

use super::{announced, drafting, pattern, refusal, started, starting, stored};

fn chunked(pieces: Vec<io::Result<Vec<u8>>>) -> Body {
    Body::wrap_stream(stream::iter(pieces))
}

async fn put(url: &str, body: impl Into<Body>) -> reqwest::Response {
    Client::new().put(url).body(body).send().await.unwrap()
}

#[tokio::test]
async fn bytes_are_kept_as_they_are_sent() {
    let local = drafting(|_| ()).await;
    for length in [0, 1, 300_000] {
        let bytes = pattern(length);
        // With a length, and chunked.
        for body in [
            Body::from(bytes.clone()),
            chunked(bytes.chunks(7001).map(|piece| Ok(piece.to_vec())).collect()),
        ] {
            let url = announced(&local, length, false).await;
            let before = stored(local.folder.path()).len();
            let response = put(&url, body).await;
            assert_eq!(response.status(), 200);
            assert_eq!(response.bytes().await.unwrap().len(), 0);
            let stored = stored(local.folder.path());
            assert_eq!(stored.len(), before + 1);
            assert!(stored.contains(&bytes));
        }
    }
}

#[tokio::test]
async fn another_length_is_refused_and_leaves_nothing() {
    let local = drafting(|_| ()).await;
    let url = announced(&local, 1000, false).await;
    for length in [0, 999, 1001, 5_000_000] {
        for body in [
            Body::from(pattern(length)),
            chunked(vec![Ok(pattern(length))]),
        ] {
            let (status, words) = refusal(put(&url, body).await).await;
            assert!([400, 413].contains(&status), "{length}: {status} {words}");
            assert!(words.contains("1000 bytes"), "{words}");
        }
    }
    assert_eq!(stored(local.folder.path()), Vec::<Vec<u8>>::new());
}

#[tokio::test]
async fn an_empty_second_try_is_believed_only_if_the_bytes_are_there() {
    let local = drafting(|_| ()).await;
    let bytes = pattern(5000);
    let url = announced(&local, 5000, false).await;
    // The first try broke, and the client's body is used up.
    let broken = chunked(vec![
        Ok(bytes[..3000].to_vec()),
        Err(io::Error::other("the cable was pulled")),
    ]);
    assert!(Client::new().put(&url).body(broken).send().await.is_err());
    assert_eq!(put(&url, chunked(vec![])).await.status(), 400);

    assert_eq!(put(&url, bytes.clone()).await.status(), 200);
    // It was only the answer that got lost.
    assert_eq!(put(&url, chunked(vec![])).await.status(), 200);
    assert_eq!(put(&url, Body::from("")).await.status(), 200);
    assert_eq!(put(&url, pattern(4999)).await.status(), 400);
    assert_eq!(stored(local.folder.path()), [bytes]);
    let mut other = pattern(5000);
    other.reverse();
    assert_eq!(put(&url, other.clone()).await.status(), 200);
    assert_eq!(stored(local.folder.path()), [other]);
}

#[tokio::test]
async fn the_two_protocols_are_not_mixed() {
    let local = drafting(|_| ()).await;
    let plain = announced(&local, 10, false).await;
    let (status, words) = refusal(starting(&plain).send().await.unwrap()).await;
    assert!(status == 400 && words.contains("resumable"), "{words}");
    let resumable = announced(&local, 10, true).await;
    let (status, words) = refusal(put(&resumable, pattern(10)).await).await;
    assert!(
        status == 400 && words.contains("x-goog-resumable"),
        "{words}"
    );
    let response = Client::new().post(&resumable).send().await.unwrap();
    assert_eq!(response.status(), 400);
    let (status, words) = refusal(
        starting(&resumable)
            .header("x-upload-content-length", "11")
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert!(status == 400 && words.contains("10 bytes"), "{words}");
    let response = starting(&resumable)
        .header("x-upload-content-length", "1e+01")
        .send();
    assert_eq!(response.await.unwrap().status(), 201);
}

#[tokio::test]
async fn unknown_urls_are_not_found() {
    let local = drafting(|_| ()).await;
    let endpoint = local.server.endpoint();
    for path in ["tempUploads/x", "uploadSessions/x"] {
        let response = put(&format!("{endpoint}/{path}"), "x").await;
        assert_eq!(response.status(), 404);
    }
    let response = starting(&format!("{endpoint}/tempUploads/x")).send();
    assert_eq!(response.await.unwrap().status(), 404);
}

#[tokio::test]
async fn their_time_ends_and_their_bytes_go() {
    let lifetime = Duration::from_millis(1500);
    let local = drafting(|config| config.temp_upload_ttl = lifetime).await;
    let plain = announced(&local, 4, false).await;
    assert_eq!(put(&plain, "1234").await.status(), 200);
    let resumable = announced(&local, 4, true).await;
    let session = started(&resumable, 4).await;
    assert_eq!(stored(local.folder.path()).len(), 2);

    // Told at once when the time is over, and forgotten soon after.
    let gone = async {
        while !stored(local.folder.path()).is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone)
        .await
        .unwrap();
    for url in [&plain, &session] {
        let status = put(url, "1234").await.status().as_u16();
        assert!(status == 404 || status == 410, "{status}");
    }
    let status = starting(&resumable).send().await.unwrap().status().as_u16();
    assert!(status == 404 || status == 410, "{status}");
}
