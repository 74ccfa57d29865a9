//! Streams whose columns are not the table's: brought into its types where nothing is lost, refused with a name where it is.
//!
//! Uploads of an unreleased table differ in columns, order, spelling and types; what else Arrow can carry is put in the place
//! of the server's answer, as bytes on the wire.

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int64Array,
    LargeStringArray, NullArray, RecordBatch, StringArray, StringViewArray, UInt64Array,
    new_empty_array,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use datafusion::arrow::ipc::CompressionType;
use datafusion::arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use futures::TryStreamExt;
use redivis::read::{ReadSessionRequest, ReadStreamInfo, variables_schema};
use redivis::{Client, ErrorKind, TableReference};
use redivis_tests::proxy::{Action, Proxy};
use redivis_tests::server::Server;
use tempfile::TempDir;

use crate::answer::rows;
use crate::files::write;
use crate::session::{client, session};

const MICROS: DataType = DataType::Timestamp(TimeUnit::Microsecond, None);
const NANOS: DataType = DataType::Timestamp(TimeUnit::Nanosecond, None);
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

fn decimals(values: &[i128], scale: i8) -> ArrayRef {
    let array = Decimal128Array::from(values.to_vec());
    Arc::new(array.with_precision_and_scale(30, scale).unwrap())
}

