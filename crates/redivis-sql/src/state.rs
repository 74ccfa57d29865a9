//! Where the shell keeps what outlives it: the prompt's history, uploads that were interrupted, and credentials.
//!
//! In the XDG folders, readable by its owner only: statements may tell more about data than a file listing should, and
//! the URL of an upload is all it takes to write to it.

use std::fs;
use std::io;
use std::path::PathBuf;

use etcetera::BaseStrategy;

/// The folder of configuration; `None` where there is no home to keep it in.
pub(crate) fn config() -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(strategy.config_dir().join("redivis-sql"))
}

/// The file of credentials, there.
pub(crate) fn credentials() -> Option<PathBuf> {
    Some(config()?.join("credentials.json"))
}

/// The person's home.
pub(crate) fn home() -> Option<PathBuf> {
    etcetera::home_dir().ok()
}

/// A path as shells read it, where `~/` is the home.
pub(crate) fn at_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), home()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

/// The file of what was typed at the prompt. `None` where there is no home to keep it in.
pub(crate) fn history() -> io::Result<Option<PathBuf>> {
    Ok(folder(None)?.map(|folder| folder.join("history")))
}

/// A folder for the shell's state, made if it is not there: its own, or one within. `None` where there is no home to keep it in.
pub(crate) fn folder(within: Option<&str>) -> io::Result<Option<PathBuf>> {
    let Ok(strategy) = etcetera::choose_base_strategy() else {
        return Ok(None);
    };
    let mut folder = strategy
        .state_dir()
        .unwrap_or_else(|| strategy.data_dir())
        .join("redivis-sql");
    folder.extend(within);
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(&folder)?;
    Ok(Some(folder))
}
