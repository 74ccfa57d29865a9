//! What a scan asks the service for.

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use redivis::Client;
use redivis::read::{Format, ReadSessionRequest, RowsRequest};

use super::source::Source;

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
}

impl ScanRequest {
    fn variables(&self) -> Vec<String> {
        self.asked
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect()
    }

    fn max_results(&self) -> Option<u64> {
        self.fetch.map(|fetch| fetch as u64)
    }

    /// How many rows there must be, where they can never change.
    pub(crate) fn expected(&self) -> Option<u64> {
        let size = self.source.size;
        let rows = size.rows.filter(|_| size.immutable)?;
        Some(self.max_results().map_or(rows, |max| max.min(rows)))
    }

    pub(crate) fn session(&self) -> ReadSessionRequest {
        ReadSessionRequest {
            format: Format::Arrow,
            max_results: self.max_results(),
            selected_variables: Some(self.variables()),
            requested_stream_count: Some(u32::try_from(self.streams).unwrap_or(u32::MAX)),
            ..ReadSessionRequest::default()
        }
    }

    pub(crate) fn rows(&self) -> RowsRequest {
        RowsRequest {
            max_results: self.max_results(),
            selected_variables: Some(self.variables()),
        }
    }
}
