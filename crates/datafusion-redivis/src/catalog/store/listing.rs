//! The files of a file index table: found by name, listed by prefix.
//!
//! The service lists all of them or none, as a stream. Names lead to ids only through that list, so what has been seen of it
//! is remembered for a while, up to a number of files; beyond it a name costs a pass over the list, and never memory.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::DateTime;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{Error, ListResult, ObjectMeta, Result};
use redivis::TableReference;
use redivis::resource::{RawFile, Table};

use super::error::{failed, unsupported};
use crate::connection::Connection;

/// How many files are remembered: some ten megabytes.
const REMEMBERED: usize = 1 << 16;
/// How long a list is taken for unchanged.
const FOR: Duration = Duration::from_secs(5);

/// The files of one table.
#[derive(Debug)]
pub(super) struct Listing {
    connection: Arc<Connection>,
    reference: TableReference,
    seen: Arc<Mutex<Seen>>,
}

/// What has been seen of the list.
#[derive(Debug)]
struct Seen {
    files: HashMap<Path, File>,
    since: Instant,
    /// How often the session had written something by then.
    writes: u64,
}

/// A file with what reading it needs.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) id: String,
    size: u64,
    md5: Option<String>,
    added_at: DateTime<chrono::Utc>,
}

impl File {
    pub(super) fn meta(&self, location: &Path) -> ObjectMeta {
        ObjectMeta {
            location: location.clone(),
            last_modified: self.added_at,
            size: self.size,
            e_tag: self.md5.clone(),
            version: Some(self.id.clone()),
        }
    }
}

impl Listing {
    pub(super) fn new(connection: Arc<Connection>, reference: TableReference) -> Self {
        Self {
            connection,
            reference,
            seen: Arc::new(Mutex::new(Seen {
                files: HashMap::new(),
                since: Instant::now(),
                writes: 0,
            })),
        }
    }

    /// All files, as the service lists them, remembered on the way.
    fn all(&self, writes: u64) -> BoxStream<'static, Result<(Path, File)>> {
        let (client, reference, seen) = (
            self.connection.client(),
            self.reference.clone(),
            Arc::clone(&self.seen),
        );
        let name = reference.to_string();
        let opened = async move {
            let table = client.table(&reference).await;
            let table = table.map_err(|error| failed(&reference.to_string(), error))?;
            check_has_files(&table)?;
            *locked(&seen) = Seen {
                files: HashMap::new(),
                since: Instant::now(),
                writes,
            };
            let files = client.raw_files(&table.uri);
            let files = files.map_err(move |error| failed(&name, error));
            Ok::<_, Error>(files.and_then(move |file| {
                let file = located(file);
                if let Ok((location, file)) = &file {
                    let mut seen = locked(&seen);
                    if seen.files.len() < REMEMBERED {
                        seen.files.insert(location.clone(), file.clone());
                    }
                }
                std::future::ready(file)
            }))
        };
        stream::once(opened).try_flatten().boxed()
    }

    /// The file at this place.
    pub(super) async fn find(&self, location: &Path, writes: u64) -> Result<File> {
        {
            let seen = locked(&self.seen);
            if seen.writes == writes
                && seen.since.elapsed() < FOR
                && let Some(file) = seen.files.get(location)
            {
                return Ok(file.clone());
            }
        }
        let mut found = None;
        let mut files = self.all(writes);
        while let Some((place, file)) = files.try_next().await? {
            if place == *location {
                found = Some(file);
            }
        }
        found.ok_or_else(|| Error::NotFound {
            path: location.to_string(),
            source: format!("{} has no such file", self.reference).into(),
        })
    }

    /// The files below a prefix, in the service's order.
    pub(super) fn list(
        &self,
        prefix: Option<&Path>,
        writes: u64,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let prefix = prefix.cloned().unwrap_or_default();
        self.all(writes)
            .try_filter_map(move |(location, file)| {
                let below = below(&location, &prefix).is_some();
                std::future::ready(Ok(below.then(|| file.meta(&location))))
            })
            .boxed()
    }

    /// The files right below a prefix, and the folders that are there.
    pub(super) async fn level(&self, prefix: Option<&Path>, writes: u64) -> Result<ListResult> {
        let prefix = prefix.cloned().unwrap_or_default();
        let mut folders = BTreeSet::new();
        let mut objects = vec![];
        let mut files = self.all(writes);
        while let Some((location, file)) = files.try_next().await? {
            match below(&location, &prefix) {
                None => {}
                Some(None) => objects.push(file.meta(&location)),
                Some(Some(folder)) => {
                    folders.insert(folder);
                }
            }
        }
        Ok(ListResult {
            common_prefixes: folders.into_iter().collect(),
            objects,
        })
    }
}

/// `None`: not below the prefix; otherwise the folder right below it that the place is in, if it is in one.
fn below(location: &Path, prefix: &Path) -> Option<Option<Path>> {
    let mut parts = location.prefix_match(prefix)?;
    let first = parts.next()?;
    Some(parts.next().map(|_| prefix.clone().join(first)))
}

/// The file with its place. A name that is no path by itself is encoded as one.
fn located(file: RawFile) -> Result<(Path, File)> {
    let location = Path::parse(&file.name).unwrap_or_else(|_| Path::from(file.name.as_str()));
    let Some(size) = file.size else {
        return Err(Error::Generic {
            store: "redivis",
            source: format!("the size of file `{}` is not known", file.name).into(),
        });
    };
    Ok((
        location,
        File {
            id: file.id,
            size,
            md5: file.md5,
            added_at: file.added_at.unwrap_or_default(),
        },
    ))
}

fn check_has_files(table: &Table) -> Result<()> {
    match table.is_file_index {
        true => Ok(()),
        false => Err(unsupported(
            "the table has rows and no files: read it as a table, with FROM redivis.'owner.dataset.table'",
        )),
    }
}

fn locked(seen: &Mutex<Seen>) -> std::sync::MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_whole_segments() {
        let below = |location: &str, prefix: &str| {
            below(&Path::from(location), &Path::from(prefix))
                .map(|folder| folder.map(|folder| folder.to_string()))
        };
        assert_eq!(below("2019/a.csv", ""), Some(Some("2019".to_owned())));
        assert_eq!(below("2019/a.csv", "2019"), Some(None));
        assert_eq!(
            below("2019/x/a.csv", "2019"),
            Some(Some("2019/x".to_owned()))
        );
        assert_eq!(below("2019/a.csv", "201"), None);
        assert_eq!(below("2019/a.csv", "2019/a.csv"), None);
        assert_eq!(below("a.csv", ""), Some(None));
    }
}
