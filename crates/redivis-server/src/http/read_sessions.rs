//! Read sessions: `POST <table or upload>/readSessions` (redivis-api §5.1).
//!
//! A released table is cut into as many even streams as asked for, at most. An unreleased one has a stream per upload,
//! with the variables and types that the upload has.

use std::{net::IpAddr, sync::Arc};

use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Map, Value, json};

use super::{
    Shared,
    error::ApiError,
    json::JsonBody,
    parameters::{count_of_json, split_names},
    rows::format_of,
    tables::milliseconds,
    target::{Target, all_rows},
};
use crate::{
    catalog::{Access, Variable, Version},
    session::{ReadStream, Refused},
    storage::{Format, Segment, cap, split},
};

/// Streams that a session has at most.
const STREAMS: u64 = 1000;

pub(super) async fn create(
    State(api): Shared,
    target: Target,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    target.caller.require(target.dataset(), Access::Data)?;
    // A stream is its creator's, so there has to be one.
    let creator = target
        .caller
        .user
        .clone()
        .ok_or_else(ApiError::no_credentials)?;
    let request = Request::of(&body)?;
    let variables = target.select(request.variables.as_deref())?;
    let stacked = target.dataset().version == Version::Next && !target.is_upload();
    let segments = if stacked {
        by_upload(&target, &variables, &request)
    } else {
        by_count(&target, &variables, &request)
    };

    let public =
        target.dataset().version != Version::Next && target.dataset().public >= Access::Data;
    let streams: Vec<Arc<ReadStream>> = segments
        .into_iter()
        .map(|segment| {
            let schema = Arc::clone(&segment.selection.schema);
            let mut stream =
                ReadStream::new(request.format, schema, vec![segment], creator.clone());
            stream.allow_anonymous = request.allow_anonymous;
            stream.public = public;
            stream.allowed_ips.clone_from(&request.allowed_ips);
            Arc::new(stream)
        })
        .collect();
    let (ids, expires) = api
        .sessions
        .open(streams.iter().map(Arc::clone))
        .map_err(|refused| match refused {
            Refused::Full => ApiError::too_many(
                "Too many read streams are open; wait until some expire",
                api.sessions.ttl().as_secs().max(1),
            ),
            Refused::Random(error) => ApiError::internal(&error),
        })?;

    let rows: u64 = streams.iter().map(|stream| stream.rows()).sum();
    let expires = milliseconds(expires);
    let streams: Vec<Value> = ids
        .iter()
        .zip(&streams)
        .map(|(id, stream)| {
            json!({
                "kind": "readStream",
                "id": id,
                "format": stream.format.name(),
                "expiresAt": expires,
                "estimatedRows": stream.rows(),
            })
        })
        .collect();
    let session = json!({
        "kind": "readSession",
        "format": request.format.name(),
        "numRows": rows,
        "expiresAt": expires,
        "streams": streams,
    });
    Ok((StatusCode::CREATED, Json(session)))
}

/// Even ranges of the rows of the one file that a release or an upload is.
fn by_count(target: &Target, variables: &[&Variable], request: &Request) -> Vec<Segment> {
    target
        .uploads()
        .iter()
        .flat_map(|upload| {
            let all = all_rows(upload, variables);
            let ranges = split(all.len().min(request.limit), request.streams);
            ranges.into_iter().map(move |rows| Segment {
                rows,
                ..all.clone()
            })
        })
        .collect()
}

/// One stream an upload, each with those of the variables that it has, of the types that it has them in.
///
/// Without a selection they keep the upload's order. Names are the table's: Python's batch iterator and R match them
/// with regard to case (redivis-api §8.2).
fn by_upload(target: &Target, variables: &[&Variable], request: &Request) -> Vec<Segment> {
    let mut segments: Vec<Segment> = target
        .uploads()
        .iter()
        .map(|upload| {
            let place = |name: &str| {
                let same = |variable: &Variable| same_name(&variable.name, name);
                upload.variables.iter().position(same)
            };
            let mut own: Vec<(usize, Variable)> = variables
                .iter()
                .filter_map(|variable| {
                    let place = place(&variable.name)?;
                    let kind = upload.variables[place].kind;
                    Some((
                        place,
                        Variable {
                            kind,
                            ..(*variable).clone()
                        },
                    ))
                })
                .collect();
            if request.variables.is_none() {
                own.sort_by_key(|(place, _)| *place);
            }
            let own: Vec<&Variable> = own.iter().map(|(_, variable)| variable).collect();
            all_rows(upload, &own)
        })
        .collect();
    let lengths = cap(segments.iter().map(Segment::len), request.limit);
    for (segment, length) in segments.iter_mut().zip(lengths) {
        segment.rows.end = segment.rows.start + length;
    }
    segments
}

fn same_name(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// What was asked for.
struct Request {
    format: Format,
    limit: u64,
    variables: Option<Vec<String>>,
    streams: u64,
    allow_anonymous: bool,
    allowed_ips: Vec<IpAddr>,
}

impl Request {
    fn of(body: &Map<String, Value>) -> Result<Self, ApiError> {
        let format = match body.get("format") {
            None | Some(Value::Null) => Format::Arrow,
            Some(Value::String(name)) => format_of(name)?,
            Some(other) => return Err(unexpected("format", "a string", other)),
        };
        let streams = count_of_json("requestedStreamCount", body.get("requestedStreamCount"))?;
        if streams == Some(0) {
            return Err(ApiError::invalid(
                "`requestedStreamCount` must be at least 1",
            ));
        }
        let allow_anonymous = match body.get("allowAnonymousAccess") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(allow)) => *allow,
            Some(other) => return Err(unexpected("allowAnonymousAccess", "a boolean", other)),
        };
        let mut allowed_ips = Vec::new();
        for text in names(body, "allowedIPs")?.unwrap_or_default() {
            let address = text.parse().map_err(|_| {
                ApiError::invalid(format!("`{text}` in `allowedIPs` is no address"))
            })?;
            allowed_ips.push(address);
        }
        Ok(Request {
            format,
            limit: count_of_json("maxResults", body.get("maxResults"))?.unwrap_or(u64::MAX),
            variables: names(body, "selectedVariables")?.filter(|names| !names.is_empty()),
            streams: streams.unwrap_or(1).min(STREAMS),
            allow_anonymous,
            allowed_ips,
        })
    }
}

/// A list of names, which the documentation also writes as one text with commas.
fn names(body: &Map<String, Value>, key: &str) -> Result<Option<Vec<String>>, ApiError> {
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

fn unexpected(key: &str, wanted: &str, value: &Value) -> ApiError {
    ApiError::invalid(format!("`{key}` must be {wanted}, and is `{value}`"))
}
