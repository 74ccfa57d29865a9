//! Signing in: the requests of the device flow, its refusals, and logins that are kept and renewed.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use redivis::oauth::{CredentialsFile, DeviceLogin, Grant, LoginRequest, StoredLogin};
use redivis::{Client, ErrorKind, RetryPolicy};
use serde_json::{Value, json};

use crate::script::{Answer, Script, json as answer, response};

const TABLE: &str = r#"{"kind":"table","id":"1","uri":"/tables/o.d.t","name":"t"}"#;

fn ok(body: Value) -> Answer {
    answer("200 OK", &body.to_string())
}

fn refused(code: &str) -> Answer {
    let body = json!({"status": 400, "error": code, "error_description": format!("It is {code}")});
    answer("400 Bad Request", &body.to_string())
}

fn begun() -> Value {
    json!({
        "device_code": "secret-device",
        "verification_uri_complete": "https://redivis.com/oauth/device?user_code=AB-CD",
        "interval": 1,
        "expires_in": 600,
    })
}

fn issued(access_token: &str, ends_in: i64) -> Value {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    let at = i64::try_from(now.as_secs()).unwrap() + ends_in;
    json!({"access_token": access_token, "refresh_token": "secret-refresh", "expires_at": at, "expires_in": ends_in})
}

fn anonymous(script: &Script) -> Client {
    Client::builder()
        .endpoint(format!("http://{}/api/v1", script.address))
        .read_timeout(Duration::from_secs(5))
        .retry(RetryPolicy {
            max_attempts: 2,
            initial_backoff: Duration::from_millis(2),
            ..RetryPolicy::default()
        })
        .build()
        .unwrap()
}

async fn log_in(script: &Script) -> redivis::Result<Grant> {
    let request = LoginRequest::new("my-client", ["data.edit", "workflow.write"]);
    let login = DeviceLogin::begin(&anonymous(script), &request, None).await?;
    assert!(!format!("{login:?}").contains("secret"));
    login.wait().await
}

fn form(script: &Script, request: usize) -> std::collections::BTreeMap<String, String> {
    let body = script.parts(request).1;
    url::form_urlencoded::parse(body.as_bytes())
        .into_owned()
        .collect()
}

#[tokio::test]
async fn a_login_from_page_to_token() {
    let script = Script::play(vec![
        ok(begun()),
        refused("authorization_pending"),
        ok(issued("secret-access", 3600)),
    ])
    .await;
    let grant = log_in(&script).await.unwrap();
    assert!(grant.is_renewable());
    assert!(!format!("{grant:?}").contains("secret"));
    assert_eq!(
        script.lines(),
        [
            "POST /oauth/device_authorization",
            "POST /oauth/token",
            "POST /oauth/token"
        ]
    );
    let asked: Value = serde_json::from_str(&script.parts(0).1).unwrap();
    assert_eq!(asked["client_id"], "my-client");
    assert_eq!(asked["scope"], "data.edit workflow.write");
    assert_eq!(asked["amr_values"], Value::Null);
    assert_eq!(asked["code_challenge_method"], "S256");
    assert_eq!(asked["access_type"], "offline");
    let (head, _) = script.parts(1);
    assert!(
        head.contains("content-type: application/x-www-form-urlencoded"),
        "{head}"
    );
    assert!(!head.contains("authorization:"), "nobody has signed in yet");
    let poll = form(&script, 1);
    assert_eq!(
        poll["grant_type"],
        "urn:ietf:params:oauth:grant-type:device_code"
    );
    assert_eq!(poll["device_code"], "secret-device");
    // The verifier is of this challenge, and the same each time.
    assert_eq!(poll["code_verifier"].len(), 86);
    assert_eq!(asked["code_challenge"].as_str().unwrap().len(), 43);
    assert_eq!(form(&script, 2), poll);
}

#[tokio::test]
async fn a_service_that_is_asked_too_often_is_asked_less() {
    let script = Script::play(vec![
        ok(begun()),
        refused("slow_down"),
        ok(issued("secret-access", 3600)),
    ])
    .await;
    let start = Instant::now();
    log_in(&script).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1 + 6));
}

#[tokio::test]
async fn passing_failures_end_no_login() {
    let script = Script::play(vec![
        ok(begun()),
        Answer::Bytes(response("503 Service Unavailable", "", b"")),
        ok(issued("secret-access", 3600)),
    ])
    .await;
    log_in(&script).await.unwrap();
}

