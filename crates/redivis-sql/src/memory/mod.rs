//! The memory of a session: a share of the machine's, divided fairly, with the tables that statements make in it.
//!
//! A statement that can spill gets as much as any other and goes to disk for the rest. DataFusion counts what a statement
//! computes with, and not what it leaves behind: tables in memory are counted here, for as long as they live.

mod counted;
mod held;
mod kept;
mod pool;
mod table;

pub(crate) use kept::Kept;
pub(crate) use pool::FairPool;
pub(crate) use table::create;

use crate::guard;

/// The setting that limits it.
pub(crate) const LIMIT: &str = "datafusion.runtime.memory_limit";

/// Share of the machine's memory that a session may use unless it says otherwise.
const SHARE: f64 = 0.6;

/// A limit as people write it: `8GB`.
pub(crate) fn size(text: &str) -> Result<usize, String> {
    let limit = guard::size(text).ok().flatten();
    let limit = limit.and_then(|bytes| usize::try_from(bytes).ok());
    limit
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "write a size such as 8GB".to_owned())
}

/// The share of the memory that this process may use, in bytes: the container's, where there is one.
pub(crate) fn share_of_machine() -> usize {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    let total = system
        .cgroup_limits()
        .map_or(system.total_memory(), |limits| limits.total_memory);
    (total as f64 * SHARE) as usize
}
