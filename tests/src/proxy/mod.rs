//! An HTTP/1.1 proxy between a client and a server: it writes down every request, and breaks answers on the wire.
//!
//! It works on bytes of real connections, so that what a client meets is what a bad network does: closed and reset
//! connections, silence, bodies that end early. A test decides for each request what becomes of its answer.

mod message;
mod relay;
mod rounds;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

pub use message::Request;

use self::rounds::Rounds;

/// What becomes of the answer to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The server's answer, unchanged.
    Pass,
    /// The same, and its body is kept in [`Exchange::body`].
    Record,
    /// The connection is closed before the server has seen the request.
    Close,
    /// The connection is reset before the server has seen the request.
    Reset,
    /// These bytes instead of an answer, then the connection is closed. [`Action::reply`] makes well-formed ones.
    Reply(Vec<u8>),
    /// The server's answer up to this many bytes of its body, then `how`.
    Break {
        /// Bytes of the body, without any transfer encoding, that still pass.
        after: usize,
        /// What happens instead of the rest.
        how: Break,
    },
    /// Only this many bytes of the request's body reach the server, then both connections end as `how` says. For `PUT`.
    Cut {
        /// Bytes of the body that still pass.
        after: u64,
        /// What happens instead of the rest; [`Break::End`] is no way to end a request.
        how: Break,
    },
    /// The server gets all of the request, and its answer is lost with the connection.
    Lose,
    /// The server's JSON answer, with every field of this name set to a value, or without it.
    Field {
        /// The field, at any depth.
        name: &'static str,
        /// What it is set to where it stands; none takes it out.
        value: Option<serde_json::Value>,
    },
    /// The server's answer, its body in pieces of `bytes` with a pause after each.
    Drip {
        /// The size of a piece.
        bytes: usize,
        /// The pause between two pieces.
        pause: Duration,
    },
}

/// How an answer ends too early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// The connection is closed.
    Close,
    /// The connection is reset.
    Reset,
    /// The body ends as if it were complete.
    End,
    /// The connection stays open and silent until the client leaves.
    Stall,
}

impl Action {
    /// A complete answer with a status, header fields and a body.
    pub fn reply(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Action {
        let body = body.as_ref();
        let mut bytes = format!("HTTP/1.1 {status} Reply\r\n");
        for (name, value) in headers {
            bytes.push_str(&format!("{name}: {value}\r\n"));
        }
        bytes.push_str(&format!(
            "Content-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        ));
        Action::Reply([bytes.as_bytes(), body].concat())
    }
}

/// One request and what became of it so far.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The request, complete.
    pub request: Request,
    /// What was done with its answer.
    pub action: Action,
    /// Bytes of a `PUT`'s body given to the server so far.
    pub sent_bytes: u64,
    /// The answer's status, once its head was read from the server.
    pub status: Option<u16>,
    /// The answer's header fields.
    pub headers: Vec<(String, String)>,
    /// Bytes of the answer's body given to the client so far.
    pub body_bytes: usize,
    /// These bytes, if the action is [`Action::Record`].
    pub body: Vec<u8>,
    /// How the exchange ended; none while it runs.
    pub end: Option<End>,
}

/// How an exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The answer was given as its action says.
    Answered,
    /// The client closed the connection before the answer was complete.
    ClientLeft,
    /// The server closed the connection before its answer was complete.
    ServerLeft,
}

type Script = Box<dyn FnMut(&Request) -> Action + Send>;

/// What connections share: the script, and what was seen.
struct Shared {
    upstream: SocketAddr,
    script: Mutex<Script>,
    exchanges: Mutex<Vec<Exchange>>,
    rounds: OnceLock<Rounds>,
}

impl Shared {
    /// Writes a request down and decides on its answer.
    fn begin(&self, request: Request) -> (usize, Action) {
        let action = (lock(&self.script))(&request);
        let mut exchanges = lock(&self.exchanges);
        exchanges.push(Exchange {
            request,
            action: action.clone(),
            sent_bytes: 0,
            status: None,
            headers: Vec::new(),
            body_bytes: 0,
            body: Vec::new(),
            end: None,
        });
        (exchanges.len() - 1, action)
    }

