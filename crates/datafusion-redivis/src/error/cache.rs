//! What only the cache can tell to be wrong: kept rows that are not what was written, or not there where nothing else is.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;

use datafusion::arrow::datatypes::Schema;
use datafusion::common::DataFusionError;

/// Rows that the cache has not, or not any more.
///
/// It travels as [`DataFusionError::External`].
#[derive(Debug)]
#[non_exhaustive]
pub enum CacheError {
    /// A file was changed after it was written. It was removed; rows that were read of it before are right.
    Damaged {
        /// The table.
        table: String,
        /// Where its rows were kept.
        entry: PathBuf,
    },
    /// Nothing is sent, and the cache knows no such table.
    NoTable {
        /// What was asked for.
        reference: String,
        /// What it has under this name in some version.
        versions: Vec<String>,
    },
    /// Nothing is sent, and the cache has not all of the variables in one place.
    NoVariables {
        /// The table.
        table: String,
        /// What was asked for.
        variables: Vec<String>,
    },
}

impl CacheError {
    /// No entry of the table has all of these variables.
    pub(crate) fn missing(table: &str, wanted: &Schema) -> Self {
        let variables = wanted.fields().iter().map(|field| field.name().clone());
        Self::NoVariables {
            table: table.to_owned(),
            variables: variables.collect(),
        }
    }
}

impl fmt::Display for CacheError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged { table, entry } => write!(
                f,
                "what the cache keeps of {table} was damaged on the disk, and is removed: {}. Run the statement again, which \
                 reads the table again",
                entry.display()
            ),
            Self::NoTable {
                reference,
                versions,
            } => {
                write!(f, "{reference} is not in the cache")?;
                match versions.as_slice() {
                    [] => write!(
                        f,
                        ", and offline nothing is asked of Redivis; go online once, and CALL redivis.cache('{reference}')"
                    ),
                    versions => write!(
                        f,
                        " by that name; it has {}, so name the version, or go online once to look the name up",
                        versions.join(", ")
                    ),
                }
            }
            Self::NoVariables { table, variables } => {
                let quoted: Vec<String> =
                    variables.iter().map(|name| format!("'{name}'")).collect();
                write!(
                    f,
                    "the cache has no entry of {table} with {}, and offline nothing is read from Redivis; go online once, and \
                     CALL redivis.cache('{table}', [{}])",
                    variables.join(", "),
                    quoted.join(", ")
                )
            }
        }
    }
}

impl Error for CacheError {}

impl From<CacheError> for DataFusionError {
    fn from(error: CacheError) -> Self {
        Self::External(Box::new(error))
    }
}
