//! A person's home folder, and the shell in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use redivis_tests::binaries;
use redivis_tests::process::{self, Finished};
use redivis_tests::server::{self, Server};
use rexpect::session::{PtySession, spawn_command};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const ROWS: &str = "SELECT n FROM lab.private.t ORDER BY n";

/// A server with one private table, that logs in as `lab`.
pub(crate) fn server(arguments: &[&str]) -> (TempDir, Server) {
    let data = TempDir::new().unwrap();
    let folder = data.path().join("lab/private");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("t.csv"), "n\n1\n2\n").unwrap();
    let server = Server::with_arguments(data.path(), arguments);
    (data, server)
}

pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Home {
        Home(TempDir::new().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.path().join("config/redivis-sql/credentials.json")
    }

    /// What is kept for an endpoint.
    pub(crate) fn kept(&self, endpoint: &str) -> Value {
        let content: Value = serde_json::from_slice(&fs::read(self.file()).unwrap()).unwrap();
        content["logins"][endpoint].clone()
    }

    /// Changes what is kept for an endpoint, as time or somebody else would.
    pub(crate) fn change(&self, endpoint: &str, name: &str, value: Value) {
        let mut content: Value = serde_json::from_slice(&fs::read(self.file()).unwrap()).unwrap();
        content["logins"][endpoint][name] = value;
        fs::write(self.file(), content.to_string()).unwrap();
    }

    /// The shell with nothing else in its environment, and everything logged.
    pub(crate) fn command(&self, endpoint: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(binaries::redivis_sql());
        server::configure(&mut command, endpoint, None);
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            command.env_remove(name).env_remove(name.to_lowercase());
        }
        command
            .args(arguments)
            .env("HOME", self.path())
            .env("XDG_CONFIG_HOME", self.path().join("config"))
            .env("XDG_STATE_HOME", self.path().join("state"))
            .env("RUST_LOG", "trace");
        command
    }

    /// Runs the shell to its end; it prints none of the secrets that are kept before or after.
    #[track_caller]
    pub(crate) fn run(&self, endpoint: &str, arguments: &[&str]) -> Finished {
        self.finish(self.command(endpoint, arguments))
    }

    #[track_caller]
    pub(crate) fn finish(&self, command: Command) -> Finished {
        let mut secrets = self.secrets();
        let finished = process::run(command, PATIENCE);
        secrets.extend(self.secrets());
        assert!(finished.stderr.contains("TRACE") || finished.stdout.is_empty());
        for secret in secrets {
            assert!(!finished.stdout.contains(&secret) && !finished.stderr.contains(&secret));
        }
        finished
    }

    /// Every token in the file.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let text = fs::read(self.file()).unwrap_or_default();
        let content: Value = serde_json::from_slice(&text).unwrap_or_default();
        let logins = content["logins"].as_object().cloned().unwrap_or_default();
        let tokens = logins.values().flat_map(|login| {
            ["access_token", "refresh_token"].map(|name| login[name].as_str().map(str::to_owned))
        });
        tokens.flatten().collect()
    }

    /// Signs in as a person would: reads the page's address off the terminal, and opens it.
    pub(crate) fn log_in(&self, endpoint: &str, arguments: &[&str]) -> String {
        let mut terminal = self.terminal(endpoint, &[&["login"], arguments].concat());
        let (before, page) = terminal
            .exp_regex(r"http://\S+/oauth/device\?user_code=\S+")
            .unwrap();
        open(&page);
        let after = terminal.exp_eof().unwrap();
        format!("{before}{page}{after}")
    }

    pub(crate) fn terminal(&self, endpoint: &str, arguments: &[&str]) -> PtySession {
        let mut command = self.command(endpoint, arguments);
        command
            .env("TERM", "xterm")
            .env("NO_COLOR", "1")
            .env("RUST_LOG", "warn");
        let patience = u64::try_from(PATIENCE.as_millis()).unwrap();
        spawn_command(command, Some(patience)).unwrap()
    }
}

/// What a browser does.
pub(crate) fn open(page: &str) {
    let page = page.to_owned();
    let opened = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async { reqwest::get(page).await.unwrap().status() })
    });
    assert_eq!(opened.join().unwrap(), 200);
}
