//! A static origin: a table whose read streams are files, sent with `sendfile`.
//!
//! It costs as little as a server can, so that what is measured is the reader. It answers the four requests that a
//! read makes and ignores what they ask for: `maxResults`, `selectedVariables` and `requestedStreamCount`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::datatypes::DataType;
use serde_json::{Value, json};

use crate::data::Lineitem;

/// A running origin; it ends with the process.
pub struct Origin {
    address: std::net::SocketAddr,
    sent: Arc<AtomicU64>,
}

impl Origin {
    /// Serves `table`, every stream `repeat` times over, on a free port.
    pub fn start(table: Arc<Lineitem>, repeat: usize) -> Origin {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind a loopback port");
        let address = listener.local_addr().expect("a bound address");
        let sent = Arc::new(AtomicU64::new(0));
        let total = Arc::clone(&sent);
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (table, total) = (Arc::clone(&table), Arc::clone(&total));
                // A reader that goes away in the middle of a stream is no fault of the origin.
                std::thread::spawn(move || serve(&connection, &table, repeat, &total).ok());
            }
        });
        Origin { address, sent }
    }

    /// The API's base URL.
    pub fn endpoint(&self) -> String {
        format!("http://{}/api/v1", self.address)
    }

    /// The streams' URLs, for readers that know nothing of the API.
    pub fn stream_urls(&self, count: usize) -> Vec<String> {
        (0..count)
            .map(|i| format!("{}/readStreams/{i}", self.endpoint()))
            .collect()
    }

    /// Bytes of stream bodies sent since the last call.
    pub fn take_sent(&self) -> u64 {
        self.sent.swap(0, Ordering::Relaxed)
    }
}

fn serve(
    connection: &TcpStream,
    table: &Lineitem,
    repeat: usize,
    sent: &AtomicU64,
) -> io::Result<()> {
    connection.set_nodelay(true)?;
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
        io::copy(&mut reader.by_ref().take(length), &mut io::sink())?;
        let target = request.split(' ').nth(1).unwrap_or_default();
        let path = target.split('?').next().unwrap_or_default();
        let mut out = connection;
        if let Some(index) = path
            .strip_prefix("/api/v1/readStreams/")
            .and_then(|id| id.parse::<usize>().ok())
        {
            let file = File::open(&table.streams[index % table.streams.len()])?;
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.apache.arrow.stream\r\nContent-Length: {}\r\n\r\n",
                file.metadata()?.len()
            );
            out.write_all(head.as_bytes())?;
            // Counted in pieces, so that a reader who stops early is seen to.
            loop {
                let moved = io::copy(&mut (&file).take(1 << 20), &mut out)?;
                sent.fetch_add(moved, Ordering::Relaxed);
                if moved == 0 {
                    break;
                }
            }
        } else {
            let body = answer(path, table, repeat).to_string();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            out.write_all((head + &body).as_bytes())?;
        }
    }
}

fn answer(path: &str, table: &Lineitem, repeat: usize) -> Value {
    let rows = table.rows * repeat as u64;
    if path.ends_with("/variables") {
        let variables = table.schema.fields().iter().map(|field| {
            let kind = match field.data_type() {
                DataType::Int64 => "integer",
                DataType::Float64 => "float",
                DataType::Date32 => "date",
                _ => "string",
            };
            json!({"kind": "variable", "name": field.name(), "type": kind})
        });
        json!({"kind": "variableList", "results": variables.collect::<Vec<_>>(), "nextPageToken": null})
    } else if path.ends_with("/readSessions") {
        let streams = (0..table.streams.len() * repeat)
            .map(|i| json!({"kind": "readStream", "id": i.to_string(), "format": "arrow"}));
        json!({"kind": "readSession", "numRows": rows, "streams": streams.collect::<Vec<_>>()})
    } else {
        json!({
            "kind": "table", "uri": "/tables/bench.tpch:v1_0.lineitem", "name": "lineitem", "referenceId": "li01",
            "qualifiedReference": "bench.tpch:v1_0.lineitem", "scopedReference": "lineitem",
            "numRows": rows, "numBytes": table.bytes * repeat as u64, "variableCount": table.schema.fields().len(),
            "container": {"kind": "dataset", "uri": "/datasets/bench.tpch:v1_0", "name": "tpch", "qualifiedReference": "bench.tpch:v1_0", "scopedReference": "tpch"},
        })
    }
}
