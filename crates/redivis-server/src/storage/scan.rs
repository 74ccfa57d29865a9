//! Rows of one or several stored files as batches of one schema, read only as far as they are asked for.
//!
//! A scan is what a read stream and `GET …/rows` have in common.

use std::{collections::VecDeque, iter::repeat_n, ops::Range, sync::Arc};

use arrow::{
    array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray, new_null_array},
    datatypes::{Field, Schema, SchemaRef},
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;

use super::{
    StorageError, Stored, VariableType, cast,
    error::{DAMAGED, guarded},
};

/// Bytes that a batch should have about: enough to be quick, little enough to be first soon.
const BATCH_BYTES: u64 = 1 << 20;
/// Rows that a batch has at most.
const BATCH_ROWS: u64 = 1 << 14;

/// The schema of variables on the wire: their names, exact types, all nullable, no metadata (redivis-api §8.3).
pub(crate) fn schema_of<'a>(
    variables: impl IntoIterator<Item = (&'a str, VariableType)>,
) -> SchemaRef {
    let fields: Vec<Field> = variables
        .into_iter()
        .map(|(name, kind)| Field::new(name, kind.arrow(), true))
        .collect();
    Arc::new(Schema::new(fields))
}

/// The columns of a scan, and where one stored file has them.
#[derive(Debug)]
pub(crate) struct Selection {
    pub(crate) schema: SchemaRef,
    kinds: Vec<VariableType>,
    /// For each column of the scan its place among the columns that are read; `None` where the file does not have it.
    places: Vec<Option<usize>>,
    /// The columns that are read, in the file's order.
    read: Vec<usize>,
    batch_rows: usize,
    /// A column that has one text in all rows.
    constant: Option<(usize, String)>,
}

impl Selection {
    /// Picks variables by name, without regard to case, from a file; those that it lacks are null.
    pub(crate) fn new(stored: &Stored, variables: &[(&str, VariableType)]) -> Self {
        let sources: Vec<Option<usize>> = variables
            .iter()
            .map(|(name, _)| {
                let name = name.to_lowercase();
                let same = |column: &super::Column| column.name.to_lowercase() == name;
                stored.columns.iter().position(same)
            })
            .collect();
        let mut read: Vec<usize> = sources.iter().copied().flatten().collect();
        read.sort_unstable();
        let places = sources
            .iter()
            .map(|source| source.and_then(|source| read.binary_search(&source).ok()))
            .collect();

        let rows = stored.rows().max(1);
        let stored_width: u64 = read
            .iter()
            .map(|&column| stored.columns[column].bytes / rows)
            .sum();
        let least_width: u64 = variables.iter().map(|(_, kind)| kind.least_bytes()).sum();
        let batch_rows = BATCH_BYTES / stored_width.max(least_width).max(1);
        Selection {
            schema: schema_of(variables.iter().copied()),
            kinds: variables.iter().map(|(_, kind)| *kind).collect(),
            places,
            read,
            batch_rows: usize::try_from(batch_rows.clamp(1, BATCH_ROWS)).unwrap_or(1),
            constant: None,
        }
    }

    /// The same with a text in all rows of this column, if it is picked and the file does not have it.
    pub(crate) fn with_constant(mut self, name: &str, text: &str) -> Self {
        let column = self.schema.index_of(name).ok();
        let missing = column.filter(|&column| self.places[column].is_none());
        self.constant = missing.map(|column| (column, text.to_owned()));
        self
    }

    /// Brings a batch of the file into the scan's form.
    fn apply(&self, stored: &Stored, batch: &RecordBatch) -> Result<RecordBatch, StorageError> {
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.kinds.len());
        for (index, (place, kind)) in self.places.iter().zip(&self.kinds).enumerate() {
            columns.push(match place {
                None => match &self.constant {
                    Some((column, text)) if *column == index => Arc::new(
                        StringArray::from_iter_values(repeat_n(text, batch.num_rows())),
                    ),
                    _ => new_null_array(&kind.arrow(), batch.num_rows()),
                },
                Some(place) => cast::cast(batch.column(*place), *kind).map_err(|reason| {
                    let name = self.schema.field(index).name();
                    StorageError::invalid(&stored.shown(), format!("variable `{name}`: {reason}"))
                })?,
            });
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(|error| StorageError::invalid(&stored.shown(), error))
    }
}

/// Some consecutive rows of one stored file.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    pub(crate) stored: Arc<Stored>,
    pub(crate) selection: Arc<Selection>,
    pub(crate) rows: Range<u64>,
}

impl Segment {
    pub(crate) fn len(&self) -> u64 {
        self.rows.end - self.rows.start
    }
}

/// The rows of this range, when the segments' rows are counted through.
pub(crate) fn slice(segments: &[Segment], range: Range<u64>) -> Vec<Segment> {
    let mut start = 0;
    let mut taken = Vec::new();
    for segment in segments {
        let end = start + segment.len();
        let (from, to) = (range.start.max(start), range.end.min(end));
        if from < to {
            let mut part = segment.clone();
            part.rows.end = part.rows.start + (to - start);
            part.rows.start += from - start;
            taken.push(part);
        }
        start = end;
    }
    taken
}

/// Segments, read one after another.
pub(crate) struct RowScan {
    segments: VecDeque<Segment>,
    reading: Option<(Segment, ParquetRecordBatchReader)>,
}

impl RowScan {
    /// The rows of `segments`, without the first `offset` of them.
    pub(crate) fn new(segments: impl IntoIterator<Item = Segment>, mut offset: u64) -> Self {
        let mut left = VecDeque::new();
        for mut segment in segments {
            let skipped = segment.len().min(offset);
            offset -= skipped;
            segment.rows.start += skipped;
            if segment.len() > 0 {
                left.push_back(segment);
            }
        }
        RowScan {
            segments: left,
            reading: None,
        }
    }

    /// The next batch, never an empty one; `None` at the end. Blocks on the disk.
    pub(crate) fn next_batch(&mut self) -> Result<Option<RecordBatch>, StorageError> {
        guarded(|| StorageError::invalid("rows", DAMAGED), || self.advance())
    }

    fn advance(&mut self) -> Result<Option<RecordBatch>, StorageError> {
        loop {
            if let Some((segment, reader)) = &mut self.reading {
                match reader.next() {
                    Some(Ok(batch)) if batch.num_rows() == 0 => continue,
                    Some(Ok(batch)) => {
                        return segment.selection.apply(&segment.stored, &batch).map(Some);
                    }
                    Some(Err(error)) => {
                        return Err(StorageError::invalid(&segment.stored.shown(), error));
                    }
                    None => self.reading = None,
                }
            }
            let Some(segment) = self.segments.pop_front() else {
                return Ok(None);
            };
            let selection = &segment.selection;
            let reader =
                segment
                    .stored
                    .read(&selection.read, &segment.rows, selection.batch_rows)?;
            self.reading = Some((segment, reader));
        }
    }
}
