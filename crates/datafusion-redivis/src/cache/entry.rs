//! Some variables of a table, complete: a folder of Parquet files that nobody changes any more.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use serde::{Deserialize, Serialize};

use super::blocks::CheckedFile;
use super::folder::folders_in;
use super::key::TableKey;
use super::{Cache, sealed};

pub(super) const MANIFEST: &str = "manifest.json";
/// What a Parquet file ends with: the length of the metadata before, and the magic number.
const PARQUET_END: u64 = 8;

/// What is in an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) variables: Vec<VariableColumn>,
    pub(super) rows: u64,
    pub(super) parts: Vec<Part>,
}

/// A variable, as its column is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct VariableColumn {
    pub(super) name: String,
    #[serde(rename = "type")]
    data_type: String,
}

/// A Parquet file of an entry. The checksums of its blocks are in a file of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    /// The checksum of the file of checksums.
    pub(super) sums: u32,
    /// The places of columns with a NaN, which statistics leave out although it is larger than all numbers: nothing may be ruled
    /// out by them.
    pub(super) nans: BTreeSet<usize>,
}

impl Manifest {
    pub(super) fn new(schema: &Schema, parts: Vec<Part>) -> Self {
        Self {
            variables: columns(schema),
            rows: parts.iter().map(|part| part.rows).sum(),
            parts,
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.parts.iter().map(|part| part.bytes).sum()
    }

    /// Whether it has all of these columns.
    pub(super) fn has(&self, columns: &[VariableColumn]) -> bool {
        columns.iter().all(|column| self.variables.contains(column))
    }

    /// What the entry in a folder says.
    pub(super) fn read(folder: &Path) -> io::Result<Self> {
        sealed::read(&folder.join(MANIFEST))
    }
}

pub(super) fn columns(schema: &Schema) -> Vec<VariableColumn> {
    let column = |field: &Arc<_>| -> VariableColumn {
        let field: &datafusion::arrow::datatypes::Field = field;
        VariableColumn {
            name: field.name().clone(),
            data_type: field.data_type().to_string(),
        }
    };
    schema.fields().iter().map(column).collect()
}

/// The file that holds the checksums of a part.
pub(super) fn sums_of(part: &str) -> String {
    format!("{part}.sums")
}

/// An entry that is read; as long as it lives, no process takes it away.
#[derive(Debug)]
pub(crate) struct Entry {
    cache: Cache,
    folder: PathBuf,
    /// The rows' variables, in their order in the table.
    pub(crate) schema: SchemaRef,
    pub(super) rows: u64,
    pub(super) files: Vec<PartFile>,
    is_damaged: AtomicBool,
    /// Locked by all who read it.
    _lock: File,
}

/// A part that is open.
#[derive(Debug)]
pub(super) struct PartFile {
    pub(super) file: CheckedFile,
    pub(super) metadata: Arc<ParquetMetaData>,
}

impl Cache {
    /// The narrowest entry of a table with these variables, if there is one and it is sound; what is not is removed.
    pub(crate) fn open(&self, key: &TableKey, wanted: &Schema) -> Option<Entry> {
        let wanted = columns(wanted);
        let mut found: Vec<(usize, PathBuf)> = folders_in(&self.tables().join(key.folder()))
            .filter_map(|folder| match Manifest::read(&folder) {
                Ok(manifest) => manifest
                    .has(&wanted)
                    .then_some((manifest.variables.len(), folder)),
                Err(error) => {
                    self.drop_if_damaged(&folder, key, &error);
                    None
                }
            })
            .collect();
        found.sort();
        found.into_iter().find_map(|(_, folder)| {
            let opened = Entry::open(self, &folder, key);
            opened
                .inspect_err(|error| self.drop_if_damaged(&folder, key, error))
                .ok()
        })
    }

    /// Takes an entry away whose files are not there, or not what they were. That the machine cannot read them now, or that
    /// another process is about to remove it, is no damage.
    fn drop_if_damaged(&self, folder: &Path, key: &TableKey, error: &io::Error) {
        let kinds = [
            ErrorKind::InvalidData,
            ErrorKind::NotFound,
            ErrorKind::UnexpectedEof,
        ];
        if kinds.contains(&error.kind()) && folder.exists() {
            tracing::warn!(%error, entry = %folder.display(), "{} is damaged in the cache; it is read again", key.name);
            self.drop_damaged(folder);
        }
    }

