//! The variables to write, and which of a query's columns gives the values of each.
//!
//! Columns are matched by name, without regard to case; whether a variable can hold what a column has is for [`casts`](super::casts)
//! to say.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, RecordBatchOptions, new_null_array};
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::common::{Result, plan_err};
use redivis::resource::{Variable, VariableType};

use super::casts::{fits, stored, variable_type};

/// One variable to write.
#[derive(Debug, Clone, PartialEq)]
struct Column {
    name: String,
    variable: VariableType,
    /// The query's column that gives its values; none are null.
    place: Option<usize>,
}

/// The variables to write, and where their values come from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Columns {
    columns: Vec<Column>,
    schema: SchemaRef,
}

impl Columns {
    /// All variables of a table, from a query's columns of these names, whatever their case and order. Those that the query
    /// lacks are null.
    ///
    /// Fails for columns that the table lacks, and for those whose type its variable cannot hold.
    pub(crate) fn of_table<'v>(
        source: &Schema,
        table: &str,
        variables: impl IntoIterator<Item = (&'v str, &'v VariableType)>,
    ) -> Result<Self> {
        let mut places = places(source)?;
        let columns = variables
            .into_iter()
            .map(|(name, variable)| {
                let place = places.remove(&name.to_lowercase());
                if let Some(place) = place {
                    fits(name, source.field(place).data_type(), variable)?;
                }
                Ok(Column {
                    name: name.to_owned(),
                    variable: variable.clone(),
                    place,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        if let Some(place) = places.values().min() {
            return plan_err!(
                "{table} has no variable `{}`; a table gets new variables from its uploads on Redivis, or with CREATE TABLE",
                source.field(*place).name()
            );
        }
        Ok(Self::new(columns))
    }

    /// The variables of a table that is made from a query's columns.
    ///
    /// Fails for types that Redivis has no variables for.
    pub(crate) fn of_query(source: &Schema) -> Result<Self> {
        places(source)?;
        let columns = source
            .fields()
            .iter()
            .enumerate()
            .map(|(place, field)| {
                Ok(Column {
                    name: field.name().clone(),
                    variable: variable_type(field)?,
                    place: Some(place),
                })
            })
            .collect::<Result<Vec<_>>>()?;
        if columns.is_empty() {
            return plan_err!("a table on Redivis has at least one column");
        }
        Ok(Self::new(columns))
    }

    fn new(columns: Vec<Column>) -> Self {
        let fields = columns
            .iter()
            .map(|column| Field::new(&column.name, column.variable.data_type(), true))
            .collect::<Vec<_>>();
        Self {
            columns,
            schema: Arc::new(Schema::new(fields)),
        }
    }

    /// The schema of what is written: the variables in order, in Redivis's types (redivis-api §8.1).
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The variables in order.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, &VariableType)> {
        self.columns
            .iter()
            .map(|column| (column.name.as_str(), &column.variable))
    }

    /// The first of these that is not among the variables of a file that was read in, or is there as another type.
    pub(super) fn other<'a>(
        &'a self,
        found: &'a [Variable],
    ) -> Option<(&'a str, &'a VariableType, Option<&'a VariableType>)> {
        let other = |(name, variable): (&'a str, &'a VariableType)| {
            let found = found.iter().find(|found| same(&found.name, name));
            let found = found.map(|found| &found.variable_type);
            let fits = found.is_some_and(|found| found.data_type() == variable.data_type());
            (!fits).then_some((name, variable, found))
        };
        self.variables().find_map(other)
    }

    /// The query's rows as they are written. `before` rows came before them.
    pub(crate) fn convert(&self, batch: &RecordBatch, before: u64) -> Result<RecordBatch> {
        let columns = self
            .columns
            .iter()
            .map(|column| match column.place {
                None => Ok(new_null_array(
                    &column.variable.data_type(),
                    batch.num_rows(),
                )),
                Some(place) => stored(&column.name, before, batch.column(place), &column.variable),
            })
            .collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(
            Arc::clone(&self.schema),
            columns,
            &options,
        )?)
    }
}

/// Whether a variable has the name of a column: the service writes `_` for what is no letter, digit or `_`.
fn same(variable: &str, column: &str) -> bool {
    let plain = |name: &str| {
        name.to_lowercase()
            .replace(|c: char| !c.is_alphanumeric(), "_")
    };
    plain(variable) == plain(column)
}

/// Where the column of each name is, without regard to case.
fn places(source: &Schema) -> Result<HashMap<String, usize>> {
    let mut places = HashMap::with_capacity(source.fields().len());
    for (place, field) in source.fields().iter().enumerate() {
        if places.insert(field.name().to_lowercase(), place).is_some() {
            return plan_err!(
                "two columns are named `{}` but for upper and lower case, and variables on Redivis have no case; rename one \
                 with AS",
                field.name()
            );
        }
    }
    Ok(places)
}

#[cfg(test)]
mod tests;
