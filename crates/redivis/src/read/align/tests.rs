//! Streams that disagree with their table.

use arrow::array::{AsArray, Int32Array, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type};

use super::*;

fn schema(fields: &[(&str, DataType)]) -> SchemaRef {
    let fields: Vec<Field> = fields
        .iter()
        .map(|(name, data_type)| Field::new(*name, data_type.clone(), true))
        .collect();
    Arc::new(Schema::new(fields))
}

fn aligned(batch: &RecordBatch, target: &SchemaRef) -> Result<RecordBatch, AlignError> {
    Alignment::new(&batch.schema(), Arc::clone(target))?.apply(batch)
}

fn batch() -> RecordBatch {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec!["x", "y"])),
        Arc::new(Int32Array::from(vec![1, 2])),
        Arc::new(Int64Array::from(vec![3, 4])),
    ];
    let schema = schema(&[
        ("NAME", DataType::Utf8),
        ("count", DataType::Int32),
        ("extra", DataType::Int64),
    ]);
    RecordBatch::try_new(schema, columns).unwrap()
}

#[test]
fn matched_reordered_converted_and_filled_up() {
    let target = schema(&[
        ("Count", DataType::Int64),
        ("missing", DataType::Float64),
        ("name", DataType::Utf8),
    ]);
    let result = aligned(&batch(), &target).unwrap();
    assert_eq!(result.schema(), target);
    assert_eq!(
        result.column(0).as_primitive::<Int64Type>().values(),
        &[1, 2]
    );
    assert_eq!(result.column(1).null_count(), 2);
    assert_eq!(result.column(2).as_string::<i32>().value(1), "y");
}

#[test]
fn what_fits_is_not_copied() {
    let batch = batch();
    let mut fields: Vec<Field> = batch
        .schema()
        .fields()
        .iter()
        .map(|field| field.as_ref().clone())
        .collect();
    fields[0] = fields[0]
        .clone()
        .with_metadata([("redivis.label".to_owned(), "A name".to_owned())].into());
    let target = Arc::new(Schema::new(fields));
    let result = aligned(&batch, &target).unwrap();
    assert_eq!(result.schema(), target);
    for (before, after) in batch.columns().iter().zip(result.columns()) {
        assert!(Arc::ptr_eq(before, after));
    }
}

#[test]
fn no_columns_still_count_rows() {
    let result = aligned(&batch(), &schema(&[])).unwrap();
    assert_eq!((result.num_columns(), result.num_rows()), (0, 2));
}

#[test]
fn errors_name_the_variable() {
    let message = |target: SchemaRef| aligned(&batch(), &target).unwrap_err().to_string();
    let text = message(schema(&[("Name", DataType::Int64)]));
    assert_eq!(
        text,
        "variable `Name`: the value `x` (Utf8) cannot be read as Int64 without loss"
    );
    let text = message(schema(&[("count", DataType::Date32)]));
    assert_eq!(
        text,
        "variable `count`: values of type Int32 cannot be read as Date32"
    );
    let strict = Arc::new(Schema::new(vec![Field::new(
        "missing",
        DataType::Int64,
        false,
    )]));
    message(strict);
}

#[test]
fn names_that_come_twice() {
    let of = |names: &[&str]| {
        let fields: Vec<_> = names.iter().map(|name| (*name, DataType::Int64)).collect();
        schema(&fields)
    };
    let place = |source: &[&str], wanted: &str| {
        let alignment = Alignment::new(&of(source), of(&[wanted]));
        alignment.map(|alignment| match alignment.columns[0] {
            Column::Same(place) => Some(place),
            _ => None,
        })
    };
    // Whether there are others that nobody asked for, or that differ in case, does not matter.
    assert_eq!(place(&["a", "b", "B"], "a").unwrap(), Some(0));
    assert_eq!(place(&["ab", "Ab", "AB"], "Ab").unwrap(), Some(1));
    for source in [["Ab", "aB"], ["ab", "ab"]] {
        let error = place(&source, "ab").unwrap_err();
        assert_eq!(error.to_string(), "the stream has the variable `ab` twice");
    }
}