fn dictionary(array: ArrayRef, key: DataType) -> ArrayRef {
    let to = DataType::Dictionary(Box::new(key), Box::new(array.data_type().clone()));
    cast(&array, &to).unwrap()
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

/// Says which types an unreleased table has.
fn declare(folder: &Path, table: &str, types: &[(&str, &str)]) {
    let variables: Vec<_> = types
        .iter()
        .map(|(name, kind)| serde_json::json!({"name": name, "type": kind}))
        .collect();
    let description = serde_json::json!({"variables": variables}).to_string();
    std::fs::write(folder.join(format!("{table}.json")), description).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_of_other_columns_make_one_table() {
    let folder = TempDir::new().unwrap();
    let next = folder.path().join("some/draft/next");
    let upload = |name: &str, columns| {
        write(
            &next.join(format!("mixed/{name}.parquet")),
            &batch(columns),
            100,
        );
    };
    upload(
        "a_exact",
        vec![
            ("id", numbers(&[1])),
            ("amount", floats(&[2.5])),
            ("flag", Arc::new(BooleanArray::from(vec![true]))),
            ("day", Arc::new(Date32Array::from(vec![18_321]))),
            ("moment", counted(&[1_582_938_123_500_000], &MICROS)),
            ("clock", counted(&[86_399_999_999], &TIME)),
            ("label", texts(&["exact"])),
        ],
    );
    upload(
        "b_text",
        vec![
            ("LABEL", texts(&["text", "more"])),
            ("Clock", texts(&["23:59:59.999999", "0:00"])),
            (
                "Moment",
                texts(&["2020-02-29T01:02:03.5", "2020-2-9 1:02:03"]),
            ),
            ("DAY", texts(&["2020-02-29", "0001-01-01"])),
            ("Flag", texts(&["TRUE", "0"])),
            ("Amount", texts(&["2.5", "-1e3"])),
            ("ID", texts(&["2", "-9223372036854775808"])),
        ],
    );
    upload(
        "c_other",
        vec![
            ("unrelated", numbers(&[0])),
            ("label", numbers(&[42])),
            ("day", counted(&[1_582_934_400_000_000], &MICROS)),
            ("flag", numbers(&[0])),
            ("amount", numbers(&[7])),
            ("Id", floats(&[3.0])),
        ],
    );
    declare(
        &next,
        "mixed",
        &[
            ("id", "integer"),
            ("amount", "float"),
            ("flag", "boolean"),
            ("day", "date"),
            ("moment", "dateTime"),
            ("clock", "time"),
            ("label", "string"),
        ],
    );
    let server = serve(&folder).await;
    let (_, redivis) = session(client(server.endpoint(), server.token()), 4).await;
    let answer = async |sql: &str| {
        let frame = redivis.sql(sql).await.unwrap();
        rows(&frame.collect().await.unwrap())
    };

    let all = "SELECT id, amount, flag, day, moment, clock, label FROM some.\"draft:next\".mixed ORDER BY id";
    assert_eq!(
        answer(all).await,
        [
            "-9223372036854775808 | -1000.0 | false | 0001-01-01 | 2020-02-09T01:02:03 | 00:00:00 | more",
            "1 | 2.5 | true | 2020-02-29 | 2020-02-29T01:02:03.500 | 23:59:59.999999 | exact",
            "2 | 2.5 | true | 2020-02-29 | 2020-02-29T01:02:03.500 | 23:59:59.999999 | text",
            "3 | 7.0 | false | 2020-02-29 | ∅ | ∅ | 42",
        ]
    );
    let few = "SELECT Unrelated, count(*), min(LABEL) FROM some.\"draft:next\".mixed GROUP BY 1 ORDER BY 1";
    assert_eq!(answer(few).await, ["0 | 1 | 42", "∅ | 3 | exact"]);
    // In an upload that has none of the variables asked for, the rows are there nevertheless.
    let missing = "SELECT clock FROM some.\"draft:next\".mixed WHERE clock IS NULL";
    assert_eq!(answer(missing).await, ["∅"]);
    assert_eq!(
        answer("SELECT count(*) FROM some.\"draft:next\".mixed").await,
        ["4"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_with_a_value_that_is_lost_is_refused() {
    let cases: [(&str, ArrayRef, &str); 13] = [
        ("integer", texts(&["1.5"]), "1.5"),
        (
            "integer",
            texts(&["9223372036854775808"]),
            "9223372036854775808",
        ),
        ("integer", texts(&[""]), ""),
        ("integer", floats(&[1.5]), "1.5"),
        ("integer", floats(&[1e19]), "1e19"),
        ("float", texts(&["1,5"]), "1,5"),
        ("float", numbers(&[(1 << 53) + 1]), "9007199254740993"),
        ("boolean", texts(&["yes"]), "yes"),
        ("boolean", numbers(&[2]), "2"),
        ("date", texts(&["2021-02-29"]), "2021-02-29"),
        ("date", counted(&[1], &MICROS), "1970-01-01T00:00:00.000001"),
        (
            "dateTime",
            texts(&["2020-01-01 25:00:00"]),
            "2020-01-01 25:00:00",
        ),
        ("time", texts(&["24:00:00"]), "24:00:00"),
    ];
    let folder = TempDir::new().unwrap();
    let next = folder.path().join("some/draft/next");
    for (case, (kind, values, _)) in cases.iter().enumerate() {
        let table = format!("case_{case}");
        let good: ArrayRef = Arc::new(NullArray::new(3));
        let good = cast(&good, values.data_type()).unwrap();
        for (upload, column) in [("good", &good), ("wrong", values)] {
            let file = next.join(format!("{table}/{upload}.parquet"));
            let field = Field::new("Value", column.data_type().clone(), true);
            let schema = Arc::new(Schema::new(vec![field]));
            let batch = RecordBatch::try_new(schema, vec![Arc::clone(column)]).unwrap();
            write(&file, &batch, 100);
        }
        declare(&next, &table, &[("value", kind)]);
    }
    let server = serve(&folder).await;
    let client = client(server.endpoint(), server.token());
    for (case, (kind, _, shown)) in cases.iter().enumerate() {
        let reference: TableReference = format!("some.draft:next.case_{case}").parse().unwrap();
        let uri = client.table(&reference).await.unwrap().uri;
        let schema = variables_schema(&client.variables(&uri).await.unwrap());
        let request = ReadSessionRequest::default();
        let session = client.create_read_session(&uri, &request).await.unwrap();
        let [good, wrong] = session.streams.as_slice() else {
            panic!("a stream for each upload");
        };
        let batches = client.read_arrow(good, Arc::clone(&schema));
        let batches: Vec<RecordBatch> = batches.try_collect().await.unwrap();
        assert_eq!(rows(&batches), ["∅"; 3], "{kind}");
        let read: Result<Vec<_>, _> = client.read_arrow(wrong, schema).try_collect().await;
        assert_lossy(&read.expect_err(shown), wrong, "Value", shown);
    }
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
