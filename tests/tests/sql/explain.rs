//! What EXPLAIN says is pushed to Redivis, and what the server is then asked: each snapshot shows both.
//!
//! A snapshot lists the requests of planning (the tables' metadata, once) apart from those of running the statement.
//! Review changes with `cargo insta review`, or by reading the `.snap.new` files.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::file::properties::WriterProperties;
use datafusion_redivis::Redivis;
use redivis_tests::proxy::{Proxy, Request};
use redivis_tests::server::Server;
use serde_json::Value;
use tempfile::TempDir;

use crate::session::session;

#[tokio::test(flavor = "multi_thread")]
async fn a_projection_selects_variables() {
    let observed = sample("SELECT carrier, dep_delay FROM demo.nycflights13.flights").await;
    insta::assert_snapshot!(observed);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_variables_need_no_names() {
    insta::assert_snapshot!(sample("SELECT * FROM demo.nycflights13.airports").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_table_is_read_through_several_streams() {
    let data = TempDir::new().unwrap();
    let folder = data.path().join("local/large");
    std::fs::create_dir_all(&folder).unwrap();
    let text = "text".repeat(25_000);
    let columns: [(&str, ArrayRef); 2] = [
        ("id", Arc::new(Int64Array::from_iter_values(0..800))),
        (
            "text",
            Arc::new(StringArray::from_iter_values(
                (0..800).map(|i| format!("{i}{text}")),
            )),
        ),
    ];
    write(&folder.join("texts.parquet"), columns);
    let folder = data.path().to_owned();
    let server = tokio::task::spawn_blocking(move || Server::directory(&folder))
        .await
        .unwrap();
    insta::assert_snapshot!(observe(server, "SELECT text, id FROM local.large.texts").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_that_only_a_filter_uses_are_selected() {
    let observed = sample("SELECT name FROM demo.nycflights13.airports WHERE alt > 8000").await;
    insta::assert_snapshot!(observed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_is_sent() {
    insta::assert_snapshot!(
        sample("SELECT faa, name FROM demo.nycflights13.airports LIMIT 5").await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_with_offset_is_sent_as_their_sum() {
    let observed = sample("SELECT faa FROM demo.nycflights13.airports LIMIT 5 OFFSET 1000").await;
    insta::assert_snapshot!(observed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_above_a_filter_is_not_sent() {
    let observed =
        sample("SELECT faa FROM demo.nycflights13.airports WHERE alt > 8000 LIMIT 5").await;
    insta::assert_snapshot!(observed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_of_nothing_asks_nothing() {
    insta::assert_snapshot!(sample("SELECT faa FROM demo.nycflights13.airports LIMIT 0").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_join_reads_what_each_side_needs() {
    let observed = sample(
        "SELECT a.name, count(*) FROM demo.nycflights13.flights f JOIN demo.nycflights13.airlines a USING (carrier) \
         GROUP BY a.name",
    )
    .await;
    insta::assert_snapshot!(observed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_joined_with_itself_is_looked_up_once() {
    let observed = sample(
        "SELECT count(*) FROM demo.nycflights13.airports a \
         JOIN redivis.'demo.nycflights13.airports' b ON a.tz = b.tz AND a.faa < b.faa",
    )
    .await;
    insta::assert_snapshot!(observed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_count_reads_nothing() {
    insta::assert_snapshot!(sample("SELECT count(*) FROM demo.nycflights13.flights").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_without_columns_reads_one_variable() {
    insta::assert_snapshot!(sample("SELECT 1 FROM demo.nycflights13.airports").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreleased_table_reads_a_stream_per_upload() {
    let observed = unreleased("SELECT * FROM redivis.'local.draft:next.measurements'").await;
    insta::assert_snapshot!(observed);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_count_of_an_unreleased_table_is_read() {
    let observed = unreleased("SELECT count(*) FROM redivis.'local.draft:next.measurements'").await;
    insta::assert_snapshot!(observed);
}

/// What a statement does on the sample data.
async fn sample(sql: &str) -> String {
    observe(
        tokio::task::spawn_blocking(Server::sample).await.unwrap(),
        sql,
    )
    .await
}

/// What a statement does on an unreleased table with two uploads.
async fn unreleased(sql: &str) -> String {
    let data = TempDir::new().unwrap();
    let uploads = data.path().join("local/draft/next/measurements");
    std::fs::create_dir_all(&uploads).unwrap();
    let columns: [(&str, ArrayRef); 2] = [
        ("id", Arc::new(Int64Array::from_iter_values(0..30))),
        (
            "value",
            Arc::new(Float64Array::from_iter_values((0..30).map(f64::from))),
        ),
    ];
    write(&uploads.join("first.parquet"), columns);
    let columns: [(&str, ArrayRef); 2] = [
        ("Value", Arc::new(Int64Array::from_iter_values(0..12))),
        (
            "note",
            Arc::new(StringArray::from_iter_values(
                (0..12).map(|i| i.to_string()),
            )),
        ),
    ];
    write(&uploads.join("second.parquet"), columns);
    let folder = data.path().to_owned();
    let server = tokio::task::spawn_blocking(move || Server::directory(&folder))
        .await
        .unwrap();
    observe(server, sql).await
}

fn write(path: &Path, columns: [(&str, ArrayRef); 2]) {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(100))
        .set_dictionary_enabled(false)
        .build();
    let mut writer = ArrowWriter::try_new(
        File::create(path).unwrap(),
        batch.schema(),
        Some(properties),
    )
    .unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// The physical plan, the requests of EXPLAIN, the number of rows, and the requests of the statement itself.
async fn observe(server: Server, sql: &str) -> String {
    let proxy = Proxy::start(server.endpoint()).await;
    let (_, redivis) = session(&proxy.endpoint(), server.token());
    let plan = physical_plan(&redivis, sql).await;
    let planning = proxy.requests();
    let batches = redivis.sql(sql).await.unwrap().collect().await.unwrap();
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let running = proxy.requests().split_off(planning.len());
    format!(
        "{sql}\n\n{plan}\nRequests of EXPLAIN:\n{}\n{rows} rows, by requests:\n{}",
        listing(&planning),
        listing(&running)
    )
}

async fn physical_plan(redivis: &Redivis, sql: &str) -> String {
    let batches = redivis
        .sql(&format!("EXPLAIN FORMAT INDENT {sql}"))
        .await
        .unwrap()
        .collect()
        .await
        .unwrap();
    let rows = batches
        .iter()
        .flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row)));
    for (batch, row) in rows {
        if array_value_to_string(batch.column(0), row).unwrap() == "physical_plan" {
            return array_value_to_string(batch.column(1), row).unwrap();
        }
    }
    panic!("EXPLAIN shows no physical plan");
}

/// The requests, each with how often it came, sorted: those of partitions come at once. Stream ids differ from run to run.
fn listing(requests: &[Request]) -> String {
    let mut times = BTreeMap::<String, usize>::new();
    for request in requests {
        let target = match request.target.split_once('?') {
            Some((path, query)) if path.starts_with("/readStreams/") => {
                format!("/readStreams/…?{query}")
            }
            _ => request.target.clone(),
        };
        let mut line = format!("{} {target}", request.method);
        if !request.body.is_empty() {
            let body: BTreeMap<String, Value> = serde_json::from_slice(&request.body).unwrap();
            write!(line, " {}", serde_json::to_string(&body).unwrap()).unwrap();
        }
        *times.entry(line).or_default() += 1;
    }
    let mut listing = String::new();
    for (line, times) in times {
        writeln!(listing, "{times} × {line}").unwrap();
    }
    if listing.is_empty() {
        "none\n".to_owned()
    } else {
        listing
    }
}
