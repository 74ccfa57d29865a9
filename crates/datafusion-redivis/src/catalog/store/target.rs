//! The table that a file is written to: an upload of it, or a file among its files.

use std::sync::Arc;

use datafusion::common::Result;
use object_store::path::Path;
use redivis::resource::Table;
use redivis::write::{Content, NewTempUpload, SendProgress};
use redivis::{Client, TableReference};

use crate::error::failed;
use crate::write::{Destination, Expected, UploadName, Writes, check_writable, draft, still_there};

/// The table that a file is written to.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) destination: Destination,
    pub(crate) table: Table,
}

impl Target {
    /// Fails for a table that nothing can be written to.
    pub(crate) async fn find(
        client: &Client,
        reference: &TableReference,
        writes: &Arc<Writes>,
    ) -> Result<Self> {
        let table = draft::table(client, reference).await?;
        let destination = Destination {
            client: client.clone(),
            table: reference.to_string(),
            uri: table.uri.clone(),
            writes: Arc::clone(writes),
        };
        check_writable(client, &destination.table, &table)?;
        Ok(Self { destination, table })
    }

    /// Fails if an upload has the file's name: whatever refuses a file should do so before gigabytes are written aside.
    pub(crate) async fn check_free(&self, location: &Path) -> Result<()> {
        match self.table.is_file_index {
            true => Ok(()),
            false => self.destination.check_name(location.as_ref()).await,
        }
    }

    /// Makes the content a file or an upload of the table, complete or not at all. An upload must be as `expected`;
    /// `upload_type` is its format, where the name does not say it.
    pub(crate) async fn write(
        &self,
        location: &Path,
        content: &Content,
        upload_type: Option<&str>,
        expected: &Expected,
    ) -> Result<()> {
        let name = location.as_ref();
        let progress = Arc::new(SendProgress::default());
        if self.table.is_file_index {
            let added = self.add(name, content, &progress).await;
            self.destination.writes.changed();
            return added.map_err(|error| match error.may_have_happened() {
                true => still_there(
                    failed(error),
                    format!(
                        "the file `{name}` may be in {} nevertheless",
                        self.destination.table
                    ),
                ),
                false => failed(error),
            });
        }
        let name = UploadName::given(name);
        self.destination
            .upload(&name, upload_type, content, expected, &progress)
            .await?;
        Ok(())
    }

    async fn add(
        &self,
        name: &str,
        content: &Content,
        progress: &Arc<SendProgress>,
    ) -> redivis::Result<()> {
        let Destination { client, uri, .. } = &self.destination;
        let new = NewTempUpload::new(name, content.len());
        for sent in client.create_temp_uploads(uri, &[new]).await? {
            client.send(&sent, content, progress).await?;
            client.add_raw_files(uri, &[(name, &sent)]).await?;
        }
        Ok(())
    }
}
