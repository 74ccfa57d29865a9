//! One piece of work for all who want it at the same time.

use std::fmt;
use std::future::Future;
use std::sync::{Mutex, PoisonError};

use futures::future::{BoxFuture, FutureExt, Shared};

use crate::error::{Error, Result};

type Flight<T> = Shared<BoxFuture<'static, Result<T>>>;

/// Work that is under way at most once for each key.
///
/// A task of its own does it, so whoever waits may be dropped, or stop asking, without delaying the others.
pub(crate) struct SingleFlight<K, T>(Mutex<Option<(K, Flight<T>)>>);

impl<K, T> Default for SingleFlight<K, T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<K: PartialEq, T: Clone + Send + Sync + 'static> SingleFlight<K, T> {
    /// What the work under way for this key gives; it begins if there is none.
    pub(crate) async fn join<F>(&self, key: K, work: impl FnOnce() -> F) -> Result<T>
    where
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let flight = {
            let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match &*last {
                Some((for_key, flight)) if *for_key == key && flight.peek().is_none() => {
                    flight.clone()
                }
                _ => {
                    let task = tokio::spawn(work());
                    let flight =
                        async move { task.await.unwrap_or_else(|e| Err(Error::no_token(e))) };
                    let flight = flight.boxed().shared();
                    *last = Some((key, flight.clone()));
                    flight
                }
            }
        };
        flight.await
    }
}

impl<K, T> fmt::Debug for SingleFlight<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SingleFlight")
    }
}
