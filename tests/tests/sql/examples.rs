//! Every script of `sql-examples`, run as its reader runs it, against its expected output.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use redivis_tests::{binaries, process};

#[test]
fn every_example_prints_what_is_expected() {
    let folder = binaries::workspace().join("sql-examples");
    let mut scripts: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    scripts.sort();
    assert!(scripts.len() >= 8, "{scripts:?}");

    let mut different = Vec::new();
    for script in scripts {
        let expected = folder
            .join("expected")
            .join(script.file_name().unwrap())
            .with_extension("csv");
        let expected = fs::read_to_string(&expected)
            .unwrap_or_else(|error| panic!("{}: {error}", expected.display()));
        // Scripts write files into the folder that they run in.
        let work = tempfile::tempdir().unwrap();
        let mut command = Command::new(binaries::redivis_sql());
        command
            .args(["--local", "--format", "csv", "-f"])
            .arg(&script)
            .current_dir(work.path());
        let finished = process::run(command, Duration::from_secs(120));
        if !finished.status.success() || finished.stdout != expected {
            different.push(format!("{}: {finished:#?}", script.display()));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}
