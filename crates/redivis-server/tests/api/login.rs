//! Logging in over OAuth: codes for those who asked, tokens for what was asked, and both for a time.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use redivis_server::{Config, Server};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Local, numbers, parquet};

const VERIFIER: &str = "a secret that only the client knows";

fn challenge() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER))
}

async fn with_login(set: impl FnOnce(&mut Config)) -> Local {
    let table = parquet(&numbers(3));
    Local::with(&[("a/d/t.parquet", &table)], |config| {
        config.login = Some("ann".to_owned());
        set(config);
    })
    .await
}

fn root(local: &Local) -> String {
    format!("http://{}", local.server.address())
}

/// Begins a login as Python does.
async fn begun(local: &Local, scope: &str) -> Value {
    let request = json!({
        "client_id": "x",
        "scope": scope,
        "amr_values": null,
        "code_challenge": challenge(),
        "code_challenge_method": "S256",
        "access_type": "offline",
    });
    let url = format!("{}/oauth/device_authorization", root(local));
    let response = Client::new().post(url).json(&request).send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

async fn token(local: &Local, form: &[(&str, &str)]) -> Response {
    let body: String = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    Client::new()
        .post(format!("{}/oauth/token", root(local)))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
        .send()
        .await
        .unwrap()
}

async fn device_token(local: &Local, login: &Value, verifier: &str) -> (StatusCode, Value) {
    let response = token(
        local,
        &[
            ("client_id", "x"),
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", login["device_code"].as_str().unwrap()),
            ("code_verifier", verifier),
        ],
    )
    .await;
    (response.status(), response.json().await.unwrap())
}

async fn renewed(local: &Local, refresh_token: &str) -> (StatusCode, Value) {
    let form = [
        ("client_id", "x"),
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token),
    ];
    let response = token(local, &form).await;
    (response.status(), response.json().await.unwrap())
}

async fn opened(login: &Value) -> Response {
    let page = login["verification_uri_complete"].as_str().unwrap();
    let response = Client::new().get(page).send().await.unwrap();
    assert_eq!(response.headers()["cache-control"], "no-store");
    response
}

/// A login from beginning to end.
async fn logged_in(local: &Local, scope: &str) -> Value {
    let login = begun(local, scope).await;
    assert_eq!(opened(&login).await.status(), 200);
    let (status, tokens) = device_token(local, &login, VERIFIER).await;
    assert_eq!(status, 200, "{tokens}");
    tokens
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap()
}

#[tokio::test]
async fn a_device_waits_until_its_page_is_opened() {
    let mut local = with_login(|_| ()).await;
    let login = begun(&local, "data.data").await;
    assert!(login["interval"].as_u64().is_some());
    let (status, error) = device_token(&local, &login, VERIFIER).await;
    assert_eq!(
        (status.as_u16(), text(&error, "error")),
        (400, "authorization_pending")
    );
    assert_eq!(opened(&login).await.status(), 200);
    let (status, tokens) = device_token(&local, &login, VERIFIER).await;
    assert_eq!(status, 200);

    // Clients read the scopes, and renew what ends soon.
    let access = text(&tokens, "access_token");
    let claims = BASE64_URL_SAFE_NO_PAD.decode(access.split('.').nth(1).unwrap());
    let claims: Value = serde_json::from_slice(&claims.unwrap()).unwrap();
    assert_eq!(
        (&claims["sub"], &claims["scope"]),
        (&json!("ann"), &json!("data.data"))
    );
    assert_eq!(claims["exp"], tokens["expires_at"]);
    assert_eq!(tokens["expires_in"], 3600);
    local.set_token(Some(access));
    assert_eq!(local.json("/users/me").await["name"], "ann");
    local.text("/tables/a.d.t/rows").await;

    // A code is good for one token.
    let (status, error) = device_token(&local, &login, VERIFIER).await;
    assert_eq!(
        (status.as_u16(), text(&error, "error")),
        (400, "invalid_grant")
    );
}

