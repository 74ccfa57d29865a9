//! Whether filters are applied while rows are decoded, or to batches afterwards.
//!
//! Deciding row by row what to decode costs more than decoding all, unless nearly nothing passes: measured, it pays below two in a
//! hundred rows. How many pass is estimated by the ranges that the files' columns have; pages and row groups that hold none are
//! left out in either case.

use std::sync::Arc;

use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, Result};
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use datafusion::physical_expr::intervals::utils::check_support;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{AnalysisContext, PhysicalExpr, analyze, conjunction};
use datafusion::scalar::ScalarValue;

use super::entry::Entry;

/// The share of rows below which it pays.
const FEW: f64 = 0.01;

/// Whether few rows of an entry pass all of these filters, which are over columns of this schema. What cannot be estimated is taken
/// to let all rows pass.
pub(super) fn passes_few(
    entry: &Entry,
    schema: &SchemaRef,
    filters: &[Arc<dyn PhysicalExpr>],
) -> bool {
    let estimable = filters
        .iter()
        .filter(|filter| check_support(filter, schema));
    let filter = conjunction(estimable.cloned());
    let wanted = collect_columns(&filter);
    let columns = schema.fields().iter().enumerate();
    let columns: Vec<ColumnStatistics> = columns
        .map(|(place, field)| {
            let is_wanted = wanted.iter().any(|column| column.index() == place);
            is_wanted
                .then(|| range(entry, field.name()))
                .flatten()
                .unwrap_or_else(ColumnStatistics::new_unknown)
        })
        .collect();
    share(&filter, schema, &columns).is_ok_and(|share| share < FEW)
}

/// The share of rows that pass, where values lie anywhere in their ranges alike.
fn share(
    filter: &Arc<dyn PhysicalExpr>,
    schema: &Schema,
    columns: &[ColumnStatistics],
) -> Result<f64> {
    let before = AnalysisContext::try_from_statistics(schema, columns)?;
    let after = analyze(filter, before.clone(), schema)?;
    let ranges = before.boundaries.iter().zip(&after.boundaries);
    Ok(ranges
        .map(
            |(before, after)| match (&before.interval, &after.interval) {
                (Some(before), Some(after)) => match (width(before), width(after)) {
                    (Some(before), Some(after)) if before > 0.0 => (after / before).min(1.0),
                    _ => 1.0,
                },
                // No value is in both.
                (Some(_), None) => 0.0,
                _ => 1.0,
            },
        )
        .product())
}

/// How wide a range is: of whole numbers and days, how many there are. `None` for one without an end, of other types, or of one
/// float, which says nothing of how many rows have it.
fn width(range: &Interval) -> Option<f64> {
    let number = |bound: &ScalarValue| match bound {
        ScalarValue::Int64(value) => Some((*value)? as f64),
        ScalarValue::Date32(value) => (*value).map(f64::from),
        ScalarValue::TimestampMicrosecond(value, _) => Some((*value)? as f64),
        ScalarValue::Float64(value) => *value,
        _ => None,
    };
    let width = number(range.upper())? - number(range.lower())?;
    match range.upper() {
        ScalarValue::Float64(_) => (width > 0.0).then_some(width),
        _ => Some(width + 1.0),
    }
}

/// The smallest and the largest value of a column; none where the files do not say.
fn range(entry: &Entry, column: &str) -> Option<ColumnStatistics> {
    let (mut least, mut most): (Option<ScalarValue>, Option<ScalarValue>) = (None, None);
    for part in &entry.files {
        let file = part.metadata.file_metadata().schema_descr();
        let values = StatisticsConverter::try_new(column, &entry.schema, file).ok()?;
        let groups = part.metadata.row_groups();
        let (mins, maxes) = (
            values.row_group_mins(groups).ok()?,
            values.row_group_maxes(groups).ok()?,
        );
        for group in 0..groups.len() {
            let min = ScalarValue::try_from_array(&mins, group).ok()?;
            let max = ScalarValue::try_from_array(&maxes, group).ok()?;
            if min.is_null() || max.is_null() {
                return None;
            }
            least = Some(least.map_or(min.clone(), |least| if min < least { min } else { least }));
            most = Some(most.map_or(max.clone(), |most| if max > most { max } else { most }));
        }
    }
    Some(
        ColumnStatistics::new_unknown()
            .with_min_value(Precision::Exact(least?))
            .with_max_value(Precision::Exact(most?)),
    )
}
