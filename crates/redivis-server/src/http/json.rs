//! JSON bodies of requests, with errors in the service's shape.
//!
//! The content type does not matter, and no body is an empty one: clients post without a payload (redivis-api §1).

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
};
use serde_json::{Map, Value};

use super::error::ApiError;

/// The members of a request's JSON object.
#[derive(Debug)]
pub(super) struct JsonBody(pub(super) Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|error| ApiError::invalid(error.body_text()))?;
        if bytes.is_empty() {
            return Ok(JsonBody(Map::new()));
        }
        serde_json::from_slice(&bytes)
            .map(JsonBody)
            .map_err(|error| ApiError::invalid(format!("The body is not a JSON object: {error}")))
    }
}
