//! What was attached under a short name, for as long as the session lasts.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a short name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Thing {
    /// A dataset or workflow: a schema.
    Parent(String),
    /// A folder of files: a schema.
    Folder(PathBuf),
    /// A file: a table.
    File(PathBuf),
    /// A table of Redivis.
    Table(String),
}

/// What is attached, by name; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attached(Arc<Mutex<BTreeMap<String, Thing>>>);

impl Attached {
    pub(crate) fn add(&self, name: String, thing: Thing) {
        self.lock().insert(name, thing);
    }

    pub(crate) fn remove(&self, name: &str) -> Option<Thing> {
        self.lock().remove(name)
    }

    /// All of them.
    pub(crate) fn list(&self) -> Vec<(String, Thing)> {
        self.lock().clone().into_iter().collect()
    }

    /// The dataset or workflow that a schema stands for.
    pub(crate) fn parent(&self, schema: &str) -> Option<String> {
        match self.lock().get(&schema.to_lowercase())? {
            Thing::Parent(parent) => Some(parent.clone()),
            _ => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Thing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
