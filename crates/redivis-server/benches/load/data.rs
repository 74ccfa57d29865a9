//! What is read and uploaded.

use std::{fmt::Write, fs::File, path::Path, sync::Arc};

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use parquet::{arrow::ArrowWriter, basic::Compression, file::properties::WriterProperties};

const ROWS: i64 = 400_000;

/// Writes a table of integers, numbers and texts, compressed as usual; returns how many rows it has.
pub(crate) fn write(path: &Path) -> u64 {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let id: ArrayRef = Arc::new(Int64Array::from_iter_values(0..ROWS));
    let group: ArrayRef = Arc::new(Int64Array::from_iter(
        (0..ROWS).map(|n| (n % 7 > 0).then_some(n % 100)),
    ));
    let number: ArrayRef = Arc::new(Float64Array::from_iter_values(
        (0..ROWS).map(|n| (n as f64).sqrt()),
    ));
    let text = (0..ROWS).map(|n| format!("{:x} of {}", n * 7919 % 100_003, n % 13));
    let text: ArrayRef = Arc::new(StringArray::from_iter_values(text));
    let columns = [
        ("id", id),
        ("group", group),
        ("number", number),
        ("text", text),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .build();
    let file = File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    ROWS.unsigned_abs()
}

pub(crate) fn csv(rows: usize) -> bytes::Bytes {
    let mut csv = "id,number,text\n".to_owned();
    for n in 0..rows {
        writeln!(csv, "{n},{}.5,text {n}", n * 3).unwrap();
    }
    csv.into()
}
