//! Which partitions belong to one execution of a plan, and so read one session.
//!
//! A plan may be executed again and again, also while it is being executed, and DataFusion asks for one partition at a time
//! without saying for which execution. What tells them apart is the [`TaskContext`]: an execution has one for all its
//! partitions. Some callers make one for each partition and drop it at once, though; so a partition with a context that is
//! not known yet goes on with an execution whose contexts are all gone before it was complete.
//!
//! Where executions can't be told apart, they share a session: reading the same streams twice is right for either, while
//! one half of two sessions each would be right for neither.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use datafusion::execution::TaskContext;

use super::session::SharedSession;
use crate::cache::Fill;

/// What the partitions of one execution share.
#[derive(Debug, Default)]
pub(crate) struct Execution {
    pub(crate) session: SharedSession,
    /// What is kept of it, if anything is.
    pub(crate) fill: OnceLock<Fill>,
    /// How many rows each partition had that came to the end of its streams.
    rows: Mutex<BTreeMap<usize, u64>>,
    /// Whether a partition was dropped, or failed, before its end.
    left: AtomicBool,
}

impl Execution {
    /// Notes how many rows `partition` of `partitions` had in all; the rows of all of them when it was the last.
    pub(crate) fn complete(&self, partition: usize, partitions: usize, rows: u64) -> Option<u64> {
        let mut complete = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        complete.insert(partition, rows);
        (complete.len() == partitions).then(|| std::mem::take(&mut *complete).values().sum())
    }

    /// Notes that a partition was not read to its end.
    pub(crate) fn leave(&self) {
        self.left.store(true, Ordering::Release);
    }
}

/// The executions of a plan that further partitions may belong to.
#[derive(Debug, Default)]
pub(crate) struct Executions(Mutex<Vec<Open>>);

#[derive(Debug)]
struct Open {
    execution: Arc<Execution>,
    contexts: Vec<Weak<TaskContext>>,
    /// How many times each partition was executed.
    executed: Vec<usize>,
}

impl Executions {
    /// The execution that `partition` of `partitions` belongs to when it is executed with `context`.
    pub(crate) fn join(
        &self,
        partition: usize,
        partitions: usize,
        context: &Arc<TaskContext>,
    ) -> Arc<Execution> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|this| !this.is_over(partition, context));
        let place = open.iter().position(|this| this.belongs(context));
        let place = place.unwrap_or_else(|| {
            open.push(Open::new(partitions));
            open.len() - 1
        });
        let this = &mut open[place];
        this.executed[partition] += 1;
        if !this.knows(context) {
            this.contexts.retain(|known| known.strong_count() > 0);
            this.contexts.push(Arc::downgrade(context));
        }
        Arc::clone(&this.execution)
    }
}

impl Open {
    fn new(partitions: usize) -> Self {
        Self {
            execution: Arc::default(),
            contexts: vec![],
            executed: vec![0; partitions],
        }
    }

    /// Whether nothing more can belong to it once `partition` is executed with `context`.
    ///
    /// One that nobody reads any more is over when it is complete, and when a partition that it had comes again.
    fn is_over(&self, partition: usize, context: &Arc<TaskContext>) -> bool {
        let repeats = self.executed[partition] > 0 && self.belongs(context);
        let is_read = Arc::strong_count(&self.execution) > 1;
        !is_read && (self.is_complete() || repeats)
            || self.is_orphaned() && (self.is_complete() || self.was_left())
    }

    /// Whether a partition with this context is one of this execution's.
    fn belongs(&self, context: &Arc<TaskContext>) -> bool {
        self.knows(context) || (self.is_orphaned() && !self.is_complete() && !self.was_left())
    }

    fn knows(&self, context: &Arc<TaskContext>) -> bool {
        let known = |known: &Weak<TaskContext>| std::ptr::eq(known.as_ptr(), Arc::as_ptr(context));
        self.contexts.iter().any(known)
    }

    /// Whether none of its contexts can come again.
    fn is_orphaned(&self) -> bool {
        self.contexts
            .iter()
            .all(|context| context.strong_count() == 0)
    }

    /// Whether every partition was executed, each as often as the others.
    fn is_complete(&self) -> bool {
        self.executed.iter().all(|times| *times == self.executed[0])
    }

    fn was_left(&self) -> bool {
        self.execution.left.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARTITIONS: usize = 3;

    fn open(executions: &Executions) -> usize {
        executions.0.lock().unwrap().len()
    }

    #[test]
    fn nothing_grows_with_the_number_of_executions() {
        let executions = Executions::default();
        let shared = Arc::new(TaskContext::default());
        for round in 0..1000 {
            let own = Arc::new(TaskContext::default());
            // Complete, with a context of its own; left, with one that lives on, and with one that does not.
            for partition in 0..PARTITIONS {
                executions.join(partition, PARTITIONS, &own);
            }
            executions.join(round % PARTITIONS, PARTITIONS, &shared);
            let left = executions.join(0, PARTITIONS, &Arc::new(TaskContext::default()));
            left.leave();
            drop(left);
            assert!(open(&executions) <= 3, "{}", open(&executions));
        }
        let contexts = executions.0.lock().unwrap();
        assert!(contexts.iter().all(|open| open.contexts.len() <= 2));
    }

    #[test]
    fn an_execution_goes_on_with_its_context_even_when_others_were_left() {
        let executions = Executions::default();
        let (one, other) = (Arc::<TaskContext>::default(), Arc::<TaskContext>::default());
        let first = executions.join(0, PARTITIONS, &one);
        first.leave();
        let second = executions.join(2, PARTITIONS, &other);
        assert!(!Arc::ptr_eq(&first, &second));
        assert!(Arc::ptr_eq(&first, &executions.join(1, PARTITIONS, &one)));
        assert!(Arc::ptr_eq(
            &second,
            &executions.join(0, PARTITIONS, &other)
        ));
    }
}
