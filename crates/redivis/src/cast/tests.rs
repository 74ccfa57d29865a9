//! Every accepted conversion, and every loss that must be refused.

use std::sync::Arc;

use arrow::array::*;
use arrow::datatypes::*;
use arrow::util::display::array_value_to_string;
use proptest::prelude::*;

use super::*;

const MICROS: DataType = DataType::Timestamp(TimeUnit::Microsecond, None);
const TIME: DataType = DataType::Time64(TimeUnit::Microsecond);

fn text(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

/// The converted values as text; nulls are empty.
fn converted(array: ArrayRef, to: &DataType) -> Result<Vec<String>, String> {
    let result = cast(&array, to).map_err(|error| error.to_string())?;
    assert_eq!(result.data_type(), to);
    assert_eq!(result.len(), array.len());
    Ok((0..result.len())
        .map(|row| array_value_to_string(&result, row).unwrap())
        .collect())
}

#[track_caller]
fn accepts(array: ArrayRef, to: &DataType, expected: &[&str]) {
    assert_eq!(converted(array, to).unwrap(), expected);
}

/// Every value on its own is refused, and shown.
#[track_caller]
fn refuses(array: ArrayRef, to: &DataType) {
    for row in 0..array.len() {
        let one = array.slice(row, 1);
        let value = array_value_to_string(&one, 0).unwrap();
        let message = converted(one, to).expect_err(&value);
        assert!(message.contains("cannot be read as"), "{value}: {message}");
        assert!(
            message.contains(&value.escape_debug().to_string()),
            "{value}: {message}"
        );
    }
}

#[test]
fn integers() {
    let to = &DataType::Int64;
    accepts(
        text(&["12", "-3", "9223372036854775807"]),
        to,
        &["12", "-3", "9223372036854775807"],
    );
    refuses(
        text(&["", " 12", "1.0", "1e3", "x", "9223372036854775808", "0x1f"]),
        to,
    );
    accepts(
        Arc::new(Float64Array::from(vec![1.0, -0.0, i64::MIN as f64])),
        to,
        &["1", "0", "-9223372036854775808"],
    );
    refuses(
        Arc::new(Float64Array::from(vec![
            1.5,
            f64::NAN,
            f64::INFINITY,
            -(i64::MIN as f64),
            -1e300,
        ])),
        to,
    );
    accepts(
        Arc::new(Float32Array::from(vec![16777216.0])),
        to,
        &["16777216"],
    );
    refuses(Arc::new(Float32Array::from(vec![0.5])), to);
    accepts(
        Arc::new(Int8Array::from(vec![Some(-128), None])),
        to,
        &["-128", ""],
    );
    accepts(
        Arc::new(Int32Array::from(vec![i32::MIN])),
        to,
        &["-2147483648"],
    );
    accepts(Arc::new(UInt64Array::from(vec![7])), to, &["7"]);
    refuses(Arc::new(UInt64Array::from(vec![u64::MAX])), to);
    accepts(
        Arc::new(BooleanArray::from(vec![true, false])),
        to,
        &["1", "0"],
    );
    let decimals = |values: Vec<i128>| -> ArrayRef {
        Arc::new(
            Decimal128Array::from(values)
                .with_precision_and_scale(30, 2)
                .unwrap(),
        )
    };
    accepts(decimals(vec![1200, -100, 0]), to, &["12", "-1", "0"]);
    refuses(decimals(vec![1250, 10_i128.pow(29)]), to);
    converted(Arc::new(Date32Array::from(vec![1])), to).unwrap_err();
    accepts(Arc::new(NullArray::new(2)), to, &["", ""]);
}

#[test]
fn floats() {
    let to = &DataType::Float64;
    accepts(
        text(&["1.5", "-2", "1e3", "inf", "NaN", ".5"]),
        to,
        &["1.5", "-2.0", "1000.0", "inf", "NaN", "0.5"],
    );
    refuses(text(&["", " 1", "1,5", "1e999", "1_0"]), to);
    accepts(
        Arc::new(Int64Array::from(vec![9007199254740992])),
        to,
        &["9007199254740992.0"],
    );
    refuses(
        Arc::new(Int64Array::from(vec![9007199254740993, i64::MAX])),
        to,
    );
    refuses(Arc::new(UInt64Array::from(vec![u64::MAX])), to);
    accepts(Arc::new(Float32Array::from(vec![0.5])), to, &["0.5"]);
    let decimal = Decimal128Array::from(vec![10])
        .with_precision_and_scale(5, 2)
        .unwrap();
    accepts(Arc::new(decimal), to, &["0.1"]);
}

#[test]
fn booleans() {
    let to = &DataType::Boolean;
    accepts(
        text(&["true", "FALSE", "1", "0", "True"]),
        to,
        &["true", "false", "true", "false", "true"],
    );
    refuses(text(&["", "yes", "t", "2", " true"]), to);
    accepts(
        Arc::new(Int64Array::from(vec![Some(1), Some(0), None])),
        to,
        &["true", "false", ""],
    );
    refuses(Arc::new(Int64Array::from(vec![2, -1])), to);
    accepts(Arc::new(Float64Array::from(vec![1.0])), to, &["true"]);
    refuses(Arc::new(Float64Array::from(vec![0.5])), to);
}

#[test]
fn dates() {
    let to = &DataType::Date32;
    accepts(
        text(&[
            "2020-01-02",
            "2020-1-2",
            "0001-01-01",
            "9999-12-31",
            "2020-02-29 00:00:00",
            "1969-12-31T00:00",
        ]),
        to,
        &[
            "2020-01-02",
            "2020-01-02",
            "0001-01-01",
            "9999-12-31",
            "2020-02-29",
            "1969-12-31",
        ],
    );
    refuses(
        text(&[
            "",
            "2021-02-29",
            "2020-13-01",
            "2020-00-01",
            "20-01-01",
            "0000-01-01",
            "2020-01-02 01:00:00",
            "2020-01",
            "2020-01-02x",
            "02/01/2020",
            "2020-01-02T",
        ]),
        to,
    );
    let day = 86_400_000_000_i64;
    accepts(
        Arc::new(TimestampMicrosecondArray::from(vec![-day, 0])),
        to,
        &["1969-12-31", "1970-01-01"],
    );
    refuses(Arc::new(TimestampMicrosecondArray::from(vec![1, -1])), to);
    accepts(
        Arc::new(Date64Array::from(vec![86_400_000])),
        to,
        &["1970-01-02"],
    );
    refuses(Arc::new(Date64Array::from(vec![86_400_001])), to);
    converted(Arc::new(Int64Array::from(vec![5])), to).unwrap_err();
}

#[test]
fn dates_with_times() {
    accepts(
        text(&[
            "2020-01-02",
            "2020-01-02 01:02:03.5",
            "2020-01-02T01:02",
            "2020-1-2 1:02:03.123456000",
            "1969-12-31 23:59:59.999999",
        ]),
        &MICROS,
        &[
            "2020-01-02T00:00:00",
            "2020-01-02T01:02:03.500",
            "2020-01-02T01:02:00",
            "2020-01-02T01:02:03.123456",
            "1969-12-31T23:59:59.999999",
        ],
    );
    refuses(
        text(&[
            "",
            "2020-01-02 24:00:00",
            "2020-01-02 01:02:03.1234567",
            "2020-01-02 01:02:03Z",
            "2020-01-02 01:02:03+01:00",
            "2020-01-02 01:60",
            "2020-01-02 01:02:60",
            "2020-01-02  01:02",
        ]),
        &MICROS,
    );
    accepts(
        Arc::new(TimestampNanosecondArray::from(vec![-1000])),
        &MICROS,
        &["1969-12-31T23:59:59.999999"],
    );
    refuses(
        Arc::new(TimestampNanosecondArray::from(vec![1, -1, 1001])),
        &MICROS,
    );
    accepts(
        Arc::new(TimestampSecondArray::from(vec![1])),
        &MICROS,
        &["1970-01-01T00:00:01"],
    );
    converted(
        Arc::new(TimestampSecondArray::from(vec![i64::MAX])),
        &MICROS,
    )
    .unwrap_err();
    accepts(
        Arc::new(Date32Array::from(vec![1])),
        &MICROS,
        &["1970-01-02T00:00:00"],
    );
    // The zone goes, the time in UTC stays.
    let zoned = TimestampMicrosecondArray::from(vec![0]).with_timezone("-05:00");
    accepts(Arc::new(zoned), &MICROS, &["1970-01-01T00:00:00"]);
}

#[test]
fn times() {
    accepts(
        text(&["01:02:03.5", "1:02", "23:59:59.999999", "00:00:00"]),
        &TIME,
        &["01:02:03.500", "01:02:00", "23:59:59.999999", "00:00:00"],
    );
    refuses(
        text(&[
            "",
            "24:00:00",
            "1",
            "01:02:03.1234567",
            "01:02:03 PM",
            "-1:00",
            "01:02:03.",
        ]),
        &TIME,
    );
    accepts(
        Arc::new(Time32MillisecondArray::from(vec![1500])),
        &TIME,
        &["00:00:01.500"],
    );
    accepts(
        Arc::new(Time64NanosecondArray::from(vec![1000])),
        &TIME,
        &["00:00:00.000001"],
    );
    converted(Arc::new(Time64NanosecondArray::from(vec![1])), &TIME).unwrap_err();
    converted(Arc::new(Time32SecondArray::from(vec![86_400])), &TIME).unwrap_err();
    converted(Arc::new(Int64Array::from(vec![5])), &TIME).unwrap_err();
}

#[test]
fn texts() {
    let to = &DataType::Utf8;
    accepts(
        Arc::new(LargeStringArray::from(vec![Some("a"), None, Some("")])),
        to,
        &["a", "", ""],
    );
    accepts(
        Arc::new(StringViewArray::from(vec!["longer than twelve bytes", "b"])),
        to,
        &["longer than twelve bytes", "b"],
    );
    let dictionary: DictionaryArray<Int32Type> =
        vec![Some("x"), None, Some("x")].into_iter().collect();
    accepts(Arc::new(dictionary), to, &["x", "", "x"]);
    let nulls: DictionaryArray<Int32Type> = vec![None::<&str>, None].into_iter().collect();
    assert!(nulls.values().is_empty());
    accepts(Arc::new(nulls), to, &["", ""]);
    accepts(Arc::new(Int64Array::from(vec![-5])), to, &["-5"]);
    accepts(Arc::new(BooleanArray::from(vec![true])), to, &["true"]);
    accepts(
        Arc::new(TimestampMicrosecondArray::from(vec![5, 0])),
        to,
        &["1970-01-01 00:00:00.000005", "1970-01-01 00:00:00"],
    );
    accepts(Arc::new(Date32Array::from(vec![0])), to, &["1970-01-01"]);
    accepts(
        Arc::new(Time64MicrosecondArray::from(vec![1])),
        to,
        &["00:00:00.000001"],
    );
    accepts(Arc::new(BinaryArray::from(vec![&b"abc"[..]])), to, &["abc"]);
    converted(Arc::new(BinaryArray::from(vec![&b"\xff"[..]])), to).unwrap_err();
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1)])]);
    converted(Arc::new(list), to).unwrap_err();
}