#[tokio::test]
async fn tokens_allow_what_was_asked_for() {
    let mut local = with_login(|_| ()).await;
    for (scope, metadata, rows) in [
        ("data.overview", 403, 403),
        ("data.metadata workflow.write", 200, 403),
        ("data.edit organization.write workflow.write", 200, 200),
        ("", 404, 404),
    ] {
        let tokens = logged_in(&local, scope).await;
        local.set_token(tokens["access_token"].as_str());
        let (status, _) = local.get("/tables/a.d.t/variables").await;
        assert_eq!(status, metadata, "{scope}");
        let response = local.send(reqwest::Method::GET, "/tables/a.d.t/rows", None);
        assert_eq!(response.await.status(), rows, "{scope}");
    }
    // A token that is upgraded keeps what it had.
    let former = logged_in(&local, "data.data").await;
    let login = begun(&local, "workflow.write").await;
    opened(&login).await;
    let body = json!({
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "device_code": login["device_code"],
        "code_verifier": VERIFIER,
    });
    let upgraded = Client::new()
        .post(format!("{}/oauth/token", root(&local)))
        .bearer_auth(text(&former, "access_token"))
        .json(&body)
        .send();
    let upgraded: Value = upgraded.await.unwrap().json().await.unwrap();
    assert_eq!(upgraded["scope"], "workflow.write data.data");
}

#[tokio::test]
async fn who_stole_a_code_gets_nothing() {
    let local = with_login(|_| ()).await;
    let login = begun(&local, "data.data").await;
    opened(&login).await;
    for verifier in ["another", VERIFIER] {
        let (status, error) = device_token(&local, &login, verifier).await;
        assert_eq!(
            (status.as_u16(), text(&error, "error")),
            (400, "invalid_grant")
        );
    }
}

#[tokio::test]
async fn access_ends_and_is_renewed_also_by_the_next_server() {
    let local = with_login(|config| config.access_token_ttl = Duration::from_millis(1)).await;
    let tokens = logged_in(&local, "data.data").await;
    let refresh = text(&tokens, "refresh_token").to_owned();
    let me = |server: &Server, token: &str| {
        let request = Client::new().get(format!("{}/users/me", server.endpoint()));
        request.bearer_auth(token.to_owned()).send()
    };
    tokio::time::sleep(Duration::from_millis(5)).await;
    let ended = me(&local.server, text(&tokens, "access_token"))
        .await
        .unwrap();
    assert_eq!(ended.status(), 401);
    // What ended does not keep anybody from logging in.
    let url = format!("{}/oauth/device_authorization", root(&local));
    let response = Client::new()
        .post(url)
        .bearer_auth(text(&tokens, "access_token"));
    let error: Value = response.send().await.unwrap().json().await.unwrap();
    assert_eq!(error["error"], "invalid_request");

    let Local { server, folder, .. } = local;
    server.stop().await;
    let start = async |login: Option<&str>| {
        let mut config = Config::directory(folder.path());
        config.login = login.map(str::to_owned);
        Server::start(config).await.unwrap()
    };
    let server = start(Some("ann")).await;
    let renew = async |server: &Server| {
        let form = format!("grant_type=refresh_token&refresh_token={refresh}");
        let url = format!("http://{}/oauth/token", server.address());
        let response = Client::new().post(url).body(form).send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json::<Value>().await.unwrap())
    };
    let (status, tokens) = renew(&server).await;
    assert_eq!(status, 200, "{tokens}");
    assert_eq!(tokens["scope"], "data.data");
    let access = text(&tokens, "access_token").to_owned();
    assert_eq!(me(&server, &access).await.unwrap().status(), 200);
    server.stop().await;

    // Tokens are not kept as such.
    let mut kept = Vec::new();
    for file in std::fs::read_dir(folder.path().join(".redivis")).unwrap() {
        kept.extend(std::fs::read(file.unwrap().path()).unwrap_or_default());
    }
    for secret in [&access, &refresh] {
        assert!(
            !kept
                .windows(secret.len())
                .any(|part| part == secret.as_bytes())
        );
    }

    // A server that logs in somebody else, or nobody, honours none of them.
    for login in [Some("bob"), None] {
        let server = start(login).await;
        assert_eq!(renew(&server).await.0, 400, "{login:?}");
        assert_eq!(me(&server, &access).await.unwrap().status(), 401);
        server.stop().await;
    }
}

