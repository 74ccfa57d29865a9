//! A server that plays a script: one answer per request, in order.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redivis::{Client, RetryPolicy, Token};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

pub(crate) const TOKEN: &str = "AAAB-very-secret-token";

/// What to do with one request.
#[derive(Clone)]
pub(crate) enum Answer {
    /// Send these bytes and close.
    Bytes(Vec<u8>),
    /// Wait, send these bytes and close.
    Late(Duration, Vec<u8>),
    /// Send these bytes and then nothing, for as long as the client stays.
    Stall(Vec<u8>),
    /// Close at once.
    Hangup,
    /// Take so many bytes of the request's body, send these bytes, and close.
    Early(usize, Vec<u8>),
    /// Take so many bytes of the request's body and then nothing, for as long as the client stays.
    Deaf(usize),
}

/// A connection, with or without TLS.
pub(crate) trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Socket for S {}

pub(crate) struct Script {
    pub(crate) address: String,
    requests: Arc<Mutex<Vec<String>>>,
    closed: Arc<Mutex<usize>>,
    task: JoinHandle<()>,
}

impl Script {
    /// Serves the answers one after the other; when they are used up, connections are closed without an answer.
    pub(crate) async fn play(answers: Vec<Answer>) -> Self {
        Self::play_at(|_| answers).await
    }

    /// As [`play`](Self::play), for answers that name the server's own origin.
    pub(crate) async fn play_at(answers: impl FnOnce(&str) -> Vec<Answer>) -> Self {
        Self::serve_at(None, |origin| {
            let mut answers = answers(origin).into_iter();
            move |_: &str| answers.next().unwrap_or(Answer::Hangup)
        })
        .await
    }

    /// Answers each request, given its head, as `answer` says.
    pub(crate) async fn serve(answer: impl FnMut(&str) -> Answer + Send + 'static) -> Self {
        Self::serve_at(None, |_| answer).await
    }

    /// As [`serve`](Self::serve), over TLS.
    pub(crate) async fn serve_tls(
        tls: TlsAcceptor,
        answer: impl FnMut(&str) -> Answer + Send + 'static,
    ) -> Self {
        Self::serve_at(Some(tls), |_| answer).await
    }

