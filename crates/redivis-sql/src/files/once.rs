//! Pipes and standard input: read once, and kept in a temporary file for as long as the session lives.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use datafusion::common::{Result, plan_err};
use tempfile::TempPath;
use tokio::sync::Mutex;

use crate::blocking::blocking;

/// What has been read already.
#[derive(Debug)]
pub(super) struct Once {
    /// Whether standard input is data.
    stdin: bool,
    files: Mutex<HashMap<PathBuf, TempPath>>,
}

/// Whether a path is of something that can be read only once, or has no name to tell its format by.
pub(super) fn is_once(path: &Path) -> bool {
    if is_stdin(path) {
        return true;
    }
    match std::fs::metadata(path) {
        Ok(metadata) => !metadata.is_file() && !metadata.is_dir(),
        Err(_) => false,
    }
}

fn is_stdin(path: &Path) -> bool {
    ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"]
        .into_iter()
        .any(|stdin| path == Path::new(stdin))
}

impl Once {
    pub(super) fn new(stdin: bool) -> Self {
        Self {
            stdin,
            files: Mutex::default(),
        }
    }

    /// A file of what is there, with a name for its format.
    pub(super) async fn file(&self, path: &Path) -> Result<PathBuf> {
        if is_stdin(path) && !self.stdin {
            return plan_err!(
                "standard input has the statements; give them with -c or -f to read data from there"
            );
        }
        let mut files = self.files.lock().await;
        if let Some(kept) = files.get(path) {
            return Ok(kept.to_path_buf());
        }
        let from = path.to_owned();
        let kept = blocking(move || keep(&from)).await?;
        let file = kept.to_path_buf();
        files.insert(path.to_owned(), kept);
        Ok(file)
    }
}

fn keep(path: &Path) -> io::Result<TempPath> {
    let mut from = File::open(path)?;
    let mut start = vec![];
    (&mut from).take(16).read_to_end(&mut start)?;
    let mut kept = tempfile::Builder::new()
        .prefix("redivis-sql-")
        .suffix(extension(&start))
        .tempfile()?;
    kept.write_all(&start)?;
    io::copy(&mut from, &mut kept)?;
    Ok(kept.into_temp_path())
}

/// The name of the format that begins so.
fn extension(start: &[u8]) -> &'static str {
    let text = start.trim_ascii_start();
    if start.starts_with(b"PAR1") {
        ".parquet"
    } else if start.starts_with(b"ARROW1") {
        ".arrow"
    } else if text.starts_with(b"{") || text.starts_with(b"[{") {
        ".json"
    } else {
        ".csv"
    }
}
