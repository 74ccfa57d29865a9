//! What fits a variable, and what is refused.

use datafusion::arrow::array::*;
use datafusion::arrow::datatypes::*;
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::common::DataFusionError;

use super::*;
use crate::error::WriteError;
use crate::write::casts::{DAYS, MICROS_PER_DAY};

const MICROS: DataType = DataType::Timestamp(TimeUnit::Microsecond, None);

fn source(columns: &[(&str, DataType)]) -> Schema {
    let fields = columns
        .iter()
        .map(|(name, data_type)| Field::new(*name, data_type.clone(), true));
    Schema::new(fields.collect::<Vec<_>>())
}

fn of_table(columns: &[(&str, DataType)], variables: &[(&str, &str)]) -> Result<Columns, String> {
    let variables: Vec<(&str, VariableType)> = variables
        .iter()
        .map(|(name, of)| (*name, VariableType::from(*of)))
        .collect();
    let variables = variables.iter().map(|(name, of)| (*name, of));
    Columns::of_table(&source(columns), "o.d:next.t", variables)
        .map_err(|error| error.strip_backtrace())
}

#[test]
fn columns_are_matched_without_regard_to_case_or_order_and_missing_ones_are_null() {
    let columns = of_table(
        &[("b", DataType::Int32), ("A", DataType::Utf8View)],
        &[("a", "string"), ("B", "integer"), ("c", "dateTime")],
    )
    .unwrap();
    let batch = RecordBatch::try_from_iter([
        (
            "b",
            Arc::new(Int32Array::from(vec![Some(1), None])) as ArrayRef,
        ),
        (
            "A",
            Arc::new(StringViewArray::from(vec!["x", ""])) as ArrayRef,
        ),
    ])
    .unwrap();
    let stored = columns.convert(&batch, 0).unwrap();
    assert_eq!(stored.schema(), *columns.schema());
    let names: Vec<&str> = columns.variables().map(|(name, _)| name).collect();
    assert_eq!(names, ["a", "B", "c"]);
    assert_eq!(stored.column(0).as_string::<i32>().value(1), "");
    assert_eq!(
        stored.column(1).as_ref(),
        &Int64Array::from(vec![Some(1), None]) as &dyn Array
    );
    assert_eq!(stored.column(2).data_type(), &MICROS);
    assert_eq!(stored.column(2).null_count(), 2);
}

#[test]
fn columns_that_the_table_lacks_and_names_that_differ_in_case_are_refused() {
    let error = of_table(&[("x", DataType::Utf8)], &[("a", "string")]).unwrap_err();
    assert!(error.contains("o.d:next.t has no variable `x`"), "{error}");
    let error = of_table(
        &[("a", DataType::Utf8), ("A", DataType::Utf8)],
        &[("a", "string")],
    )
    .unwrap_err();
    assert!(error.contains("upper and lower case"), "{error}");
}

#[test]
fn types_that_would_be_converted_silently_are_refused() {
    use DataType::*;
    let zoned = Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    for (from, to) in [
        (Utf8, "integer"),
        (Utf8View, "float"),
        (LargeUtf8, "boolean"),
        (Int64, "string"),
        (Float64, "geography"),
        (Boolean, "integer"),
        (Int64, "boolean"),
        (Decimal128(10, 2), "float"),
        (zoned.clone(), "dateTime"),
        (zoned, "string"),
        (Int64, "date"),
        (Date32, "time"),
        (Time64(TimeUnit::Microsecond), "dateTime"),
        (Binary, "string"),
        (Interval(IntervalUnit::DayTime), "time"),
    ] {
        let error = of_table(&[("a", from.clone())], &[("a", to)]).unwrap_err();
        assert!(
            error.contains("not converted silently") && error.contains("CAST"),
            "{from} {to}: {error}"
        );
    }
}

#[track_caller]
fn keeps(array: ArrayRef, to: &str, expected: &[&str]) {
    let columns = of_table(&[("a", array.data_type().clone())], &[("a", to)]).unwrap();
    let batch = RecordBatch::try_from_iter_with_nullable([("a", array, true)]).unwrap();
    let stored = columns.convert(&batch, 0).unwrap();
    let texts: Vec<String> = (0..stored.num_rows())
        .map(|row| array_value_to_string(stored.column(0), row).unwrap())
        .collect();
    assert_eq!(texts, expected);
}

