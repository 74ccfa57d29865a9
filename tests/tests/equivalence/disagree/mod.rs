//! Streams whose columns are not the table's: brought into its types where nothing is lost, refused with a name where it is.

mod uploads;
mod wire;

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use redivis::ErrorKind;
use redivis::read::ReadStreamInfo;
use redivis_tests::server::Server;
use tempfile::TempDir;

const MICROS: DataType = DataType::Timestamp(TimeUnit::Microsecond, None);
const TIME: DataType = DataType::Time64(TimeUnit::Microsecond);

fn numbers(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn floats(values: &[f64]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

/// Integers as what counts them: timestamps, times, dates, narrower numbers.
fn counted(values: &[i64], data_type: &DataType) -> ArrayRef {
    let values = numbers(values);
    let array = match data_type {
        DataType::Date32 | DataType::Time32(_) => {
            cast(&cast(&values, &DataType::Int32).unwrap(), data_type)
        }
        _ => cast(&values, data_type),
    };
    array.unwrap()
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter(columns).unwrap()
}

async fn serve(folder: &TempDir) -> Server {
    let path = folder.path().to_owned();
    tokio::task::spawn_blocking(move || Server::directory(&path))
        .await
        .unwrap()
}

/// The error says which value of which variable in which stream, and that nothing else will help.
fn assert_lossy(error: &redivis::Error, stream: &ReadStreamInfo, variable: &str, value: &str) {
    let message = error.to_string();
    assert_eq!(error.kind(), ErrorKind::Data, "{message}");
    assert!(!error.is_retryable(), "{message}");
    assert_eq!(error.resource(), stream.id);
    for part in [&stream.id, &format!("`{variable}`"), &format!("`{value}`")] {
        assert!(message.contains(part.as_str()), "{part} in: {message}");
    }
}
