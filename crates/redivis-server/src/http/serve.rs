//! Connections: accepted, answered, and given up when the client does nothing that the server waits for.
//!
//! A client that sends its headers or body too slowly, or takes no more of an answer, costs a connection and nothing
//! else, and that only for a time.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::{Request, body::Incoming, server::conn::http1, service::Service};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use super::patience::{PatientBody, PatientStream};

/// How long the end waits for requests that are being answered.
const GRACE: Duration = Duration::from_secs(5);

/// How long headers may take, and a connection may be idle between requests, at most.
const HEADERS: Duration = Duration::from_secs(30);

/// Bytes that headers may have: URLs name selected variables, of which a table may have thousands.
const HEADER_BYTES: usize = 256 << 10;

/// Connections at once; more wait until some end.
const CONNECTIONS: usize = 2000;

/// How long to wait when the system accepts no connection, as when too many files are open.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until it is stopped, and then until what is being answered is answered, or the grace is over.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    patience: Duration,
    stop: CancellationToken,
) {
    let graceful = GracefulShutdown::new();
    let free = Arc::new(Semaphore::new(CONNECTIONS));
    // With it, connections end when this future is dropped.
    let mut connections = JoinSet::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEADERS.min(patience))
        .max_header_size(HEADER_BYTES);
    while let Some(accepted) = stop.run_until_cancelled(accept(&listener, &free)).await {
        while connections.try_join_next().is_some() {}
        let (stream, peer, permit) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        // A stream's last bytes must not wait for more to fill a packet.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot turn off Nagle's algorithm");
        }
        let routes = TowerToHyperService::new(router.clone());
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(|body| Body::new(PatientBody::new(body, patience)));
            request.extensions_mut().insert(ConnectInfo(peer));
            routes.call(request)
        });
        let stream = TokioIo::new(PatientStream::new(stream, patience));
        let connection = graceful.watch(http.serve_connection(stream, service));
        connections.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(permit);
        });
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("{} connections are cut off", connections.len());
    }
}

type Accepted = (TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit);

async fn accept(listener: &TcpListener, free: &Arc<Semaphore>) -> io::Result<Accepted> {
    let permit = Arc::clone(free).acquire_owned().await;
    let permit = permit.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, permit))
}
