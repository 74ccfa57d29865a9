//! What rows are kept by: who read what, of which service.

use datafusion::arrow::datatypes::SchemaRef;
use redivis::resource::Table;
use sha2::{Digest, Sha256};

/// A table in one released version, as one account reads it at one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableKey {
    pub(super) endpoint: String,
    pub(super) account: String,
    /// Whose rows these are, where.
    pub(super) owner: String,
    /// The table's reference as people write it, with the version.
    pub(crate) name: String,
    /// What is equal only where the rows are.
    identity: String,
    pub(super) rows: u64,
    /// All its variables.
    pub(crate) schema: SchemaRef,
}

impl TableKey {
    /// The key of a table that never changes; `None` where the service says too little to tell it from others.
    ///
    /// A version can be taken back and released again under the same number, so the id alone does not do: the counts and the
    /// hash of the contents must be the same.
    pub(crate) fn new(
        endpoint: &str,
        account: &str,
        name: &str,
        table: &Table,
        schema: SchemaRef,
    ) -> Option<Self> {
        let reference = table.reference()?;
        let version = reference.version()?.to_string();
        let id = table.id.clone().unwrap_or_else(|| reference.to_string());
        let rows = table.num_rows?;
        let size = table.num_bytes.unwrap_or_default().to_string();
        let hash = table.hash.as_deref().unwrap_or_default();
        Some(Self {
            endpoint: endpoint.to_owned(),
            account: account.to_owned(),
            owner: digest(&[endpoint, account]),
            name: name.to_owned(),
            identity: digest(&[&id, &version, &rows.to_string(), &size, hash]),
            rows,
            schema,
        })
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// The name of the table's folder.
    pub(super) fn folder(&self) -> String {
        digest(&[&self.owner, &self.identity])
    }
}

/// A file name that stands for these texts, in this layout of the folder.
pub(super) fn digest(texts: &[&str]) -> String {
    const LAYOUT: &str = "1";
    let mut hash = Sha256::new();
    for text in [&[LAYOUT], texts].concat() {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    let bytes = hash.finalize();
    bytes
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_do_not_run_into_each_other() {
        assert_eq!(digest(&["a", "b"]), digest(&["a", "b"]));
        assert_ne!(digest(&["ab", ""]), digest(&["a", "b"]));
        assert_eq!(digest(&[]).len(), 32);
    }
}
