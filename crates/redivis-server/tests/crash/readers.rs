//! Readers of what is released, which must be the same at any time.

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Arc, Mutex},
};

use crate::{
    model::Dataset,
    rows::{self, Way},
    wire::{Gone, Wire},
};

/// Released tables and their rows, by author.
#[derive(Clone, Default)]
pub(crate) struct Released(Arc<Mutex<HashMap<usize, Tables>>>);

type Tables = Vec<(String, Vec<Range<i64>>)>;

impl Released {
    /// Tells of the tables of an author's latest release.
    pub(crate) fn publish(&self, author: usize, dataset: &Dataset) {
        let Some((_, tables)) = dataset
            .seen()
            .versions
            .into_iter()
            .rfind(|(released, _)| *released)
        else {
            self.forget(author);
            return;
        };
        // A later release takes the place of this one, so it is named by its number.
        let current = format!("/tables/local.{}:current", dataset.name);
        let tables = tables
            .into_iter()
            .filter(|(_, table)| !table.rows.is_empty());
        let tables = tables.map(|(name, table)| (format!("{current}.{name}"), table.rows));
        self.0.lock().unwrap().insert(author, tables.collect());
    }

    /// Tells of tables of files.
    pub(crate) fn tell(&self, table: &str, rows: Range<i64>) {
        let mut released = self.0.lock().unwrap();
        released.insert(usize::MAX, vec![(table.to_owned(), vec![rows])]);
    }

    pub(crate) fn forget(&self, author: usize) {
        self.0.lock().unwrap().remove(&author);
    }

    fn all(&self) -> Tables {
        self.0.lock().unwrap().values().flatten().cloned().collect()
    }

    /// Reads one table after the other until the server is killed; how many were read.
    pub(crate) async fn read(self, wire: Wire, mut random: fastrand::Rng) -> usize {
        let mut read = 0;
        loop {
            match self.read_one(&wire, &mut random).await {
                Ok(()) => read += 1,
                Err(Gone) => return read,
            }
        }
    }

    async fn read_one(&self, wire: &Wire, random: &mut fastrand::Rng) -> Result<(), Gone> {
        let tables = self.all();
        let Some((table, expected)) = random.choice(&tables) else {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            return wire
                .get("/users/me")
                .await
                .map(|answer| answer.success("me"));
        };
        let rows = rows::read(wire, table, Way::any(random)).await?;
        // Somebody may have released the next version, or deleted all, in the meantime.
        if rows.as_ref() != Some(expected) {
            let now = self.all();
            let same = now
                .iter()
                .any(|(name, rows)| name == table && rows == expected);
            assert!(!same, "{table} has {rows:?}, not {expected:?}");
        }
        Ok(())
    }
}
