//! Read streams: `GET /readStreams/:id` (redivis-api §5.2).
//!
//! An offset counts rows. Any row up to what was sent so far can be asked for again, as often as connections break.

use std::sync::Arc;

use axum::{extract::State, response::Response};

use super::{
    Shared, body::Rows, error::ApiError, gate::Caller, parameters::Parameters, target::PathNames,
};
use crate::{
    catalog::Access,
    session::ReadStream,
    storage::{Encoder, RowScan},
};

pub(super) async fn read(
    State(api): Shared,
    caller: Caller,
    parameters: Parameters,
    names: PathNames,
) -> Result<Response, ApiError> {
    let stream = api.sessions.stream(names.get("id"));
    let stream = stream.ok_or_else(|| unknown(api.sessions.ttl()))?;
    permit(&stream, &caller)?;
    let offset = parameters.count("offset")?.unwrap_or(0);
    let sent = stream.sent();
    if offset > sent {
        return Err(ApiError::invalid(format!(
            "`offset` is {offset}, but only {sent} rows of this stream were read so far"
        )));
    }
    let sentinel = parameters.flag("eosSentinel");
    let schema = Arc::clone(&stream.schema);
    let encoder = Encoder::new(stream.format, schema, offset, sentinel)
        .map_err(|error| ApiError::internal(&error))?;
    let rows = Rows {
        scan: RowScan::new(stream.segments.iter().cloned(), offset),
        shown: None,
        encoder,
        format: stream.format,
        offset,
        stream: Some(stream),
    };
    rows.respond().await
}

fn permit(stream: &ReadStream, caller: &Caller) -> Result<(), ApiError> {
    if !stream.allowed_ips.is_empty() && !stream.allowed_ips.contains(&caller.address) {
        return Err(ApiError::forbidden(
            "This read stream may not be read from your address",
        ));
    }
    if stream.allow_anonymous {
        return Ok(());
    }
    match &caller.user {
        None => Err(ApiError::no_credentials()),
        Some(user) if *user == stream.creator => {
            if stream.public || caller.scopes_allow(Access::Data) {
                Ok(())
            } else {
                Err(ApiError::insufficient_scope(Access::Data))
            }
        }
        Some(_) => Err(ApiError::forbidden(
            "This read stream may only be read by the user who created it",
        )),
    }
}

fn unknown(ttl: std::time::Duration) -> ApiError {
    let seconds = ttl.as_secs();
    let lifetime = match seconds {
        0 => format!("{} milliseconds", ttl.as_millis()),
        s if s % 3600 == 0 => format!("{} hours", s / 3600),
        s if s % 60 == 0 => format!("{} minutes", s / 60),
        s => format!("{s} seconds"),
    };
    ApiError::not_found_because(format!(
        "This read stream does not exist, or its read session has expired (after {lifetime})"
    ))
}
