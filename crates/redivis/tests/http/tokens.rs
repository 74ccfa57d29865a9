//! Tokens that change while a program runs, and an HTTP client of the program's own.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::{join_all, poll_immediate};
use redivis::write::{Content, SendProgress};
use redivis::{Client, ErrorKind, RetryPolicy, Token, TokenSource};
use tokio::sync::Notify;

use crate::script::{Answer, Script, json, response};
use crate::sending::{temp_upload, text};

const TABLE: &str = r#"{"kind":"table","id":"1","uri":"/tables/o.d.t","name":"t"}"#;

/// `first`, and after each renewal the next of `later`.
struct Renewed {
    now: Mutex<String>,
    later: Mutex<Vec<&'static str>>,
    renewals: AtomicUsize,
    /// What a renewal waits for.
    gate: Option<Notify>,
}

impl Renewed {
    fn new(first: &str, later: &[&'static str]) -> Self {
        Self {
            now: Mutex::new(first.to_owned()),
            later: Mutex::new(later.iter().rev().copied().collect()),
            renewals: AtomicUsize::new(0),
            gate: None,
        }
    }

    fn renewals(&self) -> usize {
        self.renewals.load(Ordering::SeqCst)
    }
}

#[async_trait::async_trait]
impl TokenSource for Renewed {
    async fn token(&self) -> redivis::Result<Token> {
        Ok(Token::new(&*self.now.lock().unwrap()))
    }

