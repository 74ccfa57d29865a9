//! Tables of values on which engines disagree.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    Time64MicrosecondArray, TimestampMicrosecondArray, new_empty_array,
};
use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::parquet::arrow::ArrowWriter;
use fastrand::Rng;

/// Where the tables are.
pub(crate) const DATASET: &str = "generated.data";

pub(crate) const TABLES: [&str; 6] = ["wide", "pairs", "words", "lone", "vacant", "dates"];

const DAY: i64 = 86_400_000_000;
const FIRST_DAY: i32 = -719_162;
const LAST_DAY: i32 = 2_932_896;

/// Names that are as long as a variable's may be, and differ at the end.
pub(crate) fn long_name(last: char) -> String {
    format!("{}{last}", "long".repeat(14))
}

/// Texts that quotes, escapes, patterns and cases go wrong with.
pub(crate) const TEXTS: [&str; 24] = [
    "",
    " ",
    "a",
    "A",
    "it's",
    "\"quoted\"",
    "back\\slash",
    "\\%",
    "100%",
    "50%_off",
    "under_score",
    "line\nbreak",
    "tab\tbed",
    "straße",
    "İstanbul",
    "ıI",
    "Éclair",
    "e\u{301}clair",
    "ΣΊΣΥΦΟΣ",
    "σίσυφος",
    "😀 emoji 👩‍🔬",
    "  spaces  ",
    "-- comment /* */ ; `",
    "zebra",
];

pub(crate) const FLOATS: [f64; 12] = [
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    0.0,
    1.0,
    -1.5,
    1e300,
    -1e300,
    5e-324,
    0.1,
    -2.5,
    1_234_567.875,
];

/// The tables as files of the dataset, below `folder`.
pub(crate) fn write_all(folder: &Path) {
    let folder = folder.join(DATASET.replace('.', "/"));
    fs::create_dir_all(&folder).unwrap();
    let mut rng = Rng::with_seed(13);
    write(&folder, "wide", wide(&mut rng, 60));
    write(&folder, "lone", wide(&mut rng, 1));
    write(&folder, "vacant", wide(&mut rng, 0));
    write(&folder, "pairs", pairs(&mut rng, 40));
    write(&folder, "words", words(&mut rng, 30));
    write(&folder, "dates", dates(&mut rng, 50));
}

type Columns = Vec<(String, ArrayRef)>;