#[tokio::test]
async fn refusals_have_their_kinds() {
    for (code, kind) in [
        ("access_denied", ErrorKind::Unauthorized),
        ("expired_token", ErrorKind::Unauthorized),
        ("invalid_grant", ErrorKind::Unauthorized),
        ("invalid_client", ErrorKind::Configuration),
        ("invalid_scope", ErrorKind::Configuration),
    ] {
        for before in [vec![], vec![ok(begun())]] {
            let script = Script::play([before, vec![refused(code)]].concat()).await;
            let error = log_in(&script).await.unwrap_err();
            assert_eq!((error.kind(), error.code()), (kind, Some(code)));
            let expected = format!(
                "cannot sign in at http://{}/api/v1: It is {code}",
                script.address
            );
            assert!(error.to_string().starts_with(&expected), "{error}");
            assert!(!format!("{error:?}").contains("secret"));
        }
    }
    // What the service repeats of the secrets is not repeated here.
    let words = json!({"error": "access_denied", "error_description": "secret-device is bad"});
    let script = Script::play(vec![
        ok(begun()),
        answer("400 Bad Request", &words.to_string()),
    ])
    .await;
    let error = log_in(&script).await.unwrap_err();
    assert!(!format!("{error:?}").contains("secret"), "{error}");

    // A redirect would take the secrets along.
    let elsewhere = Script::play(vec![ok(issued("secret-access", 3600))]).await;
    let location = format!("Location: http://{}/oauth/token\r\n", elsewhere.address);
    let moved = Answer::Bytes(response("307 Temporary Redirect", &location, b""));
    let script = Script::play(vec![ok(begun()), moved]).await;
    assert_eq!(log_in(&script).await.unwrap_err().status(), Some(307));
    assert!(elsewhere.requests().is_empty());

    // Nobody comes.
    let mut short = begun();
    short["expires_in"] = json!(1);
    let pending = refused("authorization_pending");
    let script = Script::play(vec![ok(short), pending]).await;
    let error = log_in(&script).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(error.message(), "nobody approved it within 1 s");

    // A page that is none.
    for page in [json!("javascript:alert(1)"), json!("--help"), Value::Null] {
        let mut odd = begun();
        odd["verification_uri_complete"] = page;
        let script = Script::play(vec![ok(odd)]).await;
        assert_eq!(
            log_in(&script).await.unwrap_err().kind(),
            ErrorKind::Protocol
        );
    }
}

