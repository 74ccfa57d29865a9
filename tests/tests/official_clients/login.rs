//! The Python client logs in over OAuth, keeps what it got, and renews it; the shell takes that over when it is told to.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use redivis_tests::process;
use redivis_tests::proxy::Proxy;
use redivis_tests::python::PythonClient;
use redivis_tests::server::{Server, configure};
use tempfile::TempDir;

use crate::{NEWEST, SESSIONS_ONLY};

const LIMIT: Duration = Duration::from_secs(240);

/// The shell in the home of somebody who has logged in with the Python client.
fn take_over(home: &Path, endpoint: &str) {
    let shell = |arguments: &[&str]| {
        let mut command = Command::new(redivis_tests::binaries::redivis_sql());
        configure(&mut command, endpoint, None);
        command
            .args(arguments)
            .env("HOME", home)
            .env("XDG_CONFIG_HOME", home.join("config"));
        process::run(command, LIMIT)
    };
    // Not unless it is told to.
    assert_eq!(shell(&["whoami"]).status.code(), Some(3));
    shell(&["login", "--import-python"]).success();
    assert!(shell(&["whoami"]).success().starts_with("user      ann\n"));
    let rows = shell(&["-c", "SELECT n FROM o.d.t ORDER BY n"]);
    assert_eq!(rows.success(), "n\n1\n2\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn python_logs_in() {
    for version in [NEWEST, SESSIONS_ONLY] {
        let work = tokio::task::spawn_blocking(move || {
            let client = PythonClient::version(version);
            let folder = TempDir::new().unwrap();
            std::fs::create_dir_all(folder.path().join("o/d")).unwrap();
            std::fs::write(folder.path().join("o/d/t.csv"), "n\n1\n2\n").unwrap();
            let arguments = ["--login", "ann"];
            let server = Server::with_arguments(folder.path(), &arguments);
            (client, folder, server)
        });
        let (client, _folder, server) = work.await.unwrap();
        let proxy = Proxy::start(server.endpoint()).await;
        let endpoint = proxy.endpoint();
        let run = move || {
            let home = TempDir::new().unwrap();
            let login = client.command("log_in.py", &[version], &endpoint, None, home.path());
            process::run(login, LIMIT).success();
            take_over(home.path(), &endpoint);
        };
        tokio::task::spawn_blocking(run).await.unwrap();

        let of = |path: &str| {
            let requests = proxy.requests();
            requests
                .iter()
                .filter(|request| request.target.ends_with(path))
                .count()
        };
        // Twice: at first, and after what renews its access was lost.
        assert_eq!(of("/oauth/device_authorization"), 2);
        // Nothing that could be used is logged.
        let narration = server.narration();
        assert!(narration.contains("/oauth/token"), "{narration}");
        assert!(!narration.contains("user_code"), "{narration}");
    }
}
