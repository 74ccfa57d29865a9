//! Creating uploads: `POST /tables/:t/uploads` (redivis-api §6.4).
//!
//! Three forms: JSON that names a finished temp upload, multipart with the bytes, and the bytes alone with everything
//! else in the query string. All of them end in the first.

use std::{io, sync::Arc};

use axum::{
    Json, RequestExt,
    extract::{FromRequest, Multipart, Request, State, multipart::Field},
    http::{StatusCode, header::CONTENT_TYPE},
};
use futures::TryStreamExt;
use serde_json::{Map, Value};

use super::{
    Api, Shared,
    error::ApiError,
    json::{JsonBody, text, unexpected},
    parameters::Parameters,
    target::{TableTarget, blocking},
    uploads::upload_get,
};
use crate::{
    catalog::{NewUpload, Sent, TableEntry, VariableChange},
    storage::{Column, UploadOptions, UploadType, variable_names},
    temporary::Inline,
};

/// Bytes that a simple or multipart upload may have (redivis-api §6.4).
pub(super) const INLINE_BYTES: u64 = 100_000_000;
/// Bytes of the part of a multipart upload that describes the other.
const METADATA_BYTES: usize = 1 << 20;
/// How the bytes are to be read, in the API's names.
pub(super) const OPTIONS: [&str; 8] = [
    "hasHeaderRow",
    "skipBadRecords",
    "hasQuotedNewlines",
    "allowJaggedRows",
    "quoteCharacter",
    "escapeCharacter",
    "nullMarkers",
    "delimiter",
];

/// An upload as it was asked for.
#[derive(Debug, Default)]
struct Asked {
    metadata: Map<String, Value>,
    /// The bytes that came along.
    inline: Option<Inline>,
}

pub(super) async fn create(
    State(api): Shared,
    target: TableTarget,
    parameters: Parameters,
    request: Request,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    target.require_edit()?;
    let user = target
        .caller
        .user
        .clone()
        .ok_or_else(ApiError::no_credentials)?;
    let kind = request.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or("");
    let asked = if kind.starts_with("multipart/form-data") {
        multipart(&api, request).await?
    } else if parameters.get("name").is_some() || parameters.get("type").is_some() {
        simple(&api, &parameters, request).await?
    } else {
        let JsonBody(metadata) = JsonBody::from_request(request, &()).await?;
        Asked {
            metadata,
            inline: None,
        }
    };
    let created = blocking(move || take_down(&api, &target.entry, &user, asked)).await?;
    Ok((StatusCode::CREATED, Json(created)))
}

/// Notes the upload and has it read in.
fn take_down(
    api: &Arc<Api>,
    entry: &TableEntry,
    user: &str,
    asked: Asked,
) -> Result<Value, ApiError> {
    let Asked { metadata, inline } = asked;
    for elsewhere in ["transferSpecification"] {
        if metadata
            .get(elsewhere)
            .is_some_and(|value| !value.is_null())
        {
            return Err(ApiError::not_implemented("transfers from elsewhere"));
        }
    }
    let named = temp_upload_id(&metadata)?;
    if inline.is_some() && named.is_some() {
        return Err(ApiError::invalid(
            "An upload has either a `tempUploadId` or bytes of its own, not both",
        ));
    }
    let name = text(&metadata, "name")?.flatten().unwrap_or("").trim();
    let options = options(&metadata, name)?;
    let is_stream = options.kind == UploadType::Stream;
    match (inline.is_some() || named.is_some(), is_stream) {
        (false, false) => {
            return Err(ApiError::invalid(
                "An upload needs bytes: a `tempUploadId`, or the bytes in the request; only one of type `stream` has none",
            ));
        }
        (true, true) => {
            return Err(ApiError::invalid(
                "An upload of type `stream` takes rows, not bytes",
            ));
        }
        _ => {}
    }
    let schema = options.schema.as_ref().map(|schema| {
        let column = |(name, kind): &(String, _)| Column {
            name: name.clone(),
            kind: *kind,
            bytes: 0,
        };
        schema.iter().map(column).collect()
    });
    if is_stream && schema.is_none() {
        return Err(ApiError::invalid(
            "An upload of type `stream` needs a `schema`: a list of {name, type}",
        ));
    }
    let new = NewUpload {
        name: if name.is_empty() { "upload" } else { name }.to_owned(),
        metadata: described(&metadata)?,
        schema,
        options: match serde_json::to_value(&options) {
            Ok(Value::Object(options)) => options,
            _ => Map::new(),
        },
    };
    let name = api.catalog.create_upload(entry, &new, |change| {
        let (temporary, size) = match (&inline, named) {
            (Some(inline), _) => (api.temporary.adopt(change, inline, user)?, inline.size),
            (None, Some(id)) => (id.to_owned(), api.temporary.take(change, id, user)?.size),
            (None, None) => return Ok(None),
        };
        Ok(Some(Sent { temporary, size }))
    })?;
    if let Some(inline) = inline {
        inline.keep().map_err(|error| ApiError::io(&error))?;
    }
    api.ingestion.arrived();
    let table = api.catalog.open(api.catalog.changed(entry)?)?;
    let upload = table.upload(&name);
    let upload = upload.ok_or_else(|| ApiError::not_found("upload", &name))?;
    Ok(upload_get(api, &table, upload))
}

