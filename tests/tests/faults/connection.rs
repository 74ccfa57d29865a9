//! The way to the service: proxies and certificates of one's own, and what is said where it ends.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use redivis_tests::binaries;
use redivis_tests::process::{self, Finished};
use redivis_tests::server::{self, Server};
use redivis_tests::tunnel::{ConnectProxy, TlsFront};
use tempfile::TempDir;

/// A name that no resolver knows: only a proxy leads there.
const HOST: &str = "api.redivis.invalid";
const SQL: &str = "SELECT count(*) AS n FROM demo.nycflights13.airlines";
const LIMIT: Duration = Duration::from_secs(60);

struct Way {
    _server: Server,
    front: TlsFront,
    folder: TempDir,
    token: String,
}

impl Way {
    async fn start() -> Way {
        let server = tokio::task::spawn_blocking(Server::sample).await.unwrap();
        let origin = server.endpoint().strip_prefix("http://").unwrap();
        let address = origin.strip_suffix("/api/v1").unwrap().parse().unwrap();
        let front = TlsFront::start(address, HOST).await;
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("authority.pem"), front.authority()).unwrap();
        Way {
            token: server.token().unwrap().to_owned(),
            _server: server,
            front,
            folder,
        }
    }

    /// Runs the shell with these environment variables; `CA` stands for the file with the authority.
    async fn shell(&self, variables: &[(&str, &str)]) -> Finished {
        let mut command = shell(&format!("https://{HOST}/api/v1"), &self.token);
        for (name, value) in variables {
            match *value {
                "CA" => command.env(name, self.folder.path().join("authority.pem")),
                value => command.env(name, value),
            };
        }
        finished(command).await
    }
}

fn shell(endpoint: &str, token: &str) -> Command {
    let mut command = Command::new(binaries::redivis_sql());
    command.args(["--format", "csv", "-c", SQL]);
    server::configure(&mut command, endpoint, Some(token));
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command
        .env_remove("SSL_CERT_FILE")
        .env_remove("SSL_CERT_DIR");
    command
}

async fn finished(command: Command) -> Finished {
    tokio::task::spawn_blocking(move || process::run(command, LIMIT))
        .await
        .unwrap()
}

/// The line that says what failed, of a shell that could not connect.
#[track_caller]
fn said(run: &Finished) -> &str {
    assert_eq!(run.status.code(), Some(3), "{}", run.stderr);
    let line = run.stderr.lines().find(|line| line.starts_with("error: "));
    line.unwrap_or_else(|| panic!("{}", run.stderr))
}

fn url(address: SocketAddr) -> String {
    format!("http://me:hunter2@{address}")
}

/// An address where nobody listens.
fn nobody() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn through_a_proxy_with_a_certificate_of_ones_own() {
    let way = Way::start().await;
    let proxy = ConnectProxy::start(Some(way.front.address())).await;
    let through = url(proxy.address());
    let run = way
        .shell(&[
            ("HTTPS_PROXY", &through),
            ("SSL_CERT_FILE", "CA"),
            ("RUST_LOG", "trace"),
        ])
        .await;
    assert!(!run.stderr.contains(&way.token));
    assert_eq!(run.success(), "n\n16\n");
    let requests = proxy.requests();
    assert!(
        requests[0].starts_with(&format!("CONNECT {HOST}:443 ")),
        "{requests:?}"
    );
    for request in &requests {
        let lower = request.to_lowercase();
        assert!(lower.contains("proxy-authorization: basic "), "{request}");
        assert!(
            !lower.contains("\r\nauthorization: "),
            "the proxy is not told the token"
        );
    }

    // Nobody knows the authority.
    let run = way.shell(&[("HTTPS_PROXY", &through)]).await;
    let words = said(&run);
    let place = format!(
        "cannot connect to {HOST}:443 through the proxy {}",
        proxy.address()
    );
    assert!(words.contains(&place), "{words}");
    assert!(
        words.contains("UnknownIssuer") && words.contains("SSL_CERT_FILE"),
        "{words}"
    );
    assert!(!words.contains("hunter2"), "{words}");

    // A host that is to be reached without it.
    let before = proxy.requests().len();
    let run = way
        .shell(&[
            ("HTTPS_PROXY", &through),
            ("NO_PROXY", "redivis.invalid"),
            ("SSL_CERT_FILE", "CA"),
        ])
        .await;
    let words = said(&run);
    assert!(
        words.contains(&format!("cannot connect to {HOST}:443: ")),
        "{words}"
    );
    assert_eq!(proxy.requests().len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_is_away_or_refuses_is_named() {
    let way = Way::start().await;
    let refusing = ConnectProxy::start(None).await;
    for address in [nobody(), refusing.address()] {
        let run = way
            .shell(&[("HTTPS_PROXY", &url(address)), ("SSL_CERT_FILE", "CA")])
            .await;
        let words = said(&run);
        let place = format!("cannot connect to {HOST}:443 through the proxy {address}: ");
        assert!(words.contains(&place), "{words}");
        assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
    }
    assert!(!refusing.requests().is_empty());

    // On this machine no proxy is asked.
    let address = nobody();
    let mut command = shell(&format!("http://{address}/api/v1"), &way.token);
    command.env("HTTP_PROXY", url(refusing.address()));
    let before = refusing.requests().len();
    let run = finished(command).await;
    let words = said(&run);
    assert!(
        words.contains(&format!("cannot connect to {address}: ")),
        "{words}"
    );
    assert_eq!(refusing.requests().len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_that_cannot_be_read_are_a_matter_of_configuration() {
    let way = Way::start().await;
    let run = way.shell(&[("SSL_CERT_FILE", "missing.pem")]).await;
    assert_eq!(run.status.code(), Some(2), "{}", run.stderr);
    assert!(run.stderr.contains("No CA certificates"), "{}", run.stderr);
    assert!(run.stderr.contains("SSL_CERT_FILE"), "{}", run.stderr);
}
