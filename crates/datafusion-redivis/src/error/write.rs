//! What only a write can tell to be wrong: a value that its variable cannot hold, rows that are not all there in the end.
//!
//! Neither is a failure of a request, so these are no [`redivis::Error`]; what the service says stays one.

use std::error::Error;
use std::fmt;

use datafusion::common::DataFusionError;
use redivis::resource::VariableType;

/// Rows that were not written to Redivis, or not as they should be.
///
/// It travels as [`DataFusionError::External`](datafusion::common::DataFusionError::External).
#[derive(Debug)]
#[non_exhaustive]
pub enum WriteError {
    /// A value that its variable cannot hold without loss. Nothing was sent.
    Value {
        /// The variable.
        column: String,
        /// The row, counted from 1 in the order in which the rows came.
        row: u64,
        /// The value for people, shortened.
        value: String,
        /// What the variable holds.
        variable: VariableType,
    },
    /// The service counts other rows in the upload than were sent.
    RowCount {
        /// The table.
        table: String,
        /// The upload.
        upload: String,
        /// How many rows were sent.
        sent: u64,
        /// How many the service counts.
        stored: u64,
    },
    /// The service took a column of a file for another type than it was written as, or found no such column. The upload was
    /// removed.
    Type {
        /// The table.
        table: String,
        /// The upload.
        upload: String,
        /// The column.
        column: String,
        /// What was written.
        sent: VariableType,
        /// What was found; `None` where no such column was.
        stored: Option<VariableType>,
    },
    /// There is no such table to write to.
    Missing {
        /// What to do about it.
        remedy: String,
        /// What the service says.
        source: redivis::Error,
    },
    /// Writing failed, and something of it could not be removed again.
    Left {
        /// What is left and how to remove it.
        left: String,
        /// Why writing failed.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value {
                column,
                row,
                value,
                variable,
            } => write!(
                f,
                "the value {value} of column `{column}`, row {row}, cannot be stored in {} {variable} variable without loss; \
                 nothing was sent. Convert it in the query, as with {}, of a DataFrame in a select before the last one",
                article(variable),
                conversion(variable)
            ),
            Self::RowCount {
                table,
                upload,
                sent,
                stored,
            } => write!(
                f,
                "{sent} rows were sent to upload {upload} of {table}, and Redivis counts {stored} of them"
            ),
            Self::Type {
                table,
                upload,
                column,
                sent,
                stored,
            } => {
                let found = match stored {
                    Some(stored) => format!("takes it for {stored}"),
                    None => "finds no such column in it".to_owned(),
                };
                write!(
                    f,
                    "column `{column}` of `{upload}` is {sent}, and Redivis {found}, so nothing was added to {table}: a file of \
                     text carries no types, one whose name ends in .parquet does"
                )
            }
            Self::Missing { remedy, source } => write!(f, "{source}; {remedy}"),
            Self::Left { left, source } => write!(f, "{source}; {left}"),
        }
    }
}

impl Error for WriteError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Missing { source, .. } => Some(source),
            Self::Left { source, .. } => Some(source.as_ref()),
            Self::Value { .. } | Self::RowCount { .. } | Self::Type { .. } => None,
        }
    }
}

impl From<WriteError> for DataFusionError {
    fn from(error: WriteError) -> Self {
        Self::External(Box::new(error))
    }
}

fn article(variable: &VariableType) -> &'static str {
    match variable {
        VariableType::Integer => "an",
        _ => "a",
    }
}

/// What SQL writes to get a variable's values.
pub(crate) fn conversion(variable: &VariableType) -> &'static str {
    match variable {
        VariableType::Integer => "CAST(… AS BIGINT)",
        VariableType::Float => "CAST(… AS DOUBLE)",
        VariableType::Boolean => "CAST(… AS BOOLEAN)",
        VariableType::Date => "CAST(… AS DATE)",
        VariableType::DateTime => "CAST(… AS TIMESTAMP(6))",
        VariableType::Time => "CAST(… AS TIME(6))",
        _ => "CAST(… AS VARCHAR)",
    }
}
