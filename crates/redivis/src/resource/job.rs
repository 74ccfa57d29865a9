//! How far work has come that the service does in the background: queries and exports.

use serde::Deserialize;

use crate::client::Client;

/// How far a query or an export has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum JobStatus {
    /// Others of the same user run first.
    Queued,
    /// It runs.
    Running,
    /// Its result can be read.
    Completed,
    /// It failed.
    Failed,
    /// Somebody stopped it.
    Cancelled,
    /// The service does not say, or names a state that this version of the crate does not know.
    #[default]
    #[serde(other)]
    Other,
}

impl JobStatus {
    /// Whether it is worth asking again.
    pub(super) fn is_pending(self) -> bool {
        matches!(self, Self::Queued | Self::Running | Self::Other)
    }

    /// Why there is no result, with the service's message if it has one.
    pub(super) fn why(self, client: &Client, message: Option<&str>) -> String {
        match (message, self) {
            (Some(message), _) => client.whole(message),
            (None, Self::Cancelled) => "it was cancelled".to_owned(),
            (None, _) => "it failed, and the service does not say why".to_owned(),
        }
    }
}
