//! Tables that are large for what they cost to make: the same file, stored once, is every upload of an unreleased table.

use std::fs::{self, File};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::Compression;
use datafusion::parquet::file::properties::WriterProperties;
use redivis_tests::server::Server;
use tempfile::TempDir;

/// An unreleased table `local.draft:next.<name>`, served.
pub(crate) struct Served {
    pub(crate) server: Server,
    _data: TempDir,
}

/// Serves a table of this many uploads, each with these rows.
///
/// They are plain and uncompressed, so that reading them in a debug build is mostly copying.
pub(crate) fn serve(name: &str, batch: &RecordBatch, uploads: usize) -> Served {
    let plain = WriterProperties::builder()
        .set_max_row_group_row_count(Some(2000))
        .set_dictionary_enabled(false)
        .set_compression(Compression::UNCOMPRESSED);
    serve_file(name, uploads, |file| write(file, batch, plain.build()))
}

/// Serves a table of one upload in which a few texts are repeated, stored once each: megabytes that take kilobytes.
pub(crate) fn serve_repeated(name: &str, batch: &RecordBatch) -> Served {
    serve_file(name, 1, |file| {
        write(file, batch, WriterProperties::default())
    })
}

fn serve_file(name: &str, uploads: usize, write: impl FnOnce(File)) -> Served {
    let data = TempDir::new().unwrap();
    let folder = data.path().join("local/draft/next").join(name);
    fs::create_dir_all(&folder).unwrap();
    let first = folder.join("upload_0.parquet");
    write(File::create(&first).unwrap());
    for upload in 1..uploads {
        fs::hard_link(&first, folder.join(format!("upload_{upload}.parquet"))).unwrap();
    }
    Served {
        server: Server::directory(data.path()),
        _data: data,
    }
}

/// `id` from 0, and `text` of so many bytes.
pub(crate) fn texts(rows: i64, bytes: usize) -> RecordBatch {
    let text = "x".repeat(bytes - 8);
    let texts = (0..rows).map(|row| format!("{row:08}{text}"));
    RecordBatch::try_from_iter([
        (
            "id",
            Arc::new(Int64Array::from_iter_values(0..rows)) as ArrayRef,
        ),
        ("text", Arc::new(StringArray::from_iter_values(texts))),
    ])
    .unwrap()
}

/// Rows of the same `text` of so many bytes.
pub(crate) fn repeated(rows: usize, bytes: usize) -> RecordBatch {
    let text = "x".repeat(bytes);
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values((0..rows).map(|_| &text)));
    RecordBatch::try_from_iter([("text", texts)]).unwrap()
}

/// So many variables of numbers, `v0`, `v1`, …
pub(crate) fn numbers(rows: u32, variables: usize) -> RecordBatch {
    let column: ArrayRef = Arc::new(Float64Array::from_iter_values((0..rows).map(f64::from)));
    RecordBatch::try_from_iter((0..variables).map(|i| (format!("v{i}"), Arc::clone(&column))))
        .unwrap()
}

fn write(file: File, batch: &RecordBatch, properties: WriterProperties) {
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}
