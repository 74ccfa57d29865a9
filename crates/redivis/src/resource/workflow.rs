//! Workflows, whose tables come from datasets and transforms (redivis-api §3.5).

use futures::stream::BoxStream;
use serde::Deserialize;

use super::lenient::{hint, text_or_empty};
use crate::client::Client;
use crate::error::Result;
use crate::reference::WorkflowReference;
use crate::request::Call;

/// A workflow. Its tables are found by [`Client::workflow_tables`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Workflow {
    /// The path below the endpoint that every call on this workflow starts with.
    pub uri: String,
    /// The name, in the service's spelling.
    pub name: String,
    /// The reference with id.
    #[serde(default, deserialize_with = "text_or_empty")]
    pub qualified_reference: String,
    /// What it is about.
    #[serde(default, deserialize_with = "hint")]
    pub description: Option<String>,
}

impl Client {
    /// The workflow that a reference means: `GET /workflows/:workflow` (redivis-api §4).
    pub async fn workflow(&self, reference: &WorkflowReference) -> Result<Workflow> {
        let path = format!("/workflows/{}", reference.path_segment());
        self.json(&Call::get("get workflow", reference.to_string(), path))
            .await
    }

    /// The workflows of a user or organization that the caller may see, fetched as they are consumed.
    ///
    /// Which of the two an owner is, is found out as by [`Client::owner_datasets`].
    pub fn owner_workflows(&self, owner: &str) -> BoxStream<'static, Result<Workflow>> {
        self.of_owner("list the workflows of", owner, "workflows")
    }
}
