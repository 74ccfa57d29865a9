//! Writes that the service answers in another way than `redivis-server` does: told as they are, and nothing lost or repeated.

use std::process::Command;
use std::time::Duration;

use redivis_tests::proxy::{Action, Proxy, Request};
use redivis_tests::server::{Server, configure};
use redivis_tests::{binaries, process};
use tempfile::TempDir;

const TABLE: &str = "redivis.'ada.notes:next.t'";
const LIMIT: Duration = Duration::from_secs(60);

/// A server with an empty dataset, and the proxy before it.
struct Line {
    server: Server,
    proxy: Proxy,
    _data: TempDir,
}

impl Line {
    async fn start() -> Line {
        let data = TempDir::new().unwrap();
        let folder = data.path().to_owned();
        let server = tokio::task::spawn_blocking(move || Server::directory(&folder));
        let server = server.await.unwrap();
        let proxy = Proxy::start(server.endpoint()).await;
        Line {
            server,
            proxy,
            _data: data,
        }
    }

    /// Runs statements in the shell; what it wrote to standard output and to standard error.
    async fn shell(&self, statements: &[&str]) -> (String, String) {
        let mut command = Command::new(binaries::redivis_sql());
        configure(&mut command, &self.proxy.endpoint(), self.server.token());
        for statement in statements {
            command.args(["-c", statement]);
        }
        let run = move || process::run_with_input(command, "", LIMIT);
        let done = tokio::task::spawn_blocking(run).await.unwrap();
        assert!(done.status.success(), "{}", done.stderr);
        (done.stdout, done.stderr)
    }
}

fn is_upload(request: &Request) -> bool {
    request.path().contains("/uploads")
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_the_service_does_not_count_are_written_and_told_so() {
    let line = Line::start().await;
    line.proxy.script(
        |request| match is_upload(request) && request.method == "GET" {
            true => Action::Field {
                name: "numRows",
                value: None,
            },
            false => Action::Pass,
        },
    );
    let (rows, told) = line
        .shell(&[
            "CALL redivis.create_dataset('ada.notes')",
            &format!("CREATE TABLE {TABLE} AS SELECT * FROM (VALUES (10), (20), (30)) AS t(x)"),
            &format!("SELECT sum(x) AS sum FROM {TABLE}"),
        ])
        .await;
    assert!(rows.ends_with("sum\n60\n"), "{rows}");
    assert!(
        told.contains("3 rows sent; Redivis did not confirm the count"),
        "{told}"
    );
}