#[test]
fn text_that_exceeds_32_bit_offsets_is_refused() {
    // 3,000 times the same megabyte, as a dictionary and as views: small until every row has its own copy.
    let megabyte = "x".repeat(1 << 20);
    let keys = Int32Array::from(vec![0; 3000]);
    let dictionary =
        DictionaryArray::new(keys, Arc::new(StringArray::from(vec![megabyte.as_str()])));
    let message = converted(Arc::new(dictionary), &DataType::Utf8).unwrap_err();
    assert!(message.to_lowercase().contains("overflow"), "{message}");
    let one = StringViewArray::from(vec![megabyte.as_str()]);
    let views = vec![one.views()[0]; 3000];
    let views = StringViewArray::try_new(views.into(), one.data_buffers().to_vec(), None).unwrap();
    let message = converted(Arc::new(views), &DataType::Utf8).unwrap_err();
    assert!(message.to_lowercase().contains("overflow"), "{message}");
}

#[test]
fn long_values_are_shortened() {
    let message = converted(text(&[&"x\n".repeat(1000)]), &DataType::Int64).unwrap_err();
    assert!(message.len() < 300 && !message.contains('\n'), "{message}");
}

proptest! {
    #[test]
    fn integers_survive_text_floats_and_decimals(values in proptest::collection::vec(proptest::option::of(any::<i64>()), 0..50)) {
        let integers: ArrayRef = Arc::new(Int64Array::from(values));
        let texts = cast(&integers, &DataType::Utf8).unwrap();
        prop_assert_eq!(&cast(&texts, &DataType::Int64).unwrap(), &integers);
        let decimals = arrow_cast(&integers, &DataType::Decimal128(38, 5)).unwrap();
        prop_assert_eq!(&cast(&decimals, &DataType::Int64).unwrap(), &integers);
        if let Ok(floats) = cast(&integers, &DataType::Float64) {
            prop_assert_eq!(&cast(&floats, &DataType::Int64).unwrap(), &integers);
        }
    }

    #[test]
    fn timestamps_survive_text(values in proptest::collection::vec(-62_135_596_800_000_000i64..253_402_300_800_000_000, 0..50)) {
        let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from(values));
        let texts = cast(&times, &DataType::Utf8).unwrap();
        prop_assert_eq!(&cast(&texts, &MICROS).unwrap(), &times);
    }

    #[test]
    fn no_text_panics(value in "\\PC{0,24}", numeric in "[0-9:T. +eE-]{0,24}") {
        for to in [DataType::Int64, DataType::Float64, DataType::Boolean, DataType::Date32, MICROS, TIME] {
            let _ = cast(&text(&[&value]), &to);
            let _ = cast(&text(&[&numeric]), &to);
        }
    }
}
