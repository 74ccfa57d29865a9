//! Labels of values: Male where the data says 1.
//!
//! Redivis tells them one variable at a time, so only the variables that a result shows are asked for, and each once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::datatypes::{Field, Schema};
use datafusion::physical_plan::ExecutionPlan;
use futures::future::try_join_all;
use redivis::TableReference;

use crate::output::{Output, ValueLabels};
use crate::reads;
use crate::report::narrate;
use crate::session::Session;

/// Variables that are asked for side by side.
const ASKED_AT_ONCE: usize = 8;

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
        match session.known_labels.of(session, &table, &names).await {
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

/// Value labels that have been asked for, by table and variable.
#[derive(Debug, Clone, Default)]
pub(crate) struct KnownLabels(Arc<Mutex<HashMap<(String, String), ValueLabels>>>);

impl KnownLabels {
    /// Those of some variables of a table, in their order.
    async fn of(
        &self,
        session: &Session,
        table: &TableReference,
        variables: &[&str],
    ) -> redivis::Result<Vec<ValueLabels>> {
        let mut labels = Vec::with_capacity(variables.len());
        for some in variables.chunks(ASKED_AT_ONCE) {
            let asked = some
                .iter()
                .map(|variable| self.one(session, table, variable));
            let asked: Vec<_> = asked.collect();
            labels.extend(try_join_all(asked).await?);
        }
        Ok(labels)
    }

    async fn one(
        &self,
        session: &Session,
        table: &TableReference,
        variable: &str,
    ) -> redivis::Result<ValueLabels> {
        let key = (table.to_string(), variable.to_owned());
        if let Some(known) = lock(&self.0).get(&key) {
            return Ok(known.clone());
        }
        let uri = format!("/tables/{table}");
        let told = session.redivis.client().variable(&uri, variable).await?;
        let labels = told.value_labels.into_iter();
        let labels: ValueLabels = labels.map(|label| (label.value, label.label)).collect();
        lock(&self.0).insert(key, labels.clone());
        Ok(labels)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
