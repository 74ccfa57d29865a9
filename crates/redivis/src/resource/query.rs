//! Queries: SQL that runs on Redivis, and whose result is read like a table (redivis-api §7).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::job::JobStatus;
use super::lenient::{hint, integer, list, text};
use super::{VariableType, checked_uri};
use crate::client::Client;
use crate::error::{ErrorKind, Result, Retry};
use crate::request::Call;

const START_PATIENCE: Duration = Duration::from_secs(125);
/// How long the service may hold its first answer back for the result, in milliseconds. Quick queries are answered at once like
/// this; of others it is known soon which they are and how far.
const HELD_BACK: u32 = 1000;
const FIRST_POLL: Duration = Duration::from_millis(250);
const LAST_POLL: Duration = Duration::from_secs(2);
/// After so many answers that do not say how far a query is, that is told.
const PUZZLING: u32 = 4;

/// SQL to run on Redivis, in its dialect (BigQuery's).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryRequest {
    /// The query's text.
    pub query: String,
    /// The dataset that bare table names are looked up in: `owner.dataset[:version]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_dataset: Option<String>,
    /// The workflow that bare table names are looked up in: `owner.workflow`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_workflow: Option<String>,
}

/// What starts a query.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Start<'a> {
    #[serde(flatten)]
    request: &'a QueryRequest,
    timeout_ms: u32,
}

/// A query and what became of it (redivis-api §3.3).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Query {
    /// The path below the endpoint that every call on this query starts with; its result can be read like a table.
    pub uri: String,
    /// The query's id.
    #[serde(default, deserialize_with = "text")]
    pub id: Option<String>,
    /// How far it has come. Where the service does not say, what else it tells decides: only a query that is completed has a
    /// result.
    #[serde(default, deserialize_with = "hint")]
    pub status: JobStatus,
    /// Why it failed.
    #[serde(default, deserialize_with = "hint")]
    pub error_message: Option<String>,
    /// Rows of the result.
    #[serde(default, deserialize_with = "integer")]
    pub output_num_rows: Option<u64>,
    /// Size of the result, in bytes.
    #[serde(default, deserialize_with = "integer")]
    pub output_num_bytes: Option<u64>,
    /// The result's variables.
    #[serde(default, deserialize_with = "list")]
    pub output_schema: Vec<OutputField>,
}

/// A variable of a query's result.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct OutputField {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub variable_type: VariableType,
}

impl Query {
    /// With the status that the other fields tell, where the service did not.
    fn settled(mut self) -> Self {
        if self.status == JobStatus::Other {
            if self.error_message.is_some() {
                self.status = JobStatus::Failed;
            } else if self.output_num_rows.is_some() || !self.output_schema.is_empty() {
                self.status = JobStatus::Completed;
            }
        }
        self
    }
}

impl Client {
    /// Runs a query on Redivis and waits for its end: `POST /queries`, then `GET <query>` (redivis-api §7).
    ///
    /// A query that fails is an error of kind [`ErrorKind::Invalid`] with the service's message. Dropping the future stops
    /// the waiting, not the query: the service has nothing to call for that.
    pub async fn query(&self, request: &QueryRequest) -> Result<Query> {
        self.query_watched(request, |_| {}).await
    }

    /// The same, and `watch` sees every answer of the service, for who waits.
    ///
    /// A state that this version does not know is waited for, as the official clients do, and told as a warning.
    pub async fn query_watched(
        &self,
        request: &QueryRequest,
        mut watch: impl FnMut(&Query) + Send,
    ) -> Result<Query> {
        let start = Start {
            request,
            timeout_ms: HELD_BACK,
        };
        let call = Call::post("run query", "", "/queries", &start)?
            .not_repeatable()
            .patience(START_PATIENCE);
        let mut query = self.json::<Query>(&call).await?.settled();
        watch(&query);
        let (mut wait, mut unknown) = (FIRST_POLL, 0);
        while query.status.is_pending() {
            unknown += u32::from(query.status == JobStatus::Other);
            if unknown == PUZZLING {
                tracing::warn!(
                    "Redivis does not say in known words how far {} is; waiting for its end",
                    self.clean(&query.uri)
                );
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LAST_POLL);
            let uri = checked_uri("run query", &query.uri)?;
            let call = Call::get("run query", &query.uri, uri);
            query = self.json::<Query>(&call).await?.settled();
            watch(&query);
        }
        if query.status == JobStatus::Completed {
            return Ok(query);
        }
        let message = query.status.why(self, query.error_message.as_deref());
        Err(call
            .error(ErrorKind::Invalid, message)
            .with_retry(Retry::No))
    }
}
