//! A file's bytes, all of them or a range: taken up again where a connection broke, and checked at the end.
//!
//! A raw file, or a part of an export. Neither ever changes under its id, so what a second request brings continues what the
//! first one brought.

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Buf, Bytes};
use futures::stream::{self, BoxStream, StreamExt};
use md5::{Digest, Md5};
use reqwest::StatusCode;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderMap, RANGE};

use super::body::Body;
use super::progress::ReadProgress;
use crate::client::Client;
use crate::error::{ErrorKind, Result, Retry};
use crate::reference::path_segment;
use crate::request::Call;
use crate::resource::Export;
use crate::retry::Attempts;

impl Client {
    /// Reads a raw file, or a range of its bytes: `GET /rawFiles/:id` (redivis-api §6.5).
    ///
    /// A range may reach beyond the file's end, not start there. After a break, a stall or a refusal that passes the bytes that
    /// are missing are asked for, as the retry policy allows. A whole file is compared with the MD5 that the service sends along,
    /// if it does: a difference is an error of kind [`ErrorKind::Data`] after the last byte.
    pub fn read_raw_file(
        &self,
        id: &str,
        range: Option<Range<u64>>,
    ) -> BoxStream<'static, Result<Bytes>> {
        let call = Call::get("read file", id, format!("/rawFiles/{}", path_segment(id)));
        Reader::new(self, call, range).into_bytes()
    }

    /// Reads one file of a completed [`Export`], counted from 0: `GET /exports/:id/download?filePart=n` (redivis-api §6.6).
    ///
    /// After a break, a stall or a refusal that passes the bytes that are missing are asked for, as the retry policy allows.
    pub fn read_export_file(
        &self,
        export: &Export,
        part: u64,
    ) -> BoxStream<'static, Result<Bytes>> {
        let path = format!("/exports/{}/download", path_segment(&export.id));
        let call = Call::get("download export", &export.id, path).query("filePart", part);
        Reader::new(self, call, None).into_bytes()
    }
}

struct Reader {
    client: Client,
    call: Call,
    start: u64,
    /// The first byte that has not been returned.
    next: u64,
    /// Where to stop; `None` until the file's size is known.
    end: Option<u64>,
    /// The file's, as soon as the service has said it.
    size: Option<u64>,
    digest: Md5,
    /// The digest that the service promises.
    expected: Option<Vec<u8>>,
    body: Option<Answer>,
    attempts: Attempts,
    progress: ReadProgress,
}

/// An answer being read.
struct Answer {
    body: Body,
    /// Bytes before the ones that were asked for: some services start earlier.
    skip: u64,
}

impl Reader {
    fn new(client: &Client, call: Call, range: Option<Range<u64>>) -> Self {
        let (start, end) = match range {
            Some(range) => (range.start, Some(range.end)),
            None => (0, None),
        };
        Self {
            client: client.clone(),
            call,
            start,
            next: start,
            end,
            size: None,
            digest: Md5::new(),
            expected: None,
            body: None,
            attempts: Attempts::new(client.retry_policy().clone()),
            progress: ReadProgress::default(),
        }
    }

