//! The tables that a query names, looked up once each, if the one who asks may read their rows.
//!
//! `` `owner.dataset.table` `` is one quoted name or three; a name without dots belongs to the default dataset. Names are
//! only ever compared with what the catalog has: a path of the file system is a name of no table.

use std::sync::Arc;

use datafusion::sql::sqlparser::{ast::Ident, tokenizer::Span};

use super::error::QueryError;
use crate::{
    catalog::{Access, Catalog, Table},
    reference::TableReference,
};

/// Looks tables up for one query.
#[derive(Debug)]
pub(super) struct Tables<'a> {
    catalog: &'a Catalog,
    /// What the token's scopes allow.
    access: Access,
    default_dataset: Option<&'a str>,
    found: Vec<(TableReference, Arc<Table>)>,
}

/// The name under which the engine knows the table that was found at this place.
pub(super) fn registered(place: usize) -> String {
    format!("${place}")
}

impl<'a> Tables<'a> {
    pub(super) fn new(
        catalog: &'a Catalog,
        access: Access,
        default_dataset: Option<&'a str>,
    ) -> Self {
        Tables {
            catalog,
            access,
            default_dataset,
            found: Vec::new(),
        }
    }

    /// The table of this name, and its place among those found.
    pub(super) fn find(
        &mut self,
        parts: &[Ident],
        span: Span,
    ) -> Result<(usize, Arc<Table>), QueryError> {
        let parts: Vec<&str> = parts.iter().map(|part| part.value.as_str()).collect();
        let written = parts.join(".");
        let reference = self
            .reference(&written)
            .map_err(|reason| QueryError::at(span, reason))?;
        if let Some(place) = self.found.iter().position(|(known, _)| *known == reference) {
            return Ok((place, Arc::clone(&self.found[place].1)));
        }
        let table = self
            .open(&written, &reference)
            .map_err(|reason| QueryError::at(span, reason))?;
        self.found.push((reference, Arc::clone(&table)));
        Ok((self.found.len() - 1, table))
    }

    fn reference(&self, written: &str) -> Result<TableReference, String> {
        let qualified = match (written.contains('.'), self.default_dataset) {
            (true, _) => written.to_owned(),
            (false, Some(dataset)) => format!("{dataset}.{written}"),
            (false, None) => {
                return Err(format!(
                    "The table `{written}` is named without its dataset, and there is no default dataset: write `owner.dataset.{written}`"
                ));
            }
        };
        TableReference::parse(&qualified).map_err(|error| error.to_string())
    }

    fn open(&self, written: &str, reference: &TableReference) -> Result<Arc<Table>, String> {
        let missing = || format!("The table `{written}` does not exist, or you cannot see it");
        let dataset = self
            .catalog
            .dataset(&reference.dataset)
            .map_err(|error| error.to_string())?
            .filter(|dataset| dataset.granted(self.access) >= Access::Overview)
            .ok_or_else(missing)?;
        if dataset.granted(self.access) < Access::Data {
            return Err(format!("You may not read the rows of `{written}`"));
        }
        let entry = self
            .catalog
            .table_of(&dataset, reference)
            .map_err(|error| error.to_string())?
            .ok_or_else(missing)?;
        self.catalog.open(entry).map_err(|error| error.to_string())
    }

    /// Whether anybody may read all of what was found.
    pub(super) fn are_public(&self) -> bool {
        self.found
            .iter()
            .all(|(_, table)| table.entry.dataset.is_public())
    }

    pub(super) fn into_found(self) -> impl Iterator<Item = Arc<Table>> {
        self.found.into_iter().map(|(_, table)| table)
    }
}
