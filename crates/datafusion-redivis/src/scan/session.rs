//! The one read session of an execution.
//!
//! The rows of a table are spread over the streams of one session, so all partitions must read the same one: the streams of
//! another session do not line up with them. The first partition that is polled asks for it; it may be replaced by another
//! only as long as no row of it left the scan.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::common::{DataFusionError, Result};
use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use redivis::read::ReadSession;

/// A request for a session that any partition drives, so that one that is not polled keeps none of the others waiting.
type Request = BoxFuture<'static, Result<Arc<ReadSession>, Arc<DataFusionError>>>;

/// The read session that the partitions of an execution share; none until the first of them asks.
#[derive(Debug, Default)]
pub(crate) struct SharedSession(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    session: Session,
    /// Whether an earlier one expired; a second replacement would help no more than the first.
    replaces: bool,
}

#[derive(Debug, Default)]
enum Session {
    #[default]
    Missing,
    /// Asked for. Only the partitions that wait hold the request: it ends with them.
    Requested(WeakShared<Request>),
    /// None of its rows have left the scan.
    Unused(Arc<ReadSession>),
    /// Some have, so that no other session can take over.
    Used(Arc<ReadSession>),
}

impl SharedSession {
    /// The session, which is asked for if there is none. An error goes to all partitions that wait for it.
    pub(crate) async fn get<F>(&self, create: impl FnOnce() -> F) -> Result<Arc<ReadSession>>
    where
        F: Future<Output = redivis::Result<ReadSession>> + Send + 'static,
    {
        let request = match self.found_or_requested(create) {
            Ok(session) => return Ok(session),
            Err(request) => request,
        };
        let session = request.await.map_err(|error| {
            Arc::try_unwrap(error).unwrap_or_else(DataFusionError::Shared)
        })?;
        let mut state = self.lock();
        // Others may be ahead, and the session may even be replaced already.
        if let Session::Requested(request) = &state.session
            && request.upgrade().is_none()
        {
            state.session = Session::Unused(Arc::clone(&session));
        }
        Ok(session)
    }
}
