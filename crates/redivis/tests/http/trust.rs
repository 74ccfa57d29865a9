//! Whom the token is told, with names and certificates as on the service: every host is this machine.

use std::sync::Arc;

use futures::TryStreamExt;
use redivis::write::{Content, NewTempUpload, SendProgress};
use redivis::{Client, ErrorKind, RetryPolicy, Token};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::script::{Answer, Script, TOKEN, json, response};
use crate::sending::text;

const API: &str = "redivis.com";
const STORAGE: &str = "storage.redivis.com";
const OTHER: &str = "other.redivis.com";
const STRANGER: &str = "redivis.com.example.org";
const HOSTS: [&str; 4] = [API, STORAGE, OTHER, STRANGER];

/// All hosts at once, on one port; requests are told apart by their `Host`.
struct Service {
    script: Script,
    client: Client,
}

impl Service {
    /// `answer` is given the host, the first line, whether the request is signed, and the port.
    async fn start(
        mut answer: impl FnMut(&str, &str, bool, &str) -> Answer + Send + 'static,
    ) -> Self {
        let names = HOSTS.map(str::to_owned).to_vec();
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let tls = TlsAcceptor::from(Arc::new(config));
        let script = Script::serve_tls(tls, move |head| {
            let (host, port) = host(head).split_once(':').unwrap();
            let line = head.lines().next().unwrap();
            answer(host, line, head.contains(TOKEN), port)
        })
        .await;

        let mut http = reqwest::Client::builder()
            .tls_certs_only([reqwest::Certificate::from_der(made.cert.der()).unwrap()])
            .no_proxy();
        for host in HOSTS {
            http = http.resolve(host, script.address.parse().unwrap());
        }
        let port = script.address.rsplit_once(':').unwrap().1;
        let client = Client::builder()
            .endpoint(format!("https://{API}:{port}/api/v1"))
            .token(Token::new(TOKEN))
            .http_client(http.build().unwrap())
            .retry(RetryPolicy::never())
            .build()
            .unwrap();
        Self { script, client }
    }

    /// Host, method and whether the token was told, of every request but those to the endpoint.
    fn elsewhere(&self) -> Vec<String> {
        let requests = self.script.requests();
        let seen = requests.iter().map(|request| {
            let method = request.split(' ').next().unwrap();
            let name = host(request).split(':').next().unwrap();
            let signed = if request.contains(TOKEN) {
                "signed"
            } else {
                "plain"
            };
            (name.to_owned(), format!("{name} {method} {signed}"))
        });
        seen.filter(|(name, _)| name != API)
            .map(|(_, line)| line)
            .collect()
    }

    async fn upload(&self, resumable: bool) -> redivis::Result<()> {
        let asked = [NewTempUpload {
            resumable,
            ..NewTempUpload::new("x", 100_000)
        }];
        let made = self.client.create_temp_uploads("/tables/t", &asked).await?;
        let content = Content::bytes(text(100_000));
        let progress = Arc::new(SendProgress::default());
        self.client.send(&made[0], &content, &progress).await
    }
}

fn host(head: &str) -> &str {
    let host = head.lines().find_map(|line| line.strip_prefix("host: "));
    host.unwrap()
}

fn created(host: &str, port: &str, resumable: bool) -> Answer {
    let url = format!("https://{host}:{port}/temp");
    let entry = serde_json::json!({"id": "1", "url": url, "size": 100_000, "resumable": resumable});
    json(
        "200 OK",
        &serde_json::json!({ "results": [entry] }).to_string(),
    )
}

fn status(line: &str) -> Answer {
    Answer::Bytes(response(line, "", b""))
}

fn moved(to: &str, port: &str) -> Answer {
    let location = format!("Location: https://{to}:{port}/moved\r\n");
    Answer::Bytes(response("302 Found", &location, b""))
}

#[tokio::test]
async fn a_storage_that_knows_by_the_url_is_not_told() {
    for storage in [STORAGE, STRANGER] {
        let service = Service::start(move |host, _, _, port| match host {
            API => created(storage, port, false),
            _ => status("200 OK"),
        })
        .await;
        service.upload(false).await.unwrap();
        assert_eq!(service.elsewhere(), [format!("{storage} PUT plain")]);
    }
}