    /// Gives each request, by its method and its path below the endpoint, its own answers in order, the last one again and
    /// again. What is not named is not found.
    pub(crate) async fn routes<const N: usize>(routes: [(&str, Vec<Answer>); N]) -> Self {
        let mut routes = routes.map(|(line, answers)| (line.to_owned(), VecDeque::from(answers)));
        Self::serve(move |head| {
            let line = head.lines().next().unwrap_or_default();
            let line = line.replacen(" /api/v1", " ", 1);
            let line = line.trim_end_matches(" HTTP/1.1");
            let answers = routes.iter_mut().find(|(route, _)| route == line);
            match answers.map(|(_, answers)| answers) {
                Some(answers) if answers.len() > 1 => answers.pop_front().unwrap(),
                Some(answers) => answers[0].clone(),
                None => json("404 Not Found", r#"{"error":"not_found"}"#),
            }
        })
        .await
    }

    async fn serve_at<A>(tls: Option<TlsAcceptor>, answers: impl FnOnce(&str) -> A) -> Self
    where
        A: FnMut(&str) -> Answer + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut answers = answers(&format!("http://{address}"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let closed = Arc::new(Mutex::new(0));
        let (seen, gone) = (Arc::clone(&requests), Arc::clone(&closed));
        let task = tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let mut socket: Box<dyn Socket> = match &tls {
                    None => Box::new(socket),
                    Some(tls) => match tls.accept(socket).await {
                        Ok(socket) => Box::new(socket),
                        Err(_) => continue,
                    },
                };
                let Some((head, body)) = read_head(&mut *socket).await else {
                    continue;
                };
                let answer = answers(&head);
                let wanted = match answer {
                    Answer::Early(bytes, _) | Answer::Deaf(bytes) => bytes,
                    _ => usize::MAX,
                };
                let body = read_body(&mut *socket, &head, body, wanted).await;
                let request = head + &String::from_utf8_lossy(&body);
                seen.lock().unwrap().push(request);
                match answer {
                    Answer::Bytes(bytes) | Answer::Early(_, bytes) => {
                        let _ = socket.write_all(&bytes).await;
                        let _ = socket.shutdown().await;
                    }
                    Answer::Stall(bytes) => {
                        let gone = Arc::clone(&gone);
                        tokio::spawn(async move {
                            let _ = socket.write_all(&bytes).await;
                            let _ = socket.read(&mut [0; 64]).await;
                            *gone.lock().unwrap() += 1;
                        });
                    }
                    Answer::Late(wait, bytes) => {
                        tokio::time::sleep(wait).await;
                        let _ = socket.write_all(&bytes).await;
                        let _ = socket.shutdown().await;
                    }
                    Answer::Deaf(_) => {
                        tokio::spawn(async move {
                            std::future::pending::<()>().await;
                            drop(socket);
                        });
                    }
                    Answer::Hangup => {}
                }
            }
        });
        Self {
            address,
            requests,
            closed,
            task,
        }
    }

    /// The requests so far, headers and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// Headers and body of a request.
    pub(crate) fn parts(&self, request: usize) -> (String, String) {
        let (head, body) = self.requests()[request]
            .split_once("\r\n\r\n")
            .map(|(head, body)| (head.to_lowercase(), body.to_owned()))
            .unwrap();
        (head, body)
    }

    /// The first lines of the requests so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        let first = |request: &String| {
            let line = request.lines().next().unwrap_or_default();
            line.trim_end_matches(" HTTP/1.1").to_owned()
        };
        self.requests().iter().map(first).collect()
    }

    /// How many stalled connections the client has given up.
    pub(crate) fn closed(&self) -> usize {
        *self.closed.lock().unwrap()
    }

    /// A client of this server that tries a few times and never waits long.
    pub(crate) fn client(&self) -> Client {
        Client::builder()
            .endpoint(format!("http://{}/api/v1/", self.address))
            .token(Token::new(TOKEN))
            .response_timeout(Duration::from_millis(300))
            .read_timeout(Duration::from_millis(300))
            .retry(RetryPolicy {
                max_attempts: 4,
                initial_backoff: Duration::from_millis(2),
                max_backoff: Duration::from_millis(10),
                ..RetryPolicy::default()
            })
            .build()
            .unwrap()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The request up to its empty line, and what came of its body with it.
pub(crate) async fn read_head(socket: &mut dyn Socket) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let body = bytes.split_off(end + 4);
            return Some((String::from_utf8(bytes).unwrap(), body));
        }
        read_some(socket, &mut bytes).await?;
    }
}

/// The body, or its first bytes.
async fn read_body(
    socket: &mut dyn Socket,
    head: &str,
    mut body: Vec<u8>,
    wanted: usize,
) -> Vec<u8> {
    let length = content_length(head);
    while body.len() < length.min(wanted) {
        if read_some(socket, &mut body).await.is_none() {
            break;
        }
    }
    body
}

/// The length of the body that comes with a head.
pub(crate) fn content_length(head: &str) -> usize {
    let length = head.lines().find_map(|line| {
        let line = line.to_ascii_lowercase();
        line.strip_prefix("content-length:")
            .map(|length| length.trim().parse().unwrap())
    });
    length.unwrap_or(0)
}

async fn read_some(socket: &mut dyn Socket, bytes: &mut Vec<u8>) -> Option<()> {
    let mut buffer = [0; 4096];
    match socket.read(&mut buffer).await {
        Ok(0) | Err(_) => None,
        Ok(n) => {
            bytes.extend_from_slice(&buffer[..n]);
            Some(())
        }
    }
}

/// An answer with this status, headers (each ending in a line break) and body, and the length of the body.
pub(crate) fn response(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

pub(crate) fn json(status: &str, body: &str) -> Answer {
    let headers = "Content-Type: application/json\r\n";
    Answer::Bytes(response(status, headers, body.as_bytes()))
}
