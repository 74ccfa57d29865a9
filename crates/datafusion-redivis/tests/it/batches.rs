//! The batches of a scan: their rows, and the memory that operators count for them.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::utils::memory::get_record_batch_memory_size;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::support::{client, fixture};

const FLIGHTS: &str = "redivis.'demo.nycflights13.flights'";

/// What the rows of a batch take by themselves.
fn own_size(batch: &RecordBatch) -> usize {
    let columns = batch.columns().iter();
    columns
        .map(|column| column.to_data().get_slice_memory_size().unwrap())
        .sum()
}

#[tokio::test]
async fn a_batch_counts_for_what_it_takes() {
    let it = fixture().await;
    let batches = it
        .batches(&format!("SELECT * FROM {FLIGHTS} LIMIT 50000"))
        .await;
    let size = 8192;
    let small = batches.iter().filter(|batch| batch.num_rows() <= size / 2);
    assert!(small.count() <= 1, "batches are near the size asked for");
    for batch in batches {
        assert!(batch.num_rows() <= size);
        let own = own_size(&batch);
        let counted = [
            get_record_batch_memory_size(&batch),
            batch.get_array_memory_size(),
        ];
        for counted in counted {
            // Buffers are aligned, and arrays have headers.
            let overhead = own / 20 + 256 * batch.num_columns();
            assert!(counted < own + overhead, "{counted} for {own}");
        }
    }
}

#[tokio::test]
async fn rows_that_are_only_counted_come_in_large_batches() {
    let it = fixture().await;
    let plan = it.plan(&format!("SELECT 1 FROM {FLIGHTS}")).await;
    let scan = crate::scan::find(&plan);
    let batches = datafusion::physical_plan::collect(scan, it.ctx.task_ctx())
        .await
        .unwrap();
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    assert_eq!(rows, 336_776);
    assert!(batches.iter().all(|batch| batch.num_columns() == 0));
    assert!(batches.iter().all(|batch| batch.num_rows() <= 8192));
    assert!(batches.len() < 2 * rows.div_ceil(8192), "{}", batches.len());
}

#[tokio::test]
async fn sorting_takes_memory_for_its_rows_and_not_for_whole_messages() {
    let it = fixture().await;
    // Sorting holds the rows and their sorted copy. Nothing can be spilled.
    let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(GreedyMemoryPool::new(100 << 20)))
        .with_disk_manager_builder(disk)
        .build_arc()
        .unwrap();
    let config = SessionConfig::new().with_target_partitions(1);
    let ctx = SessionContext::new_with_config_rt(config, runtime);
    let redivis = datafusion_redivis::register(&ctx, client(&it.server)).unwrap();
    let sql =
        format!("SELECT * FROM (SELECT * FROM {FLIGHTS} LIMIT 100000) ORDER BY tailnum, flight");
    let batches = redivis.sql(&sql).await.unwrap().collect().await.unwrap();
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    assert_eq!(rows, 100_000);
}