/// `tempUploadId`, which older pages call `resumableUploadId`.
fn temp_upload_id(metadata: &Map<String, Value>) -> Result<Option<&str>, ApiError> {
    match text(metadata, "tempUploadId")?.flatten() {
        Some(id) => Ok(Some(id)),
        None => Ok(text(metadata, "resumableUploadId")?.flatten()),
    }
}

/// How the bytes are to be read.
fn options(metadata: &Map<String, Value>, name: &str) -> Result<UploadOptions, ApiError> {
    let kind = match text(metadata, "type")?.flatten() {
        None | Some("") => UploadType::of_file_name(name),
        Some(kind) => UploadType::of_name(kind)
            .ok_or_else(|| ApiError::invalid(format!("`{kind}` is not a type of uploads")))?,
    };
    if !kind.is_supported() {
        return Err(ApiError::not_implemented(&format!(
            "uploads of type {}",
            kind.name()
        )));
    }
    let mut given: Map<String, Value> = metadata
        .iter()
        .filter(|(key, _)| OPTIONS.contains(&key.as_str()) || *key == "schema")
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    // R writes a list of one text as the text.
    if let Some(marker @ Value::String(_)) = given.get_mut("nullMarkers") {
        *marker = Value::Array(vec![marker.take()]);
    }
    // Official clients send schemas along with files, and say that they are ignored there.
    if kind != UploadType::Stream {
        given.remove("schema");
    }
    let mut options: UploadOptions = serde_json::from_value(given.into()).map_err(|error| {
        ApiError::invalid(format!("The upload's options are not valid: {error}"))
    })?;
    if let Some(schema) = &mut options.schema {
        let given: Vec<&str> = schema.iter().map(|(name, _)| name.as_str()).collect();
        let names = variable_names(&given).map_err(ApiError::invalid)?;
        schema
            .iter_mut()
            .zip(names)
            .for_each(|((name, _), valid)| *name = valid);
    }
    Ok(UploadOptions { kind, ..options })
}

/// What is said about variables; refused here rather than when the rows are read in.
fn described(metadata: &Map<String, Value>) -> Result<Map<String, Value>, ApiError> {
    match metadata.get("metadata") {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(variables)) => {
            for (name, said) in variables {
                VariableChange::of_json(name, said).map_err(ApiError::invalid)?;
            }
            Ok(variables.clone())
        }
        Some(other) => Err(unexpected("metadata", "an object", other)),
    }
}

/// The bytes are the body; all else is in the query string.
async fn simple(
    api: &Arc<Api>,
    parameters: &Parameters,
    request: Request,
) -> Result<Asked, ApiError> {
    let mut metadata = Map::new();
    for key in ["name", "type"] {
        if let Some(value) = parameters.get(key) {
            metadata.insert(key.to_owned(), value.into());
        }
    }
    for key in OPTIONS {
        let Some(value) = parameters.get(key) else {
            continue;
        };
        let value = match (key, value) {
            ("nullMarkers", _) => parameters.names(key).into(),
            (_, "true") => true.into(),
            (_, "false") => false.into(),
            (_, other) => other.into(),
        };
        metadata.insert(key.to_owned(), value);
    }
    let body = request.with_limited_body().into_body();
    let mut bytes = body.into_data_stream().map_err(io::Error::other);
    let inline = api.temporary.store(&mut bytes, INLINE_BYTES).await?;
    Ok(Asked {
        metadata,
        inline: Some(inline),
    })
}

/// A part `metadata` of JSON, and a part `data` of bytes, in any order.
async fn multipart(api: &Arc<Api>, request: Request) -> Result<Asked, ApiError> {
    let broken = |error: axum::extract::multipart::MultipartError| {
        ApiError::invalid(format!(
            "The multipart body cannot be read: {}",
            error.body_text()
        ))
    };
    let mut parts = Multipart::from_request(request, &())
        .await
        .map_err(|error| ApiError::invalid(error.body_text()))?;
    let mut asked = Asked::default();
    let mut described = false;
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        match part.name() {
            Some("metadata") if !described => {
                asked.metadata = read_metadata(part).await?;
                described = true;
            }
            Some("data") if asked.inline.is_none() => {
                let mut bytes = part.map_err(io::Error::other);
                asked.inline = Some(api.temporary.store(&mut bytes, INLINE_BYTES).await?);
            }
            other => {
                let name = other.unwrap_or("").to_owned();
                return Err(ApiError::invalid(format!(
                    "The part `{name}` was not expected; there must be one `metadata` and one `data`"
                )));
            }
        }
    }
    if !described {
        return Err(ApiError::invalid("The part `metadata` is missing"));
    }
    Ok(asked)
}

async fn read_metadata(mut part: Field<'_>) -> Result<Map<String, Value>, ApiError> {
    let mut text = Vec::new();
    loop {
        let chunk = part.chunk().await.map_err(|error| {
            ApiError::invalid(format!(
                "The part `metadata` cannot be read: {}",
                error.body_text()
            ))
        })?;
        let Some(chunk) = chunk else { break };
        if text.len() + chunk.len() > METADATA_BYTES {
            return Err(ApiError::invalid("The part `metadata` is too long"));
        }
        text.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&text).map_err(|error| {
        ApiError::invalid(format!("The part `metadata` is not a JSON object: {error}"))
    })
}