#[track_caller]
fn refuses(array: ArrayRef, to: &str) {
    let columns = of_table(&[("a", array.data_type().clone())], &[("a", to)]).unwrap();
    for row in 0..array.len() {
        let batch =
            RecordBatch::try_from_iter_with_nullable([("a", array.slice(row, 1), true)]).unwrap();
        let error = columns.convert(&batch, 41).unwrap_err();
        let DataFusionError::External(error) = error else {
            panic!("{error}");
        };
        let error = error.downcast::<WriteError>().unwrap().to_string();
        assert!(error.contains("of column `a`, row 42,"), "{error}");
    }
}

#[test]
fn values_are_kept_or_refused_by_column_and_row() {
    keeps(
        Arc::new(UInt64Array::from(vec![0, i64::MAX as u64])),
        "integer",
        &["0", "9223372036854775807"],
    );
    refuses(
        Arc::new(UInt64Array::from(vec![i64::MAX as u64 + 1, u64::MAX])),
        "integer",
    );
    keeps(
        Arc::new(Float64Array::from(vec![-2.0, 1e15])),
        "integer",
        &["-2", "1000000000000000"],
    );
    refuses(
        Arc::new(Float64Array::from(vec![1.5, f64::NAN, f64::INFINITY, 1e19])),
        "integer",
    );
    refuses(
        Arc::new(Int64Array::from(vec![(1 << 53) + 1, i64::MAX])),
        "float",
    );
    keeps(
        Arc::new(TimestampNanosecondArray::from(vec![1_000])),
        "dateTime",
        &["1970-01-01T00:00:00.000001"],
    );
    refuses(
        Arc::new(TimestampNanosecondArray::from(vec![1, i64::MAX])),
        "dateTime",
    );
    keeps(
        Arc::new(Date32Array::from(vec![0])),
        "dateTime",
        &["1970-01-01T00:00:00"],
    );
    refuses(Arc::new(TimestampSecondArray::from(vec![1])), "date");
    keeps(
        Arc::new(StringArray::from(vec!["2020-02-29"])),
        "date",
        &["2020-02-29"],
    );
    refuses(
        Arc::new(StringArray::from(vec!["2021-02-29", "x", ""])),
        "date",
    );
    refuses(Arc::new(StringArray::from(vec!["25:00:00"])), "time");
}

#[test]
fn dates_and_times_end_where_redivis_ends_them() {
    keeps(
        Arc::new(Date32Array::from(vec![*DAYS.start(), *DAYS.end()])),
        "date",
        &["0001-01-01", "9999-12-31"],
    );
    refuses(
        Arc::new(Date32Array::from(vec![
            DAYS.start() - 1,
            DAYS.end() + 1,
            i32::MAX,
            i32::MIN,
        ])),
        "date",
    );
    let last = (i64::from(*DAYS.end()) + 1) * MICROS_PER_DAY - 1;
    keeps(
        Arc::new(TimestampMicrosecondArray::from(vec![last])),
        "dateTime",
        &["9999-12-31T23:59:59.999999"],
    );
    refuses(
        Arc::new(TimestampMicrosecondArray::from(vec![
            last + 1,
            i64::MAX,
            i64::MIN,
        ])),
        "dateTime",
    );
    refuses(
        Arc::new(Time64MicrosecondArray::from(vec![-1, MICROS_PER_DAY])),
        "time",
    );
}

#[test]
fn a_new_table_has_the_variables_of_its_query() {
    use DataType::*;
    let columns = Columns::of_query(&source(&[
        ("s", Dictionary(Box::new(Int32), Box::new(Utf8))),
        ("i", UInt64),
        ("f", Float32),
        ("b", Boolean),
        ("d", Date64),
        ("t", Timestamp(TimeUnit::Nanosecond, None)),
        ("c", Time32(TimeUnit::Second)),
    ]))
    .unwrap();
    let types: Vec<&str> = columns.variables().map(|(_, of)| of.as_str()).collect();
    assert_eq!(
        types,
        [
            "string", "integer", "float", "boolean", "date", "dateTime", "time"
        ]
    );
    for unknown in [
        Null,
        Binary,
        Decimal128(10, 0),
        Timestamp(TimeUnit::Second, Some("UTC".into())),
        List(Arc::new(Field::new("x", Int64, true))),
    ] {
        let error = Columns::of_query(&source(&[("x", unknown)])).unwrap_err();
        assert!(error.to_string().contains("column `x`"), "{error}");
    }
    Columns::of_query(&source(&[])).unwrap_err();
    Columns::of_query(&source(&[("x", Int64), ("X", Int64)])).unwrap_err();
}
