//! Files and folders that are written aside and put in their place when they are whole.
//!
//! Aside is beside: a hidden name in the same folder, so that putting it in its place is a rename, which never fails halfway.
//! Nobody ever reads half a result, and what fails or is stopped leaves what was there before as it was.

use std::collections::BTreeSet;
use std::fs::{self, File, Permissions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::{NamedTempFile, TempDir};

const PREFIX: &str = ".redivis-sql-";

/// What is aside now, for the end of a process that some of its threads don't hear of.
static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn unfinished() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes everything that is still aside. The process ends now: what still writes there never finishes.
pub(crate) fn discard_unfinished() {
    for path in std::mem::take(&mut *unfinished()) {
        let _ = match path.is_dir() {
            true => fs::remove_dir_all(&path),
            false => fs::remove_file(&path),
        };
    }
}

/// Notes a path until it is dropped.
#[derive(Debug)]
struct Unfinished(PathBuf);

impl Unfinished {
    fn note(path: &Path) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        unfinished().insert(path.clone());
        Ok(Self(path))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        unfinished().remove(&self.0);
    }
}

/// Where a file goes: its folder is there, and it is a file or nothing yet.
#[derive(Debug)]
pub(crate) struct Place {
    /// Past links: a link keeps being one, and what it points to is replaced.
    path: PathBuf,
    /// Those of the file that is there.
    permissions: Option<Permissions>,
}

impl Place {
    /// The place at a path; `None` where there is a device or a pipe, which can't be replaced.
    pub(crate) fn of(path: &Path) -> io::Result<Option<Self>> {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => Err(io::Error::new(
                io::ErrorKind::IsADirectory,
                format!("{} is a folder", path.display()),
            )),
            Ok(metadata) if !metadata.is_file() => Ok(None),
            Ok(metadata) => Ok(Some(Self {
                path: fs::canonicalize(path)?,
                permissions: Some(metadata.permissions()),
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                check_folder(parent(path))?;
                Ok(Some(Self {
                    path: path.to_owned(),
                    permissions: None,
                }))
            }
            Err(error) => Err(error),
        }
    }

    fn folder(&self) -> &Path {
        parent(&self.path)
    }
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn check_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::NotFound,
        format!("there is no folder {}", folder.display()),
    ))
}

/// A file that is written aside; dropped, it is gone.
#[derive(Debug)]
pub(crate) struct AsideFile {
    temporary: NamedTempFile,
    place: Place,
    _unfinished: Unfinished,
}

impl AsideFile {
    pub(crate) fn new(place: Place) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX);
        #[cfg(unix)]
        {
            // What any new file gets: the umask takes its share.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(Permissions::from_mode(0o666));
        }
        let temporary = builder.tempfile_in(place.folder())?;
        if let Some(permissions) = &place.permissions {
            temporary.as_file().set_permissions(permissions.clone())?;
        }
        Ok(Self {
            _unfinished: Unfinished::note(temporary.path())?,
            temporary,
            place,
        })
    }

    pub(crate) fn file(&self) -> &File {
        self.temporary.as_file()
    }

    /// Where it goes.
    pub(crate) fn path(&self) -> &Path {
        &self.place.path
    }

    /// It is whole: it takes its place.
    pub(crate) fn finish(self) -> io::Result<()> {
        self.temporary.persist(&self.place.path)?;
        Ok(())
    }
}

/// A folder aside, for writers that want to make their files themselves; dropped, it is gone with what is in it.
#[derive(Debug)]
pub(crate) struct AsideFolder {
    temporary: TempDir,
    _unfinished: Unfinished,
}

impl AsideFolder {
    /// Beside the file at a place.
    pub(crate) fn beside(place: &Place) -> io::Result<Self> {
        Self::within(place.folder())
    }

    /// Beside a folder, which need not be there, but what it is in must.
    pub(crate) fn beside_folder(folder: &Path) -> io::Result<Self> {
        check_folder(parent(folder))?;
        if folder.exists() {
            check_folder(folder)?;
        }
        Self::within(parent(folder))
    }

    fn within(folder: &Path) -> io::Result<Self> {
        let temporary = tempfile::Builder::new().prefix(PREFIX).tempdir_in(folder)?;
        Ok(Self {
            _unfinished: Unfinished::note(temporary.path())?,
            temporary,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        self.temporary.path()
    }

    /// The file of this name within is whole: it takes its place.
    pub(crate) fn finish_file(self, name: &str, place: &Place) -> io::Result<()> {
        let written = self.path().join(name);
        if let Some(permissions) = &place.permissions {
            fs::set_permissions(&written, permissions.clone())?;
        }
        fs::rename(written, &place.path)
    }

    /// The folder of this name within is whole: its files go into the place's folder, beside those that are there.
    pub(crate) fn finish_folder(self, name: &str, folder: &Path) -> io::Result<()> {
        let written = self.path().join(name);
        match written.is_dir() {
            true => merge(&written, folder),
            false => Ok(()),
        }
    }
}

/// Moves what is in one folder into another.
fn merge(from: &Path, to: &Path) -> io::Result<()> {
    if !to.exists() {
        return fs::rename(from, to);
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            merge(&entry.path(), &target)?;
        } else {
            fs::rename(entry.path(), target)?;
        }
    }
    Ok(())
}
