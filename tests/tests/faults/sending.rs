//! Bytes sent over connections that break at random places: each arrives once, whatever happens on the way.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use redivis::write::{Content, NewTempUpload, SendProgress, SessionUrl, TempUpload};
use redivis::{Client, RetryPolicy, Token};
use redivis_tests::proxy::{Action, Break, End, Exchange, Proxy, Request};
use redivis_tests::server::Server;
use tempfile::TempDir;

use crate::wire::within;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// A server with a draft to send to, and the proxy before it.
struct Line {
    server: Server,
    proxy: Proxy,
    data: TempDir,
}

impl Line {
    async fn start() -> Line {
        let data = TempDir::new().unwrap();
        let draft = data.path().join("local/sending/next/t");
        fs::create_dir_all(&draft).unwrap();
        fs::write(draft.join("first.csv"), "a\n1\n").unwrap();
        let folder = data.path().to_owned();
        let server = tokio::task::spawn_blocking(move || Server::directory(&folder));
        let server = server.await.unwrap();
        let proxy = Proxy::start(server.endpoint()).await;
        Line {
            server,
            proxy,
            data,
        }
    }

    /// A client as of another process, that tries often and never waits long.
    fn client(&self) -> Client {
        Client::builder()
            .endpoint(self.proxy.endpoint())
            .token(Token::new(self.server.token().unwrap()))
            .response_timeout(Duration::from_millis(700))
            .read_timeout(Duration::from_millis(700))
            .retry(RetryPolicy {
                max_attempts: 30,
                initial_backoff: Duration::from_millis(1),
                max_backoff: Duration::from_millis(5),
                ..RetryPolicy::default()
            })
            .build()
            .unwrap()
    }

    async fn temp_upload(&self, size: u64, resumable: bool) -> TempUpload {
        let new = NewTempUpload {
            name: "sent".to_owned(),
            size,
            resumable,
        };
        let created = self
            .client()
            .create_temp_uploads("/tables/local.sending:next.t", &[new])
            .await;
        created.unwrap().remove(0)
    }

