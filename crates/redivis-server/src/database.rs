//! What the server remembers over restarts, in one SQLite file: every change is a transaction that is on disk when it is answered.
//!
//! Write-ahead logging lets readers go on while one writes. Everything here blocks on the disk.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

/// The tables, each part's beside the code that uses them.
const SCHEMA: &[&str] = &[
    include_str!("catalog/store/schema.sql"),
    include_str!("login/schema.sql"),
    include_str!("export/schema.sql"),
    include_str!("query/schema.sql"),
    include_str!("raw_file/schema.sql"),
    include_str!("temporary/schema.sql"),
];

/// The layout of the tables; a file of another one is refused rather than misread.
const LAYOUT: i32 = 1;

/// Connections for reading that are kept open.
const READERS: usize = 8;

/// Why the database did not do something.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DatabaseError {
    /// There is no room for the change, which was not made.
    #[error("the disk is full")]
    Full,
    /// Anything else that SQLite tells.
    #[error("the catalog cannot be used: {0}")]
    Sqlite(rusqlite::Error),
    /// The file is of another version of this program.
    #[error(
        "the catalog has layout {found}, and this version of redivis-server has layout {LAYOUT}"
    )]
    Layout {
        /// Its layout.
        found: i32,
    },
}

impl From<rusqlite::Error> for DatabaseError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => DatabaseError::Full,
            _ => DatabaseError::Sqlite(error),
        }
    }
}

/// The open database.
#[derive(Debug)]
pub(crate) struct Database {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
}

impl Database {
    /// Opens the file, and makes it where there is none.
    pub(crate) fn open(path: &Path) -> Result<Self, DatabaseError> {
        let mut writer = connect(path)?;
        let setup = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found: i32 = setup.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if found != 0 && found != LAYOUT {
            return Err(DatabaseError::Layout { found });
        }
        for tables in SCHEMA {
            setup.execute_batch(tables)?;
        }
        setup.pragma_update(None, "user_version", LAYOUT)?;
        setup.commit()?;
        Ok(Database {
            path: path.to_path_buf(),
            writer: Mutex::new(writer),
            readers: Mutex::default(),
        })
    }

    /// Reads in one snapshot.
    pub(crate) fn read<T, E: From<DatabaseError>>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let kept = lock(&self.readers).pop();
        let mut connection = match kept {
            Some(connection) => connection,
            None => connect(&self.path)?,
        };
        let outcome = {
            let snapshot = connection.transaction().map_err(DatabaseError::from)?;
            work(&snapshot)
        };
        let mut readers = lock(&self.readers);
        if readers.len() < READERS {
            readers.push(connection);
        }
        outcome
    }

    /// Changes something, all of it or nothing: what `work` did is kept if it succeeds.
    pub(crate) fn write<T, E: From<DatabaseError>>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut writer = lock(&self.writer);
        let change = writer
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(DatabaseError::from)?;
        let done = work(&change)?;
        change.commit().map_err(DatabaseError::from)?;
        Ok(done)
    }
}

/// A panic of another thread leaves nothing half-done: its transaction was rolled back.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn connect(path: &Path) -> Result<Connection, DatabaseError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(30))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(connection: &Connection) -> Result<i64, DatabaseError> {
        Ok(connection.query_row("SELECT count(*) FROM dataset", [], |row| row.get(0))?)
    }

    fn insert(change: &Transaction<'_>) -> Result<(), DatabaseError> {
        change.execute("INSERT INTO dataset (owner, owner_slug, is_organization, name, slug, id, public_access_level, created_at, updated_at)
            VALUES ('o', 'o', 0, 'd', 'd', 'abcd-123456789', 'none', 0, 0)", [])?;
        Ok(())
    }

    #[test]
    fn a_change_that_fails_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("catalog.sqlite")).unwrap();
        let refused = database.write(|change| {
            insert(change)?;
            Err::<(), _>(DatabaseError::Full)
        });
        assert!(matches!(refused, Err(DatabaseError::Full)));
        assert_eq!(database.read(count).unwrap(), 0);
        database.write(insert).unwrap();
        assert_eq!(database.read(count).unwrap(), 1);
    }

    #[test]
    fn a_file_of_another_layout_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalog.sqlite");
        drop(Database::open(&path).unwrap());
        let connection = Connection::open(&path).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        drop(connection);
        assert!(matches!(
            Database::open(&path),
            Err(DatabaseError::Layout { found: 99 })
        ));
    }
}
