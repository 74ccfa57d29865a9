//! Whether the answers of a stream go on where they were asked to.
//!
//! A service that ignores `offset` starts every answer with the stream's first row. Rows may repeat by right, so that alone
//! proves nothing; asking once more for an earlier row, one that differs from the first, does. Two hashes are all that is kept.

use std::hash::{DefaultHasher, Hash, Hasher};

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};

/// So many answers are believed without proof to go on rightly, because they do not start with the stream's first row.
const UNPROVEN: u32 = 12;

/// A row that the service can be tested with: it came before, and differs from the stream's first row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Probe {
    /// Where it came.
    pub(super) offset: u64,
    hash: u64,
}

/// Whether a batch may be returned.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing is wrong with it.
    Accept,
    /// Only if the service still has the probe's row at the probe's offset.
    AcceptIf(Probe),
    /// Its rows are those that came before, or nothing tells them apart.
    Refuse,
}

/// What is known about the way a stream's answers go on.
#[derive(Debug, Default)]
pub(super) struct Continuity {
    /// No more rows than this should come.
    announced: Option<u64>,
    hasher: RowHasher,
    /// The hash of the stream's first row.
    first: Option<u64>,
    probe: Option<Probe>,
    /// Answers with rows that did not start at the stream's beginning.
    resumed: u32,
    /// Where an answer ended, rather than broke.
    ended_at: Option<u64>,
    trust: Trust,
}

/// Whether the service honours `offset`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// There is no reason to doubt it.
    #[default]
    Assumed,
    /// An answer started as the stream did, and nothing differs from that row.
    Doubted,
    /// A probe showed it.
    Proven,
}

impl Continuity {
    /// `announced`: how many rows the service says that there are, in this stream or more.
    pub(super) fn new(announced: Option<u64>) -> Self {
        Self {
            announced,
            ..Self::default()
        }
    }

    /// Looks at a batch whose first row is the stream's row `row`, in an answer that was asked for from row `answer` on.
    pub(super) fn inspect(&mut self, batch: &RecordBatch, row: u64, answer: u64) -> Verdict {
        if self.trust == Trust::Proven || (answer == 0 && self.probe.is_some()) {
            return Verdict::Accept;
        }
        let rows = batch.num_rows() as u64;
        let hash = self.hasher.hash(batch, 0);
        let first = *self.first.get_or_insert(hash);
        if self.probe.is_none() {
            let last = self.hasher.hash(batch, batch.num_rows() - 1);
            self.probe = [(row + rows - 1, last), (row, hash)]
                .into_iter()
                .find(|(_, hash)| *hash != first)
                .map(|(offset, hash)| Probe { offset, hash });
        }
        if answer == 0 {
            return Verdict::Accept;
        }
        let begins = row == answer;
        self.resumed += u32::from(begins);
        let excessive = self
            .announced
            .is_some_and(|announced| row + rows > announced);
        let suspicious = (begins && hash == first) || excessive || self.resumed > UNPROVEN;
        if !suspicious && self.trust == Trust::Assumed {
            return Verdict::Accept;
        }
        let more_announced = self.announced.is_some_and(|announced| announced > row);
        let ended = self.ended_at == Some(row) && !more_announced;
        match self.probe {
            Some(probe) => Verdict::AcceptIf(probe),
            None if excessive || ended => Verdict::Refuse,
            None => {
                self.trust = Trust::Doubted;
                Verdict::Accept
            }
        }
    }

    /// Whether the first batch of an answer that was asked for at the probe's offset proves that the service honours it.
    pub(super) fn prove(&mut self, probe: Probe, batch: &RecordBatch) -> bool {
        let proven = self.hasher.hash(batch, 0) == probe.hash;
        if proven {
            self.trust = Trust::Proven;
        }
        proven
    }

    /// Whether the service may be repeating itself.
    pub(super) fn is_doubted(&self) -> bool {
        self.trust == Trust::Doubted
    }

    /// Whether rows bring the read nearer to its end.
    pub(super) fn is_progress(&self) -> bool {
        !self.is_doubted() || self.announced.is_some()
    }

    /// An answer ended at row `offset`, rather than broke.
    pub(super) fn ended(&mut self, offset: u64) {
        self.ended_at = Some(offset);
    }
}

/// Hashes rows by their values.
#[derive(Debug, Default)]
struct RowHasher(Option<RowConverter>);

impl RowHasher {
    /// The hash of a row. Where values cannot be compared all rows are alike, which never makes a read wrong.
    fn hash(&mut self, batch: &RecordBatch, row: usize) -> u64 {
        self.try_hash(batch, row).unwrap_or_default()
    }

    fn try_hash(&mut self, batch: &RecordBatch, row: usize) -> Result<u64, ArrowError> {
        if batch.num_columns() == 0 {
            return Ok(0);
        }
        let converter = match &mut self.0 {
            Some(converter) => converter,
            none => {
                let fields = batch.schema_ref().fields().iter();
                let fields = fields.map(|field| SortField::new(field.data_type().clone()));
                none.insert(RowConverter::new(fields.collect())?)
            }
        };
        let rows = converter.convert_columns(batch.slice(row, 1).columns())?;
        let mut hasher = DefaultHasher::new();
        rows.row(0).hash(&mut hasher);
        Ok(hasher.finish())
    }
}
