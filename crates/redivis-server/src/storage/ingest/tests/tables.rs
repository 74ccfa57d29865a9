//! Random tables, written in every format and dialect, are read back as they were.

use std::{fmt::Write as _, sync::Arc};

use arrow::{
    array::{
        ArrayRef, AsArray, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch,
        StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
    },
    compute::cast,
    datatypes::DataType,
};
use proptest::prelude::*;

use super::{Rows, UploadOptions, ingest_bytes, options};
use crate::storage::{UploadType, VariableType, cast as storage_cast};

const DAY: i64 = 24 * 60 * 60 * 1_000_000;
const DAYS: std::ops::RangeInclusive<i32> = -719_162..=2_932_896;

fn values<T: Clone + std::fmt::Debug>(
    rows: usize,
    value: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = Vec<Option<T>>> {
    prop::collection::vec(prop::option::weighted(0.8, value), rows).boxed()
}

/// A column of one of the types. Its first value is there, or nothing would tell the type.
fn column(rows: usize) -> impl Strategy<Value = ArrayRef> {
    let micros = i64::from(*DAYS.start()) * DAY..=i64::from(*DAYS.end()) * DAY;
    macro_rules! typed {
        ($array:ty, $value:expr, $first:expr) => {
            values(rows, $value).prop_map(|mut values| {
                values[0].get_or_insert($first);
                Arc::new(<$array>::from(values)) as ArrayRef
            })
        };
    }
    prop_oneof![
        typed!(Int64Array, any::<i64>(), 0),
        typed!(
            Float64Array,
            any::<f64>().prop_filter("finite", |f| f.is_finite()),
            0.5
        ),
        typed!(BooleanArray, any::<bool>(), true),
        typed!(Date32Array, DAYS, 0),
        typed!(TimestampMicrosecondArray, micros, 0),
        typed!(Time64MicrosecondArray, 0..DAY, 0),
        // A mark tells it from the other types.
        typed!(
            StringArray,
            any::<String>().prop_map(|text| format!("~{text}")),
            "~".to_owned()
        ),
    ]
}

fn table() -> impl Strategy<Value = RecordBatch> {
    (1..5usize, 1..12usize).prop_flat_map(|(width, rows)| {
        prop::collection::vec(column(rows), width).prop_map(|columns| {
            let names = (0..columns.len()).map(|place| format!("v{place}"));
            RecordBatch::try_from_iter(names.zip(columns)).unwrap()
        })
    })
}

/// The values as a file of text has them.
fn text(batch: &RecordBatch) -> Vec<Vec<Option<String>>> {
    let columns = batch.columns().iter();
    let columns: Vec<_> = columns
        .map(|column| storage_cast::text(column).unwrap())
        .collect();
    (0..batch.num_rows())
        .map(|row| {
            let cell = |column: &ArrayRef| {
                let column = column.as_string::<i32>();
                column.iter().nth(row).flatten().map(str::to_owned)
            };
            columns.iter().map(cell).collect()
        })
        .collect()
}

fn same(found: &Rows, expected: &RecordBatch) -> Result<(), TestCaseError> {
    prop_assert_eq!(found.batch.num_rows(), expected.num_rows());
    for (one, two) in found.batch.columns().iter().zip(expected.columns()) {
        prop_assert_eq!(one, two);
    }
    Ok(())
}

/// How a delimited file is written: delimiter, quote, escape, the end of lines, whether all is quoted, whether the
/// dialect is told in full.
type Dialect = (char, char, Option<char>, &'static str, bool, bool);

fn dialect() -> impl Strategy<Value = Dialect> {
    (
        prop::sample::select(vec![',', '\t', '|', ';', ':', ' ', '~']),
        prop::sample::select(vec!['"', '\'', '`']),
        prop::option::of(prop::sample::select(vec!['\\', '^'])),
        prop::sample::select(vec!["\n", "\r\n", "\r"]),
        any::<bool>(),
        any::<bool>(),
    )
}

fn write_delimited(batch: &RecordBatch, dialect: Dialect) -> String {
    let (delimiter, quote, escape, end, all, header) = dialect;
    let mut text_file = String::new();
    let special =
        |c: char| matches!(c, '\n' | '\r') || c == delimiter || c == quote || Some(c) == escape;
    let mut lines = text(batch);
    if header {
        let names = batch
            .schema()
            .fields()
            .iter()
            .map(|f| Some(f.name().clone()))
            .collect();
        lines.insert(0, names);
    }
    for line in lines {
        for (place, cell) in line.iter().enumerate() {
            if place > 0 {
                text_file.push(delimiter);
            }
            match cell {
                // A null alone on its line must not leave it blank.
                None if line.len() == 1 => text_file.push_str("NULL"),
                None => {}
                Some(cell) if all || cell.is_empty() || cell.contains(special) => {
                    text_file.push(quote);
                    for c in cell.chars() {
                        if Some(c) == escape || c == quote {
                            text_file.push(escape.unwrap_or(quote));
                        }
                        text_file.push(c);
                    }
                    text_file.push(quote);
                }
                Some(cell) => text_file.push_str(cell),
            }
        }
        text_file.push_str(end);
    }
    text_file
}

fn json_objects(batch: &RecordBatch) -> Vec<String> {
    let fields = batch.schema();
    let object = |line: Vec<Option<String>>| {
        let mut object = String::from("{");
        for (place, cell) in line.iter().enumerate() {
            let field = fields.field(place);
            let comma = if place > 0 { ", " } else { "" };
            let bare = VariableType::of_arrow(field.data_type()).is_some_and(|kind| {
                use VariableType::{Boolean, Float, Integer};
                matches!(kind, Boolean | Integer | Float)
            });
            let value = match cell {
                None => "null".to_owned(),
                Some(cell) if bare => cell.clone(),
                Some(cell) => serde_json::to_string(cell).unwrap(),
            };
            write!(object, "{comma}\"{}\": {value}", field.name()).unwrap();
        }
        object + "}"
    };
    text(batch).into_iter().map(object).collect()
}

pub(super) fn parquet(batch: &RecordBatch) -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut file, batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    file
}

pub(super) fn avro(batch: &RecordBatch) -> Vec<u8> {
    use arrow_avro::{compression::CompressionCodec, writer::WriterBuilder};
    let mut writer = WriterBuilder::new(batch.schema().as_ref().clone())
        .with_compression(Some(CompressionCodec::Deflate))
        .build::<_, arrow_avro::writer::format::AvroOcfFormat>(Vec::new())
        .unwrap();
    writer.write(batch).unwrap();
    writer.finish().unwrap();
    writer.into_inner()
}

pub(super) fn orc(batch: &RecordBatch) -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer = orc_rust::ArrowWriterBuilder::new(&mut file, batch.schema())
        .try_build()
        .unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    file
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn delimited_text_of_any_dialect(batch in table(), dialect in dialect()) {
        let (delimiter, quote, escape, _, _, header) = dialect;
        let told = UploadOptions {
            delimiter: Some(delimiter.to_string()),
            quote_character: Some(quote.to_string()),
            escape_character: escape.map(String::from),
            has_header_row: Some(header),
            null_markers: Some(vec![String::new(), "NULL".to_owned()]),
            ..options(UploadType::Delimited)
        };
        let text = write_delimited(&batch, dialect);
        same(&ingest_bytes(text.as_bytes(), &told).unwrap(), &batch)?;
    }

    #[test]
    fn json_lines_and_arrays(batch in table()) {
        let objects = json_objects(&batch);
        let lines = objects.join("\n");
        same(&ingest_bytes(lines.as_bytes(), &options(UploadType::Ndjson)).unwrap(), &batch)?;
        let array = format!("[{}]", objects.join(","));
        same(&ingest_bytes(array.as_bytes(), &options(UploadType::Json)).unwrap(), &batch)?;
    }

    #[test]
    fn files_with_types(batch in table()) {
        same(&ingest_bytes(&parquet(&batch), &options(UploadType::Parquet)).unwrap(), &batch)?;
        same(&ingest_bytes(&avro(&batch), &options(UploadType::Avro)).unwrap(), &batch)?;
    }

    #[test]
    fn orc_files(rows in values(9, (any::<i64>(), any::<f64>(), any::<bool>(), DAYS, any::<String>()))) {
        let columns: [ArrayRef; 4] = [
            Arc::new(rows.iter().map(|row| row.as_ref().map(|row| row.0)).collect::<Int64Array>()),
            Arc::new(rows.iter().map(|row| row.as_ref().map(|row| row.1)).collect::<Float64Array>()),
            Arc::new(rows.iter().map(|row| row.as_ref().map(|row| row.2)).collect::<BooleanArray>()),
            Arc::new(rows.iter().map(|row| row.as_ref().map(|row| row.4.clone())).collect::<StringArray>()),
        ];
        let batch = RecordBatch::try_from_iter(["a", "b", "c", "d"].into_iter().zip(columns)).unwrap();
        same(&ingest_bytes(&orc(&batch), &options(UploadType::Orc)).unwrap(), &batch)?;
        let wide = cast(batch.column(3), &DataType::LargeUtf8).unwrap();
        let wide = RecordBatch::try_from_iter([("d", wide)]).unwrap();
        let narrow = RecordBatch::try_from_iter([("d", Arc::clone(batch.column(3)))]).unwrap();
        same(&ingest_bytes(&parquet(&wide), &options(UploadType::Parquet)).unwrap(), &narrow)?;
    }
}
