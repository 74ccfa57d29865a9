//! References: how people write which dataset, workflow or table they mean.
//!
//! A reference is parsed before anything is sent, so that a slip is explained here rather than by a 404, and so that no text
//! can reach another path of the API. Grammar and characters: redivis-api §2.

mod parse;
#[cfg(test)]
mod tests;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays as it is within one path segment (RFC 3986, unreserved).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Percent-encodes `text` as one segment of a path.
pub(crate) fn path_segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// A name as references write it: what is neither letter, digit nor `_` is `_`, once (redivis-api §2.2).
pub(crate) fn escaped(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    words.join("_")
}

/// Why a text is not a reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a {expected}: {reason}", .text.escape_debug())]
pub struct ReferenceError {
    /// The text, shortened if it was long.
    text: String,
    expected: &'static str,
    reason: String,
}

impl ReferenceError {
    /// The reason alone.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// A version of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Version {
    /// A released version: `v1_0`, also read from `v1.0` and `1.0`.
    Numbered {
        /// The number before the underscore.
        major: u32,
        /// The number after it.
        minor: u32,
    },
    /// The latest released version, which is also meant when none is named.
    Current,
    /// The unreleased version.
    Next,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Numbered { major, minor } => write!(f, "v{major}_{minor}"),
            Self::Current => f.write_str("current"),
            Self::Next => f.write_str("next"),
        }
    }
}

impl FromStr for Version {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        parse::version(text).ok_or_else(|| ReferenceError {
            text: parse::shortened(text),
            expected: "version",
            reason: "write v1_0, v1.0, 1.0, current or next".to_owned(),
        })
    }
}

/// A dataset: `owner.dataset[:referenceId][:sample][:version]`.
///
/// Case is kept for display and ignored by `==` and `Hash`, as the service ignores it.
#[derive(Debug, Clone)]
pub struct DatasetReference {
    owner: String,
    name: String,
    reference_id: Option<String>,
    sample: bool,
    version: Option<Version>,
}

impl DatasetReference {
    /// The user or organization that owns it.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The dataset's name, as it was written.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id that tells apart datasets that had the same name over time, such as `1q86`.
    pub fn reference_id(&self) -> Option<&str> {
        self.reference_id.as_deref()
    }

    /// Whether the dataset's sample is meant.
    pub fn is_sample(&self) -> bool {
        self.sample
    }

    /// The version, if one is named.
    pub fn version(&self) -> Option<Version> {
        self.version
    }

    /// The same dataset in another version; `None` for no version, which the service takes as the current one.
    #[must_use]
    pub fn with_version(mut self, version: Option<Version>) -> Self {
        self.version = version;
        self
    }

    /// The same dataset, sample and version without the id, as people read it.
    #[must_use]
    pub fn without_id(mut self) -> Self {
        self.reference_id = None;
        self
    }

    /// The dataset by its names alone: without id, sample and version.
    #[must_use]
    pub fn by_name(&self) -> Self {
        Self {
            sample: false,
            ..self.clone().without_id().with_version(None)
        }
    }

    /// A table in this dataset.
    ///
    /// `table` is `name[:referenceId]`.
    pub fn table(&self, table: &str) -> Result<TableReference, ReferenceError> {
        parse::table_of(self, table)
    }

    /// The reference as one percent-encoded path segment.
    pub fn path_segment(&self) -> String {
        path_segment(&self.to_string())
    }

    /// What two spellings of the same reference have in common.
    fn key(&self) -> String {
        self.to_string().to_lowercase()
    }
}

impl fmt::Display for DatasetReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.owner, self.name)?;
        if let Some(id) = &self.reference_id {
            write!(f, ":{id}")?;
        }
        if self.sample {
            f.write_str(":sample")?;
        }
        if let Some(version) = self.version {
            write!(f, ":{version}")?;
        }
        Ok(())
    }
}

/// A workflow: `owner.workflow[:referenceId]`. Written like a dataset without sample and version.
#[derive(Debug, Clone)]
pub struct WorkflowReference(DatasetReference);

impl WorkflowReference {
    /// The user or organization that owns it.
    pub fn owner(&self) -> &str {
        self.0.owner()
    }

