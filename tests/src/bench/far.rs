//! A server that is far away: what is between it and its readers carries so many bytes a second on each connection, and takes its
//! time for each request.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::origin::Line;

const CHUNK: usize = 64 << 10;

/// A line to a server of this machine; it ends with the process.
#[derive(Debug)]
pub struct Far {
    address: SocketAddr,
    sent: Arc<AtomicU64>,
}

impl Far {
    /// A line to the server behind an endpoint such as `http://127.0.0.1:8080/api/v1`.
    pub fn from(endpoint: &str, line: Line) -> Far {
        let server = endpoint.trim_start_matches("http://");
        let server = server.split('/').next().unwrap_or(server).to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind a loopback port");
        let address = listener.local_addr().expect("a bound address");
        let sent = Arc::new(AtomicU64::new(0));
        let far = Far {
            address,
            sent: Arc::clone(&sent),
        };
        std::thread::spawn(move || {
            for reader in listener.incoming().flatten() {
                let (server, sent) = (server.clone(), Arc::clone(&sent));
                // A reader that goes away is no fault of the line.
                std::thread::spawn(move || carry(&reader, &server, line, &sent).ok());
            }
        });
        far
    }

    /// The endpoint at this end of the line.
    pub fn endpoint(&self) -> String {
        format!("http://{}/api/v1", self.address)
    }

    /// Bytes that came over it since this was asked last.
    pub fn take_sent(&self) -> u64 {
        self.sent.swap(0, Ordering::Relaxed)
    }
}

fn carry(reader: &TcpStream, server: &str, line: Line, sent: &Arc<AtomicU64>) -> io::Result<()> {
    std::thread::sleep(line.connect);
    let server = TcpStream::connect(server)?;
    server.set_nodelay(true)?;
    reader.set_nodelay(true)?;
    // What follows an answer is a request.
    let answered = Arc::new(AtomicBool::new(true));
    let (mut asks, mut asked) = (reader.try_clone()?, server.try_clone()?);
    let mut requests = {
        let answered = Arc::clone(&answered);
        move || -> io::Result<()> {
            let mut chunk = vec![0; CHUNK];
            loop {
                let length = asks.read(&mut chunk)?;
                if length == 0 {
                    return asked.shutdown(Shutdown::Both);
                }
                if answered.swap(false, Ordering::Relaxed) {
                    std::thread::sleep(line.request);
                }
                asked.write_all(&chunk[..length])?;
            }
        }
    };
    std::thread::spawn(move || requests().ok());
    let (mut from, mut to) = (&server, reader);
    let mut chunk = vec![0; CHUNK];
    let (mut started, mut carried) = (Instant::now(), 0_u64);
    loop {
        let length = from.read(&mut chunk)?;
        if length == 0 {
            return reader.shutdown(Shutdown::Both);
        }
        if !answered.swap(true, Ordering::Relaxed) {
            (started, carried) = (Instant::now(), 0);
        }
        carried += length as u64;
        if let Some(rate) = line.connection_bytes {
            let due = Duration::from_secs_f64(carried as f64 / rate as f64);
            std::thread::sleep(due.saturating_sub(started.elapsed()));
        }
        sent.fetch_add(length as u64, Ordering::Relaxed);
        to.write_all(&chunk[..length])?;
    }
}
