//! The resumable protocol, request by request.

use std::io;

use futures::{StreamExt, future::join_all, stream};
use reqwest::{Body, Client};

use super::{announced, drafting, pattern, progress, refusal, sent, started, stored};

const CHUNK: usize = 256 << 10;

#[tokio::test]
async fn the_whole_in_one_request() {
    let local = drafting(|_| ()).await;
    let bytes = pattern(1_000_000);
    // As Python sends it, as R does, and as if it were no session.
    for range in [
        Some("bytes 0-999999/1000000"),
        Some("bytes 0-999999/1e+06"),
        Some("bytes 0-999999/*"),
        None,
    ] {
        let url = announced(&local, bytes.len(), true).await;
        let session = started(&url, bytes.len()).await;
        let mut request = Client::new().put(&session).body(bytes.clone());
        if let Some(range) = range {
            request = request.header("content-range", range);
        }
        let response = request.send().await.unwrap();
        assert_eq!(progress(&response), (200, None), "{range:?}");
        let last = sent(&session, "bytes */1000000", b"").await;
        assert_eq!(progress(&last), (200, None));
    }
    assert_eq!(stored(local.folder.path()), vec![bytes; 4]);
}

#[tokio::test]
async fn chunks_with_known_and_unknown_totals() {
    let local = drafting(|_| ()).await;
    let bytes = pattern(2_000_000);
    for known in [true, false] {
        let url = announced(&local, bytes.len(), true).await;
        let session = started(&url, bytes.len()).await;
        let total = |last: bool| if known || last { "2000000" } else { "*" };
        assert_eq!(
            progress(&sent(&session, "*/2000000", b"").await),
            (308, None)
        );
        for (start, chunk) in (0..).step_by(2 * CHUNK).zip(bytes.chunks(2 * CHUNK)) {
            let end = start + chunk.len();
            let is_last = end == bytes.len();
            let range = format!("bytes {start}-{}/{}", end - 1, total(is_last));
            let response = sent(&session, &range, chunk).await;
            let expected = if is_last {
                (200, None)
            } else {
                (308, Some(end))
            };
            assert_eq!(progress(&response), expected, "{range}");
            for probe in [
                "bytes */2000000",
                "bytes */2e+06",
                "*/2000000",
                "bytes */*",
                "*/*",
            ] {
                assert_eq!(
                    progress(&sent(&session, probe, b"").await),
                    expected,
                    "{probe}"
                );
            }
        }
    }
    assert_eq!(stored(local.folder.path()), vec![bytes; 2]);
}

#[tokio::test]
async fn bytes_that_are_there_are_not_written_again() {
    let local = drafting(|_| ()).await;
    let bytes = pattern(4 * CHUNK);
    let other = vec![b'x'; 4 * CHUNK];
    let url = announced(&local, bytes.len(), true).await;
    let session = started(&url, bytes.len()).await;
    let total = bytes.len();
    let range = |from: usize, to: usize| format!("bytes {from}-{}/{total}", to - 1);
    let (one, two, three) = (CHUNK, 2 * CHUNK, 3 * CHUNK);

    let response = sent(&session, &range(0, two), &bytes[..two]).await;
    assert_eq!(progress(&response), (308, Some(two)));
    // Repeated, contained, and overlapping. What is skipped is told by its being something else.
    let response = sent(&session, &range(0, two), &other[..two]).await;
    assert_eq!(progress(&response), (308, Some(two)));
    let response = sent(&session, &range(0, one), &other[..one]).await;
    assert_eq!(progress(&response), (308, Some(two)));
    let overlap = [&other[one..two], &bytes[two..three]].concat();
    let response = sent(&session, &range(one, three), &overlap).await;
    assert_eq!(progress(&response), (308, Some(three)));
    let all = [&other[..three], &bytes[three..]].concat();
    assert_eq!(
        progress(&sent(&session, &range(0, total), &all).await),
        (200, None)
    );
    assert_eq!(
        progress(&sent(&session, &range(0, total), &other).await),
        (200, None)
    );
    assert_eq!(stored(local.folder.path()), [bytes]);
}

