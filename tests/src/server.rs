//! A running `redivis-server` process of one test.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::binaries;

/// A server on a free port of the loopback interface, killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    endpoint: String,
    token: Option<String>,
    narration: PathBuf,
    _own_folder: TempDir,
}

impl Server {
    /// Serves the sample data.
    pub fn sample() -> Server {
        let folder = TempDir::new().expect("a temporary folder");
        let data = folder.path().join("data");
        fs::create_dir(&data).expect("a temporary folder is writable");
        Server::spawn(folder, &data, &["--sample"])
    }

    /// Serves the datasets in `data`.
    pub fn directory(data: &Path) -> Server {
        Server::with_arguments(data, &[])
    }

    /// Serves the datasets in `data`, with more command line arguments.
    pub fn with_arguments(data: &Path, arguments: &[&str]) -> Server {
        Server::spawn(TempDir::new().expect("a temporary folder"), data, arguments)
    }

    fn spawn(own_folder: TempDir, data: &Path, arguments: &[&str]) -> Server {
        let narration = own_folder.path().join("stderr.txt");
        let mut child = Command::new(binaries::redivis_server())
            .arg(data)
            // A test is faster than a person: only tests of the limit itself turn it on.
            .args(["--listen", "127.0.0.1:0", "--requests-per-minute", "off"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&narration).expect("a temporary folder is writable"))
            .spawn()
            .expect("redivis-server starts");

        let mut endpoint = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("standard output is piped"));
        stdout
            .read_line(&mut endpoint)
            .expect("redivis-server writes UTF-8");
        if endpoint.is_empty() {
            let status = child.wait().expect("a child can be waited for");
            let said = fs::read_to_string(&narration).unwrap_or_default();
            panic!("redivis-server ended with {status} before it named its endpoint:\n{said}");
        }
        let token = fs::read_to_string(data.join(".redivis/token")).ok();
        Server {
            child,
            endpoint: endpoint.trim_end().to_owned(),
            token: token.map(|token| token.trim_end().to_owned()),
            narration,
            _own_folder: own_folder,
        }
    }

    /// The endpoint URL, as the server printed it.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The token that the server made at its first start; none when it was started with `--tokens`.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Points a program at this server by the environment variables of Redivis clients, signed in if the server has a token.
    pub fn configure(&self, command: &mut Command) {
        configure(command, &self.endpoint, self.token());
    }

    /// Everything that the server wrote to standard error so far.
    pub fn narration(&self) -> String {
        fs::read_to_string(&self.narration).unwrap_or_default()
    }

    /// The process id, for measurements and signals.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Points a program at `endpoint` by the environment variables of Redivis clients, and at nothing else of the caller's.
pub fn configure(command: &mut Command, endpoint: &str, token: Option<&str>) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("REDIVIS_") {
            command.env_remove(name);
        }
    }
    command.env("REDIVIS_API_ENDPOINT", endpoint);
    if let Some(token) = token {
        command.env("REDIVIS_API_TOKEN", token);
    }
}
