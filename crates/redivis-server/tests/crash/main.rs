//! The server killed at random moments, again and again: what was acknowledged is there, nothing half-done is.
//!
//! Several authors change datasets of their own in every way there is, others read what is released. SIGKILL ends the
//! server while they do, while it starts, or while what is there is compared with what has to be. Only the process
//! dies, not the machine: that bytes reach the disk in their order is a matter of `fsync`, which this cannot show.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod author;
mod full_disk;
mod left;
mod model;
mod observe;
mod process;
mod readers;
mod rows;
mod sending;
mod wire;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use author::Author;
use process::{Process, start_and_kill};
use readers::Released;
use tokio::task::JoinSet;
use wire::Wire;

const KILLS: usize = 200;
const AUTHORS: usize = 4;
const READERS: usize = 2;
/// Rows of the table that is a file in a folder.
const FILE: i64 = 20_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_outlives_every_kill() {
    let seed = match std::env::var("CRASH_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => fastrand::u64(..),
    };
    eprintln!("CRASH_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data/files/d/t.csv");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, rows::as_csv(0..FILE)).unwrap();

    let released = Released::default();
    let author = |number| Author::new(number, random.fork(), released.clone());
    let mut authors: Vec<Author> = (0..AUTHORS).map(author).collect();
    let (mut kills, mut read) = (0, 0);
    let started = Instant::now();
    while kills < KILLS {
        if kills < 5 || random.u8(0..6) == 0 {
            let after = Duration::from_micros(random.u64(0..60_000));
            start_and_kill(folder.path(), after).await;
            kills += 1;
            continue;
        }
        released.tell("/tables/files.d.t", 0..FILE);
        let server = Process::start(folder.path()).await;
        let wire = Wire::to(&server, &token(folder.path()));
        // Some servers do not live to see all of it compared.
        let is_compared = random.u8(0..5) > 0;
        if is_compared {
            authors = resolve(authors, &wire).await;
            left::nothing_but_what_is_named(&folder.path().join("data/.redivis")).await;
        }
        let mut working = JoinSet::new();
        for mut author in authors.drain(..) {
            let wire = wire.clone();
            working.spawn(async move {
                if is_compared || author.resolve(&wire).await.is_ok() {
                    author.work(&wire).await;
                }
                author
            });
        }
        let mut reading = JoinSet::new();
        for _ in 0..READERS {
            reading.spawn(released.clone().read(wire.clone(), random.fork()));
        }
        tokio::time::sleep(Duration::from_micros(random.u64(0..500_000))).await;
        server.kill().await;
        kills += 1;
        authors = working.join_all().await;
        read += reading.join_all().await.into_iter().sum::<usize>();
    }
    let server = Process::start(folder.path()).await;
    let authors = resolve(authors, &Wire::to(&server, &token(folder.path()))).await;
    left::nothing_but_what_is_named(&folder.path().join("data/.redivis")).await;
    server.kill().await;
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(
        !log.contains("ERROR") && !log.contains("WARN") && !log.contains("panicked"),
        "{log}"
    );

    let sum = |count: fn(&Author) -> usize| authors.iter().map(count).sum::<usize>();
    let acknowledged = sum(|author| author.acknowledged);
    let [done, not_done] = [
        sum(|author| author.resolved[0]),
        sum(|author| author.resolved[1]),
    ];
    eprintln!(
        "{kills} kills in {:.0?}: {acknowledged} operations acknowledged, {done} done and {not_done} not done without \
         an answer, {read} tables read",
        started.elapsed()
    );
    // Otherwise nothing was put to the test.
    assert!(acknowledged > KILLS && done > 0 && not_done > 0 && read > KILLS);
}

pub(crate) fn token(folder: &Path) -> String {
    let token = std::fs::read_to_string(folder.join("data/.redivis/token")).unwrap();
    token.trim().to_owned()
}

async fn resolve(authors: Vec<Author>, wire: &Wire) -> Vec<Author> {
    let mut resolving = JoinSet::new();
    for mut author in authors {
        let wire = wire.clone();
        resolving.spawn(async move {
            author
                .resolve(&wire)
                .await
                .expect("nobody killed the server");
            author
        });
    }
    resolving.join_all().await
}
