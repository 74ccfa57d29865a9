//! The tables that random queries are about, on Redivis and in local files.
//!
//! A table is read through as many streams as its bytes are worth, and an unreleased one through one for each upload: a
//! variable `pad` of few, long texts that no query reads makes tables of few rows large.

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use fastrand::Rng;

use crate::files::{self, write};
use crate::session::{client, session};

/// Bytes that are worth a stream, and a few more.
const PAD: usize = (32 << 20) + 1000;
/// How often the pad is in a padded file.
const PADS: usize = 8;

/// A table: its name in queries, its reference, and its files below the served folder.
pub(super) struct Table {
    pub(super) name: &'static str,
    reference: &'static str,
    files: &'static str,
    pub(super) rows: usize,
}

/// How many rows each has, released or in uploads, and the streams that this makes of it, `limits.rs` checks.
pub(super) const TABLES: [Table; 6] = [
    table("one", "check.released.one", "released/one.parquet", 200),
    table("nine", "check.released.nine", "released/nine.parquet", 400),
    table("void", "check.released.void", "released/void.parquet", 0),
    table(
        "many",
        "check.many:next.many",
        "many/next/many/",
        400 + 11 * 20,
    ),
    table("few", "check.few:next.few", "few/next/few/", 400 + 20),
    table(
        "long",
        "check.released.long",
        "released/long.parquet",
        25_000,
    ),
];

const fn table(
    name: &'static str,
    reference: &'static str,
    files: &'static str,
    rows: usize,
) -> Table {
    Table {
        name,
        reference,
        files,
        rows,
    }
}

/// Writes the files of all tables below `folder`.
pub(super) fn write_all(folder: &Path) {
    let folder = folder.join("check");
    let mut rng = Rng::with_seed(7);
    let released = folder.join("released");
    write(
        &released.join("one.parquet"),
        &batch(&mut rng, 0, 200, false),
        64,
    );
    write(
        &released.join("void.parquet"),
        &batch(&mut rng, 0, 0, false),
        64,
    );
    write(
        &released.join("long.parquet"),
        &batch(&mut rng, 0, 25_000, true),
        6_000,
    );
    let padded = released.join("nine.parquet");
    write(&padded, &batch(&mut rng, 100, 400, true), 100);
    for (dataset, uploads) in [("many", 11), ("few", 1)] {
        let uploads_folder = folder.join(dataset).join("next").join(dataset);
        for upload in 0..uploads {
            let batch = batch(&mut rng, 500 + 20 * upload, 20, false);
            write(
                &uploads_folder.join(format!("upload_{upload:02}.parquet")),
                &batch,
                20,
            );
        }
        std::fs::hard_link(&padded, uploads_folder.join("padded.parquet")).unwrap();
    }
}

/// Rows with the ids from `first` on. Floats are quarters, so that sums do not depend on the order of rows.
fn batch(rng: &mut Rng, first: i64, rows: usize, padded: bool) -> RecordBatch {
    fn values<T>(
        rng: &mut Rng,
        rows: usize,
        mut value: impl FnMut(&mut Rng) -> T,
    ) -> Vec<Option<T>> {
        (0..rows)
            .map(|_| (rng.u8(0..8) > 0).then(|| value(rng)))
            .collect()
    }
    const DAY: i64 = 86_400_000_000;
    let ids = Int64Array::from_iter_values(first..first + rows as i64);
    let groups = Int64Array::from(values(rng, rows, |rng| rng.i64(0..40)));
    let numbers = Float64Array::from(values(rng, rows, |rng| f64::from(rng.i32(-400..400)) / 4.0));
    let names = StringArray::from(values(rng, rows, |rng| {
        let length = rng.usize(0..3);
        (0..length).map(|_| rng.char('a'..='e')).collect::<String>()
    }));
    let flags = BooleanArray::from(values(rng, rows, Rng::bool));
    let days = Date32Array::from(values(rng, rows, |rng| rng.i32(-100..20_000)));
    let times = TimestampMicrosecondArray::from(values(rng, rows, |rng| rng.i64(0..20_000 * DAY)));
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(ids)),
        ("grp", Arc::new(groups)),
        ("num", Arc::new(numbers)),
        ("name", Arc::new(names)),
        ("flag", Arc::new(flags)),
        ("day", Arc::new(days)),
        ("moment", Arc::new(times)),
    ];
    if padded {
        let pad = "p".repeat(PAD);
        let texts = (0..rows).map(|row| (row < PADS).then_some(pad.as_str()));
        columns.push((files::PAD, Arc::new(texts.collect::<StringArray>())));
    }
    RecordBatch::try_from_iter_with_nullable(
        columns
            .into_iter()
            .map(|(name, column)| (name, column, true)),
    )
    .unwrap()
}

/// A session in which the tables' names mean those on Redivis.
pub(super) async fn remote(
    endpoint: &str,
    token: Option<&str>,
    partitions: usize,
) -> SessionContext {
    let (context, redivis) = session(client(endpoint, token), partitions).await;
    for table in &TABLES {
        let provider = redivis.table(table.reference).await.unwrap();
        context.register_table(table.name, provider).unwrap();
    }
    context
}

/// A session in which they mean the files.
pub(super) async fn local(folder: &Path) -> SessionContext {
    let mut config = SessionConfig::new().with_target_partitions(1);
    config
        .options_mut()
        .execution
        .parquet
        .schema_force_view_types = false;
    let context = SessionContext::new_with_config(config);
    for table in &TABLES {
        let path = folder.join("check").join(table.files);
        let mut path = path.to_str().unwrap().to_owned();
        if table.files.ends_with('/') && !path.ends_with('/') {
            path.push('/');
        }
        context
            .register_parquet(table.name, &path, ParquetReadOptions::default())
            .await
            .unwrap();
    }
    context
}
