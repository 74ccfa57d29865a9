//! What is common to all parts of one statement.

use std::cell::{Cell, OnceCell};
use std::sync::Arc;

use crate::connection::Connection;

/// Says one statement: what is named in it has a name of its own.
#[derive(Debug, Default)]
pub(super) struct Translator {
    /// Where all its tables are.
    connection: OnceCell<Arc<Connection>>,
    aliases: Cell<usize>,
}

impl Translator {
    pub(super) fn connection(&self) -> Option<&Arc<Connection>> {
        self.connection.get()
    }

    /// Whether a table's endpoint is that of all tables before it.
    pub(super) fn is_at(&self, connection: &Arc<Connection>) -> bool {
        Arc::ptr_eq(
            self.connection.get_or_init(|| Arc::clone(connection)),
            connection,
        )
    }

    /// A name that nothing else in the statement has.
    pub(super) fn alias(&self) -> String {
        self.aliases.set(self.aliases.get() + 1);
        format!("t{}", self.aliases.get())
    }

    /// The name that was given last.
    pub(super) fn last_alias(&self) -> String {
        format!("t{}", self.aliases.get())
    }
}
