//! A folder as a schema, whose tables are its files.
//!
//! It is looked into each time, so files may come and go.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::common::{Result, TableReference, plan_err};
use datafusion::execution::SessionState;
use datafusion::prelude::SessionContext;

use crate::blocking::blocking;

/// What the names of files end in that are tables.
const ENDINGS: [&str; 9] = [
    "parquet", "csv", "tsv", "tab", "json", "ndjson", "jsonl", "arrow", "feather",
];

/// Whether a file's name says that it is a table.
pub(crate) fn is_table(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| ENDINGS.contains(&ending.to_lowercase().as_str()))
}

/// The name that a file or folder has in SQL: its own, without its ending.
pub(crate) fn table_name(path: &Path) -> Option<String> {
    Some(path.file_stem()?.to_str()?.to_owned())
}

type CurrentSession = Box<dyn Fn() -> Option<SessionState> + Send + Sync>;

/// The files of a folder.
pub(crate) struct Folder {
    path: PathBuf,
    /// What makes tables of files; it has the folder, so the folder must not have it.
    session: CurrentSession,
}

impl Folder {
    pub(crate) fn new(path: PathBuf, context: &SessionContext) -> Self {
        let session = context.state_weak_ref();
        Self {
            path,
            session: Box::new(move || Some(session.upgrade()?.read().clone())),
        }
    }

    fn files(&self) -> Vec<PathBuf> {
        files(&self.path)
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.map(|entry| entry.path());
    let mut files: Vec<PathBuf> = files
        .filter(|path| is_table(path) && path.is_file())
        .collect();
    files.sort();
    files
}

/// Whether a file is meant by its name, with or without its ending.
fn is_called(path: &Path, name: &str) -> bool {
    let whole = path.file_name().and_then(|whole| whole.to_str());
    whole.is_some_and(|whole| whole.eq_ignore_ascii_case(name))
        || table_name(path).is_some_and(|table| table.eq_ignore_ascii_case(name))
}

impl fmt::Debug for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Folder")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl SchemaProvider for Folder {
    fn table_names(&self) -> Vec<String> {
        let files = self.files();
        let mut names: Vec<String> = files.iter().filter_map(|path| table_name(path)).collect();
        names.dedup();
        names
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let folder = self.path.clone();
        let listed = blocking(move || Ok::<_, std::io::Error>(files(&folder))).await?;
        let called: Vec<&Path> = listed
            .iter()
            .map(PathBuf::as_path)
            .filter(|path| is_called(path, name))
            .collect();
        let path = match called.as_slice() {
            [] => return Ok(None),
            [path] => path,
            [one, other, ..] => {
                return plan_err!(
                    "both {} and {} could be {name}: write the whole name in \"…\"",
                    one.display(),
                    other.display()
                );
            }
        };
        let (Some(session), Some(path)) = ((self.session)(), path.to_str()) else {
            return Ok(None);
        };
        let schema = session.schema_for_ref(TableReference::bare(path))?;
        schema.table(path).await
    }

    fn table_exist(&self, name: &str) -> bool {
        self.files().iter().any(|path| is_called(path, name))
    }
}
