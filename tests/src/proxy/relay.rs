//! One client connection: request after request to the server, answer after answer back, as each action says.

use std::io;
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::message::{Body, Framing, Reader, Request};
use super::{Action, Break, End, Shared};

/// Relays until one side leaves or an action ends the connection.
pub(super) async fn connection(client: TcpStream, shared: &Shared) -> io::Result<()> {
    let (read, write) = client.into_split();
    let mut from_client = Reader::new(read);
    let mut client = Client { write };
    let mut server: Option<Server> = None;

    while let Some((head, request)) = from_client.request().await? {
        let (exchange, action) = shared.begin(request.clone());
        if let Some(rounds) = shared.rounds.get() {
            rounds.wait().await;
        }
        match action {
            Action::Close => {
                shared.note(exchange, |exchange| exchange.end = Some(End::Answered));
                return Ok(());
            }
            Action::Reset => {
                shared.note(exchange, |exchange| exchange.end = Some(End::Answered));
                return client.reset(from_client);
            }
            Action::Reply(bytes) => {
                client.write.write_all(&bytes).await?;
                client.write.shutdown().await?;
                shared.note(exchange, |exchange| exchange.end = Some(End::Answered));
                // Closing with unread bytes would reset the connection and could lose the reply.
                from_client.discard().await?;
                return Ok(());
            }
            Action::Pass
            | Action::Record
            | Action::Break { .. }
            | Action::Cut { .. }
            | Action::Lose
            | Action::Field { .. }
            | Action::Drip { .. } => {}
        }

        let mut upstream = match server.take() {
            Some(server) => server,
            None => match Server::connect(shared).await {
                Ok(server) => server,
                Err(error) => {
                    shared.note(exchange, |exchange| exchange.end = Some(End::ServerLeft));
                    return Err(error);
                }
            },
        };
        if request.method == "PUT" {
            let passed = upstream
                .relay(&head, &request, &mut from_client, &action, exchange, shared)
                .await;
            match passed {
                Ok(true) => {}
                Ok(false) => {
                    shared.note(exchange, |exchange| exchange.end = Some(End::Answered));
                    if let Action::Cut { how, .. } = action {
                        return cut(how, upstream, client, from_client).await;
                    }
                    return Ok(());
                }
                Err(error) => {
                    shared.note(exchange, |exchange| exchange.end = Some(End::ClientLeft));
                    return Err(error);
                }
            }
        } else {
            upstream.send(&head, &request).await?;
        }
        let outcome = tokio::select! {
            outcome = answer(&mut upstream, &request, &mut client, &action, exchange, shared) => outcome,
            // A client says nothing more until it has its answer: whatever ends the wait, it has left.
            _ = from_client.fill() => Ok(Outcome::End(End::ClientLeft)),
        };
        let (end, keep) = match outcome {
            Ok(Outcome::Keep) => (End::Answered, true),
            Ok(Outcome::End(end)) => (end, false),
            Ok(Outcome::Reset) => {
                shared.note(exchange, |exchange| exchange.end = Some(End::Answered));
                return client.reset(from_client);
            }
            Err(error) => {
                shared.note(exchange, |exchange| exchange.end = Some(End::ClientLeft));
                return Err(error);
            }
        };
        shared.note(exchange, |exchange| exchange.end = Some(end));
        if !keep {
            return Ok(());
        }
        server = Some(upstream);
    }
    Ok(())
}

/// What follows an answer on its connection.
enum Outcome {
    /// Both connections serve the next request.
    Keep,
    /// They are closed.
    End(End),
    /// The client's is reset.
    Reset,
}

/// The server's connection.
struct Server {
    read: Reader<OwnedReadHalf>,
    write: OwnedWriteHalf,
}

impl Server {
    async fn connect(shared: &Shared) -> io::Result<Server> {
        let stream = TcpStream::connect(shared.upstream).await?;
        stream.set_nodelay(true)?;
        let (read, write) = stream.into_split();
        Ok(Server {
            read: Reader::new(read),
            write,
        })
    }

    async fn send(&mut self, head: &[u8], request: &Request) -> io::Result<()> {
        self.write.write_all(head).await?;
        if Framing::of_request(&request.headers)? == Framing::Chunked {
            if !request.body.is_empty() {
                self.write.write_all(&chunk(&request.body)).await?;
            }
            self.write.write_all(LAST_CHUNK).await
        } else {
            self.write.write_all(&request.body).await
        }
    }
}

impl Server {
    /// Sends the head of a `PUT`, and its body as it comes from the client; false if only a part of it was to pass.
    async fn relay(
        &mut self,
        head: &[u8],
        request: &Request,
        from_client: &mut Reader<OwnedReadHalf>,
        action: &Action,
        exchange: usize,
        shared: &Shared,
    ) -> io::Result<bool> {
        let mut left = match action {
            Action::Cut { after, .. } => *after,
            _ => u64::MAX,
        };
        self.write.write_all(head).await?;
        let framing = Framing::of_request(&request.headers)?;
        assert_ne!(framing, Framing::Chunked, "a PUT says how long it is");
        let mut body = Body::new(framing);
        while left > 0
            && let Some(bytes) = body.next(from_client).await?
        {
            let passing = usize::try_from(left).map_or(bytes.len(), |left| bytes.len().min(left));
            if self.write.write_all(&bytes[..passing]).await.is_err() {
                // It has answered already, and reads no more.
                return Ok(true);
            }
            left -= passing as u64;
            shared.note(exchange, |exchange| exchange.sent_bytes += passing as u64);
        }
        Ok(left > 0)
    }
}

