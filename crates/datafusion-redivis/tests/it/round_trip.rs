//! Any rows that SQL can hold and Redivis too come back as they were inserted.

use std::sync::Arc;

use datafusion::arrow::array::*;
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::support::{Fixture, fixture};

const T: &str = "redivis.'ada.trips:next.t'";
const DAYS: std::ops::RangeInclusive<i32> = -719_162..=2_932_896;
const DAY: i64 = 86_400_000_000;

/// The rows come back, in the order of their first column.
async fn comes_back(it: &Fixture, rows: RecordBatch) {
    it.ctx.deregister_table("given").unwrap();
    it.ctx.register_batch("given", rows.clone()).unwrap();
    let inserted = it
        .value(&format!("INSERT INTO {T} SELECT * FROM given"))
        .await;
    assert_eq!(inserted, rows.num_rows().to_string());
    let read = it.batches(&format!("SELECT * FROM {T} ORDER BY n")).await;
    let schema = rows.schema();
    let read: Vec<RecordBatch> = read
        .into_iter()
        .map(|batch| RecordBatch::try_new(Arc::clone(&schema), batch.columns().to_vec()).unwrap())
        .collect();
    let read = concat_batches(&schema, &read).unwrap();
    // NaN equals nothing, itself included; its text does.
    assert_eq!(format!("{read:?}"), format!("{rows:?}"));
}

async fn trips() -> Fixture {
    let it = fixture().await;
    it.batches("CALL redivis.create_dataset('ada.trips')").await;
    it.batches(&format!(
        "CREATE TABLE {T} (n BIGINT, s VARCHAR, i BIGINT, f DOUBLE, b BOOLEAN, d DATE, at TIMESTAMP, c TIME)"
    ))
    .await;
    it
}

type Row = (
    Option<String>,
    Option<i64>,
    Option<f64>,
    Option<bool>,
    Option<i32>,
    Option<i64>,
    Option<i64>,
);

fn batch(rows: Vec<Row>) -> RecordBatch {
    let micros = DataType::Timestamp(TimeUnit::Microsecond, None);
    let fields = [
        ("n", DataType::Int64),
        ("s", DataType::Utf8),
        ("i", DataType::Int64),
        ("f", DataType::Float64),
        ("b", DataType::Boolean),
        ("d", DataType::Date32),
        ("at", micros),
        ("c", DataType::Time64(TimeUnit::Microsecond)),
    ];
    let fields = fields.map(|(name, data_type)| Field::new(name, data_type, true));
    let count = rows.len() as i64;
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(0..count)),
        Arc::new(
            rows.iter()
                .map(|row| row.0.clone())
                .collect::<StringArray>(),
        ),
        Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| row.2).collect::<Float64Array>()),
        Arc::new(rows.iter().map(|row| row.3).collect::<BooleanArray>()),
        Arc::new(rows.iter().map(|row| row.4).collect::<Date32Array>()),
        Arc::new(
            rows.iter()
                .map(|row| row.5)
                .collect::<TimestampMicrosecondArray>(),
        ),
        Arc::new(
            rows.iter()
                .map(|row| row.6)
                .collect::<Time64MicrosecondArray>(),
        ),
    ];
    RecordBatch::try_new(Arc::new(Schema::new(fields.to_vec())), columns).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn extremes_come_back() {
    let it = trips().await;
    let last = (i64::from(*DAYS.end()) + 1) * DAY - 1;
    let every_character: String = (0..=0x10_FFFF).filter_map(char::from_u32).collect();
    let rows = vec![
        (None, None, None, None, None, None, None),
        (
            Some(String::new()),
            Some(i64::MIN),
            Some(f64::MIN),
            Some(false),
            Some(*DAYS.start()),
            Some(i64::from(*DAYS.start()) * DAY),
            Some(0),
        ),
        (
            Some("x".repeat(1 << 20)),
            Some(i64::MAX),
            Some(f64::MAX),
            Some(true),
            Some(*DAYS.end()),
            Some(last),
            Some(DAY - 1),
        ),
        (
            Some(every_character),
            Some(0),
            Some(f64::NAN),
            None,
            Some(0),
            Some(-1),
            Some(1),
        ),
        (
            Some("NULL".to_owned()),
            Some(-1),
            Some(f64::INFINITY),
            None,
            Some(-1),
            Some(0),
            None,
        ),
        (
            Some("\0\"\r\n,'\\".to_owned()),
            None,
            Some(-0.0),
            None,
            None,
            None,
            None,
        ),
        (
            Some(" ".to_owned()),
            None,
            Some(f64::MIN_POSITIVE / 2.0),
            None,
            None,
            None,
            None,
        ),
    ];
    comes_back(&it, batch(rows)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn random_rows_come_back() {
    let it = trips().await;
    let row = (
        option::of(".*"),
        option::of(any::<i64>()),
        option::of(any::<f64>()),
        option::of(any::<bool>()),
        option::of(DAYS),
        option::of(i64::from(*DAYS.start()) * DAY..=i64::from(*DAYS.end()) * DAY),
        option::of(0..DAY),
    );
    let rows = vec(row, 1..200);
    let mut runner = TestRunner::deterministic();
    for _ in 0..12 {
        let rows = rows.new_tree(&mut runner).unwrap().current();
        comes_back(&it, batch(rows)).await;
        it.batches(&format!(
            "CREATE OR REPLACE TABLE {T} AS SELECT * FROM {T} WHERE false"
        ))
        .await;
    }
}
