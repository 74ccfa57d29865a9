//! Temp uploads: `POST /tables/:t/tempUploads`, and the URLs that their bytes go to (redivis-api §6.2, §6.3).
//!
//! Those URLs are unguessable and need no token: whoever was told one may send. So they are kept out of logs and messages.

use std::io;

use axum::{
    Json,
    body::{Body, HttpBody},
    extract::{DefaultBodyLimit, Request, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CONTENT_RANGE, LOCATION, RANGE},
    },
    response::{IntoResponse, Response},
    routing::post,
};
use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt};
use serde_json::{Map, Value, json};

use super::{
    Routes, Shared,
    error::ApiError,
    json::JsonBody,
    origin_for,
    parameters::{count_of_json, count_of_text},
    target::{PathNames, TableTarget, blocking},
};
use crate::{
    catalog::Version,
    temporary::{ContentRange, NewTempUpload, Progress, TempUploadError},
};

/// Temp uploads that a request creates at most (redivis-api §6.2).
const ENTRIES: usize = 1000;

/// Bytes of a request that creates some: names may be long paths.
const ENTRIES_BYTES: usize = 8 << 20;

/// Bytes that are read of a refused body, so that the client reads the answer rather than finding the connection closed.
const DRAINED: usize = 1 << 20;

pub(super) fn routes() -> Routes {
    Routes::new()
        .route(
            "/tables/{table}/tempUploads",
            post(create).layer(DefaultBodyLimit::max(ENTRIES_BYTES)),
        )
        .route("/tempUploads/{upload}", post(start).put(put))
        .route("/uploadSessions/{session}", axum::routing::put(send))
}

async fn create(
    State(api): Shared,
    target: TableTarget,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    target.require_edit()?;
    if target.entry.dataset.version != Version::Next {
        return Err(ApiError::invalid(
            "Bytes can be uploaded to tables of an unreleased version only; create the next version, and name it `:next`",
        ));
    }
    let user = target.caller.user.ok_or_else(ApiError::no_credentials)?;
    let uploads = requested(&body)?;
    let base = origin_for(&api, &headers);
    blocking(move || {
        let ids = api.temporary.create(&user, &uploads)?;
        let results: Vec<Value> = ids
            .iter()
            .zip(&uploads)
            .map(|(id, upload)| {
                json!({
                    "kind": "tempUpload",
                    "id": id,
                    "url": format!("{base}/api/v1/tempUploads/{id}"),
                    // As text, which is how the service writes 64 bits (redivis-api §6.2).
                    "size": upload.size.to_string(),
                    "resumable": upload.is_resumable,
                })
            })
            .collect();
        let list = json!({"kind": "tempUploadList", "results": results});
        Ok((StatusCode::CREATED, Json(list)))
    })
    .await
}

/// What a request wants to send.
fn requested(body: &Map<String, Value>) -> Result<Vec<NewTempUpload>, ApiError> {
    let entries = match body.get("tempUploads") {
        Some(Value::Array(entries)) if (1..=ENTRIES).contains(&entries.len()) => entries,
        Some(Value::Array(entries)) => {
            return Err(ApiError::invalid(format!(
                "`tempUploads` must have 1 to {ENTRIES} entries, and has {}",
                entries.len()
            )));
        }
        _ => {
            return Err(ApiError::invalid(
                "`tempUploads` must be a list of {size, resumable, name}",
            ));
        }
    };
    entries
        .iter()
        .enumerate()
        .map(|(index, entry)| {
            let invalid =
                |what: &str| Err(ApiError::invalid(format!("`tempUploads[{index}]{what}")));
            let Value::Object(entry) = entry else {
                return invalid("` must be an object");
            };
            let size = count_of_json(&format!("tempUploads[{index}].size"), entry.get("size"))?;
            let Some(size) = size.filter(|size| i64::try_from(*size).is_ok()) else {
                return invalid(".size` must be the number of bytes to send");
            };
            let is_resumable = match entry.get("resumable") {
                None | Some(Value::Null) => false,
                Some(Value::Bool(resumable)) => *resumable,
                Some(_) => return invalid(".resumable` must be a boolean"),
            };
            // Clients tell a name; it is the upload's or raw file's own that counts.
            if !matches!(
                entry.get("name"),
                None | Some(Value::Null | Value::String(_))
            ) {
                return invalid(".name` must be a string");
            }
            Ok(NewTempUpload { size, is_resumable })
        })
        .collect()
}

