//! Logins that end: renewed by whoever comes first, once.

use std::time::Duration;

use redivis_tests::proxy::{Proxy, Request};
use serde_json::json;

use crate::home::{Home, ROWS, server};

/// A server behind a proxy that writes requests down, and somebody who has signed in through it.
struct Signed {
    _data: tempfile::TempDir,
    _server: redivis_tests::server::Server,
    proxy: Proxy,
    endpoint: String,
    home: std::sync::Arc<Home>,
}

impl Signed {
    async fn start() -> Signed {
        let (data, server) = blocking(|| server(&["--login", "lab"])).await;
        let proxy = Proxy::start(server.endpoint()).await;
        let (endpoint, home) = (proxy.endpoint(), std::sync::Arc::new(Home::new()));
        let (there, at) = (std::sync::Arc::clone(&home), endpoint.clone());
        blocking(move || there.log_in(&at, &[])).await;
        Signed {
            _data: data,
            _server: server,
            proxy,
            endpoint,
            home,
        }
    }

    async fn query(&self) -> redivis_tests::process::Finished {
        let (home, endpoint) = (std::sync::Arc::clone(&self.home), self.endpoint.clone());
        blocking(move || home.run(&endpoint, &["-c", ROWS])).await
    }

    /// Requests for tokens since the login, which is one at least.
    fn asked(&self) -> usize {
        let is_token = |request: &Request| request.target.ends_with("/oauth/token");
        self.proxy
            .requests()
            .iter()
            .filter(|request| is_token(request))
            .count()
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_has_ended_is_renewed_by_one_of_many() {
    let signed = Signed::start().await;
    let (endpoint, home) = (&signed.endpoint, &signed.home);
    let (first, before) = (home.kept(endpoint), signed.asked());
    home.change(endpoint, "expires_at", json!(0));
    let runs = futures::future::join_all((0..4).map(|_| signed.query())).await;
    for run in runs {
        assert_eq!(run.success(), "n\n1\n2\n");
    }
    assert_eq!(signed.asked() - before, 1);
    let second = home.kept(endpoint);
    assert_ne!(second["access_token"], first["access_token"]);
    assert_eq!(second["refresh_token"], first["refresh_token"]);

    // It ends too soon to begin something with it.
    let soon = std::time::SystemTime::now() + Duration::from_secs(4 * 60);
    let soon = soon
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    home.change(endpoint, "expires_at", json!(soon));
    signed.query().await.success();
    assert_eq!(signed.asked() - before, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_is_refused_is_renewed() {
    let signed = Signed::start().await;
    let (endpoint, home) = (&signed.endpoint, &signed.home);
    let before = signed.asked();
    home.change(endpoint, "access_token", json!("revoked-token"));
    assert_eq!(signed.query().await.success(), "n\n1\n2\n");
    assert_eq!(signed.asked() - before, 1);
    assert_ne!(home.kept(endpoint)["access_token"], "revoked-token");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_is_over_says_to_sign_in_again() {
    let signed = Signed::start().await;
    let (endpoint, home) = (&signed.endpoint, &signed.home);
    home.change(endpoint, "expires_at", json!(0));
    home.change(endpoint, "refresh_token", json!("revoked-refresh-token"));
    let run = signed.query().await;
    assert_eq!((run.status.code(), run.stdout.as_str()), (Some(3), ""));
    let words = format!("cannot renew the sign-in at {endpoint}: The code or token is not valid");
    assert!(run.stderr.contains(&words), "{}", run.stderr);
    assert!(run.stderr.contains("redivis-sql login"), "{}", run.stderr);
    // Somebody signs in again.
    let (there, at) = (std::sync::Arc::clone(home), endpoint.clone());
    blocking(move || there.log_in(&at, &[])).await;
    assert_eq!(signed.query().await.success(), "n\n1\n2\n");
}
