//! Values of every type, with the extremes by which statistics could rule them out.

use std::fs;
use std::path::Path;

use datafusion::physical_plan::displayable;
use datafusion_redivis::Redivis;

use super::{sorted, turn_on};
use crate::support::{client, session};

/// A table with values of every type, nulls and extremes among them, in `lab.values:v1_0`, and an empty one.
fn write_values(root: &Path) {
    use std::sync::Arc;

    use datafusion::arrow::array::{
        ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
        Time64MicrosecondArray, TimestampMicrosecondArray,
    };
    use datafusion::parquet::arrow::ArrowWriter;

    let columns: [(&str, ArrayRef); 7] = [
        (
            "i",
            Arc::new(Int64Array::from(vec![
                Some(i64::MIN),
                None,
                Some(i64::MAX),
                Some(0),
                Some(-1),
            ])),
        ),
        (
            "f",
            Arc::new(Float64Array::from(vec![
                Some(f64::NAN),
                Some(-0.0),
                None,
                Some(f64::INFINITY),
                Some(1e-300),
            ])),
        ),
        (
            "b",
            Arc::new(BooleanArray::from(vec![
                Some(true),
                None,
                Some(false),
                Some(true),
                None,
            ])),
        ),
        (
            "s",
            Arc::new(StringArray::from(vec![
                Some(""),
                Some("é\u{1F600}"),
                None,
                Some("a\0b"),
                Some("z"),
            ])),
        ),
        (
            "d",
            Arc::new(Date32Array::from(vec![
                Some(-719_162),
                Some(2_932_896),
                None,
                Some(0),
                Some(1),
            ])),
        ),
        (
            "ts",
            Arc::new(TimestampMicrosecondArray::from(vec![
                Some(-62_135_596_800_000_000),
                Some(253_402_300_799_999_999),
                None,
                Some(1),
                Some(-1),
            ])),
        ),
        (
            "t",
            Arc::new(Time64MicrosecondArray::from(vec![
                Some(0),
                Some(86_399_999_999),
                None,
                Some(1),
                None,
            ])),
        ),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.map(|(name, column)| (name, column, true)),
    )
    .unwrap();
    let folder = root.join("lab/values");
    fs::create_dir_all(&folder).unwrap();
    for (name, rows) in [("all", 5), ("none", 0)] {
        let file = fs::File::create(folder.join(format!("{name}.parquet"))).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch.slice(0, rows)).unwrap();
        writer.close().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_every_type_come_back_as_they_were() {
    let data = tempfile::tempdir().unwrap();
    write_values(data.path());
    let config = redivis_server::Config {
        requests_per_minute: None,
        ..redivis_server::Config::directory(data.path())
    };
    let server = redivis_server::Server::start(config).await.unwrap();
    let (_, plain) = session(client(&server));
    let (_, kept) = session(client(&server));
    let folder = tempfile::tempdir().unwrap();
    turn_on(&kept, folder.path()).await;
    for table in ["redivis.'lab.values.all'", "redivis.'lab.values.none'"] {
        kept.sql(&format!("SELECT * FROM {table}"))
            .await
            .unwrap()
            .collect()
            .await
            .unwrap();
        for rest in [
            "",
            "WHERE f > 0",
            "WHERE f = 'NaN'",
            "WHERE f <> 1",
            "WHERE f > 1e308 OR f < -1",
            "WHERE f BETWEEN -1 AND 0",
            "WHERE i IS NULL OR i > 5",
            "WHERE s >= 'a' OR b",
            "WHERE d < '1970-01-01'",
            "WHERE ts > '1970-01-01' AND t < '12:00:00'",
            "ORDER BY i DESC LIMIT 2",
            "ORDER BY f LIMIT 2",
            "ORDER BY f DESC LIMIT 2",
            "ORDER BY s DESC NULLS LAST LIMIT 3",
        ] {
            for columns in ["*", "s, i", "1 AS one"] {
                let sql = format!("SELECT {columns} FROM {table} {rest}");
                let read = async |redivis: &Redivis| {
                    let frame = redivis.sql(&sql).await.unwrap();
                    let plan = frame.clone().create_physical_plan().await.unwrap();
                    let plan = displayable(plan.as_ref()).indent(false).to_string();
                    let schema = frame.schema().as_arrow().clone();
                    (plan, schema, sorted(&frame.collect().await.unwrap()))
                };
                let (plan, schema, rows) = read(&kept).await;
                let (_, expected_schema, expected) = read(&plain).await;
                assert!(
                    plan.contains("cached") || plan.contains("EmptyExec"),
                    "{sql}\n{plan}"
                );
                assert_eq!(schema, expected_schema, "{sql}");
                assert_eq!(rows, expected, "{sql}");
            }
        }
    }
    server.stop().await;
}
