//! `\summary` and `SUMMARIZE`: what the values of each column are like.
//!
//! Of a table of Redivis from the statistics that the service has, without reading a row; of anything else from its rows.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, RecordBatch, StringArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, UInt64Type};
use arrow::util::display::array_value_to_string;
use chrono::DateTime;
use datafusion::catalog::TableProvider;
use datafusion_redivis::RedivisTable;
use futures::stream::{self, StreamExt, TryStreamExt};
use redivis::resource::VariableStatistics;
use redivis::{ErrorKind, TableReference};
use serde_json::Value;

use super::{Command, Next, describe};
use crate::failure::{Failure, external};
use crate::session::Session;

/// Statistics that are asked for side by side: there is a request for each column.
const AT_ONCE: usize = 8;

pub(super) const COMMAND: Command = Command {
    name: r"\summary",
    arguments: "TABLE",
    summary: "what the values of each column are like, as SUMMARIZE; of a Redivis table without reading it",
    run: |session, output, arguments| {
        Box::pin(async move {
            if arguments.is_empty() {
                return Err(Failure::Usage(r"write \summary TABLE".to_owned()));
            }
            let summary = match remote(session, arguments).await? {
                Some(table) => of_service(session, &table).await?,
                None => of_rows(session, arguments).await?,
            };
            output.deliver_batch(summary.batch()?).await?;
            Ok(Next::Continue)
        })
    },
};

/// The table of Redivis that a text names, also by a local name.
async fn remote(session: &Session, text: &str) -> Result<Option<Arc<RedivisTable>>, Failure> {
    let name = text.strip_prefix("redivis.").unwrap_or(text);
    let name = super::unquoted(name);
    if name.parse::<TableReference>().is_ok() {
        return Ok(Some(session.redivis.table(name).await?));
    }
    if text.contains(char::is_whitespace) || text.contains('\'') {
        return Ok(None);
    }
    let provider = session.context.table_provider(text).await?;
    match provider.downcast_ref::<RedivisTable>() {
        Some(table) => {
            let reference = &table.table().qualified_reference;
            Ok(Some(session.redivis.table(reference).await?))
        }
        None => Ok(None),
    }
}

/// A row for each column.
#[derive(Default)]
struct Summary {
    names: Vec<String>,
    types: Vec<String>,
    nulls: Vec<Option<u64>>,
    distinct: Vec<Option<u64>>,
    least: Vec<Option<String>>,
    greatest: Vec<Option<String>>,
    means: Vec<Option<f64>>,
    medians: Vec<Option<String>>,
    labels: Vec<Option<String>>,
}

impl Summary {
    fn batch(self) -> Result<RecordBatch, Failure> {
        let texts = |texts: Vec<Option<String>>| -> ArrayRef { Arc::new(StringArray::from(texts)) };
        let columns: [(&str, ArrayRef); 9] = [
            ("name", Arc::new(StringArray::from(self.names))),
            ("type", Arc::new(StringArray::from(self.types))),
            ("min", texts(self.least)),
            ("max", texts(self.greatest)),
            ("mean", Arc::new(Float64Array::from(self.means))),
            ("median", texts(self.medians)),
            ("distinct", Arc::new(UInt64Array::from(self.distinct))),
            ("nulls", Arc::new(UInt64Array::from(self.nulls))),
            ("label", texts(self.labels)),
        ];
        let columns = columns.map(|(name, values)| (name, values, true));
        Ok(RecordBatch::try_from_iter_with_nullable(columns)?)
    }

    fn start(schema: &Schema) -> Self {
        let fields = schema.fields();
        Self {
            names: fields.iter().map(|field| field.name().clone()).collect(),
            types: fields
                .iter()
                .map(|field| describe::type_of(field))
                .collect(),
            labels: fields
                .iter()
                .map(|field| field.metadata().get("redivis.label").cloned())
                .collect(),
            ..Self::default()
        }
    }
}

async fn of_service(session: &Session, table: &RedivisTable) -> Result<Summary, Failure> {
    let (client, uri) = (session.redivis.client(), table.table().uri.clone());
    let mut summary = Summary::start(&table.schema());
    let ask = |name: String| {
        let (client, uri) = (client.clone(), uri.clone());
        async move {
            match client.variable_statistics(&uri, &name).await {
                Ok(statistics) => Ok(Some(statistics)),
                Err(error) if is_none(&error) => Ok(None),
                Err(error) => Err(external(error)),
            }
        }
    };
    let found: Vec<Option<VariableStatistics>> = stream::iter(summary.names.clone())
        .map(ask)
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let completed = |found: &VariableStatistics| {
        found
            .status
            .as_deref()
            .is_none_or(|status| status == "completed")
    };
    if !found.iter().flatten().any(completed) && !found.is_empty() {
        let reference = &table.table().qualified_reference;
        return Err(Failure::Usage(format!(
            "Redivis has no statistics of {reference}; SUMMARIZE SELECT * FROM redivis.'{reference}' reads it and computes them"
        )));
    }
    for (statistics, kind) in found.into_iter().zip(&summary.types) {
        let statistics = statistics.filter(completed);
        let statistics = statistics.as_ref();
        let told = |value: fn(&VariableStatistics) -> &Option<Value>| {
            statistics.and_then(|statistics| measured(kind, value(statistics).as_ref()?))
        };
        let count = statistics.and_then(|statistics| statistics.count);
        let nulls = table.table().num_rows.zip(count);
        summary
            .nulls
            .push(nulls.and_then(|(rows, count)| rows.checked_sub(count)));
        summary
            .distinct
            .push(statistics.and_then(|statistics| statistics.num_distinct));
        summary.least.push(told(|statistics| &statistics.min));
        summary.greatest.push(told(|statistics| &statistics.max));
        let is_number = ["integer", "float"].contains(&kind.as_str());
        let mean = statistics.and_then(|statistics| statistics.mean.as_ref()?.as_f64());
        summary.means.push(mean.filter(|_| is_number));
        let median = told(|statistics| &statistics.approx_median);
        summary.medians.push(median.filter(|_| kind != "string"));
    }
    Ok(summary)
}

