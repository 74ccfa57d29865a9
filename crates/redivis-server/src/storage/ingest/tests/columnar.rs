use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, BinaryArray, Date64Array, Decimal128Array, DictionaryArray, Float32Array,
        Int32Array, LargeStringArray, ListArray, RecordBatch, StringArray, StringViewArray,
        Time32SecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
        TimestampSecondArray, UInt64Array,
    },
    datatypes::{Int8Type, Int32Type},
};

use super::{ingest_bytes, options, refusal, tables};
use crate::storage::UploadType;

fn file(column: impl arrow::array::Array + 'static) -> Vec<u8> {
    let column: ArrayRef = Arc::new(column);
    tables::parquet(&RecordBatch::try_from_iter([("x", column)]).unwrap())
}

#[test]
fn stored_types_become_redivis_types_where_nothing_is_lost() {
    let words: DictionaryArray<Int8Type> = [Some("a"), None, Some("a")].into_iter().collect();
    let decimal = |scale| {
        let values = Decimal128Array::from(vec![Some(1_50), None, Some(-2_00)]);
        values.with_precision_and_scale(18, scale).unwrap()
    };
    for (file, kind, values) in [
        (file(words), "string", ["a", "∅", "a"]),
        (
            file(LargeStringArray::from(vec![Some("a"), None, Some("")])),
            "string",
            ["a", "∅", ""],
        ),
        (
            file(StringViewArray::from(vec![Some("a"), None, Some("")])),
            "string",
            ["a", "∅", ""],
        ),
        (
            file(Float32Array::from(vec![Some(0.5), None, Some(f32::NAN)])),
            "float",
            ["0.5", "∅", "NaN"],
        ),
        (
            file(UInt64Array::from(vec![Some(7), None, Some(0)])),
            "integer",
            ["7", "∅", "0"],
        ),
        (
            file(Int32Array::from(vec![Some(7), None, Some(0)])),
            "integer",
            ["7", "∅", "0"],
        ),
        (file(decimal(2)), "float", ["1.5", "∅", "-2.0"]),
        (file(decimal(0)), "integer", ["150", "∅", "-200"]),
        (
            file(TimestampSecondArray::from(vec![Some(0), None, Some(1)])),
            "dateTime",
            ["1970-01-01 00:00:00", "∅", "1970-01-01 00:00:01"],
        ),
        (
            file(
                TimestampNanosecondArray::from(vec![Some(0), None, Some(1000)])
                    .with_timezone("UTC"),
            ),
            "dateTime",
            ["1970-01-01 00:00:00", "∅", "1970-01-01 00:00:00.000001"],
        ),
        (
            file(Date64Array::from(vec![Some(0), None, Some(86_400_000)])),
            "date",
            ["1970-01-01", "∅", "1970-01-02"],
        ),
        (
            file(Time32SecondArray::from(vec![Some(1), None, Some(0)])),
            "time",
            ["00:00:01", "∅", "00:00:00"],
        ),
    ] {
        let rows = ingest_bytes(&file, &options(UploadType::Parquet)).unwrap();
        assert_eq!(rows.types(), format!("x {kind}"));
        assert_eq!(rows.text().concat(), values);
    }
}

#[test]
fn values_that_would_change_are_refused_with_their_row() {
    for (file, reason) in [
        (
            file(UInt64Array::from(vec![0, u64::MAX])),
            "row 2, variable `x`: 18446744073709551615",
        ),
        (
            file(TimestampNanosecondArray::from(vec![0, 0, 1])),
            "row 3, variable `x`: ",
        ),
        (
            file(TimestampSecondArray::from(vec![i64::MAX])),
            "row 1, variable `x`: ",
        ),
        (
            file(TimestampMillisecondArray::from(vec![
                0,
                253_402_300_800_000,
            ])),
            "row 2, variable `x`: ",
        ),
        (
            file(Date64Array::from(vec![0, -62_135_683_200_000])),
            "row 2, variable `x`: ",
        ),
        (
            file(
                Decimal128Array::from(vec![(1 << 60) + 1])
                    .with_precision_and_scale(38, 1)
                    .unwrap(),
            ),
            "row 1, variable `x`: ",
        ),
    ] {
        let found = refusal(&file, &options(UploadType::Parquet));
        assert!(found.starts_with(reason), "{found}");
    }
}

#[test]
fn types_that_redivis_does_not_have_are_refused_by_name() {
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1)])]);
    for file in [file(BinaryArray::from(vec![&b"a"[..]])), file(list)] {
        let found = refusal(&file, &options(UploadType::Parquet));
        assert!(found.starts_with("the variable `x` is of type"), "{found}");
    }
}

#[test]
fn a_long_text_that_many_rows_share_is_read_piece_by_piece() {
    let long = "ä".repeat(1 << 19);
    let texts = StringArray::from_iter_values((0..24).map(|_| long.as_str()));
    let rows = ingest_bytes(&file(texts), &options(UploadType::Parquet)).unwrap();
    assert!(rows.text().iter().all(|row| row[0] == long));
    assert_eq!(rows.batch.num_rows(), 24);
}
