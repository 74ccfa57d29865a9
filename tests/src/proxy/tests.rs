//! The proxy against a server of a few lines and a client that shows what is on the wire.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::message::{Body, Framing, Reader};
use super::{Action, Break, End, Exchange, Proxy};

const CHUNKED: &str =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n6\r\nefghij\r\n0\r\n\r\n";
const SIZED: &str = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabcdefghij";
const LIMIT: Duration = Duration::from_secs(10);

/// A server that gives every request on every connection the same answer.
async fn server(answer: &'static str) -> Proxy {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/api/v1", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (read, mut write) = stream.into_split();
                let mut read = Reader::new(read);
                while let Ok(Some(_)) = read.request().await {
                    if write.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    Proxy::start(&endpoint).await
}

async fn connect(proxy: &Proxy) -> TcpStream {
    TcpStream::connect(proxy.address).await.unwrap()
}

/// Sends one request and returns all that comes until the proxy closes.
async fn ask(proxy: &Proxy) -> std::io::Result<String> {
    let mut stream = connect(proxy).await;
    stream
        .write_all(b"POST /api/v1/a?b=%20c HTTP/1.1\r\nHost: x\r\ncontent-length: 2\r\n\r\nhi")
        .await?;
    let mut answer = Vec::new();
    tokio::time::timeout(LIMIT, stream.read_to_end(&mut answer))
        .await
        .expect("the proxy closes")?;
    Ok(String::from_utf8(answer).unwrap())
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

#[tokio::test]
async fn passes_answers_unchanged_and_keeps_the_connection() {
    for (answer, framing) in [(CHUNKED, Framing::Chunked), (SIZED, Framing::Length(10))] {
        let proxy = server(answer).await;
        let (read, mut write) = connect(&proxy).await.into_split();
        let mut read = Reader::new(read);
        for _ in 0..2 {
            write
                .write_all(b"GET /api/v1/a HTTP/1.1\r\nHost: x\r\n\r\n")
                .await
                .unwrap();
            let head = read.response_head().await.unwrap();
            assert!(answer.as_bytes().starts_with(&head.bytes));
            assert_eq!(Framing::of_response("GET", &head).unwrap(), framing);
            let (mut body, mut content) = (Body::new(framing), Vec::new());
            while let Some(piece) = body.next(&mut read).await.unwrap() {
                content.extend(piece);
            }
            assert_eq!(content, b"abcdefghij");
        }
        let answered =
            |exchange: &Exchange| exchange.end == Some(End::Answered) && exchange.body_bytes == 10;
        proxy
            .wait_for(LIMIT, answered)
            .await
            .expect("the whole body passed");
        assert_eq!(proxy.exchanges().len(), 2);
    }
}

#[tokio::test]
async fn records_requests_relative_to_the_endpoint() {
    let proxy = server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok").await;
    assert_eq!(body(&ask(&proxy).await.unwrap()), "ok");
    let request = proxy.requests().remove(0);
    assert_eq!(
        (
            request.method.as_str(),
            request.target.as_str(),
            request.path()
        ),
        ("POST", "/a?b=%20c", "/a")
    );
    assert_eq!(
        (request.body.as_slice(), request.header("Host")),
        (b"hi".as_slice(), Some("x"))
    );
}

#[tokio::test]
async fn breaks_a_body_after_any_number_of_bytes() {
    let proxy = server(CHUNKED).await;
    proxy.script(|_| Action::Break {
        after: 6,
        how: Break::Close,
    });
    assert_eq!(
        body(&ask(&proxy).await.unwrap()),
        "4\r\nabcd\r\n2\r\nef\r\n"
    );
    proxy.script(|_| Action::Break {
        after: 0,
        how: Break::Close,
    });
    assert_eq!(body(&ask(&proxy).await.unwrap()), "");
    proxy.script(|_| Action::Break {
        after: 6,
        how: Break::End,
    });
    assert_eq!(
        body(&ask(&proxy).await.unwrap()),
        "4\r\nabcd\r\n2\r\nef\r\n0\r\n\r\n"
    );
    proxy.script(|_| Action::Break {
        after: 6,
        how: Break::Reset,
    });
    assert_eq!(
        ask(&proxy).await.unwrap_err().kind(),
        std::io::ErrorKind::ConnectionReset
    );

    let proxy = server(SIZED).await;
    proxy.script(|_| Action::Break {
        after: 6,
        how: Break::Close,
    });
    assert_eq!(body(&ask(&proxy).await.unwrap()), "abcdef");
    proxy.script(|_| Action::Break {
        after: 6,
        how: Break::End,
    });
    assert!(body(&ask(&proxy).await.unwrap()).ends_with("0\r\n\r\n"));
}

#[tokio::test]
async fn answers_in_the_servers_place_or_not_at_all() {
    let proxy = server(SIZED).await;
    proxy.script(|_| Action::reply(429, &[("Retry-After", "3")], "slow down"));
    let answer = ask(&proxy).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 429") && answer.contains("Retry-After: 3\r\n"),
        "{answer}"
    );
    assert_eq!(body(&answer), "slow down");
    proxy.script(|_| Action::Close);
    assert_eq!(ask(&proxy).await.unwrap(), "");
    proxy.script(|_| Action::Reset);
    assert_eq!(
        ask(&proxy).await.unwrap_err().kind(),
        std::io::ErrorKind::ConnectionReset
    );
}

#[tokio::test]
async fn a_stall_lasts_until_the_client_leaves_and_shows_it() {
    let proxy = server(SIZED).await;
    proxy.script(|_| Action::Break {
        after: 3,
        how: Break::Stall,
    });
    let mut stream = connect(&proxy).await;
    stream
        .write_all(b"GET /api/v1/a HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let stalled = proxy
        .wait_for(LIMIT, |exchange| exchange.body_bytes == 3)
        .await
        .expect("three bytes pass");
    assert_eq!(stalled.end, None);
    drop(stream);
    proxy
        .wait_for(LIMIT, |exchange| exchange.end == Some(End::ClientLeft))
        .await
        .expect("the client left");
}

#[tokio::test]
async fn a_drip_brings_everything_in_pieces() {
    let proxy = server("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n4\r\nabcd\r\n0\r\n\r\n").await;
    proxy.script(|_| Action::Drip {
        bytes: 3,
        pause: Duration::from_millis(1),
    });
    assert_eq!(
        body(&ask(&proxy).await.unwrap()),
        "3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"
    );
}

#[tokio::test]
async fn refuses_connections_until_it_is_reopened() {
    let mut proxy = server(SIZED).await;
    proxy.refuse().await;
    let refused = TcpStream::connect(proxy.address).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    proxy.reopen().await;
    connect(&proxy).await;
}
