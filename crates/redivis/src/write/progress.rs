//! How far sending has come, for progress bars while it runs.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of one file on its way, updated as it is sent. Share it to watch it; it is cheap to look at.
#[derive(Debug, Default)]
pub struct SendProgress {
    total: AtomicU64,
    acknowledged: AtomicU64,
    reached: AtomicU64,
    sent: AtomicU64,
    interruptions: AtomicU64,
    restarts: AtomicU64,
}

impl SendProgress {
    /// Bytes to send.
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// Bytes that the service has said it holds. Falls back to 0 when it lost them and all has to be sent anew.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// Up to where bytes have been handed to the network: those that the service has said it holds, and those on their way
    /// to it. Falls back to them where the way is interrupted.
    pub fn reached(&self) -> u64 {
        self.reached.load(Ordering::Relaxed)
    }

    /// Bytes handed to the network, those of broken attempts included.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Interruptions that were overcome.
    pub fn interruptions(&self) -> u64 {
        self.interruptions.load(Ordering::Relaxed)
    }

    /// How often all had to be sent anew, as the service had lost what it was given.
    pub fn restarts(&self) -> u64 {
        self.restarts.load(Ordering::Relaxed)
    }

    pub(super) fn begin(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
        self.set_acknowledged(0);
    }

    pub(super) fn set_acknowledged(&self, bytes: u64) {
        self.acknowledged.store(bytes, Ordering::Relaxed);
        self.reached.store(bytes, Ordering::Relaxed);
    }

    /// Sending goes on at this byte.
    pub(super) fn go_on_at(&self, start: u64) {
        self.reached.store(start, Ordering::Relaxed);
    }

    pub(super) fn add_sent(&self, bytes: usize) {
        self.reached.fetch_add(bytes as u64, Ordering::Relaxed);
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn add_interruption(&self) {
        self.interruptions.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn add_restart(&self) {
        self.restarts.fetch_add(1, Ordering::Relaxed);
    }
}
