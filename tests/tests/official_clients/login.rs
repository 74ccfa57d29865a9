//! The Python client logs in over OAuth, keeps what it got, and renews it.

use redivis_tests::proxy::Proxy;
use redivis_tests::python::PythonClient;
use redivis_tests::server::Server;
use tempfile::TempDir;

use crate::{NEWEST, SESSIONS_ONLY};

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
        let run = move || client.run("log_in.py", &[version], &endpoint, None);
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
