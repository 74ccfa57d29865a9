//! HTTP/1.1 messages on a connection: heads, and bodies by length, in chunks or up to the end of the connection.
//!
//! Heads are kept as they came, so that the proxy changes nothing that it was not told to change.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

const MAX_HEAD_BYTES: usize = 64 * 1024;
const READ_BYTES: usize = 64 * 1024;
const MAX_HEADERS: usize = 100;

/// A request, as the client sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method, such as `GET`.
    pub method: String,
    /// The path and query, percent-encoded as sent.
    pub target: String,
    /// The header fields, in order.
    pub headers: Vec<(String, String)>,
    /// The body, without transfer encoding. Empty for `PUT`, whose body may be of any size and is relayed as it comes.
    pub body: Vec<u8>,
}

impl Request {
    /// The first header field `name`, compared without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// The path without the query.
    pub fn path(&self) -> &str {
        self.target
            .split_once('?')
            .map_or(&self.target, |(path, _)| path)
    }
}

/// The head of an answer.
#[derive(Debug)]
pub(super) struct ResponseHead {
    /// The bytes up to and with the empty line.
    pub(super) bytes: Vec<u8>,
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
}

impl ResponseHead {
    /// The same head for a body in chunks.
    pub(super) fn chunked(&self) -> Vec<u8> {
        let mut bytes = format!("HTTP/1.1 {} Relayed\r\n", self.status);
        for (name, value) in &self.headers {
            if !name.eq_ignore_ascii_case("content-length")
                && !name.eq_ignore_ascii_case("transfer-encoding")
            {
                bytes.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        bytes.push_str("Transfer-Encoding: chunked\r\n\r\n");
        bytes.into_bytes()
    }
}

/// Where a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

impl Framing {
    pub(super) fn of_request(headers: &[(String, String)]) -> io::Result<Framing> {
        Ok(declared(headers)?.unwrap_or(Framing::Length(0)))
    }

    pub(super) fn of_response(method: &str, head: &ResponseHead) -> io::Result<Framing> {
        if method == "HEAD" || matches!(head.status, 100..200 | 204 | 304) {
            return Ok(Framing::Length(0));
        }
        Ok(declared(&head.headers)?.unwrap_or(Framing::UntilClose))
    }
}

fn declared(headers: &[(String, String)]) -> io::Result<Option<Framing>> {
    if header(headers, "transfer-encoding")
        .is_some_and(|value| value.eq_ignore_ascii_case("chunked"))
    {
        return Ok(Some(Framing::Chunked));
    }
    match header(headers, "content-length") {
        Some(length) => length
            .parse()
            .map(|length| Some(Framing::Length(length)))
            .map_err(malformed),
        None => Ok(None),
    }
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

/// One side of a connection, with what was read from it but not yet used.
#[derive(Debug)]
pub(super) struct Reader<R> {
    inner: R,
    buffer: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    pub(super) fn new(inner: R) -> Self {
        Reader {
            inner,
            buffer: Vec::new(),
        }
    }

    /// The connection, without what was read from it.
    pub(super) fn into_inner(self) -> R {
        self.inner
    }

    /// Reads more; false at the end of the connection.
    pub(super) async fn fill(&mut self) -> io::Result<bool> {
        self.buffer.reserve(READ_BYTES);
        Ok(self.inner.read_buf(&mut self.buffer).await? > 0)
    }

    /// Reads to the end of the connection, keeping nothing.
    pub(super) async fn discard(&mut self) -> io::Result<()> {
        while self.fill().await? {
            self.buffer.clear();
        }
        Ok(())
    }

    /// The next request, or none when the connection ends before one. The body of a `PUT` is still to be read.
    pub(super) async fn request(&mut self) -> io::Result<Option<(Vec<u8>, Request)>> {
        let Some(bytes) = self.head().await? else {
            return Ok(None);
        };
        let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut parsed = httparse::Request::new(&mut fields);
        parsed.parse(&bytes).map_err(malformed)?;
        let headers = owned(parsed.headers);
        let mut request = Request {
            method: parsed.method.unwrap_or_default().to_owned(),
            target: parsed.path.unwrap_or_default().to_owned(),
            body: Vec::new(),
            headers,
        };
        if request.method == "PUT" {
            return Ok(Some((bytes, request)));
        }
        let mut body = Body::new(Framing::of_request(&request.headers)?);
        while let Some(piece) = body.next(self).await? {
            request.body.extend_from_slice(&piece);
        }
        Ok(Some((bytes, request)))
    }

    /// The next answer's head.
    pub(super) async fn response_head(&mut self) -> io::Result<ResponseHead> {
        let bytes = self.head().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut parsed = httparse::Response::new(&mut fields);
        parsed.parse(&bytes).map_err(malformed)?;
        let status = parsed
            .code
            .ok_or_else(|| malformed("an answer without status"))?;
        let headers = owned(parsed.headers);
        Ok(ResponseHead {
            status,
            headers,
            bytes,
        })
    }

    async fn head(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(end) = self
                .buffer
                .windows(4)
                .position(|window| window == b"\r\n\r\n")
            {
                return Ok(Some(self.take(end + 4)));
            }
            if self.buffer.len() > MAX_HEAD_BYTES {
                return Err(malformed("a head without end"));
            }
            if !self.fill().await? {
                return if self.buffer.is_empty() {
                    Ok(None)
                } else {
                    Err(io::ErrorKind::UnexpectedEof.into())
                };
            }
        }
    }

    async fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|window| window == b"\r\n") {
                let line = self.take(end + 2);
                return String::from_utf8(line[..end].to_vec()).map_err(malformed);
            }
            if !self.fill().await? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    fn take(&mut self, count: usize) -> Vec<u8> {
        let rest = self.buffer.split_off(count);
        std::mem::replace(&mut self.buffer, rest)
    }
}

/// A body being read, piece by piece as it arrives.
#[derive(Debug)]
pub(super) struct Body {
    framing: Framing,
    left_in_chunk: u64,
    started: bool,
    ended: bool,
}

impl Body {
    pub(super) fn new(framing: Framing) -> Body {
        Body {
            framing,
            left_in_chunk: 0,
            started: false,
            ended: false,
        }
    }