#[tokio::test]
async fn a_code_is_typed_in_where_there_is_no_device_flow() {
    let mut local = with_login(|_| ()).await;
    let url = |redirect: &str| {
        format!(
            "{}/oauth/authorize?scope=data.data&redirect_uri={redirect}&response_type=code&state=s&code_challenge={}&code_challenge_method=S256",
            root(&local),
            challenge()
        )
    };
    // Codes are sent nowhere.
    let elsewhere = Client::new()
        .get(url("https://example.com"))
        .send()
        .await
        .unwrap();
    assert_eq!(elsewhere.status(), 400);
    let page = Client::new()
        .get(url("urn:ietf:wg:oauth:2.0:oob"))
        .send()
        .await
        .unwrap();
    let page = page.text().await.unwrap();
    let code = page
        .split("<code>")
        .nth(1)
        .unwrap()
        .split("</code>")
        .next()
        .unwrap();
    let body = json!({
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": "urn:ietf:wg:oauth:2.0:oob",
        "code_verifier": VERIFIER,
    });
    let response = Client::new()
        .post(format!("{}/oauth/token", root(&local)))
        .json(&body)
        .send();
    let tokens: Value = response.await.unwrap().json().await.unwrap();
    assert_eq!(tokens.get("refresh_token"), None);
    local.set_token(tokens["access_token"].as_str());
    local.text("/tables/a.d.t/rows").await;
}

#[tokio::test]
async fn nonsense_is_refused() {
    let local = with_login(|_| ()).await;
    let client = Client::new();
    let begin = |body: Value| {
        let url = format!("{}/oauth/device_authorization", root(&local));
        client.post(url).json(&body).send()
    };
    for (body, error) in [
        (json!({"scope": "data.data"}), "invalid_request"),
        (
            json!({"code_challenge": "x", "code_challenge_method": "plain"}),
            "invalid_request",
        ),
        (json!([]), "invalid_request"),
        (
            json!({"scope": "data.all", "code_challenge": "x", "code_challenge_method": "S256"}),
            "invalid_scope",
        ),
    ] {
        let response = begin(body).await.unwrap();
        assert_eq!(response.status(), 400);
        let told: Value = response.json().await.unwrap();
        assert_eq!(
            (&told["error"], &told["status"]),
            (&json!(error), &json!(400))
        );
    }
    for (form, error) in [
        (&[][..], "invalid_request"),
        (&[("grant_type", "password")], "unsupported_grant_type"),
        (&[("grant_type", "refresh_token")], "invalid_request"),
    ] {
        let response = token(&local, form).await;
        assert_eq!(response.status(), 400);
        let told: Value = response.json().await.unwrap();
        assert_eq!(told["error"], error);
    }
    let (status, _) = renewed(&local, "unknown").await;
    assert_eq!(status, 400);
    let page = client
        .get(format!("{}/oauth/device?user_code=x", root(&local)))
        .send();
    assert_eq!(page.await.unwrap().status(), 400);
    let method = client
        .delete(format!("{}/oauth/token", root(&local)))
        .send();
    assert_eq!(method.await.unwrap().status(), 405);
}

#[tokio::test]
async fn nobody_logs_in_unless_the_server_was_told_to() {
    let local = Local::serving(&[]).await;
    let url = format!("{}/oauth/device_authorization", root(&local));
    let body = json!({"scope": "", "code_challenge": "x", "code_challenge_method": "S256"});
    let response = Client::new().post(url).json(&body).send().await.unwrap();
    assert_eq!(response.status(), 400);
    let error: Value = response.json().await.unwrap();
    assert_eq!(error["error"], "access_denied");
    assert!(text(&error, "error_description").contains("--login"));
}
