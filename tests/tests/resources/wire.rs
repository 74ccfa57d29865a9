//! A server behind the proxy, and what programs and sessions in front of it do to the wire.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use datafusion::execution::context::SessionContext;
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::SessionConfig;
use datafusion_redivis::{Redivis, RedivisOptions};
use redivis::{Client, Token};
use redivis_tests::binaries;
use redivis_tests::proxy::{Action, Break, Exchange, Proxy, Request};
use redivis_tests::server::{self, Server};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// How long the tests wait for what has no limit of its own.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// How long stopping may take.
pub(crate) const PROMPTLY: Duration = Duration::from_secs(1);
/// Nothing moves for so long: everything stands still.
const STILL: Duration = Duration::from_millis(400);
const STEP: Duration = Duration::from_millis(5);

pub(crate) struct Wire {
    pub(crate) proxy: Proxy,
    pub(crate) runtime: Runtime,
    endpoint: String,
    token: Option<String>,
    home: TempDir,
}

impl Wire {
    pub(crate) fn to(server: &Server) -> Wire {
        let runtime = Runtime::new().unwrap();
        let proxy = runtime.block_on(Proxy::start(server.endpoint()));
        Wire {
            endpoint: proxy.endpoint(),
            token: server.token().map(str::to_owned),
            home: TempDir::new().unwrap(),
            proxy,
            runtime,
        }
    }

    pub(crate) fn client(&self) -> Client {
        let mut client = Client::builder().endpoint(&self.endpoint);
        if let Some(token) = &self.token {
            client = client.token(Token::new(token));
        }
        client.build().unwrap()
    }

    /// A session in this process, whose scans have so many partitions at most.
    pub(crate) fn session(
        &self,
        pool: Option<Arc<dyn MemoryPool>>,
        partitions: usize,
    ) -> (SessionContext, Redivis) {
        let mut environment = RuntimeEnvBuilder::new();
        if let Some(pool) = pool {
            environment = environment.with_memory_pool(pool);
        }
        let mut options = RedivisOptions::default();
        options.max_streams = partitions;
        let config = SessionConfig::new().with_option_extension(options);
        let context = SessionContext::new_with_config_rt(config, environment.build_arc().unwrap());
        let redivis = datafusion_redivis::register(&context, self.client()).unwrap();
        (context, redivis)
    }

    /// The built shell, connected through the proxy.
    pub(crate) fn shell(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binaries::redivis_sql());
        command
            .args(arguments)
            .current_dir(self.home.path())
            .env("XDG_STATE_HOME", self.home.path())
            .env_remove("RUST_LOG");
        server::configure(&mut command, &self.endpoint, self.token.as_deref());
        command
    }

    /// The folder that the shell runs and keeps its state in.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Lets answers stall after so many bytes of their body where the request's method and path say so.
    pub(crate) fn stall(&self, method: &'static str, path: &'static str, after: usize) {
        self.act(
            method,
            path,
            Action::Break {
                after,
                how: Break::Stall,
            },
        );
    }

    pub(crate) fn act(&self, method: &'static str, path: &'static str, action: Action) {
        let meant =
            move |request: &Request| request.method == method && request.path().contains(path);
        self.proxy.script(move |request| match meant(request) {
            true => action.clone(),
            false => Action::Pass,
        });
    }

    /// Waits until an exchange on this path fulfils the condition.
    #[track_caller]
    pub(crate) fn wait_for(&self, path: &str, condition: impl Fn(&Exchange) -> bool) {
        let fulfilled = wait(PATIENCE, || self.on(path).iter().any(&condition));
        assert!(fulfilled, "{path} never came that far: {:?}", self.ends());
    }

    /// The exchanges on paths with this piece in them.
    pub(crate) fn on(&self, path: &str) -> Vec<Exchange> {
        let mut exchanges = self.proxy.exchanges();
        exchanges.retain(|exchange| exchange.request.path().contains(path));
        exchanges
    }

    /// Bytes of read streams that went to the client so far.
    pub(crate) fn streamed(&self) -> usize {
        self.on("/readStreams/")
            .iter()
            .map(|stream| stream.body_bytes)
            .sum()
    }

    /// Waits until read streams have begun and stand still, and says how many bytes have passed.
    #[track_caller]
    pub(crate) fn standstill(&self) -> usize {
        let (mut streamed, mut since) = (self.streamed(), Instant::now());
        let still = wait(PATIENCE, || {
            let now = self.streamed();
            if now != streamed {
                (streamed, since) = (now, Instant::now());
            }
            streamed > 0 && since.elapsed() > STILL
        });
        assert!(still, "the streams never stood still");
        streamed
    }

    /// Whether every exchange has ended, or does so promptly.
    pub(crate) fn closes_promptly(&self) -> bool {
        wait(PROMPTLY, || {
            self.proxy
                .exchanges()
                .iter()
                .all(|exchange| exchange.end.is_some())
        })
    }

    /// For messages: each path, how much of its answer passed and how it ended.
    pub(crate) fn ends(&self) -> Vec<String> {
        let exchanges = self.proxy.exchanges();
        let end = |exchange: &Exchange| {
            let (path, bytes) = (exchange.request.path().to_owned(), exchange.body_bytes);
            format!("{path}: {bytes} bytes, {:?}", exchange.end)
        };
        exchanges.iter().map(end).collect()
    }
}

/// A program that runs, its outputs kept apart from the test's; killed when dropped.
pub(crate) struct Running {
    pub(crate) child: Child,
}

impl Running {
    /// Starts it with an empty standard input, and both outputs as pipes that nobody reads yet.
    pub(crate) fn start(mut command: Command) -> Running {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Running {
            child: command.spawn().unwrap(),
        }
    }

    /// Sends SIGINT, as Ctrl-C does.
    pub(crate) fn interrupt(&self) {
        let sent = Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }

    /// How it ended, if that was within the limit.
    pub(crate) fn ends_within(&mut self, limit: Duration) -> Option<ExitStatus> {
        let mut status = None;
        wait(limit, || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status
    }

    /// What it wrote to standard error; call when it has ended.
    pub(crate) fn said(&mut self) -> String {
        let mut said = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut said).unwrap();
        }
        said
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The most memory that a process has had so far, in bytes: the kernel's own high-water mark. None when it has ended.
pub(crate) fn peak(process: u32) -> Option<usize> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: usize = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// Looks until the condition holds or the limit has passed; whether it held.
pub(crate) fn wait(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while !condition() {
        if start.elapsed() > limit {
            return false;
        }
        thread::sleep(STEP);
    }
    true
}