/// A folder of one test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let name = format!("redivis-oauth-{}-{}", std::process::id(), fastrand::u64(..));
        Self(std::env::temp_dir().join(name))
    }

    fn file(&self) -> CredentialsFile {
        CredentialsFile::new(self.0.join("config/credentials.json"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A grant as a login gives it.
async fn granted(access_token: &str, ends_in: i64) -> Grant {
    let script = Script::play(vec![ok(begun()), ok(issued(access_token, ends_in))]).await;
    log_in(&script).await.unwrap()
}

/// A service that knows one access token, and gives another for the refresh token.
async fn service(known: &'static str, renewed: Value) -> Script {
    Script::serve(move |head| {
        let signed = head.contains(&format!("Bearer {known}\r\n"));
        match head.starts_with("POST /oauth/token ") {
            true => ok(renewed.clone()),
            false if signed => answer("200 OK", TABLE),
            false => answer("401 Unauthorized", r#"{"error":"invalid_token"}"#),
        }
    })
    .await
}

async fn signed_in(script: &Script, folder: &Folder) -> Client {
    let client = anonymous(script);
    let login = StoredLogin::open(&client, folder.file()).await.unwrap();
    client.with_token_source(Arc::new(login.unwrap()))
}

fn renewals(script: &Script) -> usize {
    let lines = script.lines();
    lines
        .iter()
        .filter(|line| *line == "POST /oauth/token")
        .count()
}

#[tokio::test]
async fn kept_by_endpoint_and_for_the_owner_only() {
    let folder = Folder::new();
    let file = folder.file();
    let (one, other) = ("https://redivis.com/api/v1", "https://redivis.test/api/v1");
    assert_eq!(file.get(one).await.unwrap(), None);
    assert!(!file.remove(one).await.unwrap());
    let (first, second) = (granted("secret-1", 60).await, granted("secret-2", 60).await);
    file.set(one, &first).await.unwrap();
    file.set(other, &second).await.unwrap();
    assert_eq!(file.get(one).await.unwrap(), Some(first));
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(file.path()), 0o600);
    assert_eq!(mode(file.path().parent().unwrap()), 0o700);
    assert!(file.remove(one).await.unwrap());
    assert_eq!(file.get(one).await.unwrap(), None);
    assert_eq!(file.get(other).await.unwrap(), Some(second));

    std::fs::write(file.path(), r#"{"logins": {"secret": "secret"}}"#).unwrap();
    let error = file.get(one).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(!format!("{error:?}").contains("secret"), "{error:?}");
}

#[tokio::test]
async fn a_login_that_ends_soon_is_renewed_first() {
    let folder = Folder::new();
    let script = service("secret-new", issued("secret-new", 3600)).await;
    let endpoint = anonymous(&script).endpoint().to_owned();
    let grant = granted("secret-old", 4 * 60).await;
    folder.file().set(&endpoint, &grant).await.unwrap();
    let client = signed_in(&script, &folder).await;
    let tables = (0..8).map(|_| async { client.table(&"o.d.t".parse().unwrap()).await });
    for table in futures::future::join_all(tables).await {
        table.unwrap();
    }
    assert_eq!(renewals(&script), 1);
    let renewal = form(&script, 0);
    assert_eq!(renewal["grant_type"], "refresh_token");
    assert_eq!(renewal["refresh_token"], "secret-refresh");
    assert_eq!(renewal["client_id"], "my-client");
    let kept = folder.file().get(&endpoint).await.unwrap().unwrap();
    assert_eq!(kept.token(), granted("secret-new", 1).await.token());

    // Another that was opened before finds what this one has renewed.
    folder.file().set(&endpoint, &grant).await.unwrap();
    let late = signed_in(&script, &folder).await;
    folder.file().set(&endpoint, &kept).await.unwrap();
    late.table(&"o.d.t".parse().unwrap()).await.unwrap();
    assert_eq!(renewals(&script), 1);
}

#[tokio::test]
async fn a_login_that_is_refused_is_renewed_once() {
    let folder = Folder::new();
    let script = service("secret-new", issued("secret-new", 3600)).await;
    let endpoint = anonymous(&script).endpoint().to_owned();
    let grant = granted("secret-old", 3600).await;
    folder.file().set(&endpoint, &grant).await.unwrap();
    let client = signed_in(&script, &folder).await;
    client.table(&"o.d.t".parse().unwrap()).await.unwrap();
    assert_eq!(renewals(&script), 1);

    // The new one is refused as well.
    let script = service("unknown", issued("secret-new", 3600)).await;
    let endpoint = anonymous(&script).endpoint().to_owned();
    folder.file().set(&endpoint, &grant).await.unwrap();
    let client = signed_in(&script, &folder).await;
    let error = client.table(&"o.d.t".parse().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(error.message().contains("redivis-sql login"), "{error}");
    assert_eq!(renewals(&script), 1);
}

#[tokio::test]
async fn a_login_that_cannot_be_renewed_is_over() {
    let folder = Folder::new();
    for (ends_in, used) in [(-1, false), (60, true)] {
        let script = Script::serve(move |head| match head.starts_with("POST /oauth/") {
            true => refused("invalid_grant"),
            false => answer("200 OK", TABLE),
        })
        .await;
        let endpoint = anonymous(&script).endpoint().to_owned();
        let grant = granted("secret-old", ends_in).await;
        folder.file().set(&endpoint, &grant).await.unwrap();
        let client = signed_in(&script, &folder).await;
        let table = client.table(&"o.d.t".parse().unwrap()).await;
        match (used, table) {
            // As long as it lasts, it is used.
            (true, table) => drop(table.unwrap()),
            (false, table) => {
                let error = table.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Unauthorized);
                let expected = format!(
                    "cannot get table o.d.t: cannot renew the sign-in at {endpoint}: It is invalid_grant"
                );
                assert!(error.to_string().starts_with(&expected), "{error}");
                assert!(!format!("{error:?}").contains("secret"));
                assert_eq!(
                    script.requests().len(),
                    1,
                    "nothing is sent without a token"
                );
            }
        }
    }
    // Signed out meanwhile.
    let script = service("secret-new", issued("secret-new", 3600)).await;
    let endpoint = anonymous(&script).endpoint().to_owned();
    folder
        .file()
        .set(&endpoint, &granted("secret-old", -1).await)
        .await
        .unwrap();
    let client = signed_in(&script, &folder).await;
    folder.file().remove(&endpoint).await.unwrap();
    let error = client.table(&"o.d.t".parse().unwrap()).await.unwrap_err();
    assert!(
        error.to_string().ends_with("somebody has signed out"),
        "{error}"
    );
    assert!(script.requests().is_empty());
}
