//! A server in the test's own process, whose data is seen with its token only.

use std::path::Path;
use std::process::Command;

use redivis_server::{Config, Server};

use crate::Sandbox;

/// A server of a folder, which goes with it.
pub(crate) struct Private {
    server: Server,
    _runtime: tokio::runtime::Runtime,
    folder: tempfile::TempDir,
}

impl Private {
    /// Serves one table: `owner/dataset/table.csv`, and its text.
    pub(crate) fn table(path: &str, text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        let server = Server::start(Config::directory(folder.path()));
        let server = runtime.block_on(server).unwrap();
        Self {
            server,
            _runtime: runtime,
            folder,
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The shell of somebody who has no token for it.
    pub(crate) fn anonymous(&self, sandbox: &Sandbox, arguments: &[&str]) -> Command {
        let mut command = sandbox.command(arguments);
        command.env("REDIVIS_API_ENDPOINT", self.server.endpoint());
        command
    }

    /// The shell of somebody who has.
    pub(crate) fn command(&self, sandbox: &Sandbox, arguments: &[&str]) -> Command {
        let mut command = self.anonymous(sandbox, arguments);
        command.env("REDIVIS_API_TOKEN", self.server.token().unwrap());
        command
    }
}
