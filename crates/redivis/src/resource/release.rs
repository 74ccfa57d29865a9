//! Releasing a dataset's next version: asked for once, waited for, and told as it ended (redivis-api §3.5, §4).
//!
//! Nobody knows whether the service releases before it answers or goes on afterwards, so both are right: what the version says
//! of itself decides.

use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::version::{DatasetVersion, ReleaseStatus};
use super::{Dataset, checked_uri};
use crate::client::Client;
use crate::error::{ErrorKind, Result};
use crate::request::Call;

const OPERATION: &str = "release the next version of";
/// How long a release is waited for unless the caller says.
const PATIENCE: Duration = Duration::from_secs(60 * 60);
const FIRST_POLL: Duration = Duration::from_millis(250);
const LAST_POLL: Duration = Duration::from_secs(5);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    release_notes: Option<&'a str>,
}

impl Client {
    /// As [`release_within`](Self::release_within) an hour.
    pub async fn release(&self, dataset_uri: &str, notes: Option<&str>) -> Result<Dataset> {
        self.release_within(PATIENCE, dataset_uri, notes).await
    }

    /// Releases the next version of a dataset, waits until that is done, and returns the dataset in it:
    /// `POST <dataset>/versions/next/release`, then `GET <version>` while its `status` is `queued` or `running`.
    ///
    /// Sent once; where no answer comes, the dataset's versions tell what came of it. A release that fails is an error of kind
    /// [`ErrorKind::Invalid`] with the service's `releaseErrorMessage`. One that is not done within `patience` goes on by
    /// itself, and is an error that says so ([`Error::may_have_happened`](crate::Error::may_have_happened)). Dropping the
    /// future stops the waiting, not the release. What is released can no longer be changed.
    pub async fn release_within(
        &self,
        patience: Duration,
        dataset_uri: &str,
        notes: Option<&str>,
    ) -> Result<Dataset> {
        let uri = checked_uri(OPERATION, dataset_uri)?;
        let path = format!("{uri}/versions/next/release");
        let request = Request {
            release_notes: notes,
        };
        let call = Call::post(OPERATION, dataset_uri, path, &request)?.not_repeatable();
        let release = Release {
            client: self,
            dataset_uri,
            uri: &uri,
            before: self.version(dataset_uri, &uri, "current").await?,
        };
        let remedy =
            "it may have been released: look at the dataset's versions before trying again";
        let version = self.step(&call, remedy, || release.under_way()).await?;
        let version = release.done(&call, version, patience).await?;
        self.dataset_in(dataset_uri, version, "current").await
    }
}

/// A release that has been asked for.
struct Release<'a> {
    client: &'a Client,
    dataset_uri: &'a str,
    uri: &'a str,
    /// The current version before it.
    before: Option<DatasetVersion>,
}

impl Release<'_> {
    /// The version that is released now, if it was not before.
    async fn released(&self) -> Result<Option<DatasetVersion>> {
        let now = self.client.version(self.dataset_uri, self.uri, "current");
        let named = |version: &DatasetVersion| {
            let DatasetVersion {
                tag,
                uri,
                dataset_uri,
                ..
            } = version;
            (tag.clone(), uri.clone(), dataset_uri.clone())
        };
        let before = self.before.as_ref().map(named);
        Ok(now.await?.filter(|now| Some(named(now)) != before))
    }

    /// The version, if its release has certainly begun.
    async fn under_way(&self) -> Result<Option<DatasetVersion>> {
        if let Some(released) = self.released().await? {
            return Ok(Some(released));
        }
        let next = self.client.version(self.dataset_uri, self.uri, "next");
        let begun = [ReleaseStatus::Queued, ReleaseStatus::Running];
        Ok(next.await?.filter(|next| begun.contains(&next.status)))
    }

    /// The version once it is released.
    async fn done(
        &self,
        call: &Call,
        mut version: DatasetVersion,
        patience: Duration,
    ) -> Result<DatasetVersion> {
        let asked = Instant::now();
        let mut wait = FIRST_POLL;
        loop {
            match (version.status, version.is_released) {
                (ReleaseStatus::Completed, _) => return Ok(version),
                (ReleaseStatus::Failed, _) => return Err(self.failed(call, &version)),
                (ReleaseStatus::Queued | ReleaseStatus::Running, _) | (_, Some(false)) => {}
                // Without a word the answer itself is one, as for the official clients.
                (_, Some(true) | None) => return Ok(version),
            }
            if asked.elapsed() + wait > patience {
                let message = format!("it is not done after {} s", patience.as_secs_f32());
                let error = call.error(ErrorKind::Unavailable, message);
                return Err(error.with_unknown_outcome(
                    "the release goes on by itself: look at the dataset's versions",
                ));
            }
            sleep(wait).await;
            wait = (wait * 2).min(LAST_POLL);
            // What is released is the next version no longer, and somebody may have opened another one.
            version = match self.released().await? {
                Some(released) => released,
                None => {
                    let next = self.client.version(self.dataset_uri, self.uri, "next");
                    next.await?.unwrap_or(version)
                }
            };
        }
    }

    fn failed(&self, call: &Call, version: &DatasetVersion) -> crate::Error {
        let message = match &version.release_error_message {
            Some(message) => self.client.clean(message),
            None => "it failed, and the service does not say why".to_owned(),
        };
        call.error(ErrorKind::Invalid, message)
    }
}