    /// Takes a damaged entry away. Who reads it has its files open, and will meet the damage too, or not.
    fn drop_damaged(&self, folder: &Path) {
        let dropped = self.lock().and_then(|_lock| self.discard(folder));
        if let Err(error) = dropped
            && error.kind() != ErrorKind::NotFound
        {
            tracing::warn!(%error, entry = %folder.display(), "a damaged entry of the cache cannot be removed");
        }
    }
}

impl Entry {
    fn open(cache: &Cache, folder: &Path, key: &TableKey) -> io::Result<Self> {
        let damaged = |what: &str| io::Error::new(ErrorKind::InvalidData, what.to_owned());
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .open(folder.join(MANIFEST))?;
        lock.try_lock_shared()?;
        // What was read before may have been another entry's.
        let mut sealed = vec![];
        lock.read_to_end(&mut sealed)?;
        let manifest: Manifest = sealed::unseal(&sealed)?;
        let (places, schema) =
            places(&manifest, &key.schema).ok_or_else(|| damaged("other variables"))?;
        if manifest.rows != key.rows {
            return Err(damaged("another number of rows"));
        }
        let mut files = vec![];
        let mut rows = 0;
        for part in &manifest.parts {
            let file = open_part(folder, part)?;
            if file.metadata.file_metadata().schema_descr().num_columns() != places {
                return Err(damaged("other columns"));
            }
            rows += u64::try_from(file.metadata.file_metadata().num_rows()).unwrap_or_default();
            files.push(file);
        }
        if rows != manifest.rows {
            return Err(damaged("another number of rows in its files"));
        }
        let _ = lock.set_modified(SystemTime::now());
        Ok(Self {
            cache: cache.clone(),
            folder: folder.to_owned(),
            schema,
            rows,
            files,
            is_damaged: AtomicBool::new(false),
            _lock: lock,
        })
    }

    /// Where it is, for people.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn is_damaged(&self) -> bool {
        self.is_damaged.load(Ordering::Acquire)
    }

    /// Notes that something in it is not what was written, and removes it: the next statement reads the table again.
    pub(super) fn damaged(&self) {
        if !self.is_damaged.swap(true, Ordering::AcqRel) {
            self.cache.drop_damaged(&self.folder);
        }
    }
}

/// How many columns there are, and the variables as the table has them now, labels included.
fn places(manifest: &Manifest, table: &SchemaRef) -> Option<(usize, SchemaRef)> {
    let fields = manifest.variables.iter().map(|variable| {
        let field = table.field_with_name(&variable.name).ok()?;
        (field.data_type().to_string() == variable.data_type).then(|| field.clone())
    });
    let fields: Vec<_> = fields.collect::<Option<_>>()?;
    Some((fields.len(), Arc::new(Schema::new(fields))))
}

fn open_part(folder: &Path, part: &Part) -> io::Result<PartFile> {
    let invalid =
        |error: &dyn std::fmt::Display| io::Error::new(ErrorKind::InvalidData, error.to_string());
    let sums = fs::read(folder.join(sums_of(&part.name)))?;
    if crc32fast::hash(&sums) != part.sums {
        return Err(invalid(&"a checksum of checksums does not fit"));
    }
    let sums = sums
        .as_chunks::<4>()
        .0
        .iter()
        .map(|sum| u32::from_le_bytes(*sum));
    let file = CheckedFile::new(
        File::open(folder.join(&part.name))?,
        part.bytes,
        sums.collect(),
    )?;
    let end = file.bytes();
    let footer = file.read(end.saturating_sub(PARQUET_END)..end)?;
    let footer = footer
        .first_chunk()
        .map(|footer: &[u8; 8]| u32::from_le_bytes([footer[0], footer[1], footer[2], footer[3]]));
    let length = u64::from(footer.ok_or_else(|| invalid(&"no footer"))?) + PARQUET_END;
    let metadata = file.read(
        end.checked_sub(length)
            .ok_or_else(|| invalid(&"no metadata"))?..end - PARQUET_END,
    )?;
    let metadata =
        ParquetMetaDataReader::decode_metadata(&metadata).map_err(|error| invalid(&error))?;
    let metadata = without_statistics(metadata, &part.nans).map_err(|error| invalid(&error))?;
    Ok(PartFile {
        file,
        metadata: Arc::new(metadata),
    })
}

/// The metadata of a file without what is said of the values of some columns.
fn without_statistics(
    metadata: ParquetMetaData,
    columns: &BTreeSet<usize>,
) -> Result<ParquetMetaData, ParquetError> {
    if columns.is_empty() {
        return Ok(metadata);
    }
    let mut file = metadata.into_builder();
    for group in file.take_row_groups() {
        let mut group = group.into_builder();
        for (place, mut column) in group.take_columns().into_iter().enumerate() {
            if columns.contains(&place) {
                let bare = column.into_builder().clear_statistics();
                column = bare
                    .set_column_index_offset(None)
                    .set_column_index_length(None)
                    .build()?;
            }
            group = group.add_column_metadata(column);
        }
        file = file.add_row_group(group.build()?);
    }
    Ok(file.build())
}
