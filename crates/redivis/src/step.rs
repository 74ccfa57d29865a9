//! Steps that must not be made twice: sent once, and looked up where no answer says what came of them.
//!
//! In: a call that is not repeatable, and how to look for what it makes. Out: what was made, or an error that says whether it
//! may have been. Uses requests and retries; knows no resource.

use std::future::Future;

use serde::de::DeserializeOwned;

use crate::client::Client;
use crate::error::{ErrorKind, Result};
use crate::request::Call;

/// How often what a step makes is looked for, each time after twice the wait before.
const LOOKS: u32 = 4;

impl Client {
    /// Sends a step once. Where its outcome is unknown, `find` is asked for what it has made, which must be `None` for all that
    /// somebody else may have made; if there is nothing, `remedy` says in the error how to find out later.
    pub(crate) async fn step<T, F>(
        &self,
        call: &Call,
        remedy: &str,
        find: impl Fn() -> F,
    ) -> Result<T>
    where
        T: DeserializeOwned,
        F: Future<Output = Result<Option<T>>>,
    {
        let error = match self.json(call).await {
            Err(error) if error.leaves_open() => error,
            answered => return answered,
        };
        let mut wait = self.retry_policy().initial_backoff;
        for _ in 0..LOOKS {
            tokio::time::sleep(wait).await;
            wait *= 2;
            if let Ok(Some(made)) = find().await {
                tracing::debug!(%error, "the step had been carried out");
                return Ok(made);
            }
        }
        Err(error.with_unknown_outcome(remedy))
    }

    /// What a call gets, or `None` where there is no such thing.
    pub(crate) async fn found<T: DeserializeOwned>(&self, call: &Call) -> Result<Option<T>> {
        match self.json(call).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}