    fn into_bytes(self) -> BoxStream<'static, Result<Bytes>> {
        stream::try_unfold(self, |mut reader| async move {
            Ok(reader.next().await?.map(|bytes| (bytes, reader)))
        })
        .boxed()
    }

    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            if self.end.is_some_and(|end| self.next >= end) {
                return self.finish();
            }
            match self.step().await {
                Ok(Some(bytes)) if bytes.is_empty() => {}
                Ok(Some(bytes)) => {
                    self.attempts.progress();
                    self.next += bytes.len() as u64;
                    self.digest.update(&bytes);
                    return Ok(Some(bytes));
                }
                // Without a size the transport's own end is all there is.
                Ok(None) if self.end.is_none() => {
                    self.end = Some(self.next);
                }
                Ok(None) => {
                    let cut = self
                        .call
                        .error(ErrorKind::Transport, "the answer stopped before its end");
                    self.wait_after(cut).await?;
                }
                Err(error) => self.wait_after(error).await?,
            }
        }
    }

    async fn wait_after(&mut self, error: crate::Error) -> Result<()> {
        self.body = None;
        self.attempts.wait_after(error).await
    }

    async fn step(&mut self) -> Result<Option<Bytes>> {
        let mut answer = match self.body.take() {
            Some(answer) => answer,
            None => self.open().await?,
        };
        let Some(mut bytes) = answer.body.chunk(&self.call, &self.progress).await? else {
            return Ok(None);
        };
        let skipped = answer.skip.min(bytes.len() as u64);
        answer.skip -= skipped;
        bytes.advance(usize::try_from(skipped).unwrap_or(bytes.len()));
        if let Some(end) = self.end {
            let room = usize::try_from(end - self.next).unwrap_or(usize::MAX);
            bytes.truncate(room);
        }
        self.body = Some(answer);
        Ok(Some(bytes))
    }

    /// Asks for the bytes that have not been returned.
    async fn open(&mut self) -> Result<Answer> {
        let call = match (self.next, self.end) {
            (0, None) => self.call.clone(),
            (next, None) => self.call.clone().header(RANGE, format!("bytes={next}-")),
            (next, Some(end)) => {
                let range = format!("bytes={next}-{}", end.saturating_sub(1));
                self.call.clone().header(RANGE, range)
            }
        };
        let body = Body::open(&self.client, &call, &self.progress).await?;
        let odd = |message: String| {
            call.error(ErrorKind::Protocol, message)
                .with_retry(Retry::No)
        };
        let headers = body.headers();
        let (skip, size) = if body.status() == StatusCode::PARTIAL_CONTENT {
            let (first, size) = content_range(headers).ok_or_else(|| {
                odd("the service answers with a part without saying which".to_owned())
            })?;
            let skip = self.next.checked_sub(first).ok_or_else(|| {
                odd(format!(
                    "the service answers with byte {first} where {} was asked for",
                    self.next
                ))
            })?;
            (skip, size)
        } else {
            (self.next, number(headers, CONTENT_LENGTH.as_str()))
        };
        if let (Some(before), Some(now)) = (self.size, size)
            && before != now
        {
            return Err(odd(format!(
                "the file had {before} bytes, and now it has {now}"
            )));
        }
        self.expected = self.expected.take().or_else(|| md5_of(headers));
        self.size = self.size.or(size);
        if let Some(size) = self.size {
            if self.start > size {
                return Err(call.error(
                    ErrorKind::Invalid,
                    format!("it has {size} bytes, so none from {} on", self.start),
                ));
            }
            self.end = Some(self.end.map_or(size, |end| end.min(size)));
        }
        Ok(Answer { body, skip })
    }

    fn finish(&mut self) -> Result<Option<Bytes>> {
        let is_whole = self.start == 0 && self.size.is_none_or(|size| size == self.next);
        if let Some(expected) = self.expected.take()
            && is_whole
            && self.digest.clone().finalize().as_slice() != expected
        {
            return Err(self.call.error(
                ErrorKind::Data,
                "what arrived does not have the checksum that the service promised",
            ));
        }
        Ok(None)
    }
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// First byte and file size of `Content-Range: bytes 5-9/100`.
fn content_range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let value = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    let (range, size) = value.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, _) = range.split_once('-')?;
    Some((first.trim().parse().ok()?, size.trim().parse().ok()))
}

/// The MD5 that an answer promises, in any of the headers that services use (redivis-api §6.5).
fn md5_of(headers: &HeaderMap) -> Option<Vec<u8>> {
    ["content-digest", "x-goog-hash", "digest"]
        .into_iter()
        .flat_map(|name| headers.get_all(name))
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|item| item.trim().split_once('='))
        .filter(|(algorithm, _)| algorithm.eq_ignore_ascii_case("md5"))
        .find_map(|(_, digest)| STANDARD.decode(digest.trim_matches(':')).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_in_every_header() {
        let digest = Md5::digest(b"hello").to_vec();
        let text = STANDARD.encode(&digest);
        for (name, value) in [
            ("content-digest", format!("md5=:{text}:")),
            ("content-digest", format!("sha-256=:AAAA:, md5=:{text}:")),
            ("x-goog-hash", format!("crc32c=AAAAAA==,md5={text}")),
            ("digest", format!("MD5={text}")),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            assert_eq!(md5_of(&headers), Some(digest.clone()), "{name}: {value}");
        }
        assert_eq!(md5_of(&HeaderMap::new()), None);
    }
}
