//! File index tables: their rows are the list of the files that were added to them.
//!
//! The list is one upload of the table, so that versions take it over, and keep it, like any other rows.

use rusqlite::{OptionalExtension, Transaction, params};

use super::{ChangeError, Store, datasets, read, tables, text_of, uploads, versions};
use crate::{
    catalog::{
        dataset::{Dataset, Version},
        table::TableEntry,
    },
    database::DatabaseError,
    storage::Ingested,
};

/// The name of the upload.
const NAME: &str = "files";

impl Store {
    /// Changes the list of a file index table: `work` is given the upload that is the list, and returns its new rows.
    pub(in crate::catalog) fn change_files<T>(
        &self,
        dataset: i64,
        entry: &TableEntry,
        work: impl FnOnce(&Transaction<'_>, i64) -> Result<(T, Ingested), ChangeError>,
    ) -> Result<T, ChangeError> {
        let (done, former) = self.database.write(|change| {
            let draft = versions::at(change, dataset, Version::Next)?;
            let table = tables::key_in(change, &draft, entry)?;
            let upload = own_list(change, table)?;
            let (done, ingested) = work(change, upload)?;
            let former: Vec<String> = change
                .prepare_cached("SELECT file FROM part WHERE upload = ?")?
                .query_map([upload], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            change.execute("DELETE FROM part WHERE upload = ?", [upload])?;
            uploads::add_part(change, upload, &ingested)?;
            let now = read::now();
            change.execute(
                "UPDATE upload SET variables = ?, updated_at = ? WHERE key = ?",
                params![text_of(&uploads::stored(&ingested.columns)), now, upload],
            )?;
            change.execute(
                "UPDATE version_table SET updated_at = ? WHERE key = ?",
                [now, table],
            )?;
            datasets::touch(change, dataset)?;
            Ok::<_, ChangeError>((done, former))
        })?;
        for file in &former {
            self.remove_file(file.as_ref());
        }
        Ok(done)
    }

    /// The datasets that list a raw file, in each version that does.
    pub(in crate::catalog) fn listing(&self, file: &str) -> Result<Vec<Dataset>, DatabaseError> {
        self.database.read(|rows| {
            let found: Vec<(i64, Option<u32>, Option<u32>)> = rows
                .prepare_cached(
                    "SELECT DISTINCT version.dataset, version.major, version.minor FROM raw_file
                     JOIN listed_file ON listed_file.raw_file = raw_file.key
                     JOIN table_upload ON table_upload.upload = listed_file.upload
                     JOIN version_table ON version_table.key = table_upload.version_table
                     JOIN version ON version.key = version_table.version
                     WHERE raw_file.id = ? AND NOT version.is_deleted",
                )?
                .query_map([file], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect::<Result<_, _>>()?;
            let mut listing = Vec::with_capacity(found.len());
            for (key, major, minor) in found {
                let version = match major.zip(minor) {
                    Some((major, minor)) => Version::Released(major, minor),
                    None => Version::Next,
                };
                let dataset = read::dataset(rows, key)?;
                listing.extend(dataset.and_then(|dataset| dataset.at(version)));
            }
            Ok(listing)
        })
    }
}

/// The upload that is the list of a draft's table; a copy of the inherited one, which earlier versions keep.
fn own_list(change: &Transaction<'_>, table: i64) -> Result<i64, rusqlite::Error> {
    let found: Option<(i64, bool)> = change
        .prepare_cached(
            "SELECT upload, is_inherited FROM table_upload WHERE version_table = ? ORDER BY is_inherited LIMIT 1",
        )?
        .query_row([table], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((upload, false)) = found {
        return Ok(upload);
    }
    let now = read::now();
    change.execute(
        "INSERT INTO upload (name, slug, status, options, created_at, updated_at)
         VALUES (?, ?, 'completed', '{\"type\": \"parquet\"}', ?, ?)",
        params![NAME, NAME, now, now],
    )?;
    let upload = change.last_insert_rowid();
    if let Some((inherited, _)) = found {
        change.execute(
            "INSERT INTO listed_file (upload, name, raw_file) SELECT ?, name, raw_file FROM listed_file WHERE upload = ?",
            [upload, inherited],
        )?;
        change.execute(
            "DELETE FROM table_upload WHERE version_table = ? AND upload = ?",
            [table, inherited],
        )?;
    }
    change.execute(
        "INSERT INTO table_upload (version_table, upload, is_inherited) VALUES (?, ?, 0)",
        [table, upload],
    )?;
    Ok(upload)
}
