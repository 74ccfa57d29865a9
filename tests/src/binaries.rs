//! The product's binaries, built when a test first asks for one.
//!
//! Cargo builds a package's binaries only for that package's own tests, so this member has to ask for the others. It
//! asks the same cargo for the same profile in the same target folder: after `cargo test --workspace` there is next to
//! nothing left to build, and `cargo test -p redivis-tests` on a clean clone works as well.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// The path of the built `redivis-sql`.
pub fn redivis_sql() -> &'static Path {
    executable("redivis-sql")
}

/// The path of the built `redivis-server`.
pub fn redivis_server() -> &'static Path {
    executable("redivis-server")
}

/// The path of a built example of `datafusion-redivis`.
pub fn example(name: &str) -> &'static Path {
    executable(name)
}

/// All of the workspace is named, and examples among it, because that makes cargo unite the same features as
/// `cargo test --workspace` does: with any others it would compile DataFusion once more.
fn executable(name: &str) -> &'static Path {
    static BUILT: OnceLock<HashMap<String, PathBuf>> = OnceLock::new();
    BUILT
        .get_or_init(|| build(&["--workspace", "--bins", "--examples"]))
        .get(name)
        .unwrap_or_else(|| panic!("cargo built nothing named {name}"))
}

/// Runs `cargo build` and returns the executables that it reports, by the name of their target.
fn build(what: &[&str]) -> HashMap<String, PathBuf> {
    let profile_folder = profile_folder();
    let profile = match profile_folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") => "dev",
        Some(name) => name,
        None => panic!("{} names no profile", profile_folder.display()),
    };
    let output = Command::new(env!("CARGO"))
        .args(["build", "--locked", "--profile", profile])
        .args(["--message-format", "json-render-diagnostics"])
        .arg("--target-dir")
        .arg(target_folder())
        .args(what)
        .current_dir(workspace())
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo starts");
    assert!(
        output.status.success(),
        "cargo build {} failed",
        what.join(" ")
    );

    String::from_utf8(output.stdout)
        .expect("cargo writes UTF-8")
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|message| {
            let executable = message["executable"].as_str()?;
            let target = message["target"]["name"].as_str()?;
            Some((target.to_owned(), PathBuf::from(executable)))
        })
        .collect()
}

/// The root of the repository.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the member lies in the workspace")
}

/// The target folder of this very run, wherever it was configured.
pub fn target_folder() -> PathBuf {
    profile_folder()
        .parent()
        .expect("a profile lies in the target folder")
        .to_owned()
}

/// `<target>/<profile>`; test executables run from `<target>/<profile>/deps`.
fn profile_folder() -> PathBuf {
    let executable = std::env::current_exe().expect("a running test has an executable");
    let deps = executable.parent().expect("an executable lies in a folder");
    assert!(
        deps.ends_with("deps"),
        "{} is not cargo's folder of test executables",
        deps.display()
    );
    deps.parent()
        .expect("deps lies in the profile's folder")
        .to_owned()
}
