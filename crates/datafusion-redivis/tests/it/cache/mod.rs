//! Tables that are kept on disk: what is kept, what is read of it, and what happens to it when it is damaged.

mod trouble;
mod values;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use datafusion::physical_plan::{ExecutionPlan, displayable};
use datafusion::prelude::SessionContext;
use datafusion_redivis::Redivis;
use futures::StreamExt;
use insta::assert_snapshot;

use crate::support::{Fixture, client, fixture, session};

const FLIGHTS: &str = "redivis.'demo.nycflights13.flights'";

/// A server, and a folder to keep tables in.
struct Cached {
    fixture: Fixture,
    folder: tempfile::TempDir,
}

async fn cached() -> Cached {
    let folder = tempfile::tempdir().unwrap();
    let fixture = fixture().await;
    let cached = Cached { fixture, folder };
    turn_on(&cached.fixture.redivis, &cached.folder()).await;
    cached
}

async fn turn_on(redivis: &Redivis, folder: &Path) {
    for sql in [
        "SET redivis.cache = on".to_owned(),
        format!("SET redivis.cache_dir = '{}'", folder.display()),
    ] {
        redivis.sql(&sql).await.unwrap();
    }
}

impl Cached {
    /// A folder that is not there yet.
    fn folder(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    async fn rows(&self, sql: &str) -> String {
        self.fixture.rows(sql).await
    }

    async fn plan(&self, sql: &str) -> String {
        let frame = self.fixture.redivis.sql(sql).await.unwrap();
        let plan = frame.create_physical_plan().await.unwrap();
        displayable(plan.as_ref()).indent(false).to_string()
    }

    /// The folders of complete entries.
    fn entries(&self) -> Vec<PathBuf> {
        let tables = folders(&self.folder().join("tables"));
        tables.iter().flat_map(|table| folders(table)).collect()
    }

    fn filling(&self) -> Vec<PathBuf> {
        folders(&self.folder().join("filling"))
    }

    fn files(&self, suffix: &str) -> Vec<PathBuf> {
        let files = self.entries().into_iter().flat_map(|entry| {
            let files = fs::read_dir(entry).unwrap();
            files.map(|file| file.unwrap().path())
        });
        files
            .filter(|file| file.to_str().unwrap().ends_with(suffix))
            .collect()
    }
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten();
    let entries = entries.map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_dir()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_read_comes_from_the_disk_and_says_so() {
    let cached = cached().await;
    let sql = format!(
        "SELECT dest, distance FROM {FLIGHTS} WHERE distance > 4962 ORDER BY distance LIMIT 3"
    );
    assert!(cached.plan(&sql).await.contains("RedivisScanExec"));
    assert!(!cached.folder().exists());
    let first = cached.rows(&sql).await;
    assert_eq!(cached.entries().len(), 1);
    assert_eq!(cached.filling().len(), 0);
    assert_snapshot!(cached.plan(&sql).await, @r"
    SortExec: TopK(fetch=3), expr=[distance@1 ASC NULLS LAST], preserve_partitioning=[false]
      DataSourceExec: cached, table=demo.nycflights13:v1_0.flights, projection=[dest, distance], predicate=distance@1 > 4962 AND DynamicFilter [ empty ], sort_order_for_reorder=[distance@1 ASC NULLS LAST], dynamic_rg_pruning=eligible, pruning_predicate=distance_null_count@1 != row_count@2 AND distance_max@0 > 4962, required_guarantees=[]
    ");
    assert_eq!(cached.rows(&sql).await, first);
    // Fewer variables, with other names and in another order.
    let other = format!("SELECT distance / 2 AS half, dest FROM {FLIGHTS} LIMIT 7");
    assert_snapshot!(cached.plan(&other).await, @"DataSourceExec: cached, table=demo.nycflights13:v1_0.flights, projection=[distance@1 / 2 as half, dest], limit=7");
    // Others are not there.
    assert!(
        cached
            .plan(&format!("SELECT origin, dest FROM {FLIGHTS}"))
            .await
            .contains("RedivisScanExec")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_are_applied_while_decoding_where_few_rows_pass() {
    let cached = cached().await;
    let count = |filter: &str| {
        format!(
            "SELECT count(flight), count(month), count(distance), count(dest), count(hour) FROM {FLIGHTS} WHERE {filter}"
        )
    };
    cached.rows(&count("true")).await;
    let mut expected = vec![];
    for (filter, is_few) in [
        ("flight = 1545", true),
        ("distance > 4962", true),
        ("month = 1 AND hour = 23 AND distance < 300", true),
        ("month < 4", false),
        ("month = 12 AND dest = 'HNL'", false),
        ("dest = 'HNL'", false),
        ("distance + flight > 3000", false),
    ] {
        let sql = count(filter);
        let plan = cached.plan(&sql).await;
        assert!(plan.contains("cached"), "{plan}");
        assert!(plan.contains("predicate="), "{plan}");
        assert_eq!(!plan.contains("FilterExec"), is_few, "{filter}\n{plan}");
        expected.push((sql.clone(), cached.rows(&sql).await));
    }
    let other = session(client(&cached.fixture.server));
    for (sql, rows) in expected {
        let batches = other.1.sql(&sql).await.unwrap().collect().await.unwrap();
        let text = datafusion::arrow::util::pretty::pretty_format_batches(&batches);
        assert_eq!(rows, text.unwrap().to_string(), "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn results_are_the_same_with_types_and_metadata() {
    let cached = cached().await;
    let other = session(client(&cached.fixture.server));
    for table in ["planes", "airports", "airlines"] {
        let sql = format!("SELECT * FROM redivis.'demo.nycflights13.{table}'");
        for _ in 0..2 {
            let batches = cached.fixture.batches(&sql).await;
            let expected = other.1.sql(&sql).await.unwrap().collect().await.unwrap();
            assert_eq!(batches[0].schema(), expected[0].schema(), "{table}");
            assert_eq!(sorted(&batches), sorted(&expected), "{table}");
        }
        assert!(cached.plan(&sql).await.contains("cached"), "{table}");
    }
}

fn sorted(batches: &[datafusion::arrow::array::RecordBatch]) -> Vec<String> {
    let text = datafusion::arrow::util::pretty::pretty_format_batches(batches);
    let mut lines: Vec<String> = text
        .unwrap()
        .to_string()
        .lines()
        .map(str::to_owned)
        .collect();
    lines.sort_unstable();
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn only_whole_scans_of_released_versions_are_kept() {
    let cached = cached().await;
    for sql in [
        format!("SELECT dest FROM {FLIGHTS} LIMIT 5"),
        format!("SELECT count(*) FROM {FLIGHTS}"),
        format!("SELECT 1 FROM {FLIGHTS} LIMIT 2"),
        "SELECT * FROM redivis.'lab.weather:next.readings'".to_owned(),
    ] {
        cached.rows(&sql).await;
        assert_eq!(cached.entries().len(), 0, "{sql}");
        assert_eq!(cached.filling().len(), 0, "{sql}");
    }
    // A query that is dropped in the middle.
    let frame = cached
        .fixture
        .redivis
        .sql(&format!("SELECT * FROM {FLIGHTS}"))
        .await;
    let mut rows = frame.unwrap().execute_stream().await.unwrap();
    rows.next().await.unwrap().unwrap();
    drop(rows);
    // The partitions are read by tasks, which end when the runtime comes to them.
    let gone = tokio::time::timeout(Duration::from_secs(30), async {
        while !cached.filling().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    gone.await.unwrap();
    assert_eq!(cached.entries().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wider_entry_takes_the_place_of_narrower_ones() {
    let cached = cached().await;
    cached
        .rows(&format!("SELECT max(dest) FROM {FLIGHTS}"))
        .await;
    cached
        .rows(&format!("SELECT max(origin), max(tailnum) FROM {FLIGHTS}"))
        .await;
    assert_eq!(cached.entries().len(), 2);
    cached
        .rows(&format!("SELECT max(dest), max(origin) FROM {FLIGHTS}"))
        .await;
    assert_eq!(
        cached.entries().len(),
        2,
        "dest alone is of no use any more"
    );
    cached
        .rows(&format!("SELECT max(dest) FROM {FLIGHTS}"))
        .await;
    assert_eq!(cached.entries().len(), 2);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_can_look_into_it() {
    use std::os::unix::fs::PermissionsExt;
    let cached = cached().await;
    cached
        .rows(&format!("SELECT max(dest) FROM {FLIGHTS}"))
        .await;
    let mut open = vec![cached.folder()];
    while let Some(folder) = open.pop() {
        let mode = fs::metadata(&folder).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{}", folder.display());
        open.extend(folders(&folder));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_least_recently_used_goes_first_and_nothing_that_is_read() {
    let cached = cached().await;
    let read = |column: &str| format!("SELECT max({column}) FROM {FLIGHTS}");
    let size = |cached: &Cached| -> u64 {
        let files = cached.files(".parquet").into_iter();
        files.map(|file| fs::metadata(file).unwrap().len()).sum()
    };
    cached.rows(&read("tailnum")).await;
    let of_tailnum = size(&cached);
    cached.rows(&read("dest")).await;
    cached.rows(&read("tailnum")).await;
    // Room for what there is, and nothing more.
    let limit = size(&cached) + 1000;
    let set = format!("SET redivis.cache_size = {limit}");
    cached.fixture.redivis.sql(&set).await.unwrap();
    // A plan keeps what it reads.
    let held = cached
        .fixture
        .redivis
        .sql(&read("dest"))
        .await
        .unwrap()
        .create_physical_plan()
        .await
        .unwrap();
    let is_cached = async |column: &str| cached.plan(&read(column)).await.contains("cached");
    cached.rows(&read("origin")).await;
    assert!(is_cached("dest").await);
    assert!(
        !is_cached("tailnum").await,
        "used less recently than origin"
    );
    assert!(is_cached("origin").await);
    assert!(size(&cached) <= limit);
    drop(held);
    // What alone is too large is not kept.
    let set = format!("SET redivis.cache_size = {}", of_tailnum / 2);
    cached.fixture.redivis.sql(&set).await.unwrap();
    cached.rows(&read("tailnum")).await;
    assert!(!is_cached("tailnum").await);
    assert_eq!(cached.filling().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_cannot_match_are_not_read() {
    let cached = cached().await;
    let sql = format!("SELECT dest FROM {FLIGHTS} WHERE month = 1 AND day = 1 AND distance > 4962");
    cached.rows(&sql).await;
    let frame = cached.fixture.redivis.sql(&sql).await.unwrap();
    let plan = frame.create_physical_plan().await.unwrap();
    let context: SessionContext = cached.fixture.ctx.clone();
    datafusion::physical_plan::collect(std::sync::Arc::clone(&plan), context.task_ctx())
        .await
        .unwrap();
    let scan = leaf(&plan);
    let metrics = scan.metrics().unwrap();
    let read = metrics.sum_by_name("bytes_scanned").unwrap().as_usize();
    let whole: u64 = cached
        .files(".parquet")
        .iter()
        .map(|file| fs::metadata(file).unwrap().len())
        .sum();
    assert!(read > 0 && (read as u64) < whole / 2, "{read} of {whole}");
}

fn leaf(plan: &std::sync::Arc<dyn ExecutionPlan>) -> std::sync::Arc<dyn ExecutionPlan> {
    match plan.children().first() {
        Some(child) => leaf(child),
        None => std::sync::Arc::clone(plan),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_are_of_what_is_read() {
    let cached = cached().await;
    cached.rows(&format!("SELECT dest FROM {FLIGHTS}")).await;
    for (sql, expected) in [
        (
            format!("SELECT count(*) FROM (SELECT dest FROM {FLIGHTS} LIMIT 5)"),
            "5",
        ),
        (
            format!("SELECT count(*) FROM (SELECT 1 FROM {FLIGHTS})"),
            "336776",
        ),
        (
            format!("SELECT count(*) FROM {FLIGHTS} WHERE dest = 'HNL'"),
            "707",
        ),
        (
            format!(
                "SELECT count(*) FROM (SELECT dest FROM {FLIGHTS} WHERE dest = 'HNL' LIMIT 10 OFFSET 3)"
            ),
            "10",
        ),
    ] {
        assert_eq!(cached.fixture.value(&sql).await, expected, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_described_later_has_its_descriptions() {
    let cached = cached().await;
    let sql = "SELECT * FROM redivis.'demo.nycflights13.planes' WHERE year > 2000 ORDER BY tailnum LIMIT 3";
    let all = "SELECT * FROM redivis.'demo.nycflights13.planes'";
    let before = cached.fixture.batches(all).await;
    let short = cached.rows(sql).await;
    cached
        .fixture
        .redivis
        .describe("demo.nycflights13.planes")
        .await
        .unwrap();
    let (_, other) = session(client(&cached.fixture.server));
    other.describe("demo.nycflights13.planes").await.unwrap();
    assert!(cached.plan(sql).await.contains("cached"));
    let described = cached.fixture.batches(all).await;
    let expected = other.sql(all).await.unwrap().collect().await.unwrap();
    assert_eq!(described[0].schema(), expected[0].schema());
    assert_eq!(sorted(&described), sorted(&before));
    assert_eq!(cached.rows(sql).await, short);
}
