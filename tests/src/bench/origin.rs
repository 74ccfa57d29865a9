//! A static origin: tables whose read streams are files, sent over a line of known speed.
//!
//! It costs as little as a server can, so that what is measured is the reader. It answers the requests that a read makes,
//! with as many streams as are asked for, and ignores the rest: `maxResults` and `selectedVariables`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arrow::datatypes::DataType;
use serde_json::{Value, json};

use super::tables::{PARTS, Piece, Table};

/// What lies between the origin and its readers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Line {
    /// Before a connection is of use, as for the handshakes of TCP and TLS.
    pub connect: Duration,
    /// Before each answer.
    pub request: Duration,
    /// Bytes that a connection carries in a second; none: as many as it can.
    pub connection_bytes: Option<u64>,
}

impl Line {
    /// What the README measures with: each connection carries 40 MB/s, each request takes 50 ms.
    pub const FAR: Self = Self {
        connect: Duration::ZERO,
        request: Duration::from_millis(50),
        connection_bytes: Some(40_000_000),
    };
}

/// A running origin; it ends with the process.
#[derive(Debug)]
pub struct Origin {
    address: std::net::SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    tables: Vec<Table>,
    repeat: usize,
    line: Line,
    sent: AtomicU64,
}

impl Origin {
    /// Serves `tables`, all their rows `repeat` times over, on a free port.
    pub fn start(tables: Vec<Table>, repeat: usize, line: Line) -> Origin {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind a loopback port");
        let address = listener.local_addr().expect("a bound address");
        let shared = Arc::new(Shared {
            tables,
            repeat,
            line,
            sent: AtomicU64::new(0),
        });
        let origin = Origin {
            address,
            shared: Arc::clone(&shared),
        };
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                // A reader that goes away in the middle of a stream is no fault of the origin.
                std::thread::spawn(move || shared.serve(&connection).ok());
            }
        });
        origin
    }

    /// The API's base URL.
    pub fn endpoint(&self) -> String {
        format!("http://{}/api/v1", self.address)
    }

    /// The URLs of a table's streams, for readers that know nothing of the API.
    pub fn stream_urls(&self, table: &str, streams: usize) -> Vec<String> {
        (0..streams)
            .map(|stream| format!("{}/readStreams/{table}-{stream}-{streams}", self.endpoint()))
            .collect()
    }

    /// Bytes of stream bodies sent since the last call.
    pub fn take_sent(&self) -> u64 {
        self.shared.sent.swap(0, Ordering::Relaxed)
    }
}

