//! JSON bodies of requests, with errors in the service's shape.
//!
//! The content type does not matter, and no body is an empty one: clients post without a payload (redivis-api §1).

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::StatusCode,
};
use serde_json::{Map, Value};

use super::{error::ApiError, parameters::split_names};

/// The members of a request's JSON object.
#[derive(Debug)]
pub(super) struct JsonBody(pub(super) Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let bytes =
            Bytes::from_request(request, state)
                .await
                .map_err(|error| match error.status() {
                    StatusCode::PAYLOAD_TOO_LARGE => ApiError::too_large(error.body_text()),
                    _ => ApiError::invalid(error.body_text()),
                })?;
        if bytes.is_empty() {
            return Ok(JsonBody(Map::new()));
        }
        let wrong =
            |what: String| ApiError::invalid(format!("The body is not a JSON object{what}"));
        match serde_json::from_slice(&bytes) {
            Ok(Value::Object(members)) => Ok(JsonBody(members)),
            // R writes an object without members as a list.
            Ok(Value::Array(items)) if items.is_empty() => Ok(JsonBody(Map::new())),
            Ok(_) => Err(wrong(String::new())),
            Err(error) => Err(wrong(format!(": {error}"))),
        }
    }
}

/// A text that has to be there.
pub(super) fn required<'a>(body: &'a Map<String, Value>, key: &str) -> Result<&'a str, ApiError> {
    let missing = || ApiError::invalid(format!("`{key}` is missing"));
    text(body, key)?.flatten().ok_or_else(missing)
}

/// A text; the outer `None` when nothing is said, the inner one for null.
pub(super) fn text<'a>(
    body: &'a Map<String, Value>,
    key: &str,
) -> Result<Option<Option<&'a str>>, ApiError> {
    match body.get(key) {
        None => Ok(None),
        Some(Value::Null) => Ok(Some(None)),
        Some(Value::String(text)) => Ok(Some(Some(text))),
        Some(other) => Err(unexpected(key, "a string", other)),
    }
}

/// A yes or no; `None` when nothing is said.
pub(super) fn flag(body: &Map<String, Value>, key: &str) -> Result<Option<bool>, ApiError> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(other) => Err(unexpected(key, "a boolean", other)),
    }
}

/// A list of names, which the documentation also writes as one text with commas; `None` when nothing is said.
pub(super) fn names(body: &Map<String, Value>, key: &str) -> Result<Option<Vec<String>>, ApiError> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(split_names(text).collect())),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| match item {
                Value::String(name) => Ok(name.clone()),
                other => Err(unexpected(key, "a list of strings", other)),
            })
            .collect::<Result<_, _>>()
            .map(Some),
        Some(other) => Err(unexpected(key, "a list of strings", other)),
    }
}

/// The refusal of a value.
pub(super) fn unexpected(key: &str, wanted: &str, value: &Value) -> ApiError {
    ApiError::invalid(format!("`{key}` must be {wanted}, and is `{value}`"))
}
