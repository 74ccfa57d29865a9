//! The rows of a file index table: one per file, as Parquet like those of any other table.
//!
//! All of them are written again whenever files are added, which is quick as long as there are not millions.

use std::{path::Path, sync::Arc};

use arrow::{
    array::{ArrayRef, Int64Builder, RecordBatch, StringBuilder, TimestampMicrosecondBuilder},
    error::ArrowError,
};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::properties::WriterProperties,
};
use rusqlite::Transaction;

use super::{RawFile, milliseconds};
use crate::{
    catalog::ChangeError,
    durable,
    storage::{Ingested, StorageError, Stored, VariableType, schema_of},
    token::random_name,
};

/// The variables of every file index table, and of listings.
pub(crate) const VARIABLES: [(&str, VariableType); 5] = [
    ("file_id", VariableType::String),
    ("file_name", VariableType::String),
    ("size", VariableType::Integer),
    ("md5_hash", VariableType::String),
    ("added_at", VariableType::DateTime),
];

/// Rows that are written at once.
const BATCH: usize = 8192;

/// Writes the list of an upload's files to a folder of rows, sorted by name.
pub(crate) fn write(
    change: &Transaction<'_>,
    upload: i64,
    rows_folder: &Path,
) -> Result<Ingested, ChangeError> {
    let failed = |error: ParquetError| StorageError::invalid("files", error);
    let aside = durable::aside_in(rows_folder)?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .build();
    let mut writer = ArrowWriter::try_new(aside.as_file(), schema_of(VARIABLES), Some(properties))
        .map_err(failed)?;
    let mut statement = change.prepare_cached(
        "SELECT raw_file.* FROM listed_file JOIN raw_file ON raw_file.key = listed_file.raw_file
         WHERE listed_file.upload = ? ORDER BY listed_file.name",
    )?;
    let mut rows = statement.query([upload])?;
    let mut files = Vec::with_capacity(BATCH);
    loop {
        let row = rows.next()?;
        let ended = row.is_none();
        if let Some(row) = row {
            files.push(Some(RawFile::of(row)?));
        }
        if files.len() == BATCH || ended {
            let batch = rows_of(&files, None).map_err(|e| failed(e.into()))?;
            writer.write(&batch).map_err(failed)?;
            files.clear();
        }
        if ended {
            break;
        }
    }
    writer.close().map_err(failed)?;
    let name = random_name().map_err(std::io::Error::other)?;
    let file = rows_folder.join(format!("{name}.parquet"));
    durable::publish(aside, &file)?;
    let stored = Stored::open(file.clone())?;
    Ok(Ingested {
        rows: stored.rows(),
        bytes: stored.bytes(),
        columns: stored.columns,
        bad_records: 0,
        file,
    })
}

/// Files as rows; those that are `None` are left out, and `names` are shown instead of their own.
pub(crate) fn rows_of(
    files: &[Option<RawFile>],
    names: Option<(&str, &ArrayRef)>,
) -> Result<RecordBatch, ArrowError> {
    let mut ids = StringBuilder::new();
    let mut own_names = StringBuilder::new();
    let mut sizes = Int64Builder::new();
    let mut hashes = StringBuilder::new();
    let mut added = TimestampMicrosecondBuilder::new();
    let mut kept = Vec::with_capacity(files.len());
    for file in files {
        kept.push(file.is_some());
        let Some(file) = file else { continue };
        ids.append_value(&file.id);
        own_names.append_value(&file.name);
        sizes.append_value(file.size.cast_signed());
        hashes.append_value(&file.md5);
        added.append_value(milliseconds(file.added).saturating_mul(1000));
    }
    let (name, names): (&str, ArrayRef) = match names {
        Some((name, names)) => (name, arrow::compute::filter(names, &kept.into())?),
        None => ("file_name", Arc::new(own_names.finish())),
    };
    let mut variables = VARIABLES;
    variables[1].0 = name;
    RecordBatch::try_new(
        schema_of(variables),
        vec![
            Arc::new(ids.finish()),
            names,
            Arc::new(sizes.finish()),
            Arc::new(hashes.finish()),
            Arc::new(added.finish()),
        ],
    )
}