/// Takes all bytes at once.
async fn put(
    State(api): Shared,
    names: PathNames,
    request: Request,
) -> Result<StatusCode, ApiError> {
    let length = request.body().size_hint().exact();
    let mut body = bytes_of(request.into_body());
    match api
        .temporary
        .put(names.get("upload"), length, &mut body)
        .await
    {
        Ok(()) => Ok(StatusCode::OK),
        Err(error) => Err(refused(error, body).await),
    }
}

/// Starts a resumable session.
async fn start(
    State(api): Shared,
    names: PathNames,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let starts = headers
        .get("x-goog-resumable")
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"start"));
    if !starts {
        return Err(ApiError::invalid(
            "A POST starts a resumable session, with the header `x-goog-resumable: start`",
        ));
    }
    let announced = "x-upload-content-length";
    let length = match headers.get(announced) {
        None => None,
        Some(value) => Some(count_of_text(
            announced,
            value.to_str().unwrap_or_default(),
        )?),
    };
    let session = api.temporary.start(names.get("upload"), length).await?;
    let location = format!(
        "{}/api/v1/uploadSessions/{session}",
        origin_for(&api, &headers)
    );
    let location = HeaderValue::try_from(location).map_err(|error| ApiError::internal(&error))?;
    Ok((StatusCode::CREATED, [(LOCATION, location)]).into_response())
}

/// Takes a chunk, or says how far the session came.
async fn send(
    State(api): Shared,
    names: PathNames,
    request: Request,
) -> Result<Response, ApiError> {
    let session = names.get("session");
    let range = match request.headers().get(CONTENT_RANGE) {
        None => None,
        Some(value) => Some(
            value
                .to_str()
                .ok()
                .and_then(ContentRange::parse)
                .ok_or_else(|| {
                    ApiError::invalid(
                        "`Content-Range` must be like `bytes 0-524287/2000000`, or `bytes */2000000` to ask how far the upload came",
                    )
                })?,
        ),
    };
    let length = request.body().size_hint().exact();
    let mut body = bytes_of(request.into_body());
    let progress = match range {
        Some(ContentRange::Probe { total }) => api.temporary.progress(session, total).await,
        range => api.temporary.send(session, range, length, &mut body).await,
    };
    match progress {
        Ok(Progress::Complete) => Ok(StatusCode::OK.into_response()),
        Ok(Progress::Partial(0)) => Ok(StatusCode::PERMANENT_REDIRECT.into_response()),
        Ok(Progress::Partial(there)) => {
            let range = format!("bytes=0-{}", there - 1);
            Ok((StatusCode::PERMANENT_REDIRECT, [(RANGE, range)]).into_response())
        }
        Err(error) => Err(refused(error, body).await),
    }
}

fn bytes_of(body: Body) -> impl Stream<Item = io::Result<Bytes>> + Send + Unpin {
    body.into_data_stream().map_err(io::Error::other)
}

/// The answer for bytes that were not taken, once the client may read it.
async fn refused(
    error: TempUploadError,
    mut body: impl Stream<Item = io::Result<Bytes>> + Send + Unpin,
) -> ApiError {
    if !matches!(error, TempUploadError::Superseded | TempUploadError::Cut(_)) {
        let mut drained = 0;
        while let Some(Ok(piece)) = body.next().await {
            drained += piece.len();
            if drained > DRAINED {
                break;
            }
        }
    }
    error.into()
}

impl From<TempUploadError> for ApiError {
    fn from(error: TempUploadError) -> Self {
        use TempUploadError as E;
        match error {
            E::Unknown | E::UnknownSession => Self::not_found_because(error.to_string()),
            E::Expired => Self::gone(error.to_string()),
            E::Taken | E::Superseded => Self::conflict(error.to_string()),
            E::Incomplete { .. } | E::Mismatch(_) | E::Cut(_) | E::Unusable(_) => {
                Self::invalid(error.to_string())
            }
            E::TooLarge { .. } => Self::too_large(error.to_string()),
            E::Io(error) => Self::io(&error),
            E::Database(error) => error.into(),
            E::Random(error) => Self::internal(&error),
        }
    }
}
