//! What is known of a scan's rows before they are read.
//!
//! DataFusion answers `count(*)` from exact row counts alone, so a count is exact only where it cannot change: a released
//! version, read whole.

use datafusion::arrow::datatypes::Schema;
use datafusion::common::Statistics;
use datafusion::common::stats::Precision;

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
    /// How many variables the bytes are of.
    pub(crate) variables: usize,
}

/// Statistics of a scan of `size` that yields `schema` and at most `fetch` rows, over all its partitions.
///
/// The count is exact only where the scan would be held to it: `counts_are_checked`, and nothing explains another one.
pub(crate) fn of_scan(
    size: Size,
    schema: &Schema,
    fetch: Option<usize>,
    counts_are_checked: bool,
) -> Statistics {
    let mut statistics = Statistics::new_unknown(schema);
    let Some(rows) = size.rows.and_then(|rows| usize::try_from(rows).ok()) else {
        return statistics;
    };
    let read = fetch.map_or(rows, |fetch| fetch.min(rows));
    statistics.num_rows = if size.immutable && fetch.is_none() && counts_are_checked {
        Precision::Exact(rows)
    } else {
        Precision::Inexact(read)
    };
    if let Some(bytes) = size.bytes {
        statistics.total_byte_size =
            Precision::Inexact(share(bytes, read, rows, schema, size.variables));
    }
    statistics
}

/// The part of a table's bytes that falls on the rows and variables read, as if they were all of one width.
fn share(bytes: u64, read: usize, rows: usize, schema: &Schema, variables: usize) -> usize {
    let part = |of: usize, all: usize| of as f64 / all.max(1) as f64;
    (bytes as f64 * part(read, rows) * part(schema.fields().len(), variables)) as usize
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
        bytes: Some(8000),
        immutable: true,
        released: true,
        variables: 4,
    };

    #[test]
    fn only_a_released_table_read_whole_is_exact() {
        let rows = |size, fetch| of_scan(size, &schema(4), fetch, true).num_rows;
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
        let unchecked = of_scan(RELEASED, &schema(4), None, false).num_rows;
        assert_eq!(unchecked, Precision::Inexact(1000));
    }

    #[test]
    fn bytes_follow_the_rows_and_variables_read() {
        let bytes = |width, fetch| of_scan(RELEASED, &schema(width), fetch, true).total_byte_size;
        assert_eq!(bytes(4, None), Precision::Inexact(8000));
        assert_eq!(bytes(1, None), Precision::Inexact(2000));
        assert_eq!(bytes(2, Some(500)), Precision::Inexact(2000));
        assert_eq!(bytes(0, None), Precision::Inexact(0));
    }

    #[test]
    fn there_is_one_entry_for_each_projected_column() {
        assert_eq!(
            of_scan(RELEASED, &schema(3), None, true)
                .column_statistics
                .len(),
            3
        );
        assert_eq!(
            of_scan(RELEASED, &schema(0), None, true)
                .column_statistics
                .len(),
            0
        );
    }
}
