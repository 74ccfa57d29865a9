//! Where the prompt's history is kept.
//!
//! In the XDG state folder, readable by its owner only: statements may tell more about data than a file listing should.

use std::fs;
use std::io;
use std::path::PathBuf;

use etcetera::BaseStrategy;

/// The history file, its folder made. `None` where there is no home to keep it in.
pub(super) fn file() -> io::Result<Option<PathBuf>> {
    let Ok(strategy) = etcetera::choose_base_strategy() else {
        return Ok(None);
    };
    let folder = strategy
        .state_dir()
        .unwrap_or_else(|| strategy.data_dir())
        .join("redivis-sql");
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(&folder)?;
    Ok(Some(folder.join("history")))
}
