//! A query as it is remembered: what was asked, by whom, and what came of it.
//!
//! Every step of its life cycle is a transaction, so that a restart knows which ones to run again.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde_json::{Value, json};

use crate::{catalog::Access, database::DatabaseError, storage::VariableType};

/// Where a query is in its life cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Queued,
    Running,
    Completed,
    Failed,
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Status::Queued => "queued",
            Status::Running => "running",
            Status::Completed => "completed",
            Status::Failed => "failed",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        [
            Status::Queued,
            Status::Running,
            Status::Completed,
            Status::Failed,
        ]
        .into_iter()
        .find(|status| status.name() == name)
    }
}

/// A query, and how far it is.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    pub(crate) id: String,
    pub(crate) user: String,
    pub(crate) text: String,
    /// `owner.dataset[:version]`, for tables that are named without one.
    pub(crate) default_dataset: Option<String>,
    /// What the scopes of the token allow.
    pub(crate) access: Access,
    pub(crate) status: Status,
    pub(crate) error: Option<String>,
    pub(crate) is_public: bool,
    pub(crate) schema: Vec<(String, VariableType)>,
    pub(crate) created_at: u64,
    pub(crate) finished_at: Option<u64>,
}

const COLUMNS: &str = "id, user, text, default_dataset, access, status, error_message, is_public, output_schema, created_at, finished_at";

impl Query {
    pub(super) fn insert(&self, change: &Transaction<'_>) -> Result<(), DatabaseError> {
        change.execute(
            "INSERT INTO query (id, user, text, default_dataset, access, status, created_at)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
            params![
                self.id,
                self.user,
                self.text,
                self.default_dataset,
                self.access.name(),
                self.status.name(),
                self.created_at.cast_signed(),
            ],
        )?;
        Ok(())
    }

    /// Writes what became of it; `false` if it is not known any more.
    pub(super) fn update(&self, change: &Transaction<'_>) -> Result<bool, DatabaseError> {
        let schema: Vec<Value> = self
            .schema
            .iter()
            .map(|(name, kind)| json!({"name": name, "type": kind.name()}))
            .collect();
        let changed = change.execute(
            "UPDATE query SET status = ?, error_message = ?, is_public = ?, output_schema = ?, finished_at = ?
             WHERE id = ?",
            params![
                self.status.name(),
                self.error,
                self.is_public,
                Value::from(schema).to_string(),
                self.finished_at.map(u64::cast_signed),
                self.id,
            ],
        )?;
        Ok(changed > 0)
    }

    pub(super) fn find(connection: &Connection, id: &str) -> Result<Option<Self>, DatabaseError> {
        let sql = format!("SELECT {COLUMNS} FROM query WHERE id = ?");
        Ok(connection
            .prepare_cached(&sql)?
            .query_row([id], Self::of_row)
            .optional()?)
    }

    /// Those that are not finished, in the order in which they were asked.
    pub(super) fn unfinished(connection: &Connection) -> Result<Vec<Self>, DatabaseError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM query WHERE status IN ('queued', 'running') ORDER BY key"
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
            "DELETE FROM query WHERE finished_at < ?",
            [time.cast_signed()],
        )?;
        let mut statement = change.prepare("SELECT id FROM query")?;
        let ids = statement.query_map([], |row| row.get(0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    fn of_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let text = |index| row.get::<_, String>(index);
        let unknown = |index, what: &str| {
            rusqlite::Error::FromSqlConversionFailure(
                index,
                rusqlite::types::Type::Text,
                format!("unknown {what}").into(),
            )
        };
        let schema: Vec<Value> =
            serde_json::from_str(&text(8)?).map_err(|_| unknown(8, "schema"))?;
        let schema = schema
            .iter()
            .map(|field| {
                let kind = field["type"].as_str().and_then(VariableType::of_name)?;
                Some((field["name"].as_str()?.to_owned(), kind))
            })
            .collect::<Option<_>>()
            .ok_or_else(|| unknown(8, "schema"))?;
        Ok(Query {
            id: text(0)?,
            user: text(1)?,
            text: text(2)?,
            default_dataset: row.get(3)?,
            access: Access::of_public_level(&text(4)?).ok_or_else(|| unknown(4, "access"))?,
            status: Status::of_name(&text(5)?).ok_or_else(|| unknown(5, "status"))?,
            error: row.get(6)?,
            is_public: row.get(7)?,
            schema,
            created_at: row.get::<_, i64>(9)?.cast_unsigned(),
            finished_at: row.get::<_, Option<i64>>(10)?.map(i64::cast_unsigned),
        })
    }
}
