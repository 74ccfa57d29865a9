//! What else Arrow can carry, put in the place of the server's answer as bytes on the wire.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, Decimal128Array, Float32Array, LargeStringArray, NullArray, RecordBatch,
    StringViewArray, UInt64Array, new_empty_array,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use datafusion::arrow::ipc::CompressionType;
use datafusion::arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use futures::TryStreamExt;
use redivis::read::{ReadSessionRequest, ReadStreamInfo};
use redivis::{Client, ErrorKind, TableReference};
use redivis_tests::proxy::{Action, Proxy};
use redivis_tests::server::Server;
use tempfile::TempDir;

use super::{MICROS, TIME, assert_lossy, batch, counted, floats, numbers, serve, texts};
use crate::answer::rows;
use crate::files::write;
use crate::session::client;

const NANOS: DataType = DataType::Timestamp(TimeUnit::Nanosecond, None);

fn decimals(values: &[i128], scale: i8) -> ArrayRef {
    let array = Decimal128Array::from(values.to_vec());
    Arc::new(array.with_precision_and_scale(30, scale).unwrap())
}

fn dictionary(array: ArrayRef, key: DataType) -> ArrayRef {
    let to = DataType::Dictionary(Box::new(key), Box::new(array.data_type().clone()));
    cast(&array, &to).unwrap()
}

/// A stream, and the proxy that answers in the server's place.
struct Wire {
    client: Client,
    proxy: Proxy,
    stream: ReadStreamInfo,
    _server: Server,
    _folder: TempDir,
}

impl Wire {
    async fn start() -> Wire {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("some/released/t.parquet");
        write(&file, &batch(vec![("v", numbers(&[1]))]), 100);
        let server = serve(&folder).await;
        let proxy = Proxy::start(server.endpoint()).await;
        let client = client(&proxy.endpoint(), server.token());
        let reference: TableReference = "some.released.t".parse().unwrap();
        let uri = client.table(&reference).await.unwrap().uri;
        let request = ReadSessionRequest::default();
        let mut session = client.create_read_session(&uri, &request).await.unwrap();
        Wire {
            client,
            proxy,
            stream: session.streams.remove(0),
            _server: server,
            _folder: folder,
        }
    }

