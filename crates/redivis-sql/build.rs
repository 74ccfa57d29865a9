//! Notes the commit that the program is built from, for `--version`.
//!
//! Only what is built to be used says it: while the program is worked on, it would be compiled anew for each commit. Without git,
//! or from an archive, there is none, unless `REDIVIS_SQL_COMMIT` names it.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=REDIVIS_SQL_COMMIT");
    let given = std::env::var("REDIVIS_SQL_COMMIT").ok();
    let commit = given.or_else(|| {
        let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
        // Every commit and every checkout writes to it.
        let log = git(&["rev-parse", "--git-path", "logs/HEAD"]).filter(|_| is_release)?;
        println!("cargo::rerun-if-changed={log}");
        git(&["rev-parse", "--short=12", "HEAD"])
    });
    let commit = commit.map_or(String::new(), |commit| format!(" ({commit})"));
    println!("cargo::rustc-env=REDIVIS_SQL_COMMIT={commit}");
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| said.trim().to_owned())
}
