//! A write that is dropped where no runtime is entered, as after `block_on`: it is taken back all the same.

use std::time::Duration;

use datafusion::common::Result;
use futures::future::{BoxFuture, FutureExt};
use redivis_tests::proxy::{Action, Proxy};
use tokio::runtime::{Builder, Runtime};

use crate::write::{T, Written, is_poll, table};

fn many() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

/// An `INSERT` that waits for its upload, on a runtime that is no longer entered.
fn waiting<'a>(it: &'a Written, runtime: &Runtime) -> BoxFuture<'a, Result<()>> {
    it.says(r#""status": "running""#);
    let statement = format!("INSERT INTO {T} SELECT 10");
    let mut writing =
        async move { it.redivis.sql(&statement).await?.collect().await.map(drop) }.boxed();
    runtime.block_on(async {
        tokio::select! {
            ended = &mut writing => panic!("{ended:?}"),
            () = polled(&it.proxy) => {}
        }
    });
    writing
}

async fn polled(proxy: &Proxy) {
    let poll = proxy.wait_for(Duration::from_secs(20), |exchange| {
        is_poll(&exchange.request) && matches!(exchange.action, Action::Reply(_))
    });
    assert!(poll.await.is_some());
}

#[test]
fn it_is_taken_back_on_its_own_runtime() {
    let (outside, runtime) = (many(), many());
    let it = outside.block_on(table());
    drop(waiting(&it, &runtime));
    assert!(outside.block_on(it.redivis.settle()).is_empty());
    assert_eq!(outside.block_on(it.sum()), "1");
}

#[test]
fn without_its_runtime_settling_takes_it_back() {
    let outside = many();
    let it = outside.block_on(table());
    let runtime = many();
    let writing = waiting(&it, &runtime);
    runtime.shutdown_background();
    drop(writing);
    assert!(outside.block_on(it.redivis.settle()).is_empty());
    assert_eq!(outside.block_on(it.sum()), "1");
    // One that is there and that nobody drives.
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    drop(waiting(&it, &runtime));
    assert!(outside.block_on(it.redivis.settle()).is_empty());
    assert_eq!(outside.block_on(it.sum()), "1");
}