    /// The workflow's name, as it was written.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The id that tells apart workflows that had the same name over time.
    pub fn reference_id(&self) -> Option<&str> {
        self.0.reference_id()
    }

    /// The reference as one percent-encoded path segment.
    pub fn path_segment(&self) -> String {
        self.0.path_segment()
    }

    fn key(&self) -> String {
        self.0.key()
    }
}

impl fmt::Display for WorkflowReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A table: `owner.dataset[:referenceId][:sample][:version].table[:referenceId]`, or `owner.workflow[:referenceId].table[:referenceId]`.
///
/// Whether the parent is a dataset or a workflow is known only to the service; [`Table::container`](crate::resource::Table)
/// tells. Case is kept for display and ignored by `==` and `Hash`.
///
/// ```
/// use redivis::TableReference;
///
/// let table: TableReference = "demo.nycflights13:v1.0.Flights".parse()?;
/// assert_eq!(table.to_string(), "demo.nycflights13:v1_0.Flights");
/// assert_eq!(table, "Demo.NYCflights13:1.0.flights".parse()?);
/// assert!("demo.nycflights13/../users".parse::<TableReference>().is_err());
/// # Ok::<(), redivis::ReferenceError>(())
/// ```
#[derive(Debug, Clone)]
pub struct TableReference {
    parent: DatasetReference,
    name: String,
    reference_id: Option<String>,
}

impl TableReference {
    /// The user or organization that owns the dataset or workflow.
    pub fn owner(&self) -> &str {
        self.parent.owner()
    }

    /// The dataset or workflow, written as a dataset's reference.
    pub fn parent(&self) -> &DatasetReference {
        &self.parent
    }

    /// The table's name, as it was written.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id that tells apart tables that had the same name over time.
    pub fn reference_id(&self) -> Option<&str> {
        self.reference_id.as_deref()
    }

    /// The dataset's version, if one is named.
    pub fn version(&self) -> Option<Version> {
        self.parent.version
    }

    /// Workflow and table as one percent-encoded path segment each; `None` if the reference can mean no workflow's table.
    pub(crate) fn in_workflow(&self) -> Option<(String, String)> {
        let is_workflow = self.parent.version.is_none() && !self.parent.sample;
        let table = match &self.reference_id {
            Some(id) => format!("{}:{id}", self.name),
            None => self.name.clone(),
        };
        is_workflow.then(|| (self.parent.path_segment(), path_segment(&table)))
    }

    /// The same table without ids, its own and its dataset's, as people read it.
    #[must_use]
    pub fn without_ids(mut self) -> Self {
        self.parent = self.parent.without_id();
        self.reference_id = None;
        self
    }

    /// The table of this name in the version of its dataset that is not released yet, which can be written to.
    #[must_use]
    pub fn in_next_version(&self) -> Self {
        Self {
            parent: self.parent.by_name().with_version(Some(Version::Next)),
            name: self.name.clone(),
            reference_id: None,
        }
    }

    /// The same table in another version of its dataset.
    #[must_use]
    pub fn with_version(mut self, version: Option<Version>) -> Self {
        self.parent.version = version;
        self
    }

    /// The reference as one percent-encoded path segment.
    pub fn path_segment(&self) -> String {
        path_segment(&self.to_string())
    }

    fn key(&self) -> String {
        self.to_string().to_lowercase()
    }
}

impl fmt::Display for TableReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.parent, self.name)?;
        if let Some(id) = &self.reference_id {
            write!(f, ":{id}")?;
        }
        Ok(())
    }
}

/// What every kind of reference has: parsing with reasons, and comparison without regard to case.
macro_rules! reference {
    ($type:ident, $parse:path) => {
        impl FromStr for $type {
            type Err = ReferenceError;

            fn from_str(text: &str) -> Result<Self, ReferenceError> {
                $parse(text)
            }
        }

        impl PartialEq for $type {
            fn eq(&self, other: &Self) -> bool {
                self.key() == other.key()
            }
        }

        impl Eq for $type {}

        impl Hash for $type {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.key().hash(state);
            }
        }
    };
}

reference!(DatasetReference, parse::dataset);
reference!(WorkflowReference, parse::workflow);
reference!(TableReference, parse::table);
