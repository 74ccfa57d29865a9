//! A Parquet file that is served: its variables, its rows, and readers of any range of them.
//!
//! The footer is read once; a reader of a range opens the file itself, and refuses one that is no longer the same.

use std::{
    collections::HashMap,
    fs::{self, File},
    io,
    ops::Range,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::SystemTime,
};

use arrow::datatypes::Field;
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{
            ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
            ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
        },
    },
    file::metadata::PageIndexPolicy,
};

use super::{StorageError, VariableType, error::shown, names::variable_names, sample};

/// What tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) length: u64,
    pub(crate) modified: SystemTime,
}

impl Identity {
    pub(crate) fn of(metadata: &std::fs::Metadata) -> std::io::Result<Self> {
        Ok(Identity {
            length: metadata.len(),
            modified: metadata.modified()?,
        })
    }

    /// The time of the last change in nanoseconds since 1970, for names made of it.
    pub(crate) fn modified_nanos(&self) -> u128 {
        self.modified
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| since.as_nanos())
    }
}

/// One column of a stored file.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    /// The variable's name, in its canonical spelling.
    pub(crate) name: String,
    /// The variable's type.
    pub(crate) kind: VariableType,
    /// Uncompressed size in bytes.
    pub(crate) bytes: u64,
}

/// Where a file is, until nobody reads it any more if it was given up.
#[derive(Debug)]
struct Place {
    path: PathBuf,
    is_given_up: AtomicBool,
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.is_given_up.load(Ordering::Acquire) {
            remove(&self.path);
        }
    }
}

/// Deletes a file that nothing names. If that fails, the next start does it.
pub(super) fn remove(path: &Path) {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!("the file `{}` cannot be deleted: {error}", shown(path));
        }
        _ => {}
    }
}

/// A Parquet file, and what its footer says.
#[derive(Debug)]
pub(crate) struct Stored {
    file: Arc<Place>,
    identity: Identity,
    metadata: ArrowReaderMetadata,
    /// The columns, in their order in the file.
    pub(crate) columns: Vec<Column>,
    /// Where each row group starts, and where the last one ends.
    bounds: Vec<u64>,
    /// Whether only the rows of the sample are shown.
    is_sample: bool,
    /// Statistics that were asked for, by variable and type: a pass over the file each.
    statistics: Mutex<HashMap<(String, VariableType), serde_json::Value>>,
}

impl Stored {
    /// Reads the footer of the file.
    pub(crate) fn open(path: PathBuf) -> Result<Self, StorageError> {
        let name = shown(&path);
        let file = File::open(&path).map_err(|error| StorageError::io(&name, &error))?;
        let identity = file
            .metadata()
            .and_then(|metadata| Identity::of(&metadata))
            .map_err(|error| StorageError::io(&name, &error))?;
        // Offsets of pages let a reader skip to its range without touching what comes before.
        let options = ArrowReaderOptions::new().with_offset_index_policy(PageIndexPolicy::Optional);
        let metadata = ArrowReaderMetadata::load(&file, options)
            .map_err(|error| StorageError::invalid(&name, error))?;

        let mut bounds = vec![0];
        let mut end = 0u64;
        let mut sizes = vec![0u64; metadata.parquet_schema().num_columns()];
        for group in metadata.metadata().row_groups() {
            end = u64::try_from(group.num_rows())
                .ok()
                .and_then(|rows| end.checked_add(rows))
                .ok_or_else(|| StorageError::invalid(&name, "its row counts make no sense"))?;
            bounds.push(end);
            for (size, column) in sizes.iter_mut().zip(group.columns()) {
                // A dictionary holds a long text once that many rows have: what counts is what they are when read.
                let encoded = column.uncompressed_size();
                let texts = column.unencoded_byte_array_data_bytes().unwrap_or(0);
                *size += u64::try_from(encoded.max(texts)).unwrap_or(0);
            }
        }
        let fields = metadata.schema().fields();
        let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
        let names =
            variable_names(&names).map_err(|reason| StorageError::invalid(&name, reason))?;
        let mut columns = Vec::with_capacity(fields.len());
        for ((field, variable), bytes) in fields.iter().zip(names).zip(sizes) {
            let kind = kind_of(field).map_err(|reason| StorageError::invalid(&name, reason))?;
            columns.push(Column {
                name: variable,
                kind,
                bytes,
            });
        }
        Ok(Stored {
            file: Arc::new(Place {
                path,
                is_given_up: AtomicBool::new(false),
            }),
            identity,
            metadata,
            columns,
            bounds,
            is_sample: false,
            statistics: Mutex::default(),
        })
    }

