//! Labels of values: Male where the data says 1.
//!
//! Redivis tells them one variable at a time, so only the variables that a result shows are asked for, and each once.

use std::collections::{BTreeMap, HashMap};

use arrow::datatypes::{Field, Schema};
use datafusion::logical_expr::LogicalPlan;
use redivis::TableReference;

use crate::lineage::{Origin, origin};
use crate::output::{Output, ValueLabels};
use crate::report::narrate;
use crate::session::Session;

const KEY: &str = "redivis.valueLabels";

/// The labels of each column's values, where they are to be shown. That some can't be told is no reason to show nothing.
pub(crate) async fn of_values(
    session: &Session,
    output: &Output,
    plan: &LogicalPlan,
    columns: &Schema,
) -> Vec<Option<ValueLabels>> {
    if !output.is_shown() || !output.display().value_labels {
        return vec![];
    }
    let mut labels: Vec<Option<ValueLabels>> = columns
        .fields()
        .iter()
        .map(|field| field.metadata().get(KEY).and_then(|text| parse(text)))
        .collect();
    let mut wanted: BTreeMap<String, (TableReference, Vec<(usize, String)>)> = BTreeMap::new();
    for (at, field) in columns.fields().iter().enumerate() {
        if labels[at].is_none()
            && is_coded(field)
            && let Some(Origin { table, variable }) = origin(plan, at)
        {
            let of_table = wanted.entry(table.to_string());
            of_table.or_insert((table, vec![])).1.push((at, variable));
        }
    }
    for (table, wanted) in wanted.into_values() {
        let names: Vec<&str> = wanted.iter().map(|(_, name)| name.as_str()).collect();
        let client = session.redivis.client();
        match session.known_labels.of(&client, &table, &names).await {
            Ok(found) => {
                for ((at, _), found) in wanted.iter().zip(found) {
                    labels[*at] = (!found.is_empty()).then_some(found);
                }
            }
            Err(error) => narrate(format_args!("no value labels of {table}: {error}")),
        }
    }
    labels
}

/// Whether a variable of this type may be coded.
fn is_coded(variable: &Field) -> bool {
    let data_type = variable.data_type();
    data_type.is_integer() || data_type.is_string() || data_type.is_floating()
}

/// What the metadata of a field says: a JSON object.
fn parse(text: &str) -> Option<ValueLabels> {
    let labels: HashMap<String, String> = serde_json::from_str(text).ok()?;
    (!labels.is_empty()).then_some(labels)
}