/// What the service measured of a value, in words: of a text its length, of a date or time its milliseconds.
fn measured(kind: &str, value: &Value) -> Option<String> {
    let format = match kind {
        "date" => "%Y-%m-%d",
        "dateTime" => "%Y-%m-%d %H:%M:%S",
        "time" => "%H:%M:%S",
        "string" if value.is_number() => return Some(format!("{value} characters")),
        _ => return text(value),
    };
    match value.as_f64() {
        Some(milliseconds) => {
            let moment = DateTime::from_timestamp_millis(milliseconds as i64)?;
            Some(moment.format(format).to_string())
        }
        None => text(value),
    }
}

/// Whether the service has none, as one that does not compute them.
fn is_none(error: &redivis::Error) -> bool {
    error.kind() == ErrorKind::NotFound || error.status() == Some(501)
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        // The service writes medians of whole numbers with a fraction.
        Value::Number(number) => match number.as_f64() {
            Some(whole) if whole.fract() == 0.0 && whole.abs() < 1e15 => {
                Some((whole as i64).to_string())
            }
            _ => Some(number.to_string()),
        },
        value => Some(value.to_string()),
    }
}

/// Reads the rows of a table, a file or a query.
async fn of_rows(session: &Session, text: &str) -> Result<Summary, Failure> {
    let first = text
        .split(|character: char| !character.is_alphabetic())
        .next();
    let is_query = first.is_some_and(|word| {
        ["select", "with", "from", "values"].contains(&word.to_lowercase().as_str())
    });
    let source = match is_query {
        true => format!("({text})"),
        false => text.to_owned(),
    };
    let rows = session
        .redivis
        .sql(&format!("SELECT * FROM {source}"))
        .await?;
    let schema = rows.schema().as_arrow().clone();
    let mut summary = Summary::start(&schema);
    let columns = schema.fields().iter().flat_map(|field| values_of(field));
    // Each has a name of its own, as two nulls would have the same.
    let values = columns
        .enumerate()
        .map(|(at, value)| format!("{value} AS value_{at}, "));
    let values: String = values.collect();
    let computed = session
        .redivis
        .sql(&format!("SELECT {values}count(*) FROM {source}"))
        .await?
        .collect()
        .await?;
    let Some(row) = computed.first() else {
        return Ok(summary);
    };
    let rows = row.columns().last().and_then(count);
    for column in row.columns().chunks_exact(6) {
        let [known, distinct, least, greatest, mean, median] = column else {
            continue;
        };
        let nulls = rows.zip(count(known));
        summary
            .nulls
            .push(nulls.and_then(|(rows, known)| rows.checked_sub(known)));
        summary.distinct.push(count(distinct));
        summary.least.push(shown(least));
        summary.greatest.push(shown(greatest));
        summary
            .means
            .push(shown(mean).and_then(|mean| mean.parse().ok()));
        summary.medians.push(shown(median));
    }
    Ok(summary)
}

/// What is computed of a column, in the order of its row.
fn values_of(field: &Field) -> [String; 6] {
    let name = format!("\"{}\"", field.name().replace('"', "\"\""));
    let only = |has_it: bool, value: String| match has_it {
        true => value,
        false => "NULL".to_owned(),
    };
    let (plain, number) = (is_plain(field.data_type()), field.data_type().is_numeric());
    [
        format!("count({name})"),
        only(plain, format!("approx_distinct(CAST({name} AS VARCHAR))")),
        only(plain, format!("CAST(min({name}) AS VARCHAR)")),
        only(plain, format!("CAST(max({name}) AS VARCHAR)")),
        only(number, format!("CAST(avg({name}) AS DOUBLE)")),
        only(number, format!("CAST(approx_median({name}) AS VARCHAR)")),
    ]
}

fn is_plain(data_type: &DataType) -> bool {
    !data_type.is_nested() && *data_type != DataType::Null && *data_type != DataType::Boolean
}

fn count(array: &ArrayRef) -> Option<u64> {
    if array.is_empty() || array.is_null(0) {
        return None;
    }
    let signed = || u64::try_from(array.as_primitive_opt::<Int64Type>()?.value(0)).ok();
    let unsigned = || Some(array.as_primitive_opt::<UInt64Type>()?.value(0));
    signed().or_else(unsigned)
}

fn shown(array: &ArrayRef) -> Option<String> {
    let is_there = !array.is_empty() && !array.is_null(0) && *array.data_type() != DataType::Null;
    is_there
        .then(|| array_value_to_string(array, 0).ok())
        .flatten()
}
