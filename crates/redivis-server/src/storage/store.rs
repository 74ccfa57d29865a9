//! Files on disk as stored tables: footers kept, conversions made once, both renewed when a file changes.
//!
//! What a file held is remembered by its path, length and time of change; so is that it was broken.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use sha2::{Digest, Sha256};

use super::{
    SourceFormat, StorageError, Stored, VariableType,
    error::{DAMAGED, guarded, shown},
    ingest::{IngestError, UploadOptions, convert},
    stored::{self, Identity},
};
use crate::{durable::remove_asides, token::hex};

/// Footers that are kept at most; beyond it those that nobody uses are forgotten, and read again when asked for.
const KEPT: usize = 4096;

/// Types that a description declares, by lower-case variable name.
pub(crate) type Declared = HashMap<String, VariableType>;

/// A file as it was when it was opened, and what came of it.
#[derive(Debug)]
struct Opened {
    identity: Identity,
    declared: Declared,
    outcome: Result<Arc<Stored>, StorageError>,
}

impl Opened {
    fn is_in_use(&self) -> bool {
        let in_use = |stored: &Arc<Stored>| Arc::strong_count(stored) > 1;
        self.outcome.as_ref().is_ok_and(in_use)
    }
}

/// All stored tables of a server.
#[derive(Debug)]
pub(crate) struct Storage {
    /// Where converted files are kept.
    converted: PathBuf,
    opened: Mutex<HashMap<PathBuf, Opened>>,
    /// One lock a file, so that a conversion is made once and others wait for it.
    opening: Mutex<HashMap<PathBuf, Arc<Mutex<()>>>>,
}

impl Storage {
    /// The tables of a server; what an earlier one left half converted is removed.
    pub(crate) fn new(converted: PathBuf) -> Self {
        if let Err(error) = remove_asides(&converted) {
            // It only takes up space.
            tracing::warn!("what is left of an earlier conversion cannot be removed: {error}");
        }
        Storage {
            converted,
            opened: Mutex::default(),
            opening: Mutex::default(),
        }
    }

    /// The table stored in a file, converted first where that is needed. Blocks, for long when it converts.
    pub(crate) fn open(
        &self,
        path: &Path,
        declared: &Declared,
    ) -> Result<Arc<Stored>, StorageError> {
        let identity = identity(path)?;
        if let Some(outcome) = self.remembered(path, identity, declared) {
            return outcome;
        }
        let lock = {
            let mut opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(opening.entry(path.to_path_buf()).or_default())
        };
        let outcome = {
            let _alone = lock.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(outcome) = self.remembered(path, identity, declared) {
                return outcome;
            }
            let damaged = || StorageError::invalid(&shown(path), DAMAGED);
            let outcome = guarded(damaged, || self.load(path, identity, declared));
            if let Err(error) = &outcome {
                tracing::warn!("{error}");
            }
            self.remember(path, identity, declared, outcome)
        };
        self.opening
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(path);
        outcome
    }

    /// Deletes a file that nothing names any more, once those who read it are done.
    pub(crate) fn give_up(&self, path: &Path) {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        match opened.remove(path).map(|known| known.outcome) {
            Some(Ok(stored)) => stored.give_up(),
            _ => stored::remove(path),
        }
    }

    /// Keeps what came of opening a file, if it is still there.
    fn remember(
        &self,
        path: &Path,
        identity: Identity,
        declared: &Declared,
        outcome: Result<Arc<Stored>, StorageError>,
    ) -> Result<Arc<Stored>, StorageError> {
        // A fault of the disk may be gone the next time; what a file holds is not.
        if matches!(
            outcome,
            Err(StorageError::Io { .. } | StorageError::Changed { .. })
        ) {
            return outcome;
        }
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        // Files are given up under the same lock: one that is gone by now must not be kept for one that is there.
        if !path.exists() {
            return Err(StorageError::Changed { file: shown(path) });
        }
        if opened.len() >= KEPT {
            opened.retain(|_, known| known.is_in_use());
        }
        let known = Opened {
            identity,
            declared: declared.clone(),
            outcome: outcome.clone(),
        };
        opened.insert(path.to_path_buf(), known);
        outcome
    }

