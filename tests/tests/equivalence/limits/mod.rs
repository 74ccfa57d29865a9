//! The same SQL over Redivis and over the same files read locally, with every relation of streams to partitions.

mod query;
mod tables;

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::SessionContext;
use futures::{StreamExt, TryStreamExt, stream};
use redivis_tests::server::Server;
use tempfile::TempDir;

use crate::answer::{difference, rows, surplus};
use query::{Expected, Query, query};

const QUERIES: u64 = 2_000;
const PARTITIONS: [usize; 5] = [1, 2, 3, 8, 16];

/// The tables as a server has them, and as files.
struct Both {
    server: Server,
    local: SessionContext,
    _folder: TempDir,
}

impl Both {
    async fn start() -> Both {
        let folder = TempDir::new().unwrap();
        let path = folder.path().to_owned();
        let server = tokio::task::spawn_blocking(move || {
            tables::write_all(&path);
            Server::directory(&path)
        })
        .await
        .unwrap();
        Both {
            server,
            local: tables::local(folder.path()).await,
            _folder: folder,
        }
    }

    async fn remote(&self, partitions: usize) -> SessionContext {
        tables::remote(self.server.endpoint(), self.server.token(), partitions).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn random_queries_give_what_local_files_give() {
    let both = Both::start().await;
    let mut remotes = Vec::new();
    for partitions in PARTITIONS {
        remotes.push(both.remote(partitions).await);
    }
    stream::iter(0..QUERIES)
        .map(|seed| {
            let (local, remote) = (&both.local, &remotes[seed as usize % remotes.len()]);
            let (local, remote) = (local.clone(), remote.clone());
            async move {
                let query = query(seed);
                let outcome = tokio::spawn(async move {
                    let outcome = compare(&query, &local, &remote).await;
                    (query.sql, outcome)
                });
                let (sql, outcome) = outcome.await.unwrap();
                match outcome {
                    Ok(None) => Ok(()),
                    Ok(Some(difference)) => Err(format!("query {seed}: {sql}\n{difference}")),
                    Err(error) => Err(format!("query {seed}: {sql}\n{error}")),
                }
            }
        })
        .buffer_unordered(4)
        .try_collect::<()>()
        .await
        .unwrap_or_else(|difference| panic!("{difference}"));
}

/// How the remote answer differs from what it must be.
async fn compare(
    query: &Query,
    local: &SessionContext,
    remote: &SessionContext,
) -> Result<Option<String>> {
    let (columns, arrived) = answer(remote, &query.sql).await?;
    let (expected_columns, expected) = match &query.expected {
        Expected::Some { unlimited, .. } => answer(local, unlimited).await?,
        Expected::Rows | Expected::List => answer(local, &query.sql).await?,
    };
    if columns != expected_columns {
        return Ok(Some(format!("{columns:?} instead of {expected_columns:?}")));
    }
    Ok(match &query.expected {
        Expected::Rows => difference(&arrived, &expected),
        Expected::List => (arrived != expected).then(|| {
            difference(&arrived, &expected).unwrap_or_else(|| "rows in another order".to_owned())
        }),
        Expected::Some { offset, limit, .. } => {
            let count = expected
                .len()
                .saturating_sub(*offset)
                .min(limit.unwrap_or(usize::MAX));
            let foreign = surplus(&arrived, &expected);
            (arrived.len() != count || !foreign.is_empty()).then(|| {
                let many = arrived.len();
                format!("{many} rows instead of {count}, and not of the table: {foreign:?}")
            })
        }
    })
}

/// The names and types of the columns, and the rows.
async fn answer(context: &SessionContext, sql: &str) -> Result<(Vec<String>, Vec<String>)> {
    let frame = context.sql(sql).await?;
    let fields = frame.schema().fields().iter();
    let columns = fields
        .map(|field| format!("{} {}", field.name(), field.data_type()))
        .collect();
    Ok((columns, rows(&frame.collect().await?)))
}

/// The scan of a plan of one table.
fn scan(plan: &Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    match plan.children().first() {
        Some(child) => scan(child),
        None => Arc::clone(plan),
    }
}

async fn scan_of(context: &SessionContext, sql: &str) -> Arc<dyn ExecutionPlan> {
    let frame = context.sql(sql).await.unwrap();
    let scan = scan(&frame.create_physical_plan().await.unwrap());
    assert_eq!(scan.name(), "RedivisScanExec");
    scan
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_more_streams_than_partitions_as_many_and_fewer() {
    let both = Both::start().await;
    let mut seen = String::new();
    for partitions in PARTITIONS {
        let remote = both.remote(partitions).await;
        seen.push_str(&format!("{partitions} partitions at most:"));
        for table in &tables::TABLES {
            let sql = format!("SELECT * FROM {}", table.name);
            let scan = scan_of(&remote, &sql).await;
            let partitions = scan.properties().partitioning.partition_count();
            let batches = collect(Arc::clone(&scan), remote.task_ctx()).await.unwrap();
            assert_eq!(rows(&batches).len(), table.rows);
            let streams = scan.metrics().unwrap().sum_by_name("streams").unwrap();
            seen.push_str(&format!(
                " {} {}/{partitions}",
                table.name,
                streams.as_usize()
            ));
        }
        seen.push('\n');
    }
    // Streams/partitions of each table.
    assert_eq!(
        seen,
        "1 partitions at most: one 1/1 nine 1/1 void 1/1 many 12/1 few 2/1 long 1/1\n\
         2 partitions at most: one 1/1 nine 2/2 void 1/1 many 12/2 few 2/2 long 2/2\n\
         3 partitions at most: one 1/1 nine 3/3 void 1/1 many 12/3 few 2/3 long 3/3\n\
         8 partitions at most: one 1/1 nine 8/8 void 1/1 many 12/8 few 2/8 long 8/8\n\
         16 partitions at most: one 1/1 nine 16/16 void 1/1 many 12/16 few 2/16 long 16/16\n"
    );
}

/// A limit may come after planning, as from an operator that a user of the library puts on top.
#[tokio::test(flavor = "multi_thread")]
async fn a_limit_after_planning_is_exact() {
    let both = Both::start().await;
    for partitions in PARTITIONS {
        let remote = both.remote(partitions).await;
        for table in &tables::TABLES {
            let sql = format!("SELECT id, name FROM {}", table.name);
            let (_, all) = answer(&both.local, &sql).await.unwrap();
            let whole = scan_of(&remote, &sql).await;
            for limit in [0, 1, 37, 411, 10_000, 10_001, 24_999, 1_000_000] {
                let limited = whole.with_fetch(Some(limit)).expect("a scan takes a limit");
                assert_eq!(limited.fetch(), Some(limit));
                let batches = collect(limited, remote.task_ctx()).await.unwrap();
                let arrived = rows(&batches);
                let case = format!("{limit} of {} in {partitions} partitions", table.name);
                assert_eq!(arrived.len(), limit.min(table.rows), "{case}");
                assert!(surplus(&arrived, &all).is_empty(), "{case}");
            }
            let unlimited = whole.with_fetch(Some(3)).unwrap().with_fetch(None).unwrap();
            let batches = collect(unlimited, remote.task_ctx()).await.unwrap();
            assert_eq!(difference(&rows(&batches), &all), None, "{}", table.name);
        }
    }
}
