//! The folder on disk: what lies where, whose it is, and who may change it.
//!
//! ```text
//! lock                    held while entries are put in place or taken away
//! tables/<key>/           a table in one version, for one account
//!   table.json            what the service said of it
//!   <name>/               an entry: some of its variables, complete
//! references/<key>.json   what a reference led to when it was last asked for
//! accounts/<key>.json     who used an endpoint last
//! filling/<name>/         what is being written, or removed; locked by the process that does
//! ```

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::Cache;

/// The lock of the whole, and of a folder that is being filled.
const LOCK: &str = "lock";
/// How long others may take to put an entry in place and to make room for it.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(2);

impl Cache {
    pub(super) fn tables(&self) -> PathBuf {
        self.folder.join("tables")
    }

    pub(super) fn references(&self) -> PathBuf {
        self.folder.join("references")
    }

    pub(super) fn accounts(&self) -> PathBuf {
        self.folder.join("accounts")
    }

    fn filling(&self) -> PathBuf {
        self.folder.join("filling")
    }

    /// Waits until no other process changes what there is, and keeps others from it as long as the file is open. Not for ever:
    /// a process that was stopped while it holds the lock is to cost others an entry, and not their query.
    pub(super) fn lock(&self) -> io::Result<File> {
        self.make()?;
        let lock = open_lock(&self.folder.join(LOCK))?;
        let started = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(lock),
                Err(TryLockError::WouldBlock) if started.elapsed() < PATIENCE => {
                    thread::sleep(PAUSE)
                }
                Err(TryLockError::WouldBlock) => {
                    let busy = "another process has been changing the cache for too long";
                    return Err(io::Error::new(io::ErrorKind::TimedOut, busy));
                }
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }

    /// Makes the folder, readable by nobody else.
    fn make(&self) -> io::Result<()> {
        if !self.folder.exists() {
            private(&self.folder)?;
            // Backups and searches leave out what can be had again.
            let tag = "Signature: 8a477f597d28d172789f06886806bc55\n# This folder holds tables read from Redivis.\n";
            fs::write(self.folder.join("CACHEDIR.TAG"), tag)?;
        }
        Ok(())
    }

    /// A new folder beside the entries, for what becomes one.
    pub(super) fn temporary(&self) -> io::Result<TemporaryFolder> {
        // Held until the folder is locked: who removes abandoned ones holds it too.
        let _lock = self.lock()?;
        let filling = self.filling();
        private(&filling)?;
        self.remove_abandoned();
        let path = filling.join(random_name());
        private(&path)?;
        let lock = open_lock(&path.join(LOCK))?;
        lock.try_lock()?;
        Ok(TemporaryFolder {
            path,
            _lock: lock,
            is_moved: false,
        })
    }

    /// A file without a name beside the entries: it goes with the process, however that ends.
    pub(super) fn spool(&self) -> io::Result<File> {
        self.make()?;
        let filling = self.filling();
        private(&filling)?;
        tempfile::tempfile_in(filling)
    }

    /// Removes what processes have left that are no more. Called with the lock held.
    fn remove_abandoned(&self) {
        for folder in folders_in(&self.filling()) {
            let is_abandoned = match open_existing(&folder.join(LOCK)) {
                Ok(lock) => lock.try_lock().is_ok(),
                Err(_) => true,
            };
            if is_abandoned {
                let _ = fs::remove_dir_all(&folder);
            }
        }
    }

    /// Takes a folder away at once, and then what is in it.
    pub(super) fn discard(&self, folder: &Path) -> io::Result<()> {
        let filling = self.filling();
        private(&filling)?;
        let aside = filling.join(random_name());
        fs::rename(folder, &aside)?;
        fs::remove_dir_all(aside)
    }
}

/// A folder that goes when this is dropped, unless it was moved into its place.
#[derive(Debug)]
pub(super) struct TemporaryFolder {
    pub(super) path: PathBuf,
    _lock: File,
    is_moved: bool,
}

impl TemporaryFolder {
    /// Makes it what it was written for. All files in it must be on the disk already.
    pub(super) fn move_to(mut self, place: &Path) -> io::Result<()> {
        let _ = fs::remove_file(self.path.join(LOCK));
        sync_folder(&self.path)?;
        fs::rename(&self.path, place)?;
        self.is_moved = true;
        place.parent().map_or(Ok(()), sync_folder)
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // A few files, so it is done at once: the process may be about to end.
        if !self.is_moved {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

pub(super) fn random_name() -> String {
    format!("{:016x}", fastrand::u64(..))
}

/// Makes a folder and those it lies in, for this user only. One that is there already becomes so.
pub(super) fn private(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
        builder.mode(0o700).create(path)?;
        if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
        }
        Ok(())
    }
    #[cfg(not(unix))]
    builder.create(path)
}

/// The folders in a folder; none where there is no such folder.
pub(super) fn folders_in(path: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
}

fn open_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
}

fn open_existing(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(path)
}

/// Waits until the disk knows what is in a folder.
fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(path)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}
