//! Columns of the last result as numbers and labels, for charts.

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float64Type, SchemaRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::error::Result;
use datafusion::physical_plan::collect;

use crate::failure::Failure;
use crate::last;
use crate::progress::Progress;
use crate::session::Session;

/// The columns of the last result.
pub(super) async fn columns(session: &Session) -> Result<SchemaRef, Failure> {
    super::last::check(session)?;
    Ok(session.context.table_provider(last::NAME).await?.schema())
}

/// A column as a person names it.
pub(super) fn find<'a>(columns: &'a SchemaRef, name: &str) -> Result<&'a Field, Failure> {
    let name = super::unquoted(name);
    let fields = columns.fields();
    let found = fields
        .iter()
        .find(|field| field.name() == name)
        .or_else(|| {
            fields
                .iter()
                .find(|field| field.name().eq_ignore_ascii_case(name))
        });
    found.map(AsRef::as_ref).ok_or_else(|| {
        let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
        Failure::Usage(format!(
            "the last result has no column {name}; it has {}",
            names.join(", ")
        ))
    })
}

/// A column as SQL names it.
pub(super) fn quoted(column: &Field) -> String {
    format!("\"{}\"", column.name().replace('"', "\"\""))
}

/// Whether it can be measured along an axis.
pub(super) fn is_measure(column: &Field) -> bool {
    let data_type = column.data_type();
    data_type.is_numeric() || matches!(data_type, DataType::Date32 | DataType::Timestamp(..))
}

/// The rows of a query over the last result.
pub(super) async fn ask(session: &Session, sql: &str) -> Result<Vec<RecordBatch>, Failure> {
    let progress = Progress::start(&session.redivis);
    let frame = session.redivis.sql(sql).await?;
    let context = std::sync::Arc::new(frame.task_ctx());
    let plan = frame.create_physical_plan().await?;
    progress.follow(&plan);
    Ok(collect(plan, context).await?)
}

/// The values of a column as numbers; days and times as such since 1970.
pub(super) fn numbers(batches: &[RecordBatch], column: usize) -> Result<Vec<Option<f64>>> {
    let mut numbers = vec![];
    for batch in batches {
        let values = as_numbers(batch.column(column))?;
        numbers.extend(values.iter());
    }
    Ok(numbers)
}

fn as_numbers(values: &ArrayRef) -> Result<Float64Array> {
    let whole = match values.data_type() {
        DataType::Date32 => cast(&cast(values, &DataType::Int32)?, &DataType::Int64)?,
        DataType::Timestamp(..) => cast(values, &DataType::Int64)?,
        _ => ArrayRef::clone(values),
    };
    Ok(cast(&whole, &DataType::Float64)?
        .as_primitive::<Float64Type>()
        .clone())
}

/// The values of a column as they are written.
pub(super) fn texts(batches: &[RecordBatch], column: usize) -> Result<Vec<String>> {
    let options = FormatOptions::new().with_null("NULL");
    let mut texts = vec![];
    for batch in batches {
        let values = batch.column(column);
        let formatter = ArrayFormatter::try_new(values.as_ref(), &options)?;
        texts.extend((0..values.len()).map(|row| formatter.value(row).to_string()));
    }
    Ok(texts)
}

/// The width that there is for a chart.
pub(super) fn width() -> usize {
    let width = terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0));
    width.clamp(20, 160)
}
