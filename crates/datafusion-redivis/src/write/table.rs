//! A table made of a query's rows, or its rows replaced by them: as it was before, or as it is to be.
//!
//! A new table is filled under a name that nobody else uses, and gets its own only then: nobody sees half of it, and what is
//! deleted again on failure is certainly its own. It takes the place of one that is in no released version. One that an earlier
//! version has keeps its id, labels and descriptions: only its uploads are exchanged.

use std::sync::Arc;
use std::time::Duration;

use datafusion::common::{Result, exec_datafusion_err};
use redivis::resource::{NewTable, Table, TableChanges, Upload};
use redivis::write::{Content, SendProgress, UploadField, UploadRequest};
use redivis::{Client, ErrorKind, TableReference, Version};

use super::columns::Columns;
use super::name::{UploadName, unique};
use super::replacing::Replacing;
use super::spool::Spool;
use super::undo::{Undo, Writes, still_there};
use super::upload::{Destination, Expected};
use crate::error::{failed, refused};

/// How long the service may take to show a table whose creation was not answered any more.
const SHOWS_WITHIN: Duration = Duration::from_secs(2);

/// The rows that a table is to have.
pub(crate) struct TableRows<'a> {
    pub(crate) client: &'a Client,
    pub(crate) writes: &'a Arc<Writes>,
    pub(crate) reference: &'a TableReference,
    pub(crate) columns: &'a Columns,
    pub(crate) spool: &'a Spool,
}

impl TableRows<'_> {
    /// Makes the table, or none.
    pub(crate) async fn create(&self, dataset_uri: &str) -> Result<()> {
        let (new, undo) = self.make(dataset_uri).await?;
        match new.name_it().await {
            Ok(()) => {
                undo.keep();
                Ok(())
            }
            Err(error) => Err(undo.because_of(failed(error)).await),
        }
    }

    /// Gives the table that is there these rows in the place of its own.
    pub(crate) async fn replace(&self, dataset_uri: &str, old: &Table) -> Result<()> {
        match self.was_released(old).await? {
            true => self.exchange_uploads(old).await,
            false => self.exchange(dataset_uri, old).await,
        }
    }

    /// Whether an earlier version has the table.
    async fn was_released(&self, table: &Table) -> Result<bool> {
        let reference = table.reference().unwrap_or_else(|| self.reference.clone());
        let released = reference.with_version(Some(Version::Current));
        match self.client.table(&released).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }

    /// Makes a table with these rows under a name of its own, and what deletes it.
    async fn make(&self, dataset_uri: &str) -> Result<(Arc<NewNamed>, Undo)> {
        let aside = unique(&format!("{}_new", self.reference.name())).replace('-', "_");
        let aside = self.reference.parent().table(&aside).map_err(refused)?;
        let undo = Undo::new(self.writes, {
            let (client, aside) = (self.client.clone(), aside.clone());
            move || delete(client.clone(), aside.clone())
        });
        let new = NewTable {
            name: aside.name().to_owned(),
            ..NewTable::default()
        };
        let made = async {
            let table = self.client.create_table(dataset_uri, &new).await;
            let table = table.map_err(failed)?;
            self.fill(&self.destination(&table, &aside)).await?;
            Ok(table)
        };
        match made.await {
            Ok(table) => {
                let new = NewNamed {
                    client: self.client.clone(),
                    reference: self.reference.clone(),
                    aside,
                    table,
                };
                Ok((Arc::new(new), undo))
            }
            Err(error) => Err(undo.because_of(error).await),
        }
    }

    fn destination(&self, table: &Table, reference: &TableReference) -> Destination {
        Destination {
            client: self.client.clone(),
            table: reference.to_string(),
            uri: table.uri.clone(),
            writes: Arc::clone(self.writes),
        }
    }

    /// Sends the rows as one upload.
    async fn fill(&self, destination: &Destination) -> Result<Upload> {
        let name = UploadName::unique("create");
        if self.spool.rows == 0 {
            // Variables without rows: what a stream upload is before its first rows (redivis-api §6.4).
            let fields = self
                .columns
                .variables()
                .map(|(name, variable)| UploadField {
                    name: name.to_owned(),
                    variable_type: variable.clone(),
                });
            let request = UploadRequest {
                name: name.text.clone(),
                upload_type: Some("stream".to_owned()),
                schema: Some(fields.collect()),
                ..UploadRequest::default()
            };
            let (upload, undo) = destination.create(&request, None, &name).await?;
            undo.keep();
            return Ok(upload);
        }
        let content = Content::file(self.spool.path()).await.map_err(failed)?;
        let expected = Expected::rows(self.spool.rows);
        let progress = Arc::new(SendProgress::default());
        destination
            .upload(&name, Some("parquet"), &content, &expected, &progress)
            .await
    }

    /// Puts a new table in the place of the old one.
    async fn exchange(&self, dataset_uri: &str, old: &Table) -> Result<()> {
        let (new, undo) = self.make(dataset_uri).await?;
        // From here on the old table may be gone, and then the new one must not be deleted.
        let exchange = Undo::new(self.writes, {
            let (new, old) = (Arc::clone(&new), Arc::new(old.clone()));
            move || Arc::clone(&new).finish(Arc::clone(&old))
        });
        undo.keep();
        let deleted = self.client.delete_table(&old.uri).await;
        let left = exchange.carry_out().await;
        let is_new = async || {
            let there = self.client.table(self.reference).await;
            there.is_ok_and(|there| new.is(&there))
        };
        match (deleted, left) {
            (Ok(()), None) => Ok(()),
            (Err(_), None) if is_new().await => Ok(()),
            (Err(error), None) => Err(failed(error)),
            (deleted, Some(left)) => {
                let error = match deleted {
                    Ok(()) => exec_datafusion_err!("{} was not replaced", self.reference),
                    Err(error) => failed(error),
                };
                Err(still_there(error, left))
            }
        }
    }

    /// Puts an upload in the place of all others and of the rows of the version before.
    async fn exchange_uploads(&self, table: &Table) -> Result<()> {
        let destination = self.destination(table, self.reference);
        let replacing = Replacing::begin(&destination, table.upload_merge_strategy).await?;
        match self.fill(&destination).await {
            Ok(new) => replacing.finish(new).await,
            Err(error) => Err(replacing.cancel(error).await),
        }
    }
}