#[tokio::test]
async fn wrong_ranges_change_nothing() {
    let local = drafting(|_| ()).await;
    let bytes = pattern(4 * CHUNK);
    let total = bytes.len();
    let url = announced(&local, total, true).await;
    let session = started(&url, total).await;
    let first = format!("bytes 0-{}/{total}", CHUNK - 1);
    assert_eq!(sent(&session, &first, &bytes[..CHUNK]).await.status(), 308);

    let ranges = [
        // A gap; past the end; another total; no multiple; no range at all.
        (
            format!("bytes {}-{}/{total}", CHUNK + 1, total - 1),
            total - CHUNK - 1,
            "go on from there",
        ),
        (
            format!("bytes {CHUNK}-{total}/*"),
            total + 1 - CHUNK,
            "created for",
        ),
        (
            format!("bytes {CHUNK}-{total}/{}", total + 1),
            total + 1 - CHUNK,
            "created for",
        ),
        (
            format!("bytes {CHUNK}-{}/{total}", CHUNK + 99),
            100,
            "multiples",
        ),
        (
            format!("bytes {CHUNK}-{}/{}", total - 1, total + 5),
            total - CHUNK,
            "created for",
        ),
        ("bytes */17".to_owned(), 0, "created for"),
        ("bytes 5-1/10".to_owned(), 1, "`Content-Range` must be"),
        ("lines 1-2/3".to_owned(), 1, "`Content-Range` must be"),
        (String::new(), 1, "`Content-Range` must be"),
        // Another number of bytes than the range has.
        (
            format!("bytes {CHUNK}-{}/{total}", total - 1),
            12,
            "the body has 12",
        ),
    ];
    for (range, length, words) in ranges {
        let (status, told) = refusal(sent(&session, &range, &vec![b'x'; length]).await).await;
        assert!(status == 400 && told.contains(words), "{range}: {told}");
        let response = sent(&session, "bytes */*", b"").await;
        assert_eq!(progress(&response), (308, Some(CHUNK)), "{range}");
    }

    // Chunked bodies have no length to be checked beforehand: what belongs to the range is kept.
    let rest = format!("bytes {CHUNK}-{}/{total}", total - 1);
    let put = |body: Body| {
        let request = Client::new().put(&session).header("content-range", &rest);
        request.body(body).send()
    };
    let piece = |bytes: &[u8]| Body::wrap_stream(stream::iter([io::Result::Ok(bytes.to_vec())]));
    assert_eq!(put(piece(b"")).await.unwrap().status(), 400);
    let response = put(piece(&bytes[CHUNK..CHUNK + 50])).await.unwrap();
    assert_eq!(response.status(), 400);
    let response = sent(&session, "bytes */*", b"").await;
    assert_eq!(progress(&response), (308, Some(CHUNK + 50)));
    let excess = [&bytes[CHUNK..], b"more"].concat();
    assert_eq!(put(piece(&excess)).await.unwrap().status(), 413);
    assert_eq!(sent(&session, "bytes */*", b"").await.status(), 200);
    assert_eq!(stored(local.folder.path()), [bytes]);
}

#[tokio::test]
async fn an_empty_file_is_complete_when_asked_for() {
    let local = drafting(|_| ()).await;
    for range in ["bytes */0", "bytes 0--1/0", "*/*"] {
        let url = announced(&local, 0, true).await;
        let session = started(&url, 0).await;
        assert_eq!(sent(&session, range, b"").await.status(), 200, "{range}");
    }
}

#[tokio::test]
async fn another_start_begins_anew() {
    let local = drafting(|_| ()).await;
    let bytes = pattern(2 * CHUNK);
    let url = announced(&local, bytes.len(), true).await;
    let former = started(&url, bytes.len()).await;
    let range = format!("bytes 0-{}/*", CHUNK - 1);
    assert_eq!(sent(&former, &range, &bytes[..CHUNK]).await.status(), 308);
    let session = started(&url, bytes.len()).await;
    assert_ne!(former, session);
    assert_eq!(sent(&former, "bytes */*", b"").await.status(), 404);
    let response = sent(&session, "bytes */*", b"").await;
    assert_eq!(progress(&response), (308, None));
    let whole = format!("bytes 0-{0}/{1}", bytes.len() - 1, bytes.len());
    assert_eq!(sent(&session, &whole, &bytes).await.status(), 200);
    assert_eq!(stored(local.folder.path()), [bytes]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_at_once_make_one_file() {
    let local = drafting(|_| ()).await;
    let bytes = pattern(3_000_000);
    let range = format!("bytes 0-{0}/{1}", bytes.len() - 1, bytes.len());
    for _ in 0..5 {
        let url = announced(&local, bytes.len(), true).await;
        let session = started(&url, bytes.len()).await;
        let tries = join_all((0..8).map(|_| async {
            let mut tries = 0;
            // Whoever is overtaken is told so, and goes on where the others came.
            loop {
                tries += 1;
                let pieces: Vec<_> = bytes.chunks(50_000).map(<[u8]>::to_vec).collect();
                let body = stream::iter(pieces).map(io::Result::Ok);
                let request = Client::new().put(&session).header("content-range", &range);
                let response = request.body(Body::wrap_stream(body)).send().await;
                match response.map(|response| response.status().as_u16()) {
                    Ok(200) => return tries,
                    Ok(409) | Err(_) => {}
                    Ok(status) => panic!("{status}"),
                }
            }
        }))
        .await;
        assert_eq!(tries.len(), 8);
    }
    assert_eq!(stored(local.folder.path()), vec![bytes; 5]);
}

#[tokio::test]
async fn who_comes_back_does_not_wait_for_the_lost_connection() {
    let local = drafting(|_| ()).await;
    let bytes = pattern(100_000);
    let url = announced(&local, bytes.len(), true).await;
    let session = started(&url, bytes.len()).await;
    let range = format!("bytes 0-{0}/{1}", bytes.len() - 1, bytes.len());
    // A connection that says no more, and does not end either.
    let stuck = Client::new().put(&session).header("content-range", &range);
    let stuck = tokio::spawn(
        stuck
            .body(Body::wrap_stream(
                stream::iter([io::Result::Ok(bytes[..40_000].to_vec())]).chain(stream::pending()),
            ))
            .send(),
    );
    loop {
        let response = sent(&session, "bytes */*", b"").await;
        if progress(&response) == (308, Some(40_000)) {
            break;
        }
    }
    let rest = format!("bytes 40000-{0}/{1}", bytes.len() - 1, bytes.len());
    assert_eq!(sent(&session, &rest, &bytes[40_000..]).await.status(), 200);
    let (status, words) = refusal(stuck.await.unwrap().unwrap()).await;
    assert!(status == 409 && words.contains("newer request"), "{words}");
    assert_eq!(stored(local.folder.path()), [bytes]);
}
