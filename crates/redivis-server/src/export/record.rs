//! An export as it is remembered.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params, types::Type};

use super::format::FileFormat;
use crate::{database::DatabaseError, query::Status};

/// An export, and how far it is.
#[derive(Debug, Clone)]
pub(crate) struct Export {
    pub(crate) id: String,
    pub(crate) user: String,
    /// Where the table, upload or query is found.
    pub(crate) parent: String,
    /// The name of the table.
    pub(crate) name: String,
    pub(crate) format: FileFormat,
    pub(crate) is_public: bool,
    pub(crate) status: Status,
    pub(crate) error: Option<String>,
    pub(crate) file_count: Option<u64>,
    pub(crate) size: Option<u64>,
    pub(crate) created_at: u64,
    pub(crate) finished_at: Option<u64>,
}

const COLUMNS: &str = "id, user, parent, name, format, is_public, status, error_message, file_count, size, created_at, finished_at";

impl Export {
    pub(super) fn insert(&self, change: &Transaction<'_>) -> Result<(), DatabaseError> {
        change.execute(
            "INSERT INTO export (id, user, parent, name, format, is_public, status, created_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                self.id,
                self.user,
                self.parent,
                self.name,
                self.format.name(),
                self.is_public,
                self.status.name(),
                self.created_at.cast_signed(),
            ],
        )?;
        Ok(())
    }

    /// Writes what became of it.
    pub(super) fn update(&self, change: &Transaction<'_>) -> Result<(), DatabaseError> {
        change.execute(
            "UPDATE export SET status = ?, error_message = ?, file_count = ?, size = ?, finished_at = ?
             WHERE id = ?",
            params![
                self.status.name(),
                self.error,
                self.file_count.map(u64::cast_signed),
                self.size.map(u64::cast_signed),
                self.finished_at.map(u64::cast_signed),
                self.id,
            ],
        )?;
        Ok(())
    }

    pub(super) fn find(connection: &Connection, id: &str) -> Result<Option<Self>, DatabaseError> {
        let sql = format!("SELECT {COLUMNS} FROM export WHERE id = ?");
        let mut statement = connection.prepare_cached(&sql)?;
        Ok(statement.query_row([id], Self::of_row).optional()?)
    }

    /// Those that are not finished, in the order in which they were asked for.
    pub(super) fn unfinished(connection: &Connection) -> Result<Vec<Self>, DatabaseError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM export WHERE status IN ('queued', 'running') ORDER BY key"
        );
        let mut statement = connection.prepare(&sql)?;
        let rows = statement.query_map([], Self::of_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Forgets those that were finished before this time; returns the ids of the others.
    pub(super) fn forget_before(
        change: &Transaction<'_>,
        time: u64,
    ) -> Result<Vec<String>, DatabaseError> {
        change.execute(
            "DELETE FROM export WHERE finished_at < ?",
            [time.cast_signed()],
        )?;
        let mut statement = change.prepare("SELECT id FROM export")?;
        let ids = statement.query_map([], |row| row.get(0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    fn of_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let unknown = |index, what: &str| {
            let what = format!("unknown {what}").into();
            rusqlite::Error::FromSqlConversionFailure(index, Type::Text, what)
        };
        let count = |index| -> rusqlite::Result<Option<u64>> {
            Ok(row.get::<_, Option<i64>>(index)?.map(i64::cast_unsigned))
        };
        let (format, status) = (row.get::<_, String>(4)?, row.get::<_, String>(6)?);
        Ok(Export {
            id: row.get(0)?,
            user: row.get(1)?,
            parent: row.get(2)?,
            name: row.get(3)?,
            format: FileFormat::of_name(&format).ok_or_else(|| unknown(4, "format"))?,
            is_public: row.get(5)?,
            status: Status::of_name(&status).ok_or_else(|| unknown(6, "status"))?,
            error: row.get(7)?,
            file_count: count(8)?,
            size: count(9)?,
            created_at: row.get::<_, i64>(10)?.cast_unsigned(),
            finished_at: count(11)?,
        })
    }
}
