//! Files that are damaged, disks that are full, memory that is short: an entry is lost, and no row is wrong.

use std::fs;
use std::path::Path;

use datafusion::prelude::SessionContext;
use futures::StreamExt;
use insta::assert_snapshot;

use super::{Cached, FLIGHTS, cached, turn_on};
use crate::support::{client, session};

/// What can happen to the files of an entry before they are opened.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_entry_is_noticed_dropped_and_read_again() {
    let cached = cached().await;
    let sql = format!("SELECT dest, count(*) FROM {FLIGHTS} GROUP BY dest ORDER BY dest LIMIT 5");
    let expected = cached.rows(&sql).await;
    let flip = |file: &Path, place: &dyn Fn(usize) -> usize| {
        let mut bytes = fs::read(file).unwrap();
        let place = place(bytes.len());
        bytes[place] ^= 1;
        fs::write(file, bytes).unwrap();
    };
    type Damage<'a> = (&'a str, Box<dyn Fn(&Cached) + 'a>);
    let damages: [Damage; 7] = [
        (
            "a digit of the manifest",
            Box::new(|cached| flip(&cached.files("manifest.json")[0], &|n| n / 2)),
        ),
        (
            "no manifest",
            Box::new(|cached| fs::remove_file(&cached.files("manifest.json")[0]).unwrap()),
        ),
        (
            "the footer",
            Box::new(|cached| flip(&cached.files(".parquet")[0], &|n| n - 6)),
        ),
        (
            "the metadata",
            Box::new(|cached| flip(&cached.files(".parquet")[0], &|n| n - 40)),
        ),
        (
            "a truncated part",
            Box::new(|cached| {
                let file = fs::OpenOptions::new()
                    .write(true)
                    .open(&cached.files(".parquet")[0])
                    .unwrap();
                file.set_len(file.metadata().unwrap().len() / 2).unwrap();
            }),
        ),
        (
            "a missing part",
            Box::new(|cached| fs::remove_file(&cached.files(".parquet")[0]).unwrap()),
        ),
        (
            "checksums",
            Box::new(|cached| flip(&cached.files(".sums")[0], &|_| 0)),
        ),
    ];
    for (damage, apply) in damages {
        assert!(cached.plan(&sql).await.contains("cached"), "{damage}");
        apply(&cached);
        assert!(!cached.plan(&sql).await.contains("cached"), "{damage}");
        assert_eq!(cached.entries().len(), 0, "{damage}");
        assert_eq!(cached.rows(&sql).await, expected, "{damage}");
        assert_eq!(cached.entries().len(), 1, "{damage}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_change_later_are_an_error_and_never_other_rows() {
    let cached = cached().await;
    let sql = format!("SELECT dest, count(*) FROM {FLIGHTS} GROUP BY dest ORDER BY dest LIMIT 5");
    let expected = cached.rows(&sql).await;
    let file = cached.files(".parquet").pop().unwrap();
    let mut bytes = fs::read(&file).unwrap();
    bytes[1000] ^= 1;
    fs::write(&file, bytes).unwrap();
    let frame = cached.fixture.redivis.sql(&sql).await.unwrap();
    let error = frame.collect().await.unwrap_err();
    let entry = file.parent().unwrap().to_str().unwrap();
    let told = error.find_root().to_string().replace(entry, "ENTRY");
    assert_snapshot!(told, @"External error: what the cache keeps of demo.nycflights13:v1_0.flights was damaged on the disk, and is removed: ENTRY. Run the statement again, which reads the table again");
    assert_eq!(cached.entries().len(), 0);
    assert_eq!(cached.rows(&sql).await, expected);
    assert!(cached.plan(&sql).await.contains("cached"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_cannot_be_written_to_fails_no_query() {
    let cached = cached().await;
    fs::write(cached.folder(), "no folder").unwrap();
    let sql = format!("SELECT dest, count(*) FROM {FLIGHTS} GROUP BY dest ORDER BY dest LIMIT 5");
    let (_, plain) = session(client(&cached.fixture.server));
    let expected = plain.sql(&sql).await.unwrap().to_string().await.unwrap();
    let answer = cached.fixture.redivis.sql(&sql).await.unwrap();
    assert_eq!(answer.to_string().await.unwrap(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_little_memory_costs_the_entry_and_not_the_query() {
    use datafusion::execution::runtime_env::RuntimeEnvBuilder;
    let cached = cached().await;
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_limit(6 << 20, 1.0)
        .build_arc()
        .unwrap();
    let config = datafusion::prelude::SessionConfig::new().with_target_partitions(1);
    let ctx = SessionContext::new_with_config_rt(config, runtime);
    let redivis = datafusion_redivis::register(&ctx, client(&cached.fixture.server)).unwrap();
    turn_on(&redivis, &cached.folder()).await;
    let frame = redivis
        .sql(&format!("SELECT * FROM {FLIGHTS}"))
        .await
        .unwrap();
    let mut rows = frame.execute_stream().await.unwrap();
    let mut count = 0;
    while let Some(batch) = rows.next().await {
        count += batch.unwrap().num_rows();
    }
    assert_eq!(count, 336_776);
    assert_eq!(cached.entries().len(), 0);
    assert_eq!(cached.filling().len(), 0);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_hangs_with_the_lock_costs_the_entry_and_not_the_query() {
    let cached = cached().await;
    fs::create_dir_all(cached.folder()).unwrap();
    let lock = fs::File::create(cached.folder().join("lock")).unwrap();
    lock.lock().unwrap();
    let sql = format!("SELECT max(dest) FROM {FLIGHTS}");
    assert_eq!(cached.fixture.value(&sql).await, "XNA");
    assert_eq!(cached.entries().len(), 0);
    drop(lock);
    assert_eq!(cached.fixture.value(&sql).await, "XNA");
    assert_eq!(cached.entries().len(), 1);
}
