//! Descriptions beside the data: `dataset.json`, and `<table>.json` beside a table's file.
//!
//! Every part may be missing. One that cannot be understood is an error of the table it describes, because ignoring it
//! would show other types or a wider public than its author meant.

use std::path::Path;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::storage::StorageError;

/// `dataset.json`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct DatasetDescription {
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) public_access_level: Option<String>,
}

/// `<table>.json`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TableDescription {
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) variables: Vec<VariableDescription>,
}

/// One variable in `<table>.json`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct VariableDescription {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    pub(crate) label: Option<String>,
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) value_labels: Vec<ValueLabel>,
}

/// What a value of a variable stands for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ValueLabel {
    pub(crate) value: serde_json::Value,
    pub(crate) label: String,
}

/// Reads a description; the default if there is no such file.
pub(crate) fn read<T: DeserializeOwned + Default>(path: &Path) -> Result<T, StorageError> {
    let name = crate::storage::shown(path);
    match std::fs::read(path) {
        Ok(text) => {
            serde_json::from_slice(&text).map_err(|error| StorageError::invalid(&name, error))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(T::default()),
        Err(error) => Err(StorageError::io(&name, &error)),
    }
}