#[tokio::test]
async fn a_storage_of_the_same_domain_is_told_once_it_asks() {
    for refusal in ["401 Unauthorized", "403 Forbidden"] {
        let service = Service::start(move |host, _, signed, port| match (host, signed) {
            (API, _) => created(STORAGE, port, false),
            (_, true) => status("200 OK"),
            (_, false) => status(refusal),
        })
        .await;
        service.upload(false).await.unwrap();
        let signed = format!("{STORAGE} PUT signed");
        assert_eq!(
            service.elsewhere(),
            [format!("{STORAGE} PUT plain"), signed.clone()]
        );
        // From now on it is known to want it.
        service.upload(false).await.unwrap();
        assert_eq!(service.elsewhere()[2..], [signed]);
        let requests = service.script.requests();
        assert!(requests[2].ends_with(&text(100_000)), "rewound");
    }
}

#[tokio::test]
async fn a_storage_that_refuses_the_token_too_is_asked_no_third_time() {
    let service = Service::start(|host, _, _, port| match host {
        API => created(STORAGE, port, false),
        _ => status("403 Forbidden"),
    })
    .await;
    for _ in 0..2 {
        let error = service.upload(false).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.status()),
            (ErrorKind::Forbidden, Some(403))
        );
    }
    let both = [
        format!("{STORAGE} PUT plain"),
        format!("{STORAGE} PUT signed"),
    ];
    assert_eq!(service.elsewhere(), [both.clone(), both].concat());
}

#[tokio::test]
async fn a_stranger_is_never_told() {
    for refusal in ["401 Unauthorized", "403 Forbidden"] {
        let service = Service::start(move |host, _, _, port| match host {
            API => created(STRANGER, port, false),
            _ => status(refusal),
        })
        .await;
        service.upload(false).await.unwrap_err();
        assert_eq!(service.elsewhere(), [format!("{STRANGER} PUT plain")]);
    }
}

#[tokio::test]
async fn each_step_of_a_resumable_upload_follows_the_rule() {
    // The session is on a host of its own.
    for (session, second) in [(OTHER, true), (STRANGER, false)] {
        let service = Service::start(move |host, line, signed, port| match host {
            API => created(STORAGE, port, true),
            _ if !signed => status("401 Unauthorized"),
            _ if line.starts_with("POST") => {
                let location = format!("Location: https://{session}:{port}/session\r\n");
                Answer::Bytes(response("201 Created", &location, b""))
            }
            _ => status("200 OK"),
        })
        .await;
        assert_eq!(service.upload(true).await.is_ok(), second);
        let mut expected = vec![
            format!("{STORAGE} POST plain"),
            format!("{STORAGE} POST signed"),
            format!("{session} PUT plain"),
        ];
        if second {
            expected.push(format!("{session} PUT signed"));
        }
        assert_eq!(service.elsewhere(), expected);
    }
}

#[tokio::test]
async fn redirects_of_downloads_follow_the_rule() {
    let download = async |service: &Service| {
        let parts = service.client.read_raw_file("f", None);
        parts
            .try_collect::<Vec<_>>()
            .await
            .map(|parts| parts.concat())
    };
    for (to, expected) in [
        (STORAGE, vec!["plain", "signed"]),
        (STRANGER, vec!["plain"]),
    ] {
        let service = Service::start(move |host, _, signed, port| match (host, signed) {
            (API, _) => moved(to, port),
            (_, true) => Answer::Bytes(response("200 OK", "", b"bytes")),
            (_, false) => status("403 Forbidden"),
        })
        .await;
        let read = download(&service).await;
        assert_eq!(read.is_ok(), to == STORAGE, "{read:?}");
        let expected: Vec<_> = expected
            .iter()
            .map(|how| format!("{to} GET {how}"))
            .collect();
        assert_eq!(service.elsewhere(), expected);
    }

    // Hosts that send it to and fro: it ends.
    let service = Service::start(|host, _, signed, port| match (host, signed) {
        (API, _) => moved(STORAGE, port),
        (STORAGE, true) => moved(OTHER, port),
        (OTHER, true) => moved(STORAGE, port),
        _ => status("403 Forbidden"),
    })
    .await;
    download(&service).await.unwrap_err();
    assert_eq!(service.elsewhere().len(), 3, "{:?}", service.elsewhere());

    // By a stranger back to the endpoint, which is told.
    let service = Service::start(|host, line, signed, port| match (host, signed) {
        (API, true) if line.contains("/moved") => Answer::Bytes(response("200 OK", "", b"bytes")),
        (API, true) => moved(STRANGER, port),
        (API, false) => status("401 Unauthorized"),
        _ => moved(API, port),
    })
    .await;
    download(&service).await.unwrap_err();
    assert_eq!(service.elsewhere(), [format!("{STRANGER} GET plain")]);
}
