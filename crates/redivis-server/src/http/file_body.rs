//! A file, or a range of its bytes, as the body of an answer.

use std::{
    fs::File,
    io::{Seek, SeekFrom},
};

use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE},
    },
    response::{IntoResponse, Response},
};
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;

use super::{byte_range::Part, error::ApiError, target::blocking};

/// Bytes of a file that are read at once.
const PIECE: usize = 256 << 10;

/// Answers with what `Range` asks for of a file of this size.
pub(super) async fn respond(
    content: File,
    size: u64,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let range = headers.get(RANGE).and_then(|range| range.to_str().ok());
    let (status, bytes) = match Part::of(range, size) {
        Part::Whole => (StatusCode::OK, 0..size),
        Part::Bytes(bytes) => (StatusCode::PARTIAL_CONTENT, bytes),
        Part::Outside => {
            let error = ApiError::range_not_satisfiable(size);
            let range = format!("bytes */{size}");
            return Ok(([(CONTENT_RANGE, range)], error).into_response());
        }
    };
    let start = bytes.start;
    let content = blocking(move || {
        let mut content = content;
        content
            .seek(SeekFrom::Start(start))
            .map_err(|error| ApiError::io(&error))?;
        Ok(content)
    })
    .await?;
    let length = bytes.end - bytes.start;
    let content = tokio::fs::File::from_std(content).take(length);
    let body = Body::from_stream(ReaderStream::with_capacity(content, PIECE));
    let mut response = (status, body).into_response();
    let answer = response.headers_mut();
    answer.insert(CONTENT_LENGTH, length.into());
    answer.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    // Never shown as a page of this server's own, whatever is in it.
    let kind = HeaderValue::from_static("application/octet-stream");
    answer.insert(CONTENT_TYPE, kind);
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {}-{}/{size}", bytes.start, bytes.end - 1);
        let range = HeaderValue::try_from(range).map_err(|error| ApiError::internal(&error))?;
        answer.insert(CONTENT_RANGE, range);
    }
    Ok(response)
}
