//! Makes room: what was not used for longest goes first, and nothing that is being read.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::Cache;
use super::entry::{MANIFEST, Manifest};
use super::folder::folders_in;

impl Cache {
    /// Removes entries until what is left fits. Called with the lock held.
    pub(super) fn evict(&self) {
        let mut entries: Vec<(SystemTime, u64, PathBuf)> = folders_in(&self.tables())
            .flat_map(|table| folders_in(&table))
            .filter_map(|entry| Some((used(&entry)?, Manifest::read(&entry).ok()?.bytes(), entry)))
            .collect();
        entries.sort();
        let mut bytes: u64 = entries.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, size, entry) in entries {
            if bytes <= self.limit {
                return;
            }
            if self.remove_unused(&entry) {
                bytes -= size;
            }
        }
    }

    /// Removes an entry unless a process reads it; whether it is gone. Called with the lock held.
    pub(super) fn remove_unused(&self, entry: &Path) -> bool {
        let manifest = OpenOptions::new()
            .read(true)
            .write(true)
            .open(entry.join(MANIFEST));
        // Held until it is gone, so that nobody begins to read it.
        let lock = match manifest {
            Ok(manifest) => manifest,
            Err(_) => return self.discard(entry).is_ok(),
        };
        if lock.try_lock().is_err() || self.discard(entry).is_err() {
            return false;
        }
        // What is said of the table goes with its last entry.
        if let Some(table) = entry.parent()
            && folders_in(table).next().is_none()
        {
            let _ = fs::remove_dir_all(table);
        }
        true
    }
}

/// When an entry was last used.
pub(super) fn used(entry: &Path) -> Option<SystemTime> {
    fs::metadata(entry.join(MANIFEST)).ok()?.modified().ok()
}
