//! Labels of values: Male where the data says 1.
//!
//! Redivis tells them one variable at a time, so only the variables that a result shows are asked for, and each once.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{Field, Schema};
use datafusion::physical_plan::ExecutionPlan;

use crate::output::{Output, ValueLabels};
use crate::reads;
use crate::report::narrate;
use crate::session::Session;

const KEY: &str = "redivis.valueLabels";

/// The labels of each column's values, where they are to be shown. That some can't be told is no reason to show nothing.
pub(crate) async fn of_values(
    session: &Session,
    output: &Output,
    plan: &Arc<dyn ExecutionPlan>,
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
    let mut tables = vec![];
    reads::visit(plan, &mut |scan| {
        tables.extend(scan.reference().map(|table| (table, scan.schema())));
    });
    for (table, variables) in tables {
        let wanted = columns.fields().iter().enumerate().filter(|(at, field)| {
            labels[*at].is_none()
                && variables
                    .field_with_name(field.name())
                    .is_ok_and(|variable| is_coded(variable) && is_of(field, variable))
        });
        let wanted: Vec<(usize, String)> = wanted
            .map(|(at, field)| (at, field.name().clone()))
            .collect();
        if wanted.is_empty() {
            continue;
        }
        let names: Vec<&str> = wanted.iter().map(|(_, name)| name.as_str()).collect();
        match session
            .known_labels
            .of(&session.redivis.client(), &table, &names)
            .await
        {
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

/// Whether a column is a variable as it was read.
fn is_of(column: &Field, variable: &Field) -> bool {
    column.data_type() == variable.data_type()
        && column.metadata().get("redivis.type") == variable.metadata().get("redivis.type")
}

/// What the metadata of a field says: a JSON object.
fn parse(text: &str) -> Option<ValueLabels> {
    let labels: HashMap<String, String> = serde_json::from_str(text).ok()?;
    (!labels.is_empty()).then_some(labels)
}