    /// The next bytes without transfer encoding, or none at the body's proper end. A connection that ends before is an
    /// error of kind `UnexpectedEof`.
    pub(super) async fn next<R: AsyncRead + Unpin>(
        &mut self,
        reader: &mut Reader<R>,
    ) -> io::Result<Option<Vec<u8>>> {
        if self.ended {
            return Ok(None);
        }
        let limit = match &mut self.framing {
            Framing::Length(left) => *left,
            Framing::UntilClose => u64::MAX,
            Framing::Chunked => {
                if self.left_in_chunk == 0 {
                    self.begin_chunk(reader).await?;
                }
                self.left_in_chunk
            }
        };
        if limit == 0 {
            self.ended = true;
            return Ok(None);
        }
        if reader.buffer.is_empty() && !reader.fill().await? {
            self.ended = self.framing == Framing::UntilClose;
            return if self.ended {
                Ok(None)
            } else {
                Err(io::ErrorKind::UnexpectedEof.into())
            };
        }
        let count = reader
            .buffer
            .len()
            .min(usize::try_from(limit).unwrap_or(usize::MAX));
        match &mut self.framing {
            Framing::Length(left) => *left -= count as u64,
            Framing::Chunked => self.left_in_chunk -= count as u64,
            Framing::UntilClose => {}
        }
        Ok(Some(reader.take(count)))
    }

    async fn begin_chunk<R: AsyncRead + Unpin>(
        &mut self,
        reader: &mut Reader<R>,
    ) -> io::Result<()> {
        if self.started {
            reader.line().await?;
        }
        self.started = true;
        let line = reader.line().await?;
        let size = line.split(';').next().unwrap_or_default().trim();
        self.left_in_chunk = u64::from_str_radix(size, 16).map_err(malformed)?;
        if self.left_in_chunk == 0 {
            while !reader.line().await?.is_empty() {}
        }
        Ok(())
    }
}

fn owned(headers: &[httparse::Header<'_>]) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|field| {
            (
                field.name.to_owned(),
                String::from_utf8_lossy(field.value).into_owned(),
            )
        })
        .collect()
}

fn malformed(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, cause)
}