impl Shared {
    fn serve(&self, connection: &TcpStream) -> io::Result<()> {
        connection.set_nodelay(true)?;
        std::thread::sleep(self.line.connect);
        let mut reader = BufReader::new(connection);
        loop {
            let mut request = String::new();
            if reader.read_line(&mut request)? == 0 {
                return Ok(());
            }
            let mut length = 0;
            loop {
                let mut header = String::new();
                reader.read_line(&mut header)?;
                if header.trim().is_empty() {
                    break;
                }
                if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap_or(0);
                }
            }
            let mut body = vec![];
            reader.by_ref().take(length).read_to_end(&mut body)?;
            std::thread::sleep(self.line.request);
            let target = request.split(' ').nth(1).unwrap_or_default();
            let path = target.split('?').next().unwrap_or_default();
            match path.strip_prefix("/api/v1/readStreams/").map(stream_of) {
                Some(Some((table, stream, streams))) => {
                    self.stream(connection, table, stream, streams)?
                }
                _ => {
                    let (status, body) = match self.answer(path, &body) {
                        Some(answer) => ("200 OK", answer),
                        None => (
                            "404 Not Found",
                            json!({"status": 404, "error": {"message": "not here"}}),
                        ),
                    };
                    let body = body.to_string();
                    let head = head(status, "application/json", body.len() as u64);
                    (&mut &*connection).write_all((head + &body).as_bytes())?;
                }
            }
        }
    }

    fn stream(
        &self,
        mut out: &TcpStream,
        table: &str,
        stream: usize,
        streams: usize,
    ) -> io::Result<()> {
        let Some(table) = self.tables.iter().find(|this| this.name == table) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let pieces = table.stream(stream, streams, self.repeat);
        let length = pieces.iter().map(|piece| piece.length).sum();
        out.write_all(head("200 OK", "application/vnd.apache.arrow.stream", length).as_bytes())?;
        let (started, mut total) = (Instant::now(), 0);
        // At full speed in pieces large enough for `sendfile`, otherwise in such that flow evenly.
        let step = self.line.connection_bytes.map_or(1 << 20, |_| 64 << 10);
        for Piece {
            path,
            start,
            length,
        } in pieces
        {
            let mut file = File::open(path)?;
            file.seek(SeekFrom::Start(start))?;
            let mut left = length;
            while left > 0 {
                let moved = io::copy(&mut (&file).take(left.min(step)), &mut out)?;
                left -= moved;
                total += moved;
                self.sent.fetch_add(moved, Ordering::Relaxed);
                if let Some(speed) = self.line.connection_bytes {
                    let due = Duration::from_secs_f64(total as f64 / speed as f64);
                    std::thread::sleep(due.saturating_sub(started.elapsed()));
                }
            }
        }
        Ok(())
    }

    fn answer(&self, path: &str, request: &[u8]) -> Option<Value> {
        if path.ends_with("/users/me") {
            return Some(json!({"kind": "user", "name": "bench"}));
        }
        let table = self
            .tables
            .iter()
            .find(|table| path.contains(&format!(".{}", table.name)))?;
        let rows = table.rows * self.repeat as u64;
        let uri = format!("/tables/bench.tpch:v1_0.{}", table.name);
        Some(if path.ends_with("/variables") {
            let variables = table.schema.fields().iter().map(|field| {
                let kind = match field.data_type() {
                    DataType::Int64 => "integer",
                    DataType::Float64 => "float",
                    DataType::Date32 => "date",
                    _ => "string",
                };
                let uri = format!("{uri}/variables/{}", field.name());
                json!({"kind": "variable", "name": field.name(), "type": kind, "uri": uri})
            });
            json!({"kind": "variableList", "results": variables.collect::<Vec<_>>(), "nextPageToken": null})
        } else if path.ends_with("/readSessions") {
            let request: Value = serde_json::from_slice(request).unwrap_or_default();
            let streams = request["requestedStreamCount"]
                .as_u64()
                .unwrap_or(1)
                .clamp(1, PARTS as u64);
            let streams = (0..streams).map(|stream| {
                let id = format!("{}-{stream}-{streams}", table.name);
                json!({"kind": "readStream", "id": id, "format": "arrow"})
            });
            json!({"kind": "readSession", "numRows": rows, "streams": streams.collect::<Vec<_>>()})
        } else {
            json!({
                "kind": "table", "uri": uri, "name": table.name, "referenceId": "li01",
                "qualifiedReference": format!("bench.tpch:v1_0.{}", table.name), "scopedReference": table.name,
                "numRows": rows, "numBytes": table.said_bytes * self.repeat as u64, "variableCount": table.schema.fields().len(),
                "container": {"kind": "dataset", "uri": "/datasets/bench.tpch:v1_0", "name": "tpch", "qualifiedReference": "bench.tpch:v1_0", "scopedReference": "tpch"},
            })
        })
    }
}

/// The table, stream and number of streams that an id of a stream is made of.
fn stream_of(id: &str) -> Option<(&str, usize, usize)> {
    let mut parts = id.split('-');
    let table = parts.next()?;
    let (stream, streams) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    (stream < streams).then_some((table, stream, streams))
}

fn head(status: &str, kind: &str, length: u64) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n")
}
