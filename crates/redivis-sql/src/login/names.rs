//! Who has signed in at which endpoint, as the service said when it was asked last.
//!
//! The prompt greets with it, and asks nobody for that. It is no secret, and nothing rests on it: who one is, the token says.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

use crate::state;

const FILE: &str = "users.json";

/// The name of who has signed in there, if it is known.
pub(crate) fn known(endpoint: &str) -> Option<String> {
    read().remove(endpoint)
}

/// Keeps a name, or forgets it. That it can't be kept is no reason to fail.
pub(super) fn keep(endpoint: &str, name: Option<&str>) {
    let mut names = read();
    let before = match name {
        Some(name) => names.insert(endpoint.to_owned(), name.to_owned()),
        None => names.remove(endpoint),
    };
    if before.as_deref() != name {
        let _ = write(&names);
    }
}

fn path() -> io::Result<Option<PathBuf>> {
    Ok(state::folder(None)?.map(|folder| folder.join(FILE)))
}

fn read() -> BTreeMap<String, String> {
    let path = path().ok().flatten();
    let text = path.and_then(|path| fs::read_to_string(path).ok());
    text.and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default()
}

fn write(names: &BTreeMap<String, String>) -> io::Result<()> {
    let Some(path) = path()? else {
        return Ok(());
    };
    let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(&path))?;
    serde_json::to_writer(&mut file, names)?;
    file.persist(path)?;
    Ok(())
}