/// Ends both connections of a request that was cut.
async fn cut(
    how: Break,
    server: Server,
    client: Client,
    mut from_client: Reader<OwnedReadHalf>,
) -> io::Result<()> {
    match how {
        Break::Close | Break::End => Ok(()),
        Break::Reset => {
            let stream = server.read.into_inner().reunite(server.write);
            stream.map_err(io::Error::other)?.set_zero_linger()?;
            client.reset(from_client)
        }
        // The rest is read into the void, and no answer comes.
        Break::Stall => from_client.discard().await,
    }
}

/// The client's connection, to write to.
struct Client {
    write: OwnedWriteHalf,
}

impl Client {
    /// Ends the connection with RST instead of FIN.
    fn reset(self, read: Reader<OwnedReadHalf>) -> io::Result<()> {
        let stream = read
            .into_inner()
            .reunite(self.write)
            .map_err(io::Error::other)?;
        stream.set_zero_linger()
    }
}

const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// Sends the server's answer to the client.
async fn answer(
    server: &mut Server,
    request: &Request,
    client: &mut Client,
    action: &Action,
    exchange: usize,
    shared: &Shared,
) -> io::Result<Outcome> {
    let response = match server.read.response_head().await {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            return Ok(Outcome::End(End::ServerLeft));
        }
        response => response?,
    };
    shared.note(exchange, |exchange| {
        exchange.status = Some(response.status);
        exchange.headers = response.headers.clone();
    });
    if *action == Action::Lose {
        return Ok(Outcome::End(End::Answered));
    }

    if let Action::Field { name, value } = action {
        let mut body = Body::new(Framing::of_response(&request.method, &response)?);
        let mut bytes = Vec::new();
        while let Some(piece) = body.next(&mut server.read).await? {
            bytes.extend_from_slice(&piece);
        }
        let mut json = serde_json::from_slice(&bytes).map_err(io::Error::other)?;
        set(&mut json, name, value.as_ref());
        let bytes = serde_json::to_vec(&json).map_err(io::Error::other)?;
        client.write.write_all(&response.chunked()).await?;
        client.write.write_all(&chunk(&bytes)).await?;
        client.write.write_all(LAST_CHUNK).await?;
        return Ok(Outcome::Keep);
    }

    // A body that is to end early as if it were complete can't have announced its length.
    let ends_early = matches!(
        action,
        Action::Break {
            how: Break::End,
            ..
        }
    );
    let framing = Framing::of_response(&request.method, &response)?;
    let chunked = framing == Framing::Chunked || (ends_early && framing != Framing::Length(0));
    let response_head = if chunked && framing != Framing::Chunked {
        response.chunked()
    } else {
        response.bytes
    };
    client.write.write_all(&response_head).await?;

    let mut left = match action {
        Action::Break { after, .. } => *after,
        _ => usize::MAX,
    };
    let (piece_size, pause) = match action {
        Action::Drip { bytes, pause } => (*bytes, *pause),
        _ => (usize::MAX, Duration::ZERO),
    };
    let mut body = Body::new(framing);
    loop {
        if left == 0
            && let Action::Break { how, .. } = action
        {
            return end_early(client, *how, chunked).await;
        }
        let bytes = match body.next(&mut server.read).await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => break,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Ok(Outcome::End(End::ServerLeft));
            }
            Err(error) => return Err(error),
        };
        let bytes = &bytes[..bytes.len().min(left)];
        left -= bytes.len();
        for piece in bytes.chunks(piece_size) {
            if chunked {
                client.write.write_all(&chunk(piece)).await?;
            } else {
                client.write.write_all(piece).await?;
            }
            shared.note(exchange, |exchange| {
                exchange.body_bytes += piece.len();
                if *action == Action::Record {
                    exchange.body.extend_from_slice(piece);
                }
            });
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
        }
    }
    if chunked {
        client.write.write_all(LAST_CHUNK).await?;
    }
    let closes = response.headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("connection") && value.eq_ignore_ascii_case("close")
    });
    Ok(if closes || framing == Framing::UntilClose {
        Outcome::End(End::Answered)
    } else {
        Outcome::Keep
    })
}

/// Sets a field wherever it stands, or takes it out.
fn set(json: &mut Value, name: &str, value: Option<&Value>) {
    match json {
        Value::Object(fields) => {
            if fields.contains_key(name) {
                match value {
                    Some(value) => fields.insert(name.to_owned(), value.clone()),
                    None => fields.remove(name),
                };
            }
            fields.values_mut().for_each(|json| set(json, name, value));
        }
        Value::Array(items) => items.iter_mut().for_each(|json| set(json, name, value)),
        _ => {}
    }
}

async fn end_early(client: &mut Client, how: Break, chunked: bool) -> io::Result<Outcome> {
    match how {
        Break::Close => Ok(Outcome::End(End::Answered)),
        Break::Reset => Ok(Outcome::Reset),
        Break::End => {
            if chunked {
                client.write.write_all(LAST_CHUNK).await?;
            }
            // What the server still sends belongs to nobody.
            Ok(Outcome::End(End::Answered))
        }
        // Until the client leaves, which ends this wait.
        Break::Stall => std::future::pending().await,
    }
}
