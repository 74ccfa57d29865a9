//! How far a resumable upload has come, judged apart from the network (redivis-api §6.3).
//!
//! The service's word decides where to go on, so it is checked first: against what was sent, and against what it said before.

use std::ops::Range;

/// Chunks that are not the last are multiples of this.
const GRAIN: u64 = 256 << 10;
/// One acknowledgement for each: often enough to show progress, and seldom enough not to slow it down.
const CHUNK: u64 = 32 * GRAIN;

/// Why the service's word cannot be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// Bytes that it cannot have.
    #[error("the service acknowledges {held} bytes where only {sent} were sent")]
    Beyond { held: u64, sent: u64 },
    /// Bytes that it had.
    #[error("the service acknowledged {before} bytes before, and now only {held}")]
    Backwards { held: u64, before: u64 },
    /// An end before the end.
    #[error("the service says that the upload is complete after {sent} of {total} bytes")]
    TooSoon { sent: u64, total: u64 },
    /// Not `bytes=0-<last>`.
    #[error("the service does not say how much it has: its Range is not of the form bytes=0-99")]
    Unreadable,
}

/// The state of one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Position {
    total: u64,
    /// What the service said last.
    acknowledged: u64,
    /// The first byte that was never sent; `None` while another process may have sent more.
    sent: Option<u64>,
}

impl Position {
    /// A session that has just been opened.
    pub(super) fn start(total: u64) -> Self {
        Self {
            total,
            acknowledged: 0,
            sent: Some(0),
        }
    }

    /// A session of which nothing is known: the service has to be asked.
    pub(super) fn unknown(total: u64) -> Self {
        Self {
            sent: None,
            ..Self::start(total)
        }
    }

    pub(super) fn is_unknown(&self) -> bool {
        self.sent.is_none()
    }

    /// The bytes to send next: a multiple of 256 KiB, or all that is left.
    pub(super) fn next_chunk(&self) -> Range<u64> {
        let start = self.acknowledged;
        start..self.total.min(start.saturating_add(CHUNK))
    }

    /// The bytes up to `end` have left for the service.
    pub(super) fn sent_to(&mut self, end: u64) {
        self.sent = Some(self.sent.unwrap_or_default().max(end));
    }

    /// The service says that it has the first `held` bytes; whether these are more than before.
    pub(super) fn acknowledge(&mut self, held: u64) -> Result<bool, Fault> {
        let before = self.acknowledged;
        let sent = self.sent.unwrap_or(self.total);
        if held > sent {
            return Err(Fault::Beyond { held, sent });
        }
        if held < before {
            return Err(Fault::Backwards { held, before });
        }
        self.sent.get_or_insert(held);
        self.acknowledged = held;
        Ok(held > before)
    }

    /// The service says that it has everything.
    pub(super) fn complete(&mut self) -> Result<(), Fault> {
        match self.sent {
            Some(sent) if sent < self.total => Err(Fault::TooSoon {
                sent,
                total: self.total,
            }),
            _ => {
                self.acknowledged = self.total;
                Ok(())
            }
        }
    }
}

/// How many bytes the `Range` of an answer acknowledges; without one, none.
pub(super) fn held(range: Option<&str>) -> Result<u64, Fault> {
    let Some(range) = range else {
        return Ok(0);
    };
    range
        .trim()
        .strip_prefix("bytes=0-")
        .and_then(|last| last.parse::<u64>().ok())
        .and_then(|last| last.checked_add(1))
        .ok_or(Fault::Unreadable)
}

#[cfg(test)]
mod tests;
