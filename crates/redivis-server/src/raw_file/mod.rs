//! Raw files: bytes of any kind that file index tables list (redivis-api §6.5).
//!
//! The bytes are those of a temp upload under another name; nothing is copied. A file is there as long as some version
//! lists it.

mod index;

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use md5::{Digest, Md5};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use tokio_util::sync::CancellationToken;

pub(crate) use index::{VARIABLES, rows_of, write as write_index};

use crate::{
    catalog::{ChangeError, resource_id},
    database::{Database, DatabaseError},
    durable,
    token::random_name,
};

/// How often files that no version lists any more are looked for.
const PAUSE: Duration = Duration::from_secs(10 * 60);

/// The raw files of a server.
#[derive(Debug, Clone)]
pub(crate) struct RawFiles {
    database: Arc<Database>,
    folder: Arc<Path>,
}

/// What is known of a raw file.
#[derive(Debug, Clone)]
pub(crate) struct RawFile {
    pub(crate) id: String,
    /// May contain `/`.
    pub(crate) name: String,
    pub(crate) size: u64,
    /// In base64.
    pub(crate) md5: String,
    pub(crate) added: SystemTime,
    file: String,
}

impl RawFile {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        let added = Duration::from_millis(row.get::<_, i64>("added_at")?.cast_unsigned());
        Ok(RawFile {
            id: row.get("id")?,
            name: row.get("name")?,
            size: row.get::<_, i64>("size")?.cast_unsigned(),
            md5: row.get("md5")?,
            added: SystemTime::UNIX_EPOCH + added,
            file: row.get("file")?,
        })
    }
}

impl RawFiles {
    /// The raw files that the folder holds; what no version lists is deleted. Blocks.
    pub(crate) fn new(database: Arc<Database>, folder: PathBuf) -> Result<Self, ChangeError> {
        durable::create_folder(&folder)?;
        let files = RawFiles {
            database,
            folder: folder.into(),
        };
        files.purge()?;
        let named: HashSet<String> = files.database.read(|rows| {
            rows.prepare("SELECT file FROM raw_file")?
                .query_map([], |row| row.get(0))?
                .collect::<Result<_, _>>()
                .map_err(DatabaseError::from)
        })?;
        for entry in fs::read_dir(&files.folder)? {
            let name = entry?.file_name();
            let name = name.to_string_lossy();
            if !named.contains(name.as_ref()) {
                files.unlink(&name);
            }
        }
        Ok(files)
    }

    /// Keeps the bytes of a file under a name of its own, on the disk; nothing lists them yet. Blocks.
    pub(crate) fn keep(&self, path: &Path, name: &str) -> io::Result<RawFile> {
        let mut hash = Md5::new();
        let mut content = File::open(path)?;
        let mut buffer = vec![0; 1 << 20];
        let mut size = 0u64;
        loop {
            let length = content.read(&mut buffer)?;
            if length == 0 {
                break;
            }
            hash.update(&buffer[..length]);
            size += length as u64;
        }
        let mut secret = [0; 16];
        getrandom::fill(&mut secret).map_err(io::Error::other)?;
        let file = random_name().map_err(io::Error::other)?;
        let kept = self.folder.join(&file);
        // Some file systems give a file one name only.
        if fs::hard_link(path, &kept).is_err() {
            let aside = durable::aside_in(&self.folder)?;
            fs::copy(path, aside.path())?;
            durable::publish(aside, &kept)?;
        }
        durable::sync_folder_of(&kept)?;
        Ok(RawFile {
            // As on the service: a resource id, and what cannot be guessed.
            id: format!(
                "{}.{}",
                resource_id(&[&file]),
                BASE64_URL_SAFE_NO_PAD.encode(secret)
            ),
            name: name.to_owned(),
            size,
            md5: BASE64_STANDARD.encode(hash.finalize()),
            added: SystemTime::now(),
            file,
        })
    }

    /// Lists kept files in the upload of a file index table, in place of those of the same name.
    pub(crate) fn list(
        change: &Transaction<'_>,
        upload: i64,
        files: &[RawFile],
    ) -> Result<(), rusqlite::Error> {
        let mut add = change.prepare_cached(
            "INSERT INTO raw_file (id, name, size, md5, file, added_at) VALUES (?, ?, ?, ?, ?, ?)",
        )?;
        let mut list = change.prepare_cached(
            "INSERT OR REPLACE INTO listed_file (upload, name, raw_file) VALUES (?, ?, ?)",
        )?;
        for file in files {
            let size = file.size.cast_signed();
            let added = milliseconds(file.added);
            add.execute(params![
                file.id, file.name, size, file.md5, file.file, added
            ])?;
            list.execute(params![upload, file.name, change.last_insert_rowid()])?;
        }
        Ok(())
    }

    /// Deletes kept files that are not listed after all. Blocks.
    pub(crate) fn discard(&self, files: &[RawFile]) {
        for file in files {
            self.unlink(&file.file);
        }
    }

    /// The file of this id. Blocks.
    pub(crate) fn find(&self, id: &str) -> Result<Option<RawFile>, DatabaseError> {
        self.database.read(|rows| find(rows, id))
    }

    /// The files of these ids, in the same order. Blocks.
    pub(crate) fn find_all<'a>(
        &self,
        ids: impl Iterator<Item = Option<&'a str>>,
    ) -> Result<Vec<Option<RawFile>>, DatabaseError> {
        self.database.read(|rows| {
            ids.map(|id| id.map_or(Ok(None), |id| find(rows, id)))
                .collect()
        })
    }

    /// Where a file's bytes are.
    pub(crate) fn path(&self, file: &RawFile) -> PathBuf {
        self.folder.join(&file.file)
    }

    /// Deletes files that no version lists any more. Blocks.
    pub(crate) fn purge(&self) -> Result<(), DatabaseError> {
        const UNLISTED: &str =
            "NOT EXISTS (SELECT 1 FROM listed_file WHERE listed_file.raw_file = raw_file.key)";
        let files: Vec<String> = self.database.write(|change| {
            let files = change
                .prepare_cached(&format!("SELECT file FROM raw_file WHERE {UNLISTED}"))?
                .query_map([], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            change.execute(&format!("DELETE FROM raw_file WHERE {UNLISTED}"), [])?;
            Ok::<_, DatabaseError>(files)
        })?;
        for file in &files {
            self.unlink(file);
        }
        Ok(())
    }

    /// Does so now and then.
    pub(crate) async fn keep_purging(self, stop: CancellationToken) {
        while stop
            .run_until_cancelled(tokio::time::sleep(PAUSE))
            .await
            .is_some()
        {
            let files = self.clone();
            if let Ok(Err(error)) = tokio::task::spawn_blocking(move || files.purge()).await {
                tracing::warn!("raw files that nothing lists cannot be deleted: {error}");
            }
        }
    }

    /// Deletes a file of the folder that no row names. If that fails, the next start does it.
    fn unlink(&self, file: &str) {
        match fs::remove_file(self.folder.join(file)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!("a raw file cannot be deleted: {error}");
            }
            _ => {}
        }
    }
}

fn find(rows: &Connection, id: &str) -> Result<Option<RawFile>, DatabaseError> {
    let mut statement = rows.prepare_cached("SELECT * FROM raw_file WHERE id = ?")?;
    Ok(statement.query_row([id], RawFile::of).optional()?)
}

fn milliseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(0))
}