    fn remembered(
        &self,
        path: &Path,
        identity: Identity,
        declared: &Declared,
    ) -> Option<Result<Arc<Stored>, StorageError>> {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let known = opened.get(path)?;
        (known.identity == identity && known.declared == *declared).then(|| known.outcome.clone())
    }

    fn load(
        &self,
        path: &Path,
        known: Identity,
        declared: &Declared,
    ) -> Result<Arc<Stored>, StorageError> {
        let name = shown(path);
        let format = SourceFormat::of(path)
            .ok_or_else(|| StorageError::invalid(&name, "its extension is not known"))?;
        if format == SourceFormat::Parquet {
            let mut stored = Stored::open(path.to_path_buf())?;
            warn_of_unknown(&name, declared, &stored);
            if stored.declare(declared) {
                return Ok(Arc::new(stored));
            }
        }
        let target = self.converted.join(converted_name(path, known, declared));
        if !target.exists() {
            tracing::info!("converting `{name}` to Parquet");
            let options = UploadOptions::default();
            let converted = convert(path, format, &options, declared, &target, &|| false);
            if identity(path)? != known {
                // What was read may be half of one state and half of another.
                let _ = fs::remove_file(&target);
                return Err(StorageError::Changed { file: name });
            }
            converted.map_err(|error| match error {
                IngestError::Io(error) => StorageError::io(&name, &error),
                error => StorageError::invalid(&name, error),
            })?;
            self.forget_older(&target);
        }
        let mut stored = Stored::open(target)?;
        warn_of_unknown(&name, declared, &stored);
        stored.declare(declared);
        Ok(Arc::new(stored))
    }

    /// Removes what earlier states of the same file were converted to.
    fn forget_older(&self, target: &Path) {
        let prefix = |path: &Path| {
            let name = path.file_name()?.to_str()?;
            Some(name.split_once('-')?.0.to_owned())
        };
        let (Some(wanted), Ok(files)) = (prefix(target), fs::read_dir(&self.converted)) else {
            return;
        };
        for file in files.flatten() {
            let path = file.path();
            if path != target && prefix(&path).as_deref() == Some(wanted.as_str()) {
                // It only takes up space; failing to remove it harms nobody.
                let _ = fs::remove_file(path);
            }
        }
    }
}

/// A type that is declared for a variable that the file does not have is likely a slip of the pen.
fn warn_of_unknown(file: &str, declared: &Declared, stored: &Stored) {
    let known = |name: &&String| {
        let mut columns = stored.columns.iter();
        columns.any(|column| column.name.to_lowercase() == **name)
    };
    for name in declared.keys().filter(|name| !known(name)) {
        tracing::warn!(
            "the description of `{file}` has a type for `{name}`, which it does not have"
        );
    }
}

fn identity(path: &Path) -> Result<Identity, StorageError> {
    fs::metadata(path)
        .and_then(|metadata| Identity::of(&metadata))
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => StorageError::Changed { file: shown(path) },
            _ => StorageError::io(&shown(path), &error),
        })
}

/// `<file>-<state>.parquet`, both digests: the same file in another state has another name.
fn converted_name(path: &Path, identity: Identity, declared: &Declared) -> String {
    let file = Sha256::digest(path.as_os_str().as_encoded_bytes());
    let mut state = Sha256::new();
    state.update(identity.length.to_le_bytes());
    state.update(identity.modified_nanos().to_le_bytes());
    let mut declared: Vec<_> = declared.iter().collect();
    declared.sort_unstable_by_key(|(name, _)| name.as_str());
    for (name, kind) in declared {
        state.update(name);
        state.update([0]);
        state.update(kind.name());
        state.update([0]);
    }
    let state = state.finalize();
    format!("{}-{}.parquet", hex(&file[..16]), hex(&state[..16]))
}
