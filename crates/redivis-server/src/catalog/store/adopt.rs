//! Taking a dataset of files into the store, when it is first changed.
//!
//! Its release and its draft are copied as they are, with their ids, so that references to them hold. From then on the
//! store's dataset hides the folder.

use std::{fs, path::PathBuf};

use rusqlite::{Transaction, params};

use super::{ChangeError, Store, VariableChange, read, text_of, uploads, variables, versions};
use crate::{
    catalog::{
        dataset::{Dataset, Version},
        table::{Table, Upload},
    },
    durable,
    reference::slug,
    storage::{Column, Ingested},
    token,
};

/// A table whose rows were copied.
struct Copied {
    table: Table,
    /// The copy of each upload.
    uploads: Vec<Ingested>,
}

impl Store {
    /// Copies a dataset of files with these tables of each version; its key.
    pub(in crate::catalog) fn adopt(
        &self,
        dataset: &Dataset,
        tables: Vec<(Version, Vec<Table>)>,
    ) -> Result<i64, ChangeError> {
        let mut copied = Vec::new();
        for (version, tables) in tables {
            let mut all = Vec::new();
            for table in tables {
                let uploads = table.uploads.iter().map(|upload| self.copy(upload));
                let uploads = uploads.collect::<Result<_, _>>()?;
                all.push(Copied { table, uploads });
            }
            copied.push((version, all));
        }
        self.database.write(|change| {
            let now = read::now();
            change.execute(
                "INSERT INTO dataset (owner, owner_slug, is_organization, name, slug, id, public_access_level, description,
                    created_at, updated_at) VALUES (?, ?, 0, ?, ?, ?, ?, ?, ?, ?)",
                params![
                    dataset.owner, slug(&dataset.owner), dataset.reference_name, slug(&dataset.reference_name), dataset.id,
                    dataset.public.name(), dataset.description, now, now
                ],
            )?;
            let key = change.last_insert_rowid();
            for (version, tables) in &copied {
                let version_key = versions::add_draft(change, key)?;
                for table in tables {
                    add(change, version_key, table)?;
                }
                if let Version::Released(major, minor) = version {
                    change.execute(
                        "UPDATE version SET major = ?, minor = ?, released_at = ? WHERE key = ?",
                        params![major, minor, now, version_key],
                    )?;
                }
            }
            Ok(key)
        })
    }

    fn copy(&self, upload: &Upload) -> Result<Ingested, ChangeError> {
        let name = token::random_name().map_err(std::io::Error::other)?;
        let file: PathBuf = self.rows.join(format!("{name}.parquet"));
        let columns = upload.variables.iter().map(|variable| Column {
            name: variable.name.clone(),
            kind: variable.kind,
            bytes: 0,
        });
        // Each upload of a folder is one file.
        for part in &upload.parts {
            let aside = durable::aside_in(&self.rows)?;
            fs::copy(part.path(), aside.path())?;
            durable::publish(aside, &file)?;
        }
        Ok(Ingested {
            columns: columns.collect(),
            rows: upload.rows(),
            bytes: upload.bytes(),
            bad_records: 0,
            file,
        })
    }
}

fn add(change: &Transaction<'_>, version: i64, copied: &Copied) -> Result<(), ChangeError> {
    let table = &copied.table;
    let now = read::now();
    change.execute(
        "INSERT INTO version_table (version, name, slug, id, description, replaces, is_file_index, created_at, updated_at)
         VALUES (?, ?, ?, ?, ?, 0, 0, ?, ?)",
        params![
            version, table.entry.name, slug(&table.entry.name), table.entry.id, table.description, now, now
        ],
    )?;
    let key = change.last_insert_rowid();
    for (upload, ingested) in table.uploads.iter().zip(&copied.uploads) {
        let mut options = upload.options.clone();
        options.insert("type".to_owned(), upload.kind.as_str().into());
        change.execute(
            "INSERT INTO upload (name, slug, status, options, size, variables, created_at, updated_at)
             VALUES (?, ?, 'completed', ?, ?, ?, ?, ?)",
            params![
                upload.name, slug(&upload.name), text_of(&options), upload.size.and_then(|size| i64::try_from(size).ok()),
                text_of(&uploads::stored(&ingested.columns)), now, now
            ],
        )?;
        let upload = change.last_insert_rowid();
        uploads::add_part(change, upload, ingested)?;
        change.execute(
            "INSERT INTO table_upload (version_table, upload, is_inherited) VALUES (?, ?, 0)",
            [key, upload],
        )?;
    }
    let said: Vec<VariableChange> = table
        .variables
        .iter()
        .map(|variable| VariableChange {
            name: variable.name.clone(),
            label: Some(variable.label.clone()),
            description: Some(variable.description.clone()),
            value_labels: Some(variable.value_labels.clone()),
        })
        .collect();
    Ok(variables::describe(change, key, &said)?)
}
