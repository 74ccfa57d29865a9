//! Entries of a folder, by the names that resources take from them.
//!
//! Hidden entries and those that cannot be read are left out: they are not data.

use std::path::{Path, PathBuf};

use crate::reference::slug;

/// A file or folder whose name stands for a resource.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The resource's name: without the extension, if it is a file.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) is_folder: bool,
}

/// The entries of a folder, sorted by name; none if it cannot be read.
pub(crate) fn entries(folder: &Path) -> Vec<Entry> {
    let Ok(listing) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut entries: Vec<Entry> = listing
        .flatten()
        .filter_map(|entry| {
            let path = entry.path();
            let file_name = path.file_name()?.to_str()?;
            if file_name.starts_with('.') {
                return None;
            }
            // Follows links: what the owner of the folder put there is meant.
            let is_folder = std::fs::metadata(&path).ok()?.is_dir();
            let name = if is_folder {
                file_name
            } else {
                path.file_stem()?.to_str()?
            };
            if slug(name).is_empty() {
                return None;
            }
            Some(Entry {
                name: name.to_owned(),
                is_folder,
                path: path.clone(),
            })
        })
        .collect();
    entries.sort_by(|one, two| one.path.cmp(&two.path));
    entries
}