    /// Reads `values` of the variable `v` as `to`, sent with a null before them.
    async fn read(
        &self,
        values: &ArrayRef,
        compression: Option<CompressionType>,
        to: &DataType,
    ) -> redivis::Result<Vec<String>> {
        let field = Field::new("v", values.data_type().clone(), true);
        let schema = Arc::new(Schema::new(vec![field]));
        let nulls = cast(&NullArray::new(1), values.data_type()).unwrap();
        let batch = |column| RecordBatch::try_new(Arc::clone(&schema), vec![column]).unwrap();
        let options = IpcWriteOptions::default()
            .try_with_compression(compression)
            .unwrap();
        let mut writer = StreamWriter::try_new_with_options(Vec::new(), &schema, options).unwrap();
        for column in [
            nulls,
            Arc::clone(values),
            new_empty_array(values.data_type()),
        ] {
            writer.write(&batch(column)).unwrap();
        }
        let body = writer.into_inner().unwrap();
        let arrow = [("Content-Type", "application/vnd.apache.arrow.stream")];
        self.proxy
            .script(move |_| Action::reply(200, &arrow, &body));
        let schema = Arc::new(Schema::new(vec![Field::new("V", to.clone(), true)]));
        let batches = self.client.read_arrow(&self.stream, schema);
        let batches: Vec<RecordBatch> = batches.try_collect().await?;
        assert!(
            batches
                .iter()
                .all(|batch| batch.column(0).data_type() == to)
        );
        Ok(rows(&batches))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_arrow_can_carry_becomes_the_variables_type() {
    let zoned = DataType::Timestamp(TimeUnit::Microsecond, Some("+02:00".into()));
    let long = "0123456789".repeat(500);
    let views = ["short", long.as_str()];
    let cases: Vec<(ArrayRef, DataType, &[&str])> = vec![
        (
            Arc::new(LargeStringArray::from(vec!["ä", ""])),
            DataType::Utf8,
            &["ä", ""],
        ),
        (
            Arc::new(StringViewArray::from(views.to_vec())),
            DataType::Utf8,
            &views,
        ),
        (
            dictionary(texts(&["a", "b", "a"]), DataType::Int8),
            DataType::Utf8,
            &["a", "b", "a"],
        ),
        (
            dictionary(
                Arc::new(LargeStringArray::from(vec!["a"])),
                DataType::UInt32,
            ),
            DataType::Utf8,
            &["a"],
        ),
        (
            dictionary(texts(&["2020-02-29"]), DataType::Int32),
            DataType::Date32,
            &["2020-02-29"],
        ),
        (
            dictionary(numbers(&[5, 5]), DataType::Int16),
            DataType::Int64,
            &["5", "5"],
        ),
        (decimals(&[1200, -100], 2), DataType::Int64, &["12", "-1"]),
        (decimals(&[1250], 2), DataType::Float64, &["12.5"]),
        (
            cast(&decimals(&[1250], 2), &DataType::Decimal256(60, 2)).unwrap(),
            DataType::Float64,
            &["12.5"],
        ),
        (decimals(&[1250], 2), DataType::Utf8, &["12.50"]),
        (
            counted(&[1_582_938_123_500_000], &zoned),
            MICROS,
            &["2020-02-29T01:02:03.500"],
        ),
        (
            counted(&[1_000], &NANOS),
            MICROS,
            &["1970-01-01T00:00:00.000001"],
        ),
        (
            counted(&[-1], &DataType::Timestamp(TimeUnit::Second, None)),
            MICROS,
            &["1969-12-31T23:59:59"],
        ),
        (
            counted(&[1], &DataType::Timestamp(TimeUnit::Millisecond, None)),
            MICROS,
            &["1970-01-01T00:00:00.001"],
        ),
        (
            counted(&[86_400_000], &DataType::Date64),
            DataType::Date32,
            &["1970-01-02"],
        ),
        (
            counted(&[3_661], &DataType::Time32(TimeUnit::Second)),
            TIME,
            &["01:01:01"],
        ),
        (
            counted(&[1_000], &DataType::Time64(TimeUnit::Nanosecond)),
            TIME,
            &["00:00:00.000001"],
        ),
        (
            counted(&[-5, 7], &DataType::Int32),
            DataType::Int64,
            &["-5", "7"],
        ),
        (
            counted(&[0, 1], &DataType::Int8),
            DataType::Boolean,
            &["false", "true"],
        ),
        (
            Arc::new(UInt64Array::from(vec![i64::MAX as u64])),
            DataType::Int64,
            &["9223372036854775807"],
        ),
        (
            Arc::new(Float32Array::from(vec![0.5, -3.0])),
            DataType::Float64,
            &["0.5", "-3.0"],
        ),
        (
            Arc::new(Float32Array::from(vec![-3.0])),
            DataType::Int64,
            &["-3"],
        ),
        (Arc::new(NullArray::new(2)), MICROS, &["∅", "∅"]),
    ];
    let wire = Wire::start().await;
    for (values, to, expected) in &cases {
        let compressions = [
            None,
            Some(CompressionType::LZ4_FRAME),
            Some(CompressionType::ZSTD),
        ];
        for compression in compressions {
            let case = format!("{} to {to}, {compression:?}", values.data_type());
            let read = wire.read(values, compression, to).await;
            let read = read.unwrap_or_else(|error| panic!("{case}: {error}"));
            assert_eq!(read[0], "∅", "{case}");
            assert_eq!(&read[1..], *expected, "{case}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_silently() {
    let seconds = DataType::Timestamp(TimeUnit::Second, None);
    let cases: Vec<(ArrayRef, DataType, &str)> = vec![
        (floats(&[1.5]), DataType::Int64, "1.5"),
        (floats(&[1e300]), DataType::Int64, "1e300"),
        (floats(&[f64::NAN]), DataType::Int64, "NaN"),
        (
            Arc::new(Float32Array::from(vec![0.1])),
            DataType::Int64,
            "0.1",
        ),
        (
            Arc::new(UInt64Array::from(vec![1 << 63])),
            DataType::Int64,
            "9223372036854775808",
        ),
        (
            numbers(&[(1 << 53) + 1]),
            DataType::Float64,
            "9007199254740993",
        ),
        (numbers(&[2]), DataType::Boolean, "2"),
        (decimals(&[150], 2), DataType::Int64, "1.50"),
        (
            decimals(&[1 << 70], 0),
            DataType::Int64,
            "1180591620717411303424",
        ),
        (
            counted(&[1_001], &NANOS),
            MICROS,
            "1970-01-01T00:00:00.000001001",
        ),
        (counted(&[10_000_000_000_000], &seconds), MICROS, ""),
        (
            counted(&[1], &MICROS),
            DataType::Date32,
            "1970-01-01T00:00:00.000001",
        ),
        (
            counted(&[1], &DataType::Date64),
            DataType::Date32,
            "1970-01-01T00:00:00.001",
        ),
        (
            counted(&[1], &DataType::Time64(TimeUnit::Nanosecond)),
            TIME,
            "00:00:00.000000001",
        ),
        (
            Arc::new(StringViewArray::from(vec!["2021-02-29"])),
            DataType::Date32,
            "2021-02-29",
        ),
        (
            Arc::new(StringViewArray::from(vec!["2021-13-01 00:00"])),
            MICROS,
            "2021-13-01 00:00",
        ),
        (
            Arc::new(LargeStringArray::from(vec!["1.5"])),
            DataType::Int64,
            "1.5",
        ),
        (
            dictionary(texts(&["12", "x"]), DataType::Int8),
            DataType::Int64,
            "x",
        ),
        (texts(&["1e999"]), DataType::Float64, "1e999"),
        (texts(&["12:60"]), TIME, "12:60"),
    ];
    let wire = Wire::start().await;
    for (values, to, shown) in &cases {
        let case = format!("{shown} ({}) as {to}", values.data_type());
        let error = wire.read(values, None, to).await.expect_err(&case);
        if shown.is_empty() {
            // Too far away for a calendar; the message still says of what it speaks.
            assert_eq!(error.kind(), ErrorKind::Data, "{case}");
            assert!(error.to_string().contains("variable `V`"), "{error}");
        } else {
            assert_lossy(&error, &wire.stream, "V", shown);
        }
    }
    // Of a type that means no number at all, no value is tried.
    let bytes = cast(&texts(&["12"]), &DataType::Binary).unwrap();
    let error = wire.read(&bytes, None, &DataType::Int64).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    assert!(error.to_string().contains("`V`"), "{error}");
}
