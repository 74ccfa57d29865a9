//! How far a resumable upload has come, judged apart from the network (redivis-api §6.3).
//!
//! The service's word decides where to go on, also where it has less than it had said. Only what cannot be is refused.

use std::ops::Range;

/// Chunks that are not the last are multiples of this.
const GRAIN: u64 = 256 << 10;

/// Why the service's word cannot be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// Bytes that it cannot have.
    #[error("the service acknowledges {held} bytes where only {sent} were sent")]
    Beyond { held: u64, sent: u64 },
    /// An end before the end.
    #[error("the service says that the upload is complete after {sent} of {total} bytes")]
    TooSoon { sent: u64, total: u64 },
    /// Not `bytes=0-<last>`.
    #[error("the service does not say how much it has: its Range is not of the form bytes=0-99")]
    Unreadable,
}

/// What an acknowledgement means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The service has more than ever before.
    Forward,
    /// It has as much as it said last, or less than it once said.
    Still,
    /// It has less than it said last: that is sent again.
    Back,
}

/// The state of one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Position {
    total: u64,
    /// How much is sent at a time; `None` for all that is left.
    chunk: Option<u64>,
    /// What the service said last.
    acknowledged: u64,
    /// The most that it ever said.
    furthest: u64,
    /// The first byte that was never sent; `None` while another process may have sent more.
    sent: Option<u64>,
}

impl Position {
    /// A session that has just been opened.
    pub(super) fn start(total: u64, chunk: Option<u64>) -> Self {
        Self {
            total,
            chunk: chunk.map(|bytes| (bytes - bytes % GRAIN).max(GRAIN)),
            acknowledged: 0,
            furthest: 0,
            sent: Some(0),
        }
    }

    /// A session of which nothing is known: the service has to be asked.
    pub(super) fn unknown(total: u64, chunk: Option<u64>) -> Self {
        Self {
            sent: None,
            ..Self::start(total, chunk)
        }
    }

    pub(super) fn is_unknown(&self) -> bool {
        self.sent.is_none()
    }

    /// The bytes to send next: all that is left, or a multiple of 256 KiB.
    pub(super) fn next_chunk(&self) -> Range<u64> {
        let start = self.acknowledged;
        let end = self.chunk.map(|bytes| start.saturating_add(bytes));
        start..end.unwrap_or(u64::MAX).min(self.total)
    }

    /// The bytes up to `end` have left for the service.
    pub(super) fn sent_to(&mut self, end: u64) {
        self.sent = Some(self.sent.unwrap_or_default().max(end));
    }

    /// The service says that it has the first `held` bytes.
    pub(super) fn acknowledge(&mut self, held: u64) -> Result<Step, Fault> {
        let sent = self.sent.unwrap_or(self.total);
        if held > sent {
            return Err(Fault::Beyond { held, sent });
        }
        let step = if held < self.acknowledged {
            Step::Back
        } else if held > self.furthest {
            Step::Forward
        } else {
            Step::Still
        };
        self.sent.get_or_insert(held);
        self.acknowledged = held;
        self.furthest = self.furthest.max(held);
        Ok(step)
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
pub(super) fn acknowledged_by(range: Option<&str>) -> Result<u64, Fault> {
    let Some(range) = range else {
        return Ok(0);
    };
    let range = range.trim();
    let range = range.strip_prefix("bytes").unwrap_or(range);
    range
        .trim_start_matches(['=', ' '])
        .strip_prefix("0-")
        .filter(|last| last.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|last| last.parse::<u64>().ok())
        .and_then(|last| last.checked_add(1))
        .ok_or(Fault::Unreadable)
}

#[cfg(test)]
mod tests;
