//! The `uri` of a resource: a path below the endpoint that the service gave, and that every later call starts with.

use std::str::FromStr;

use crate::error::{Error, ErrorKind, Result};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// What may not stand in a path as it is; `%` may, as the service may have encoded already.
const ILLEGAL: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'|')
    .add(b'^')
    .add(b'\\');

/// The URI as a path that can be appended to the endpoint: only illegal characters are encoded (redivis-api §2.3).
///
/// What would lead out of the resource, such as `..` or a query, is refused.
pub(crate) fn checked_uri(operation: &'static str, uri: &str) -> Result<String> {
    let refused = |reason: &str| {
        Error::new(
            operation,
            uri.escape_debug().to_string(),
            ErrorKind::Invalid,
            format!("a resource's URI {reason}"),
        )
    };
    let Some(path) = uri.strip_prefix('/') else {
        return Err(refused("starts with /, like /tables/owner.dataset.table"));
    };
    if uri.contains(['?', '#', '\\']) {
        return Err(refused("has no ?, # or \\"));
    }
    for segment in path.trim_end_matches('/').split('/') {
        let decoded = percent_decode_str(segment).decode_utf8_lossy();
        if decoded.is_empty() || decoded.trim_matches('.').is_empty() {
            return Err(refused("has no empty, `.` or `..` segments"));
        }
    }
    let path = path.trim_end_matches('/');
    Ok(format!("/{}", utf8_percent_encode(path, ILLEGAL)))
}

/// The reference that a URI with this prefix names, if it names one.
pub(crate) fn reference_in<R: FromStr>(uri: &str, prefix: &str) -> Option<R> {
    let segment = uri.strip_prefix(prefix)?.split('/').next()?;
    percent_decode_str(segment).decode_utf8().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_kept_and_traps_refused() {
        for (uri, path) in [
            (
                "/tables/o.ds:ab12:v1_0.My table",
                "/tables/o.ds:ab12:v1_0.My%20table",
            ),
            (
                "/tables/o.ds%3Av1_0.t/uploads/u",
                "/tables/o.ds%3Av1_0.t/uploads/u",
            ),
            ("/queries/123/", "/queries/123"),
            ("/tables/é", "/tables/%C3%A9"),
        ] {
            assert_eq!(checked_uri("get", uri).unwrap(), path);
        }
        for uri in [
            "",
            "/",
            "tables/x",
            "http://evil/x",
            "//evil/x",
            "/tables/../users",
            "/tables/%2e%2E/x",
            "/tables/./x",
            "/tables//x",
            "/tables/x?y",
            "/tables/x#y",
            "/a\\..\\b",
        ] {
            let error = checked_uri("get", uri).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{uri}");
        }
    }
}