    async fn renew(&self, _refused: &Token) -> redivis::Result<Option<Token>> {
        self.renewals.fetch_add(1, Ordering::SeqCst);
        if let Some(gate) = &self.gate {
            gate.notified().await;
        }
        let Some(next) = self.later.lock().unwrap().pop() else {
            return Ok(None);
        };
        *self.now.lock().unwrap() = next.to_owned();
        Ok(Some(Token::new(next)))
    }
}

fn client(script: &Script, source: &Arc<Renewed>) -> Client {
    let source: Arc<dyn TokenSource> = Arc::<Renewed>::clone(source);
    Client::builder()
        .endpoint(format!("http://{}", script.address))
        .token_source(source)
        .retry(RetryPolicy::never())
        .build()
        .unwrap()
}

async fn table(client: &Client) -> redivis::Result<redivis::resource::Table> {
    client.table(&"o.d.t".parse().unwrap()).await
}

/// A service that accepts this token only.
async fn accepting(token: &'static str) -> Script {
    Script::serve(
        move |head| match head.contains(&format!("Bearer {token}\r\n")) {
            true => json("200 OK", TABLE),
            false => refusal("who is that?"),
        },
    )
    .await
}

fn refusal(words: &str) -> Answer {
    let body = format!(r#"{{"error":"invalid_token","error_description":"{words}"}}"#);
    json("401 Unauthorized", &body)
}

/// The tokens that arrived, in order.
fn tokens(script: &Script) -> Vec<String> {
    let token = |request: String| {
        let (_, rest) = request.split_once("authorization: Bearer ")?;
        Some(rest.lines().next()?.to_owned())
    };
    script.requests().into_iter().filter_map(token).collect()
}

#[tokio::test]
async fn every_request_takes_the_token_of_the_moment() {
    let script = Script::play(vec![json("200 OK", TABLE); 2]).await;
    let source = Arc::new(Renewed::new("first", &[]));
    let client = client(&script, &source);
    assert!(!client.is_anonymous());
    table(&client).await.unwrap();
    *source.now.lock().unwrap() = "second".to_owned();
    table(&client.clone()).await.unwrap();
    assert_eq!(tokens(&script), ["first", "second"]);
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let script = accepting("good").await;
    let source = Arc::new(Renewed::new("old", &["good", "better"]));
    table(&client(&script, &source)).await.unwrap();
    assert_eq!(tokens(&script), ["old", "good"]);

    // The second one is refused too, and the third is not asked for.
    let script = accepting("best").await;
    let source = Arc::new(Renewed::new("old", &["good", "best"]));
    let error = table(&client(&script, &source)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(tokens(&script), ["old", "good"]);

    // There is no other.
    let source = Arc::new(Renewed::new("only", &[]));
    let error = table(&client(&script, &source)).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Unauthorized, Some(401))
    );
    assert_eq!(tokens(&script)[2..], ["only"]);

    // Somebody else has renewed it meanwhile.
    let source = Arc::new(Renewed::new("stale", &["never"]));
    let renewed = Arc::clone(&source);
    let script = Script::serve(move |head| match head.contains("Bearer stale\r\n") {
        true => {
            *renewed.now.lock().unwrap() = "fresh".to_owned();
            refusal("too old")
        }
        false => json("200 OK", TABLE),
    })
    .await;
    table(&client(&script, &source)).await.unwrap();
    assert_eq!(
        (tokens(&script), source.renewals()),
        (vec!["stale".into(), "fresh".into()], 0)
    );
}

#[tokio::test]
async fn requests_at_the_same_time_renew_once() {
    let script = accepting("good").await;
    let source = Arc::new(Renewed {
        gate: Some(Notify::new()),
        ..Renewed::new("old", &["good", "never"])
    });
    let client = client(&script, &source);
    let open = async {
        // All of them have been refused by then.
        while tokens(&script).len() < 8 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        source.gate.as_ref().unwrap().notify_one();
    };
    let (answers, ()) = tokio::join!(join_all((0..8).map(|_| table(&client))), open);
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(source.renewals(), 1);
    assert_eq!(tokens(&script).len(), 16);
}

#[tokio::test]
async fn a_request_that_is_left_alone_holds_nobody_up() {
    let script = accepting("good").await;
    let source = Arc::new(Renewed {
        gate: Some(Notify::new()),
        ..Renewed::new("old", &["good"])
    });
    let client = client(&script, &source);
    let mut parked = Box::pin(table(&client));
    while source.renewals() == 0 {
        assert!(poll_immediate(&mut parked).await.is_none());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    source.gate.as_ref().unwrap().notify_one();
    table(&client).await.unwrap();
    parked.await.unwrap();
    assert_eq!(source.renewals(), 1);
}

#[tokio::test]
async fn bytes_are_sent_again_from_their_start() {
    let script = Script::play_at(|origin| {
        let created = serde_json::json!({"results": [
            {"id": "temp", "url": format!("{origin}/temp/1"), "size": 100_000, "resumable": false}
        ]});
        vec![
            json("200 OK", &created.to_string()),
            refusal("too old"),
            Answer::Bytes(response("200 OK", "", b"")),
        ]
    })
    .await;
    let source = Arc::new(Renewed::new("old", &["good"]));
    let client = client(&script, &source);
    let upload = temp_upload(&client, 100_000).await;
    let content = Content::bytes(text(100_000));
    let progress = Arc::new(SendProgress::default());
    client.send(&upload, &content, &progress).await.unwrap();
    assert_eq!(tokens(&script), ["old", "old", "good"]);
    assert!(script.parts(2).1 == text(100_000), "rewound");
}

#[tokio::test]
async fn former_tokens_are_kept_out_of_words_too() {
    let body = r#"{"error":"x","error_description":"first-secret is not second-secret"}"#;
    let script = Script::play(vec![
        refusal("not first-secret"),
        json("403 Forbidden", body),
    ])
    .await;
    let source = Arc::new(Renewed::new("first-secret", &["second-secret"]));
    let error = table(&client(&script, &source)).await.unwrap_err();
    assert_eq!(error.message(), "[token] is not [token]");
    assert!(!format!("{error:?}").contains("secret"));
}

/// Has no token, and says why.
struct Empty;

#[async_trait::async_trait]
impl TokenSource for Empty {
    async fn token(&self) -> redivis::Result<Token> {
        Err(redivis::Error::no_token("the vault is closed"))
    }
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let script = Script::play(vec![]).await;
    let builder = Client::builder()
        .endpoint(format!("http://{}", script.address))
        .token_source(Arc::new(Empty));
    let error = table(&builder.build().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(
        error.to_string(),
        "cannot get table o.d.t: cannot get a token: the vault is closed"
    );
    assert!(script.requests().is_empty());

    let unfit = Arc::new(Renewed::new("line\nbreak", &[]));
    let error = table(&client(&script, &unfit)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(!format!("{error:?}").contains("break"));
    assert!(script.requests().is_empty());
}

#[tokio::test]
async fn the_http_client_can_be_the_programs_own() {
    let script = Script::play(vec![json("200 OK", TABLE)]).await;
    let address: SocketAddr = script.address.parse().unwrap();
    let http = reqwest::Client::builder()
        .resolve("redivis.test", address)
        .user_agent("mine/1")
        .build()
        .unwrap();
    let client = Client::builder()
        .endpoint(format!("http://redivis.test:{}/api/v1", address.port()))
        .token(Token::new("secret"))
        .http_client(http)
        .build()
        .unwrap();
    table(&client).await.unwrap();
    let (head, _) = script.parts(0);
    assert!(head.contains("user-agent: mine/1"), "{head}");
    assert!(
        head.contains(&format!("host: redivis.test:{}", address.port())),
        "{head}"
    );
    assert!(head.contains("authorization: bearer secret"), "{head}");
    assert!(
        !format!(
            "{client:?} {:?}",
            Client::builder().token(Token::new("secret"))
        )
        .contains("secret")
    );
}
