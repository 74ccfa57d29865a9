//! What is kept of an upload under way, so that another run can go on with it: one file each, readable by its owner only.
//!
//! The session's URL is all it takes to write to the upload, so it is in no argument and no message. It lives for 24 hours.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::state;

/// How long a session lives (redivis-api §6.3).
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// Which bytes go where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Key {
    pub(super) endpoint: String,
    pub(super) table: String,
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) size: u64,
    pub(super) modified: Option<SystemTime>,
}

/// A session that bytes were sent to.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) key: Key,
    pub(super) temp_upload: String,
    pub(super) session: String,
}

/// The folder of kept sessions.
#[derive(Debug, Clone)]
pub(super) struct Store(PathBuf);

impl Store {
    /// `None` where there is no home to keep anything in.
    pub(super) fn open() -> io::Result<Option<Self>> {
        Ok(state::folder(Some("uploads"))?.map(Self))
    }

    /// The session for these bytes, and the file that keeps it. Those that have expired are removed.
    pub(super) fn find(&self, key: &Key) -> io::Result<Option<(Kept, PathBuf)>> {
        for entry in fs::read_dir(&self.0)? {
            let path = entry?.path();
            if let Ok(kept) = read(&path)
                && kept.key == *key
            {
                return Ok(Some((kept, path)));
            }
        }
        Ok(None)
    }

    /// Keeps a session; returns the file that does.
    pub(super) fn keep(&self, kept: &Kept) -> io::Result<PathBuf> {
        let mut file = tempfile::Builder::new()
            .prefix("upload-")
            .suffix(".json")
            .tempfile_in(&self.0)?;
        file.write_all(&serde_json::to_vec(kept)?)?;
        file.as_file().sync_all()?;
        Ok(file.keep()?.1)
    }
}

fn read(path: &Path) -> io::Result<Kept> {
    let age = fs::metadata(path)?.modified()?.elapsed();
    if age.is_ok_and(|age| age > LIFETIME) {
        fs::remove_file(path)?;
    }
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}
