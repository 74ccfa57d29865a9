//! Errors as the service words them: flat JSON with `status`, `error` and `error_description` (redivis-api §1.4).
//!
//! `status` is in the body too, because older Python clients only look there.

use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use crate::{
    catalog::{Access, ChangeError},
    database::DatabaseError,
    reference::ReferenceError,
    storage::{IngestError, StorageError},
};

/// Carries the error of a request for `HEAD`, whose answer has no body.
pub(super) const HEAD_ERROR: HeaderName = HeaderName::from_static("x-redivis-error-payload");

/// An answer that is an error.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    status: StatusCode,
    error: &'static str,
    description: String,
    /// The scope that the token lacks.
    scope: Option<&'static str>,
    /// Seconds after which to try again.
    retry_after: Option<u64>,
}

impl ApiError {
    fn new(status: StatusCode, error: &'static str, description: impl Into<String>) -> Self {
        ApiError {
            status,
            error,
            description: description.into(),
            scope: None,
            retry_after: None,
        }
    }

    pub(super) fn invalid(description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", description)
    }

    pub(super) fn not_found(what: &str, name: &str) -> Self {
        let description = format!("The {what} `{name}` does not exist, or you cannot see it");
        Self::not_found_because(description)
    }

    pub(super) fn not_found_because(description: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", description)
    }

    pub(super) fn unknown_route() -> Self {
        let description = "There is no such endpoint";
        Self::new(StatusCode::NOT_FOUND, "not_found", description)
    }

    pub(super) fn method_not_allowed() -> Self {
        let description = "This endpoint does not have this method";
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            description,
        )
    }

    pub(super) fn no_credentials() -> Self {
        let description = "No credentials were provided";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", description)
    }

    pub(super) fn invalid_token() -> Self {
        let description = "The provided access token is not valid";
        Self::new(StatusCode::UNAUTHORIZED, "invalid_token", description)
    }

    pub(super) fn insufficient_scope(needed: Access) -> Self {
        let scope = needed.scope();
        let description = format!("The access token does not have the scope `{scope}`");
        let error = Self::new(StatusCode::FORBIDDEN, "insufficient_scope", description);
        ApiError {
            scope: Some(scope),
            ..error
        }
    }

    pub(super) fn forbidden(description: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", description)
    }

    pub(super) fn too_many(description: impl Into<String>, retry_after: u64) -> Self {
        let status = StatusCode::TOO_MANY_REQUESTS;
        let error = Self::new(status, "rate_limit_exceeded", description);
        ApiError {
            retry_after: Some(retry_after),
            ..error
        }
    }

    /// Nothing was changed, because there is no room for it.
    pub(super) fn disk_full() -> Self {
        let description = "The server's disk is full; nothing was changed";
        let status = StatusCode::INSUFFICIENT_STORAGE;
        Self::new(status, "insufficient_storage", description)
    }

    /// A fault of the disk; a full one is told apart.
    pub(super) fn io(error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull
            | std::io::ErrorKind::QuotaExceeded
            | std::io::ErrorKind::FileTooLarge => Self::disk_full(),
            _ => Self::internal(error),
        }
    }

    /// An error that OAuth has a name for (RFC 6749 §5.2, RFC 8628 §3.5).
    pub(super) fn oauth(error: &'static str, description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, description)
    }

    pub(super) fn gone(description: impl Into<String>) -> Self {
        Self::new(StatusCode::GONE, "gone", description)
    }

    pub(super) fn range_not_satisfiable(size: u64) -> Self {
        let status = StatusCode::RANGE_NOT_SATISFIABLE;
        let description = format!("The file has {size} bytes, and none of those asked for");
        Self::new(status, "range_not_satisfiable", description)
    }

    pub(super) fn too_large(description: impl Into<String>) -> Self {
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        Self::new(status, "payload_too_large", description)
    }

    /// What the service has, and this server does not.
    pub(super) fn not_implemented(what: &str) -> Self {
        let description = format!("redivis-server does not support {what}");
        Self::new(StatusCode::NOT_IMPLEMENTED, "not_implemented", description)
    }

    pub(super) fn conflict(description: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", description)
    }

    pub(super) fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!("internal error: {cause}");
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self::new(
            status,
            "internal_error",
            format!("The server failed: {cause}"),
        )
    }

    pub(super) fn body(&self) -> serde_json::Value {
        let mut body = json!({
            "status": self.status.as_u16(),
            "error": self.error,
            "error_description": self.description,
        });
        if let Some(scope) = self.scope {
            body["scope"] = scope.into();
        }
        body
    }

    /// The error as the value of [`HEAD_ERROR`].
    pub(super) fn header(&self) -> Option<HeaderValue> {
        let body = self.body().to_string();
        let encoded = utf8_percent_encode(&body, NON_ALPHANUMERIC).to_string();
        HeaderValue::from_str(&encoded).ok()
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body())).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<ReferenceError> for ApiError {
    fn from(error: ReferenceError) -> Self {
        ApiError::new(
            StatusCode::BAD_REQUEST,
            "invalid_reference",
            error.to_string(),
        )
    }
}

impl From<StorageError> for ApiError {
    fn from(error: StorageError) -> Self {
        let (status, code) = match &error {
            // Asking again does not help, so this is none of the statuses that clients try again after.
            StorageError::Invalid { .. } | StorageError::Ambiguous { .. } => {
                (StatusCode::UNPROCESSABLE_ENTITY, "unreadable_table")
            }
            StorageError::Changed { .. } => (StatusCode::GONE, "table_changed"),
            StorageError::Gone(_) => (StatusCode::NOT_FOUND, "not_found"),
            StorageError::Io { .. } | StorageError::Catalog(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "internal_error")
            }
        };
        ApiError::new(status, code, error.to_string())
    }
}

impl From<ChangeError> for ApiError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Invalid(reason) => Self::invalid(reason),
            ChangeError::Conflict(reason) => Self::conflict(reason),
            ChangeError::NotFound(reason) => Self::not_found_because(reason),
            ChangeError::Database(error) => error.into(),
            ChangeError::Storage(error) => error.into(),
            ChangeError::Io(error) => Self::io(&error),
        }
    }
}

impl From<IngestError> for ApiError {
    fn from(error: IngestError) -> Self {
        match error {
            IngestError::Rejected(reason) => Self::invalid(reason),
            IngestError::Unsupported(_) => Self::not_implemented("this type of uploads"),
            IngestError::Io(error) => Self::io(&error),
            IngestError::Stopped => Self::internal(&error),
        }
    }
}

impl From<DatabaseError> for ApiError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Full => Self::disk_full(),
            error => Self::internal(&error),
        }
    }
}

/// An endpoint of the service that this server does not have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Missing(pub(super) &'static str);

impl IntoResponse for Missing {
    fn into_response(self) -> Response {
        ApiError::not_implemented(self.0).into_response()
    }
}
