//! The sample data, compiled in: New York's flights of 2013 as `demo.nycflights13`.
//!
//! It is written to the state folder once and then served like any other folder, so that there is one way to read.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{Error, durable};

macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_bytes!(concat!("../sample-data/", $name)) as &[u8])),+]
    };
}

const FILES: &[(&str, &[u8])] = files![
    "dataset.json",
    "airlines.parquet",
    "airlines.json",
    "airports.parquet",
    "airports.json",
    "flights.parquet",
    "flights.json",
    "planes.parquet",
    "planes.json",
    "weather.parquet",
    "weather.json",
];

/// Writes the sample data below the state folder, where it is missing or differs, and returns its data folder.
pub(crate) fn extract(state: &Path) -> Result<PathBuf, Error> {
    let root = state.join("sample");
    let dataset = root.join("demo").join("nycflights13");
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |source: io::Error| Error::Folder {
            action: "write the sample data to",
            path,
            source,
        }
    };
    fs::create_dir_all(&dataset).map_err(failed(&dataset))?;
    durable::sweep(&dataset).map_err(failed(&dataset))?;
    for (name, bytes) in FILES {
        let path = dataset.join(name);
        if !fs::read(&path).is_ok_and(|present| present == *bytes) {
            write_aside(&path, bytes).map_err(failed(&path))?;
        }
    }
    Ok(root)
}

/// Writes a file under another name and renames it, so that nobody ever sees half of it.
fn write_aside(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut aside = durable::aside_in(folder)?;
    io::Write::write_all(&mut aside, bytes)?;
    durable::publish(aside, path)
}