fn write(folder: &Path, table: &str, columns: Columns) {
    let columns = columns.into_iter().map(|(name, array)| (name, array, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let file = File::create(folder.join(format!("{table}.parquet"))).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// A value of each row, a third of them null.
fn some<T>(rng: &mut Rng, rows: usize, value: impl Fn(&mut Rng) -> T) -> Vec<Option<T>> {
    (0..rows)
        .map(|_| (rng.u8(0..6) > 0).then(|| value(rng)))
        .collect()
}

/// Every value in turn, with nulls among them.
fn all<T: Copy>(rows: usize, values: &[T]) -> Vec<Option<T>> {
    let mut values = values.iter().copied().map(Some).chain([None]).cycle();
    values.by_ref().take(rows).collect()
}

fn integers(values: Vec<Option<i64>>) -> ArrayRef {
    Arc::new(Int64Array::from(values))
}

fn floats(values: Vec<Option<f64>>) -> ArrayRef {
    Arc::new(Float64Array::from(values))
}

fn texts(values: Vec<Option<&str>>) -> ArrayRef {
    Arc::new(StringArray::from(values))
}

fn named(columns: Vec<(&str, ArrayRef)>) -> Columns {
    let columns = columns.into_iter();
    columns
        .map(|(name, array)| (name.to_owned(), array))
        .collect()
}

fn wide(rng: &mut Rng, rows: usize) -> Columns {
    let extremes = [
        i64::MAX,
        i64::MIN,
        i64::MAX - 1,
        i64::MIN + 1,
        0,
        -1,
        1 << 53,
        (1 << 53) + 1,
    ];
    named(vec![
        ("id", integers((0..rows as i64).map(Some).collect())),
        ("small", integers(some(rng, rows, |rng| rng.i64(-9..10)))),
        ("big", integers(all(rows, &extremes))),
        ("odd", floats(all(rows, &FLOATS))),
        ("zero", floats(all(rows, &[0.0, -0.0, 1.0, -1.0]))),
        (
            "price",
            floats(some(rng, rows, |rng| f64::from(rng.i32(-400..400)) / 4.0)),
        ),
        ("text", texts(all(rows, &TEXTS))),
        (
            "word",
            texts(some(rng, rows, |rng| {
                ["red", "Green", "BLUE", "", "blue"][rng.usize(0..5)]
            })),
        ),
        (
            "flag",
            Arc::new(BooleanArray::from(some(rng, rows, Rng::bool))),
        ),
        (
            "day",
            Arc::new(Date32Array::from(some(rng, rows, |rng| {
                rng.i32(7_000..22_000)
            }))),
        ),
        (
            "moment",
            Arc::new(TimestampMicrosecondArray::from(some(rng, rows, |rng| {
                rng.i64(-20_000 * DAY..20_000 * DAY)
            }))),
        ),
        (
            "clock",
            Arc::new(Time64MicrosecondArray::from(some(rng, rows, |rng| {
                rng.i64(0..DAY)
            }))),
        ),
    ])
}

/// Keys that the other tables have too, with rows that stand twice.
fn pairs(rng: &mut Rng, rows: usize) -> Columns {
    let half = rows / 2;
    let mut twice = |mut values: Vec<Option<i64>>| {
        values.extend_from_within(..half / 2);
        values.resize_with(rows, || Some(rng.i64(0..40)));
        integers(values)
    };
    let key = twice((0..half as i64).map(|key| Some(key % 15)).collect());
    let value = twice(
        (0..half as i64)
            .map(|key| (key % 4 > 0).then_some(key))
            .collect(),
    );
    named(vec![
        ("key", key),
        ("value", value),
        (
            "text",
            texts(some(rng, rows, |rng| TEXTS[rng.usize(0..TEXTS.len())])),
        ),
        (
            "day",
            Arc::new(Date32Array::from(some(rng, rows, |rng| {
                rng.i32(7_000..7_020)
            }))),
        ),
        (
            "odd",
            floats(some(rng, rows, |rng| FLOATS[rng.usize(0..FLOATS.len())])),
        ),
    ])
}

/// Names that have to be quoted, and long ones.
fn words(rng: &mut Rng, rows: usize) -> Columns {
    let mut columns = named(vec![
        ("order", integers(some(rng, rows, |rng| rng.i64(-3..4)))),
        (
            "select",
            texts(some(rng, rows, |rng| ["x", "y", "it's"][rng.usize(0..3)])),
        ),
        ("Group", integers(some(rng, rows, |rng| rng.i64(0..30)))),
        ("t1", integers(some(rng, rows, |rng| rng.i64(0..5)))),
    ]);
    for last in ['a', 'b'] {
        let values = some(rng, rows, |rng| rng.i64(-50..50));
        columns.push((long_name(last), integers(values)));
    }
    columns
}

/// All the days that there are, and their moments.
fn dates(rng: &mut Rng, rows: usize) -> Columns {
    let edges = [
        FIRST_DAY, LAST_DAY, 0, -1, 1, 11_016, 19_782, 20_148, -25_567, 59, -135_140,
    ];
    let moments = edges.map(|day| i64::from(day) * DAY + 1);
    let mut days = all(rows / 2, &edges);
    days.extend(some(rng, rows - rows / 2, |rng| {
        rng.i32(FIRST_DAY..=LAST_DAY)
    }));
    let mut times = all(rows / 2, &moments);
    times.extend(some(rng, rows - rows / 2, |rng| {
        rng.i64(-100_000 * DAY..100_000 * DAY)
    }));
    named(vec![
        ("number", integers((0..rows as i64).map(Some).collect())),
        ("date", Arc::new(Date32Array::from(days))),
        ("time", Arc::new(TimestampMicrosecondArray::from(times))),
    ])
}

/// A table of these columns without rows, in types that Redivis has.
pub(crate) fn write_empty(folder: &Path, table: &str, columns: &Schema) {
    fs::create_dir_all(folder).unwrap();
    let columns = columns.fields().iter().map(|field| {
        let stored = match field.data_type() {
            DataType::Decimal128(..) => &DataType::Float64,
            DataType::Utf8View => &DataType::Utf8,
            DataType::Int32 => &DataType::Int64,
            other => other,
        };
        (field.name().clone(), new_empty_array(stored))
    });
    write(folder, table, columns.collect());
}
