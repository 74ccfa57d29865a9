//! All rows of a table in one request: the only way without a token, for public tables (redivis-api §5.3).
//!
//! There is neither an offset to resume at nor a sentinel, so the table's own count is what tells a cut from an end.

use arrow::datatypes::SchemaRef;

use super::reader::{Source, Whole};
use super::stream::ArrowStream;
use crate::client::Client;
use crate::error::Result;
use crate::request::Call;
use crate::resource::{Table, checked_uri};

const OPERATION: &str = "read the rows of";

/// Which rows and variables of a table to read in one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowsRequest {
    /// The most rows; never more are returned. `None`: all.
    pub max_results: Option<u64>,
    /// The variables and their order, in any case. `None`: all, in the table's order; then nothing is sent.
    pub selected_variables: Option<Vec<String>>,
}

impl Client {
    /// Reads a table's rows in one request: `GET <table>/rows?format=arrow` (redivis-api §5.3).
    ///
    /// Public tables under 100 MB can be read so without a token. Batches come in `schema`, as from
    /// [`read_arrow`](Client::read_arrow). The table's `num_rows`, or `max_results` if that is less, says how many rows there
    /// must be: fewer are an error. The request is made again only while no row has been returned.
    pub fn read_rows(
        &self,
        table: &Table,
        request: &RowsRequest,
        schema: SchemaRef,
    ) -> ArrowStream {
        let whole = table.num_rows.map_or(Whole::Marker, |rows| {
            Whole::Rows(request.max_results.map_or(rows, |max| rows.min(max)))
        });
        let call = rows_call(table, request);
        self.read_answer(call, request.max_results, whole, schema)
    }

    /// Reads one answer in Arrow format: at most `limit` rows.
    pub(crate) fn read_answer(
        &self,
        call: Result<Call>,
        limit: Option<u64>,
        whole: Whole,
        schema: SchemaRef,
    ) -> ArrowStream {
        match call {
            Ok(call) => {
                let source = Source::Answer { call, limit, whole };
                ArrowStream::new(self, source, schema)
            }
            Err(error) => ArrowStream::failed(error, schema),
        }
    }
}

fn rows_call(table: &Table, request: &RowsRequest) -> Result<Call> {
    let uri = checked_uri(OPERATION, &table.uri)?;
    let mut call = Call::get(OPERATION, &table.uri, format!("{uri}/rows")).query("format", "arrow");
    if let Some(variables) = &request.selected_variables {
        call = call.query("selectedVariables", variables.join(","));
    }
    if let Some(max) = request.max_results {
        call = call.query("maxResults", max);
    }
    Ok(call)
}