    /// The files that hold what temp uploads received.
    fn stored(&self) -> BTreeSet<PathBuf> {
        let folder = self.data.path().join(".redivis/temporary");
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    /// The exchanges that sent bytes or asked for them, since a number of exchanges; all have ended.
    async fn puts(&self, since: usize) -> Vec<Exchange> {
        let mut exchanges = loop {
            let exchanges = self.proxy.exchanges().split_off(since);
            if exchanges.iter().all(|exchange| exchange.end.is_some()) {
                break exchanges;
            }
            // The client had its answer a moment before this is written down.
            tokio::time::sleep(Duration::from_millis(1)).await;
        };
        exchanges.retain(|exchange| exchange.request.method == "PUT");
        exchanges
    }
}

/// Bytes that no two places share, a file of their own each time.
fn content(folder: &Path, size: u64) -> PathBuf {
    let path = folder.join(format!("content-{size}-{}", fastrand::u64(..)));
    let mut bytes = vec![0; usize::try_from(size).unwrap()];
    fastrand::Rng::new().fill(&mut bytes);
    fs::write(&path, bytes).unwrap();
    path
}

#[track_caller]
fn assert_same(one: &Path, other: &Path) {
    let (mut one, mut other) = (File::open(one).unwrap(), File::open(other).unwrap());
    let size = one.metadata().unwrap().len();
    assert_eq!(size, other.metadata().unwrap().len());
    let (mut here, mut there) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    let mut at = 0;
    while at < size {
        let piece = usize::try_from((size - at).min(1 << 20)).unwrap();
        one.read_exact(&mut here[..piece]).unwrap();
        other.read_exact(&mut there[..piece]).unwrap();
        assert!(here[..piece] == there[..piece], "differs after {at}");
        at += piece as u64;
    }
}

/// Asserts what a resumable upload promises: each chunk starts where the service last said that it is, and chunks that are
/// not the last are multiples of 256 KiB. Returns the number of interruptions.
#[track_caller]
fn assert_no_byte_twice(puts: &[Exchange], total: u64) -> usize {
    let (mut acknowledged, mut interruptions) = (0, 0);
    for put in puts {
        let range = put.request.header("content-range").unwrap();
        let range = range.strip_prefix("bytes ").unwrap();
        let (range, of) = range.split_once('/').unwrap();
        assert_eq!(of, total.to_string());
        if let Some((first, last)) = range.split_once('-') {
            let (first, end) = (
                first.parse::<u64>().unwrap(),
                last.parse::<u64>().unwrap() + 1,
            );
            assert_eq!(first, acknowledged, "goes on where the service is");
            assert!(end == total || (end - first).is_multiple_of(256 * KIB));
        } else {
            assert_eq!(range, "*");
        }
        let reached_client = put.action == Action::Pass && put.end == Some(End::Answered);
        match put.status {
            Some(308) if reached_client => {
                let held = put
                    .headers
                    .iter()
                    .find(|(name, _)| name.eq_ignore_ascii_case("range"));
                let last = held.map(|(_, range)| range.strip_prefix("bytes=0-").unwrap());
                acknowledged = last.map_or(0, |last| last.parse::<u64>().unwrap() + 1);
            }
            Some(200) if reached_client => acknowledged = total,
            _ => interruptions += 1,
        }
    }
    assert_eq!(acknowledged, total);
    interruptions
}

/// Something that goes wrong with a request of so many bytes.
fn trouble(random: &mut fastrand::Rng, bytes: u64) -> Action {
    let after = random.u64(0..=bytes);
    match random.u8(0..8) {
        0 => Action::Close,
        1 => Action::Reset,
        2 => Action::Lose,
        3 | 4 => Action::Cut {
            after,
            how: Break::Close,
        },
        5 | 6 => Action::Cut {
            after,
            how: Break::Reset,
        },
        _ => {
            let status = random.choice([408, 409, 429, 500, 502, 503, 504]).unwrap();
            Action::reply(status, &[("Retry-After", "0")], "not now")
        }
    }
}

fn body_bytes(request: &Request) -> u64 {
    request.header("content-length").unwrap().parse().unwrap()
}

/// The first `times` requests that send bytes, or ask how many have arrived, meet trouble in two of three cases.
fn troubled(line: &Line, seed: u64, mut times: usize) {
    let mut random = fastrand::Rng::with_seed(seed);
    line.proxy.script(move |request| {
        if request.method != "PUT" || times == 0 || random.u8(0..3) == 0 {
            return Action::Pass;
        }
        times -= 1;
        trouble(&mut random, body_bytes(request))
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_uploads_are_cut_at_random_places() {
    let line = Line::start().await;
    let client = line.client();
    let mut interruptions = 0;
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let size = match seed % 10 {
            0 => random
                .choice([1, 256 * KIB - 1, 256 * KIB, 256 * KIB + 1, MIB])
                .unwrap(),
            1 if seed % 50 == 1 => 8 * MIB + random.u64(0..9 * MIB),
            _ => random.u64(1..600 * KIB),
        };
        let path = content(line.data.path(), size);
        let upload = line.temp_upload(size, true).await;
        let before = (line.stored(), line.proxy.exchanges().len());
        troubled(&line, seed, 5);
        let progress = Arc::new(SendProgress::default());
        let bytes = Content::file(&path).await.unwrap();
        let chunk = (seed % 2 == 0).then_some(256 * KIB);
        let client = client.clone().with_upload_chunk_size(chunk);
        let sent = within(client.send(&upload, &bytes, &progress)).await;
        sent.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert_eq!(progress.acknowledged(), size);
        assert_eq!(progress.restarts(), 0);
        interruptions += assert_no_byte_twice(&line.puts(before.1).await, size);
        let stored: Vec<_> = line.stored().difference(&before.0).cloned().collect();
        assert_eq!(stored.len(), 1);
        assert_same(&path, &stored[0]);
        fs::remove_file(path).unwrap();
    }
    assert!(interruptions > 400, "{interruptions}");
}

#[tokio::test(flavor = "multi_thread")]
async fn small_files_are_sent_again_from_their_start() {
    let line = Line::start().await;
    let client = line.client();
    for seed in 0..50 {
        let size = fastrand::Rng::with_seed(seed).u64(0..MIB / 2);
        let path = content(line.data.path(), size);
        let upload = line.temp_upload(size, false).await;
        let before = line.stored();
        troubled(&line, seed, 3);
        let bytes = Content::file(&path).await.unwrap();
        let sent = within(client.send(&upload, &bytes, &Arc::default())).await;
        sent.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let stored: Vec<_> = line.stored().difference(&before).cloned().collect();
        assert_eq!(stored.len(), 1);
        assert_same(&path, &stored[0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_megabytes_over_a_line_that_keeps_breaking() {
    let line = Line::start().await;
    let size = 200 * MIB + 12_345;
    // Mostly holes, with marks that show a byte out of place.
    let path = line.data.path().join("large");
    let mut file = File::create(&path).unwrap();
    file.set_len(size).unwrap();
    let mut random = fastrand::Rng::with_seed(200);
    for _ in 0..4000 {
        file.seek(SeekFrom::Start(random.u64(0..size - 8))).unwrap();
        file.write_all(&random.u64(..).to_le_bytes()).unwrap();
    }
    drop(file);

    let upload = line.temp_upload(size, true).await;
    let since = line.proxy.exchanges().len();
    troubled(&line, 200, 40);
    let progress = Arc::new(SendProgress::default());
    let bytes = Content::file(&path).await.unwrap();
    let client = line.client().with_upload_chunk_size(Some(8 * MIB));
    within(client.send(&upload, &bytes, &progress))
        .await
        .unwrap();
    let interruptions = assert_no_byte_twice(&line.puts(since).await, size);
    assert_eq!(interruptions, 40);
    assert_eq!(progress.interruptions(), 40);
    let stored = line.stored();
    assert_eq!(stored.len(), 1);
    assert_same(&path, stored.first().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_ends_is_followed_by_another_that_goes_on() {
    let line = Line::start().await;
    let size = 20 * MIB + 7;
    let path = content(line.data.path(), size);
    let upload = line.temp_upload(size, true).await;
    let secret = line.client().open_session(&upload).await.unwrap();
    let secret = secret.secret().to_owned();
    let since = line.proxy.exchanges().len();
    let mut processes = 0;
    loop {
        // All that one process leaves to the next is the URL.
        let session = SessionUrl::from_secret(secret.as_str());
        let client = line.client();
        let progress = Arc::new(SendProgress::default());
        let bytes = Content::file(&path).await.unwrap();
        let sending = {
            let progress = Arc::clone(&progress);
            tokio::spawn(async move { client.resume(&session, &bytes, &progress).await })
        };
        processes += 1;
        let enough = fastrand::u64(MIB..5 * MIB);
        while progress.sent() < enough && !sending.is_finished() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        if sending.is_finished() {
            sending.await.unwrap().unwrap();
            break;
        }
        sending.abort();
        assert!(sending.await.unwrap_err().is_cancelled());
    }
    assert!(processes > 3, "{processes}");
    let stored = line.stored();
    assert_same(&path, stored.first().unwrap());
    // What arrived was not sent again: the last process began where the others ended.
    let starts: Vec<u64> = line
        .puts(since)
        .await
        .iter()
        .filter_map(|put| {
            let range = put.request.header("content-range")?;
            let (first, _) = range.strip_prefix("bytes ")?.split_once('-')?;
            first.parse().ok()
        })
        .collect();
    assert!(starts.is_sorted(), "{starts:?}");
    assert!(starts.last() > Some(&(8 * MIB)), "{starts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_lost_is_replaced() {
    let line = Line::start().await;
    let size = 9 * MIB;
    let path = content(line.data.path(), size);
    let upload = line.temp_upload(size, true).await;
    let mut lost = false;
    line.proxy.script(move |request| {
        let is_second = request
            .header("content-range")
            .is_some_and(|range| range.starts_with("bytes 8388608-"));
        if is_second && !std::mem::replace(&mut lost, true) {
            return Action::reply(410, &[], "");
        }
        Action::Pass
    });
    let progress = Arc::new(SendProgress::default());
    let bytes = Content::file(&path).await.unwrap();
    let client = line.client().with_upload_chunk_size(Some(8 * MIB));
    within(client.send(&upload, &bytes, &progress))
        .await
        .unwrap();
    assert_eq!(progress.restarts(), 1);
    assert_eq!(progress.acknowledged(), size);
    let stored = line.stored();
    assert_eq!(stored.len(), 1, "the first session's bytes are gone");
    assert_same(&path, stored.first().unwrap());
}
