//! Read sessions: `POST <table, upload or query>/readSessions` (redivis-api §5.1).
//!
//! A released table is cut into as many even streams as asked for, at most. An unreleased one has a stream per upload,
//! with the variables and types that the upload has.

use std::{net::IpAddr, sync::Arc};

use arrow::datatypes::SchemaRef;
use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Map, Value, json};

use super::{
    Shared,
    error::ApiError,
    json::{JsonBody, flag, names, text},
    parameters::count_of_json,
    readable::{Readable, all_rows},
    rows::format_of,
    tables::milliseconds,
};
use crate::{
    catalog::{Access, Variable},
    session::{ReadStream, Refused},
    storage::{Format, Segment, schema_of, slice, split},
};

/// Streams that a session has at most.
const STREAMS: u64 = 1000;

pub(super) async fn create(
    State(api): Shared,
    target: Readable,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    target.require(Access::Data)?;
    // A stream is its creator's, so there has to be one.
    let creator = target
        .caller
        .user
        .clone()
        .ok_or_else(ApiError::no_credentials)?;
    let request = Request::of(&body)?;
    let variables = target.select(request.variables.as_deref())?;
    let streams = if target.is_stacked() {
        by_upload(&target, &variables, &request)
    } else {
        by_count(&target, &variables, &request)
    };

    let public = target.is_public();
    let streams: Vec<Arc<ReadStream>> = streams
        .into_iter()
        .map(|Rows { schema, segments }| {
            let mut stream = ReadStream::new(request.format, schema, segments, creator.clone());
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

/// Even ranges of all rows.
fn by_count(target: &Readable, variables: &[&Variable], request: &Request) -> Vec<Rows> {
    let uploads = target.uploads().iter();
    let segments: Vec<Segment> = uploads
        .flat_map(|upload| all_rows(upload, variables))
        .collect();
    let rows: u64 = segments.iter().map(Segment::len).sum();
    let schema = schema_of(variables.iter().map(|v| (v.name.as_str(), v.kind)));
    let streams = match target.is_small_result() {
        true => 1,
        false => request.streams,
    };
    split(rows.min(request.limit), streams)
        .into_iter()
        .map(|range| Rows {
            schema: Arc::clone(&schema),
            segments: slice(&segments, range),
        })
        .collect()
}

/// One stream an upload, each with those of the variables that it has, of the types that it has them in; one without
/// rows where there is no upload, since clients fail without any.
///
/// Without a selection they keep the upload's order. Names are the table's: Python's batch iterator and R match them
/// with regard to case (redivis-api §8.2).
fn by_upload(target: &Readable, variables: &[&Variable], request: &Request) -> Vec<Rows> {
    let mut left = request.limit;
    let mut streams = Vec::new();
    for upload in target.uploads() {
        if upload.parts.is_empty() {
            continue;
        }
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
        let segments = slice(&all_rows(upload, &own), 0..left);
        left -= segments.iter().map(Segment::len).sum::<u64>();
        streams.push(Rows {
            schema: schema_of(own.iter().map(|v| (v.name.as_str(), v.kind))),
            segments,
        });
    }
    match streams.is_empty() {
        true => by_count(target, variables, request),
        false => streams,
    }
}

/// What a stream holds.
struct Rows {
    schema: SchemaRef,
    segments: Vec<Segment>,
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
        let format = match text(body, "format")?.flatten() {
            None => Format::Arrow,
            Some(name) => format_of(name)?,
        };
        let streams = count_of_json("requestedStreamCount", body.get("requestedStreamCount"))?;
        if streams == Some(0) {
            return Err(ApiError::invalid(
                "`requestedStreamCount` must be at least 1",
            ));
        }
        let allow_anonymous = flag(body, "allowAnonymousAccess")?.unwrap_or(false);
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
