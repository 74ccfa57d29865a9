//! What the API returns: datasets, tables, variables and the rest, as typed values.
//!
//! One file per resource, each with its calls. Fields that the service leaves out are `None`, fields it adds are ignored,
//! and numbers are taken however they are written, so that a newer or older service is still understood.

mod dataset;
mod lenient;
mod query;
mod raw_file;
mod table;
mod upload;
mod uri;
mod user;
mod variable;
mod version;

pub use dataset::{AccessLevel, Dataset, DatasetChanges, NewDataset, Owner, OwnerKind};
pub use query::{OutputField, Query, QueryRequest, QueryStatus};
pub use raw_file::RawFile;
pub use table::{Container, ContainerKind, NewTable, Table, TableChanges, UploadMergeStrategy};
pub use upload::{Upload, UploadStatus};
pub use user::User;
pub use variable::{ValueLabel, Variable, VariableStatistics, VariableType};
pub use version::DatasetVersion;

pub(crate) use lenient::{integer, timestamp};
pub(crate) use uri::checked_uri;
