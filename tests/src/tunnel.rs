//! What stands between a company's machine and the service: TLS by an authority of one's own, and a proxy for `CONNECT`.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// TLS in front of a server that speaks without: what it is sent reaches the server as it is.
#[derive(Debug)]
pub struct TlsFront {
    address: SocketAddr,
    authority: String,
    task: JoinHandle<()>,
}

impl TlsFront {
    /// Stands in front of `server`, as the host `name`.
    pub async fn start(server: SocketAddr, name: &str) -> TlsFront {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key can be made");
        let authority = params.self_signed(&key).expect("an authority signs itself");
        let issuer = Issuer::new(params, key);
        let key = KeyPair::generate().expect("a key can be made");
        let leaf = CertificateParams::new([name.to_owned()])
            .and_then(|params| params.signed_by(&key, &issuer))
            .expect("the authority signs");
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(
                vec![leaf.der().clone()],
                PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            )
            .expect("the certificate has this key");
        let tls = TlsAcceptor::from(Arc::new(config));

        let (listener, address) = listen().await;
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let tls = tls.clone();
                tokio::spawn(async move {
                    if let Ok(mut client) = tls.accept(client).await
                        && let Ok(mut server) = TcpStream::connect(server).await
                    {
                        let _ = copy_bidirectional(&mut client, &mut server).await;
                    }
                });
            }
        });
        TlsFront {
            address,
            authority: authority.pem(),
            task,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate of the authority that vouches for it, as PEM.
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A proxy that answers `CONNECT`: every host is at one address, or is refused.
#[derive(Debug)]
pub struct ConnectProxy {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl ConnectProxy {
    /// Leads to `target`, or refuses with 403 where there is none.
    pub async fn start(target: Option<SocketAddr>) -> ConnectProxy {
        let (listener, address) = listen().await;
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&requests);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(connect(client, target, Arc::clone(&seen)));
            }
        });
        ConnectProxy {
            address,
            requests,
            task,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The heads of the requests so far.
    pub fn requests(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.clone()
    }
}

impl Drop for ConnectProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn connect(client: TcpStream, target: Option<SocketAddr>, seen: Arc<Mutex<Vec<String>>>) {
    let mut client = BufReader::new(client);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if !matches!(client.read_line(&mut head).await, Ok(1..)) {
            return;
        }
    }
    let connects = head.starts_with("CONNECT ");
    seen.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(head);
    let server = match target {
        Some(target) if connects => TcpStream::connect(target).await.ok(),
        _ => None,
    };
    let Some(mut server) = server else {
        let _ = client
            .write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            .await;
        return;
    };
    if client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.is_ok() {
        let _ = copy_bidirectional(&mut client, &mut server).await;
    }
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port is free");
    let address = listener.local_addr().expect("a listener has an address");
    (listener, address)
}