    fn note(&self, exchange: usize, change: impl FnOnce(&mut Exchange)) {
        change(&mut lock(&self.exchanges)[exchange]);
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("upstream", &self.upstream)
            .finish_non_exhaustive()
    }
}

/// A panic of one connection leaves the others' records as good as they were.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running proxy; dropping it closes all its connections.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    path: String,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Starts a proxy on a free port before `endpoint`, an `http://address:port/path` URL.
    pub async fn start(endpoint: &str) -> Proxy {
        let rest = endpoint.strip_prefix("http://").expect("an http endpoint");
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let shared = Arc::new(Shared {
            upstream: authority
                .parse()
                .expect("an endpoint with address and port"),
            script: Mutex::new(Box::new(|_| Action::Pass)),
            exchanges: Mutex::new(Vec::new()),
            rounds: OnceLock::new(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Proxy {
            address,
            path: format!("/{path}"),
            shared,
            accepting,
        }
    }

    /// The endpoint URL for the client: the server's with the proxy's address.
    pub fn endpoint(&self) -> String {
        format!("http://{}{}", self.address, self.path)
    }

    /// Lets `script` decide from now on what becomes of the answer to each request.
    pub fn script(&self, script: impl FnMut(&Request) -> Action + Send + 'static) {
        *lock(&self.shared.script) = Box::new(script);
    }

    /// Lets requests wait from now on until no more of them come, as if the line were long.
    pub fn count_round_trips(&self) {
        self.shared.rounds.get_or_init(Rounds::default);
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            if let Some(rounds) = shared.rounds.get() {
                rounds.end().await;
            }
        });
    }

    /// How often requests had to wait for one another since then.
    pub fn round_trips(&self) -> usize {
        self.shared.rounds.get().map_or(0, Rounds::count)
    }

    /// All exchanges so far, in the order in which their requests were complete.
    pub fn exchanges(&self) -> Vec<Exchange> {
        lock(&self.shared.exchanges).clone()
    }

    /// All requests so far, each as `METHOD path?query`, with the path relative to the endpoint.
    pub fn requests(&self) -> Vec<Request> {
        let mut requests: Vec<_> = self
            .exchanges()
            .into_iter()
            .map(|exchange| exchange.request)
            .collect();
        for request in &mut requests {
            if let Some(relative) = request.target.strip_prefix(&self.path) {
                request.target = relative.to_owned();
            }
        }
        requests
    }

    /// Waits until an exchange fulfils `condition`, for at most `limit`.
    pub async fn wait_for(
        &self,
        limit: Duration,
        condition: impl Fn(&Exchange) -> bool,
    ) -> Option<Exchange> {
        tokio::time::timeout(limit, async {
            loop {
                if let Some(exchange) = self
                    .exchanges()
                    .into_iter()
                    .find(|exchange| condition(exchange))
                {
                    return exchange;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .ok()
    }

    /// Closes all connections and the port: the next connection is refused, until [`Proxy::reopen`].
    pub async fn refuse(&mut self) {
        self.accepting.abort();
        // Only when the task has ended is its port closed.
        let _ = (&mut self.accepting).await;
    }

    /// Listens again on the same port.
    pub async fn reopen(&mut self) {
        let listener = TcpListener::bind(self.address)
            .await
            .expect("the port is still free");
        self.accepting = tokio::spawn(accept(listener, Arc::clone(&self.shared)));
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Serves connections until it is aborted; they end with it.
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            connection = listener.accept() => {
                if let Ok((client, _)) = connection {
                    connections.spawn(serve(client, Arc::clone(&shared)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(client: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    client.set_nodelay(true)?;
    relay::connection(client, &shared).await
}
