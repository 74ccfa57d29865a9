//! What the API returns: datasets, tables, variables and the rest, as typed values.
//!
//! In: references and URIs. Out: values of the types here, or lists of them as streams. Uses requests and pages, and
//! [`read`](crate::read) for the one listing that comes as Arrow.
//!
//! One file per resource, each with its calls. Fields that the service leaves out, or writes in a form that cannot be
//! read, are `None`, and fields it adds are ignored, so that a newer or older service is still understood. Only what a resource
//! is found by must be there: URIs, ids, names and types.

mod dataset;
mod export;
mod job;
mod lenient;
mod query;
mod raw_file;
mod release;
mod table;
mod upload;
mod uri;
mod user;
mod variable;
mod version;

pub use dataset::{AccessLevel, Dataset, DatasetChanges, NewDataset, Owner, OwnerKind};
pub use export::Export;
pub use job::JobStatus;
pub use query::{OutputField, Query, QueryRequest};
pub use raw_file::RawFile;
pub use table::{Container, ContainerKind, NewTable, Table, TableChanges, UploadMergeStrategy};
pub use upload::{RowCount, Upload, UploadStatus};
pub use user::User;
pub use variable::{ValueLabel, Variable, VariableStatistics, VariableType};
pub use version::{DatasetVersion, ReleaseStatus};

pub(crate) use lenient::{hint, integer, text, timestamp};
pub(crate) use uri::{checked_uri, reference_in};