/// Deletes a table that only this statement knows. Says what is left where that fails.
async fn delete(client: Client, table: TableReference) -> Option<String> {
    let uri = format!("/tables/{}", table.path_segment());
    for wait in [Duration::ZERO, SHOWS_WITHIN] {
        tokio::time::sleep(wait).await;
        match client.delete_table(&uri).await {
            Ok(()) => return None,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                return Some(format!(
                    "the table {table} may be left ({error}): remove it with DROP TABLE redivis.'{table}'"
                ));
            }
        }
    }
    None
}

/// A table that is filled, and has not its own name yet.
struct NewNamed {
    client: Client,
    /// The name it is to have.
    reference: TableReference,
    /// The name it has.
    aside: TableReference,
    table: Table,
}

impl NewNamed {
    fn is(&self, other: &Table) -> bool {
        other.uri == self.table.uri
            || (other.reference_id.is_some() && other.reference_id == self.table.reference_id)
    }

    /// Gives it its name. A repeated request may not find it under the other any more.
    async fn name_it(&self) -> redivis::Result<()> {
        let renamed = TableChanges {
            name: Some(self.reference.name().to_owned()),
            ..TableChanges::default()
        };
        let Err(error) = self.client.update_table(&self.table.uri, &renamed).await else {
            return Ok(());
        };
        match self.client.table(&self.reference).await {
            Ok(there) if self.is(&there) => Ok(()),
            _ => Err(error),
        }
    }

    /// Puts it in the place of the old table if that is gone, and deletes it otherwise. Says what is left where that fails.
    async fn finish(self: Arc<Self>, old: Arc<Table>) -> Option<String> {
        let (name, aside) = (&self.reference, &self.aside);
        let error = match self.client.table(&self.reference).await {
            Ok(there) if self.is(&there) => return None,
            Ok(_) => return delete(self.client.clone(), self.aside.clone()).await,
            Err(error) if error.kind() == ErrorKind::NotFound => match self.name_it().await {
                Ok(()) => return None,
                Err(error) => error,
            },
            Err(error) => error,
        };
        Some(format!(
            "{name} may be deleted, and its new rows are in {aside} ({error}): look for both, and rename the new table to {}",
            old.name
        ))
    }
}