    /// The sample of the same file.
    pub(crate) fn sample(&self) -> Self {
        let mut columns = self.columns.clone();
        let (all, kept) = (self.rows().max(1), sample::rows_of(self.rows()));
        for column in &mut columns {
            // In this order, as the product may be beyond 64 bits.
            column.bytes = (u128::from(column.bytes) * u128::from(kept) / u128::from(all)) as u64;
        }
        Stored {
            file: Arc::clone(&self.file),
            identity: self.identity,
            metadata: self.metadata.clone(),
            columns,
            bounds: self.bounds.clone(),
            is_sample: true,
            statistics: Mutex::default(),
        }
    }

    /// The statistics of a variable of all rows, if they were collected before.
    pub(super) fn statistics(
        &self,
        variable: &str,
        kind: VariableType,
    ) -> Option<serde_json::Value> {
        let known = self
            .statistics
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known.get(&(variable.to_owned(), kind)).cloned()
    }

    /// Keeps the statistics of a variable for as long as the file stays as it is.
    pub(super) fn keep_statistics(
        &self,
        variable: &str,
        kind: VariableType,
        found: serde_json::Value,
    ) {
        let mut known = self
            .statistics
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known.insert((variable.to_owned(), kind), found);
    }

    pub(crate) fn rows(&self) -> u64 {
        let all = self.bounds.last().copied().unwrap_or(0);
        if self.is_sample {
            sample::rows_of(all)
        } else {
            all
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.columns.iter().map(|column| column.bytes).sum()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.file.path
    }

    /// Has the file deleted when the last one who has this is done with it.
    pub(super) fn give_up(&self) {
        self.file.is_given_up.store(true, Ordering::Release);
    }

    pub(crate) fn identity(&self) -> Identity {
        self.identity
    }

    /// The file's name as answers show it.
    pub(crate) fn shown(&self) -> String {
        shown(self.path())
    }

    /// Reads these columns (in the file's order) of these rows.
    ///
    /// Row groups before the range are left out, and pages before it within the first one are skipped, so that resuming
    /// deep inside a table is cheap.
    pub(crate) fn read(
        &self,
        columns: &[usize],
        rows: &Range<u64>,
        batch_rows: usize,
    ) -> Result<ParquetRecordBatchReader, StorageError> {
        let name = self.shown();
        let invalid = |reason: &dyn ToString| StorageError::invalid(&name, reason.to_string());
        let file = File::open(self.path()).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => StorageError::Changed { file: name.clone() },
            _ => StorageError::io(&name, &error),
        })?;
        let identity = file
            .metadata()
            .and_then(|metadata| Identity::of(&metadata))
            .map_err(|error| StorageError::io(&name, &error))?;
        if identity != self.identity {
            return Err(StorageError::Changed { file: name });
        }
        let covered = match self.is_sample {
            true => sample::cover_of(rows),
            false => rows.clone(),
        };
        let groups: Vec<usize> = (0..self.bounds.len().saturating_sub(1))
            .filter(|&group| {
                self.bounds[group] < covered.end && covered.start < self.bounds[group + 1]
            })
            .collect();
        let start = groups.first().map_or(0, |&group| self.bounds[group]);
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), columns.iter().copied());
        let reader =
            ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone())
                .with_projection(mask)
                .with_row_groups(groups)
                .with_batch_size(batch_rows);
        let length = |rows: u64| usize::try_from(rows).map_err(|error| invalid(&error));
        let reader = if self.is_sample {
            let picks = sample::picks_of(rows, start).map(|(skipped, taken)| {
                Ok([
                    RowSelector::skip(length(skipped)?),
                    RowSelector::select(length(taken)?),
                ])
            });
            let picks: Vec<[RowSelector; 2]> = picks.collect::<Result<_, StorageError>>()?;
            reader.with_row_selection(RowSelection::from(picks.concat()))
        } else {
            reader
                .with_offset(length(rows.start.saturating_sub(start))?)
                .with_limit(length(rows.end.saturating_sub(rows.start))?)
        };
        reader.build().map_err(|error| invalid(&error))
    }

    /// Takes declared types over where the values need no change for it, as for geography, which is text.
    ///
    /// Returns whether all declared types hold now; if not, the file has to be converted.
    pub(crate) fn declare(&mut self, declared: &HashMap<String, VariableType>) -> bool {
        let mut hold = true;
        for column in &mut self.columns {
            if let Some(&kind) = declared.get(&column.name.to_lowercase()) {
                if kind.arrow() == column.kind.arrow() {
                    column.kind = kind;
                } else {
                    hold = false;
                }
            }
        }
        hold
    }
}

/// The variable type of a stored column, or why it has none.
pub(crate) fn kind_of(field: &Field) -> Result<VariableType, String> {
    VariableType::of_field(field).ok_or_else(|| {
        let (name, stored) = (field.name(), field.data_type());
        format!("the variable `{name}` is of type {stored}, which Redivis does not have")
    })
}
