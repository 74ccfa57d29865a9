//! Files that are there in full or not at all, also after the power went.
//!
//! Bytes are written under a passing name, brought to the disk, and only then get the name they are known by.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use tempfile::NamedTempFile;

/// What names of files that are still being written start with; such files are garbage at the next start.
const ASIDE: &str = ".aside-";

/// A new file for what is to be published in this folder.
pub(crate) fn aside_in(folder: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(ASIDE).tempfile_in(folder)
}

/// Removes what was being written in this folder when the server died. Only before anything is written there.
pub(crate) fn remove_asides(folder: &Path) -> io::Result<()> {
    let files = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        files => files?,
    };
    for file in files {
        let file = file?;
        if file.file_name().to_string_lossy().starts_with(ASIDE) {
            fs::remove_file(file.path())?;
        }
    }
    Ok(())
}

/// Gives a file its name, once its bytes are on the disk.
pub(crate) fn publish(aside: NamedTempFile, path: &Path) -> io::Result<()> {
    aside.as_file().sync_all()?;
    aside.persist(path)?;
    sync_folder_of(path)
}

/// Removes the files that were being written when an earlier server ended. Only while none is written.
pub(crate) fn sweep(folder: &Path) -> io::Result<()> {
    let listing = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        listing => listing?,
    };
    for file in listing {
        let file = file?;
        let name = file.file_name();
        if name.to_str().is_some_and(|name| name.starts_with(ASIDE)) {
            fs::remove_file(file.path())?;
        }
    }
    Ok(())
}

/// Makes a folder and brings its name to the disk.
pub(crate) fn create_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)?;
    sync_folder_of(path)
}

/// Brings the names in the folder that holds this path to the disk.
pub(crate) fn sync_folder_of(path: &Path) -> io::Result<()> {
    match path.parent() {
        // Elsewhere folders cannot be opened; renames are on the disk there when they return.
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}
