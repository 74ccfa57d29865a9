//! The server in a process of its own, which is killed rather than stopped.

use std::{
    fs::File,
    path::Path,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// A running server.
pub(crate) struct Process {
    child: Child,
    pub(crate) endpoint: String,
    /// Set before the kill: connections that end earlier are the server's fault.
    pub(crate) killed: Arc<AtomicBool>,
}

impl Process {
    /// Starts a server on a folder, and waits until it answers.
    pub(crate) async fn start(folder: &Path) -> Self {
        Self::started(spawn(server(folder), folder)).await
    }

    /// The same, with files that cannot become larger than so many blocks of 512 bytes.
    pub(crate) async fn start_small(folder: &Path, blocks: u32) -> Self {
        let server = server(folder);
        let mut shell = Command::new("sh");
        let script = format!("trap '' XFSZ; ulimit -S -f {blocks}; exec \"$@\"");
        shell.args(["-c", &script, "sh"]);
        shell.arg(server.as_std().get_program());
        shell.args(server.as_std().get_args());
        Self::started(spawn(shell, folder)).await
    }

    /// Sets how large files may become, in bytes or as `unlimited`, while the server runs.
    pub(crate) async fn limit(&self, bytes: &str) {
        let pid = self.child.id().unwrap().to_string();
        let limit = format!("--fsize={bytes}:unlimited");
        let set = Command::new("prlimit")
            .args(["--pid", &pid, &limit])
            .status();
        assert!(set.await.unwrap().success());
    }

    async fn started(mut child: Child) -> Self {
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let endpoint = tokio::time::timeout(Duration::from_secs(60), lines.next_line()).await;
        let endpoint = endpoint.expect("no start within a minute").unwrap();
        Process {
            child,
            endpoint: endpoint.expect("the server does not start"),
            killed: Arc::default(),
        }
    }

    /// SIGKILL.
    pub(crate) async fn kill(mut self) {
        self.killed.store(true, Ordering::SeqCst);
        self.child.kill().await.unwrap();
    }
}

/// Starts a server, and kills it before long, whether it is up by then or not.
pub(crate) async fn start_and_kill(folder: &Path, after: Duration) {
    let mut child = spawn(server(folder), folder);
    tokio::time::sleep(after).await;
    assert_eq!(
        child.try_wait().unwrap(),
        None,
        "the server ended by itself"
    );
    child.kill().await.unwrap();
}

fn server(folder: &Path) -> Command {
    let mut server = Command::new(env!("CARGO_BIN_EXE_redivis-server"));
    server.arg(folder.join("data"));
    server.args(["--listen", "127.0.0.1:0", "--requests-per-minute", "off"]);
    server
}

fn spawn(mut command: Command, folder: &Path) -> Child {
    let log = File::options()
        .append(true)
        .create(true)
        .open(folder.join("log"))
        .unwrap();
    command
        .env("RUST_LOG", "warn")
        .stdout(Stdio::piped())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}
