//! The one read session of an execution.
//!
//! The rows of a table are spread over the streams of one session, so all partitions must read the same one: the streams of
//! another session do not line up with them. The first partition that is executed asks for it; it may be replaced by another
//! only as long as no row of it left the scan.

use std::sync::{Arc, Mutex, PoisonError};

use datafusion::common::{DataFusionError, Result};
use futures::future::{BoxFuture, FutureExt, Shared, WeakShared};
use redivis::read::ReadSession;

/// A request for a session that whichever partition is polled drives, so that one that is not keeps no other waiting.
type Request = BoxFuture<'static, Result<Arc<ReadSession>, Arc<DataFusionError>>>;

/// The read session that the partitions of an execution share; none until the first of them asks.
#[derive(Debug, Default)]
pub(crate) struct SharedSession {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    session: Session,
    /// Whether an earlier one expired; a second replacement would help no more than the first.
    replaced: bool,
}

#[derive(Debug, Default)]
enum Session {
    #[default]
    Missing,
    /// Asked for. Only the partitions that wait hold the request, so that it ends with them.
    Requested(WeakShared<Request>),
    /// No row of it has left the scan.
    Unused(Arc<ReadSession>),
    /// Some have, so no other session can take over.
    Used(Arc<ReadSession>),
}

impl Session {
    fn is(&self, session: &Arc<ReadSession>) -> bool {
        matches!(self, Self::Unused(this) | Self::Used(this) if Arc::ptr_eq(this, session))
    }
}

impl SharedSession {
    /// The session, which `create` makes if there is none. An error goes to all partitions that wait for it.
    pub(crate) async fn get<F>(&self, create: impl FnOnce() -> F) -> Result<Arc<ReadSession>>
    where
        F: Future<Output = Result<ReadSession>> + Send + 'static,
    {
        let request = match &mut *lock(&self.state) {
            State {
                session: Session::Unused(session) | Session::Used(session),
                ..
            } => return Ok(Arc::clone(session)),
            state => state.request(&self.state, create),
        };
        request
            .await
            .map_err(|error| Arc::try_unwrap(error).unwrap_or_else(DataFusionError::Shared))
    }

    /// Notes that rows of the session leave the scan; false if it was replaced, and they must not.
    pub(crate) fn mark_used(&self, session: &Arc<ReadSession>) -> bool {
        let mut state = lock(&self.state);
        let is_current = state.session.is(session);
        if is_current {
            state.session = Session::Used(Arc::clone(session));
        }
        is_current
    }

    /// Whether rows of the session left the scan.
    pub(crate) fn is_used(&self, session: &Arc<ReadSession>) -> bool {
        let state = lock(&self.state);
        matches!(state.session, Session::Used(_)) && state.session.is(session)
    }

    /// Gives up a session that has expired in favour of a new one; false if it is used, or is itself a replacement.
    pub(crate) fn replace(&self, session: &Arc<ReadSession>) -> bool {
        let mut state = lock(&self.state);
        if !state.session.is(session) {
            return true;
        }
        let can = matches!(state.session, Session::Unused(_)) && !state.replaced;
        if can {
            *state = State {
                session: Session::Missing,
                replaced: true,
            };
        }
        can
    }
}

impl State {
    /// The request that is under way, or a new one, which notes the session in `this` when it has one.
    fn request<F>(
        &mut self,
        this: &Arc<Mutex<State>>,
        create: impl FnOnce() -> F,
    ) -> Shared<Request>
    where
        F: Future<Output = Result<ReadSession>> + Send + 'static,
    {
        if let Session::Requested(request) = &self.session
            && let Some(request) = request.upgrade()
        {
            return request;
        }
        let (this, create) = (Arc::clone(this), create());
        let request = async move {
            let session = Arc::new(create.await.map_err(Arc::new)?);
            lock(&this).session = Session::Unused(Arc::clone(&session));
            Ok(session)
        };
        let request = request.boxed().shared();
        if let Some(weak) = request.downgrade() {
            self.session = Session::Requested(weak);
        }
        request
    }
}

fn lock(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
