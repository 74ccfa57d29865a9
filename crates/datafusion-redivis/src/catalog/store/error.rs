//! Failures as those who read and write files expect them, with the service's own inside.

use object_store::Error;
use redivis::ErrorKind;

const STORE: &str = "redivis";

/// A failure of the service on the file of this name.
pub(super) fn failed(path: &str, error: redivis::Error) -> Error {
    let path = path.to_owned();
    let kind = error.kind();
    let source = Box::new(error);
    match kind {
        ErrorKind::NotFound => Error::NotFound { path, source },
        ErrorKind::Unauthorized => Error::Unauthenticated { path, source },
        ErrorKind::Forbidden => Error::PermissionDenied { path, source },
        _ => Error::Generic {
            store: STORE,
            source,
        },
    }
}

/// Another failure.
pub(super) fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Generic {
        store: STORE,
        source: error.into(),
    }
}

/// What the service cannot do.
pub(super) fn unsupported(words: &'static str) -> Error {
    Error::NotSupported {
        source: words.into(),
    }
}
