//! What a scan asks the service for.

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use redivis::read::{Format, ReadSession, ReadSessionRequest, RowsRequest};
use redivis::{Client, ErrorKind};

use super::source::Source;
use crate::error::failed;
use crate::options::CheckRowCounts;

/// What all partitions of a scan ask for.
#[derive(Debug)]
pub(crate) struct ScanRequest {
    pub(crate) source: Arc<Source>,
    /// With the session's timeouts.
    pub(crate) client: Client,
    /// The variables asked for, never none.
    pub(crate) asked: SchemaRef,
    /// No more rows than this, from one partition and from all of them.
    pub(crate) fetch: Option<usize>,
    /// How many streams to ask for.
    pub(crate) streams: usize,
    /// What becomes of rows that the service counts otherwise.
    pub(crate) check_row_counts: CheckRowCounts,
}

impl ScanRequest {
    /// The variables by name; `None` for all in order, which nobody has to name: an upload to an unreleased table may lack one
    /// (redivis-api §14).
    fn variables(&self) -> Option<Vec<String>> {
        if self.asked == self.source.schema {
            return None;
        }
        let fields = self.asked.fields().iter();
        Some(fields.map(|field| field.name().clone()).collect())
    }

    fn max_results(&self) -> Option<u64> {
        self.fetch.map(|fetch| fetch as u64)
    }

    /// How many rows there must be, if other ones came: as the session says, or else the table.
    ///
    /// What either of them says is right, since the session knows what may be read of the table. Counts of what changes are
    /// hints, and so is the table's of a sample, or where access to it is limited (redivis-api §14).
    pub(crate) fn missed_count(&self, session: Option<&ReadSession>, came: u64) -> Option<u64> {
        let size = self.source.size;
        let of_session = session.and_then(|session| session.num_rows);
        let counts = [
            of_session.filter(|_| size.released),
            size.rows.filter(|_| size.immutable),
        ];
        // A session may count before its limit or after, and send a few more rows than that.
        let limited = |rows: u64| self.max_results().map_or(rows, |most| rows.min(most));
        let is_right = |rows: u64| came == rows || (came > rows && self.fetch.is_some());
        let mut counts = counts.into_iter().flatten().map(limited).peekable();
        let first = counts.peek().copied();
        (!counts.any(is_right)).then_some(first).flatten()
    }

    pub(crate) fn session(&self) -> ReadSessionRequest {
        ReadSessionRequest {
            format: Format::Arrow,
            max_results: self.max_results(),
            selected_variables: self.variables(),
            requested_stream_count: Some(u32::try_from(self.streams).unwrap_or(u32::MAX)),
            ..ReadSessionRequest::default()
        }
    }

    /// Makes a read session; of a query whose result the service has let go of, having run it again.
    pub(crate) async fn open(&self) -> Result<ReadSession> {
        let body = self.session();
        let Some(query) = &self.source.query else {
            let session = self.client.create_read_session(&self.source.uri, &body);
            return session.await.map_err(failed);
        };
        let uri = query.uri().await;
        match self.client.create_read_session(&uri, &body).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let Source {
                    connection, schema, ..
                } = &*self.source;
                let uri = query.again(connection, schema, &uri).await?;
                let session = self.client.create_read_session(&uri, &body).await;
                session.map_err(failed)
            }
            session => session.map_err(failed),
        }
    }

    pub(crate) fn rows(&self) -> RowsRequest {
        RowsRequest {
            max_results: self.max_results(),
            selected_variables: self.variables(),
        }
    }
}
