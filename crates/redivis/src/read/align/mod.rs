//! From the columns a stream has to the columns the reader asked for.
//!
//! The streams of an unreleased table have the columns of their uploads, in their order, spelling and type; the reader wants
//! one schema. What fits already is passed on untouched (redivis-api §8.2).

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;

use crate::cast::{CastError, cast};

/// Why rows cannot be brought into the wanted schema.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AlignError {
    /// Two columns have the name of a variable, or both have it but for their case.
    #[error("the stream has the variable `{0}` twice")]
    Duplicate(String),
    /// A value or a whole column does not fit.
    #[error("variable `{variable}`: {source}")]
    Cast {
        /// The variable.
        variable: String,
        /// What is wrong with it.
        source: CastError,
    },
    /// The columns do not make a batch, as when nulls meet a field that has none.
    #[error("{0}")]
    Batch(#[from] ArrowError),
}

/// Brings the batches of one stream or file, which all have the same columns, into the wanted schema.
///
/// Columns are matched by name without regard to case, and cast as [`cast`](crate::cast::cast()) does; those that are missing are
/// null.
#[derive(Debug)]
pub struct Aligner {
    target: SchemaRef,
    /// Known from the first batch on.
    alignment: Option<Alignment>,
}

impl Aligner {
    /// For rows that are to have this schema.
    pub fn new(target: SchemaRef) -> Self {
        Self {
            target,
            alignment: None,
        }
    }

    /// The batch with the wanted columns.
    pub fn align(&mut self, batch: &RecordBatch) -> Result<RecordBatch, AlignError> {
        let alignment = match &self.alignment {
            Some(alignment) => alignment,
            None => {
                let target = Arc::clone(&self.target);
                let alignment = Alignment::new(&batch.schema(), target)?;
                self.alignment.insert(alignment)
            }
        };
        alignment.apply(batch)
    }
}

/// How to make the wanted columns from a stream's.
#[derive(Debug)]
struct Alignment {
    target: SchemaRef,
    columns: Vec<Column>,
}

#[derive(Debug)]
enum Column {
    /// The stream's column at this place, as it is.
    Same(usize),
    /// The stream's column at this place, in another type.
    Cast(usize),
    /// Not in the stream: nulls.
    Missing,
}

impl Alignment {
    /// Matches columns by name, without regard to case unless only that tells them apart. Columns that nobody asked for are
    /// left out.
    fn new(source: &Schema, target: SchemaRef) -> Result<Self, AlignError> {
        let mut places: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, field) in source.fields().iter().enumerate() {
            let name = field.name().to_lowercase();
            places.entry(name).or_default().push(place);
        }
        let column = |wanted: &FieldRef| {
            let mut found = places
                .get(&wanted.name().to_lowercase())
                .cloned()
                .unwrap_or_default();
            if found.len() > 1 {
                found.retain(|place| source.field(*place).name() == wanted.name());
                if found.len() != 1 {
                    return Err(AlignError::Duplicate(wanted.name().clone()));
                }
            }
            Ok(match found.first() {
                None => Column::Missing,
                Some(&place) if source.field(place).data_type() == wanted.data_type() => {
                    Column::Same(place)
                }
                Some(&place) => Column::Cast(place),
            })
        };
        let columns = target
            .fields()
            .iter()
            .map(column)
            .collect::<Result<_, _>>()?;
        Ok(Self { target, columns })
    }

    /// The batch with the wanted columns. Columns that fit are not copied.
    fn apply(&self, batch: &RecordBatch) -> Result<RecordBatch, AlignError> {
        let columns = self
            .columns
            .iter()
            .zip(self.target.fields())
            .map(|(column, wanted)| match column {
                Column::Same(place) => Ok(Arc::clone(batch.column(*place))),
                Column::Cast(place) => {
                    cast(batch.column(*place), wanted.data_type()).map_err(|source| {
                        AlignError::Cast {
                            variable: wanted.name().clone(),
                            source,
                        }
                    })
                }
                Column::Missing => Ok(new_null_array(wanted.data_type(), batch.num_rows())),
            })
            .collect::<Result<Vec<ArrayRef>, AlignError>>()?;
        // With no columns wanted the number of rows is all there is.
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let target = Arc::clone(&self.target);
        Ok(RecordBatch::try_new_with_options(
            target, columns, &options,
        )?)
    }
}

#[cfg(test)]
mod tests;
