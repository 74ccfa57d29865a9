//! What is known of a scan's rows before they are read.
//!
//! DataFusion answers `count(*)` from exact row counts alone, so a count is exact only where it cannot change: a released
//! version, read whole.

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, ScalarValue, Statistics};
use redivis::resource::VariableStatistics;
use serde_json::Value;

/// The facts of a table that statistics are made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    /// Rows, as the service counts them.
    pub(crate) rows: Option<u64>,
    /// Bytes of all variables, as the service counts them.
    pub(crate) bytes: Option<u64>,
    /// Whether the rows can never change, and the count is of all of them.
    pub(crate) immutable: bool,
    /// Whether the rows do not change while they are read.
    pub(crate) released: bool,
}

/// Statistics of a scan of `read` of all variables that yields at most `fetch` rows, over all its partitions.
///
/// The count is exact only where the scan would be held to it: `counts_are_checked`, and nothing explains another one.
pub(crate) fn of_scan(
    size: Size,
    all: &Schema,
    read: &Schema,
    fetch: Option<usize>,
    counts_are_checked: bool,
) -> Statistics {
    let mut statistics = Statistics::new_unknown(read);
    let Some(rows) = size.rows.and_then(|rows| usize::try_from(rows).ok()) else {
        return statistics;
    };
    statistics.num_rows = if size.immutable && fetch.is_none() && counts_are_checked {
        Precision::Exact(rows)
    } else {
        Precision::Inexact(fetch.map_or(rows, |fetch| fetch.min(rows)))
    };
    if let Some(bytes) = bytes(size, all, read, fetch) {
        statistics.total_byte_size = Precision::Inexact(bytes);
    }
    statistics
}

/// What the service knows of a variable, for the planner alone: it is about all rows, and about exact.
pub(crate) fn of_variable(known: &VariableStatistics, data_type: &DataType) -> ColumnStatistics {
    let bound = |known: &Option<Value>| {
        let bound = known.as_ref().and_then(|it| value(it, data_type));
        bound.map_or(Precision::Absent, Precision::Inexact)
    };
    let distinct = known.num_distinct.and_then(|it| usize::try_from(it).ok());
    ColumnStatistics {
        distinct_count: distinct.map_or(Precision::Absent, Precision::Inexact),
        min_value: bound(&known.min),
        max_value: bound(&known.max),
        ..ColumnStatistics::new_unknown()
    }
}

/// A value as the service writes it in statistics: a number, or a text.
pub(crate) fn value(value: &Value, data_type: &DataType) -> Option<ScalarValue> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    ScalarValue::try_from_string(text, data_type).ok()
}

/// About how many of a table's bytes fall on the variables that are read, and on the first `fetch` rows.
pub(crate) fn bytes(
    size: Size,
    all: &Schema,
    read: &Schema,
    fetch: Option<usize>,
) -> Option<usize> {
    let bytes = size.bytes? as f64;
    let rows = size.rows.map(|rows| rows as f64);
    let fixed = |schema: &Schema| -> f64 {
        let widths = schema.fields().iter().filter_map(|field| width(field));
        widths.sum::<usize>() as f64
    };
    let texts = |schema: &Schema| {
        let texts = schema
            .fields()
            .iter()
            .filter(|field| width(field).is_none());
        texts.count() as f64
    };
    let part = |of: f64, all: f64| if all > 0.0 { of / all } else { 0.0 };
    // What numbers and dates take is known; texts have the rest among them.
    let rest = rows.map(|rows| bytes - rows * fixed(all));
    let of_variables = match (rows, rest) {
        (Some(rows), Some(rest)) if rest >= 0.0 => {
            rows * fixed(read) + rest * part(texts(read), texts(all))
        }
        _ => bytes * part(read.fields().len() as f64, all.fields().len() as f64),
    };
    let of_rows = match (fetch, rows) {
        (Some(fetch), Some(rows)) => part((fetch as f64).min(rows), rows),
        _ => 1.0,
    };
    Some((of_variables * of_rows) as usize)
}

/// Bytes of a value, as the service counts them; `None` for texts, of which each has its own.
fn width(field: &Field) -> Option<usize> {
    match field.data_type() {
        DataType::Boolean => Some(1),
        DataType::Date32 => Some(8),
        data_type => data_type.primitive_width(),
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::{DataType, Field};

    use super::*;

    fn schema(width: usize) -> Schema {
        Schema::new(
            (0..width)
                .map(|i| Field::new(format!("c{i}"), DataType::Int64, true))
                .collect::<Vec<_>>(),
        )
    }

    const RELEASED: Size = Size {
        rows: Some(1000),
        bytes: Some(32_000),
        immutable: true,
        released: true,
    };

    #[test]
    fn only_a_released_table_read_whole_is_exact() {
        let rows = |size, fetch| of_scan(size, &schema(4), &schema(4), fetch, true).num_rows;
        assert_eq!(rows(RELEASED, None), Precision::Exact(1000));
        assert_eq!(rows(RELEASED, Some(10)), Precision::Inexact(10));
        assert_eq!(rows(RELEASED, Some(5000)), Precision::Inexact(1000));
        let next = Size {
            immutable: false,
            ..RELEASED
        };
        assert_eq!(rows(next, None), Precision::Inexact(1000));
        let unknown = Size {
            rows: None,
            ..RELEASED
        };
        assert_eq!(rows(unknown, None), Precision::Absent);
        assert_eq!(rows(unknown, Some(10)), Precision::Absent);
        let unchecked = of_scan(RELEASED, &schema(4), &schema(4), None, false).num_rows;
        assert_eq!(unchecked, Precision::Inexact(1000));
    }

    #[test]
    fn bytes_follow_the_rows_and_variables_read() {
        let bytes = |width, fetch| {
            let read = schema(width);
            of_scan(RELEASED, &schema(4), &read, fetch, true).total_byte_size
        };
        assert_eq!(bytes(4, None), Precision::Inexact(32_000));
        assert_eq!(bytes(1, None), Precision::Inexact(8000));
        assert_eq!(bytes(2, Some(500)), Precision::Inexact(8000));
        assert_eq!(bytes(0, None), Precision::Inexact(0));
    }

    #[test]
    fn texts_take_what_numbers_leave() {
        let field = |name: &str, data_type| Field::new(name, data_type, true);
        let all = Schema::new(vec![
            field("id", DataType::Int64),
            field("on", DataType::Boolean),
            field("name", DataType::Utf8),
            field("notes", DataType::Utf8),
        ]);
        let read = |names: &[usize], size| bytes(size, &all, &all.project(names).unwrap(), None);
        assert_eq!(read(&[0], RELEASED), Some(8000));
        assert_eq!(read(&[0, 1, 2], RELEASED), Some(8000 + 1000 + 11_500));
        assert_eq!(read(&[0, 1, 2, 3], RELEASED), Some(32_000));
        // Fewer bytes than the numbers alone would take are counted otherwise: every variable has its share.
        let compressed = Size {
            bytes: Some(4000),
            ..RELEASED
        };
        assert_eq!(read(&[0], compressed), Some(1000));
        assert_eq!(
            read(
                &[3],
                Size {
                    rows: None,
                    ..RELEASED
                }
            ),
            Some(8000)
        );
    }

    #[test]
    fn there_is_one_entry_for_each_projected_column() {
        assert_eq!(
            of_scan(RELEASED, &schema(4), &schema(3), None, true)
                .column_statistics
                .len(),
            3
        );
        assert_eq!(
            of_scan(RELEASED, &schema(4), &schema(0), None, true)
                .column_statistics
                .len(),
            0
        );
    }
}
