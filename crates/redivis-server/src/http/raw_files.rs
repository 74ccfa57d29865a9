//! Raw files: `…/rawFiles`, `/rawFiles/:id` (redivis-api §6.5).
//!
//! A listing is made of any table with ids of files, row by row as it is read; a file's bytes are those that some version
//! lists, for whoever may read that version's rows.

use std::{collections::HashSet, time::SystemTime};

use arrow::array::{Array, ArrayRef, AsArray};
use axum::{
    Json,
    extract::{DefaultBodyLimit, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{CONTENT_DISPOSITION, IF_MODIFIED_SINCE, LAST_MODIFIED},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::{
    Routes, Shared,
    body::{Rows, Shown},
    error::ApiError,
    file_body,
    gate::Caller,
    json::{JsonBody, required, text},
    origin_for,
    parameters::Parameters,
    readable::{Readable, all_rows},
    target::{PathNames, TableTarget, blocking},
};
use crate::{
    catalog::{Access, Catalog, ChangeError},
    raw_file::{RawFile, RawFiles, VARIABLES, rows_of, write_index},
    storage::{Encoder, Format, RowScan, Segment, StorageError, schema_of},
    temporary::TempUploadError,
};

/// Files that a request adds at most.
const FILES: usize = 1000;

/// Bytes of a request that adds some: names may be long paths.
const REQUEST_BYTES: usize = 8 << 20;

/// Bytes that a file's name may have.
const NAME: usize = 1024;

pub(super) fn routes() -> Routes {
    Routes::new()
        .route(
            "/tables/{table}/rawFiles",
            get(list)
                .post(create)
                .layer(DefaultBodyLimit::max(REQUEST_BYTES)),
        )
        .route("/rawFiles/{file}", get(read))
}

/// Adds files to a file index table.
async fn create(
    State(api): Shared,
    target: TableTarget,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    target.require_edit()?;
    let user = target.caller.user.clone();
    let user = user.ok_or_else(ApiError::no_credentials)?;
    let requested = requested(&body)?;
    let origin = origin_for(&api, &headers);
    blocking(move || {
        Catalog::takes_files(&target.entry)?;
        let mut kept: Vec<RawFile> = Vec::with_capacity(requested.len());
        let added = requested
            .iter()
            .map(|(name, temporary)| {
                let received = api.temporary.look(temporary, &user)?;
                let file = api.raw_files.keep(&received.path, name);
                let file = file.map_err(TempUploadError::Io)?;
                kept.push(file);
                Ok(received.path)
            })
            .collect::<Result<Vec<_>, TempUploadError>>()
            .map_err(ApiError::from)
            .and_then(|paths| {
                let added = api.catalog.change_files(&target.entry, |change, upload| {
                    for ((_, temporary), path) in requested.iter().zip(&paths) {
                        let received = api.temporary.take(change, temporary, &user)?;
                        if received.path != *path {
                            return Err(ChangeError::conflict(
                                "A temp upload was sent again while it was used",
                            ));
                        }
                    }
                    RawFiles::list(change, upload, &kept)?;
                    Ok(((), write_index(change, upload, api.catalog.rows_folder())?))
                });
                Ok(added?)
            });
        if let Err(error) = added {
            api.raw_files.discard(&kept);
            return Err(error);
        }
        for (_, temporary) in &requested {
            api.temporary.remove(temporary);
        }
        // What was replaced, if no version lists it.
        if let Err(error) = api.raw_files.purge() {
            tracing::warn!("replaced raw files cannot be deleted: {error}");
        }
        let results: Vec<Value> = kept.iter().map(|file| to_json(file, &origin)).collect();
        let list = json!({"kind": "rawFileList", "results": results});
        Ok((StatusCode::CREATED, Json(list)))
    })
    .await
}

fn to_json(file: &RawFile, origin: &str) -> Value {
    let uri = format!("/rawFiles/{}", file.id);
    json!({
        "kind": "rawFile",
        "id": file.id,
        "uri": uri,
        "url": format!("{origin}/api/v1{uri}"),
        "name": file.name,
        "md5Hash": file.md5,
        "size": file.size,
    })
}

/// The names of files to be added, each with its temp upload.
fn requested(body: &Map<String, Value>) -> Result<Vec<(String, String)>, ApiError> {
    let files = match body.get("files") {
        Some(Value::Array(files)) if (1..=FILES).contains(&files.len()) => files,
        _ => {
            return Err(ApiError::invalid(format!(
                "`files` must be a list of 1 to {FILES} {{name, tempUploadId}}"
            )));
        }
    };
    let mut names = HashSet::new();
    let mut requested = Vec::with_capacity(files.len());
    for file in files {
        let Value::Object(file) = file else {
            return Err(ApiError::invalid(
                "each of `files` must be {name, tempUploadId}",
            ));
        };
        let name = required(file, "name")?;
        check_name(name)?;
        if !names.insert(name) {
            return Err(ApiError::invalid(format!("`files` has `{name}` twice")));
        }
        let temporary = text(file, "tempUploadId")?.flatten();
        let temporary = temporary.ok_or_else(|| {
            ApiError::invalid(format!("the `tempUploadId` of `{name}` is missing"))
        })?;
        requested.push((name.to_owned(), temporary.to_owned()));
    }
    Ok(requested)
}

/// Refuses names that lead out of the folder a client puts the files in.
fn check_name(name: &str) -> Result<(), ApiError> {
    let goes_on = |part: &str| !matches!(part, "" | "." | "..");
    let fits = name.len() <= NAME && !name.chars().any(char::is_control);
    if fits && name.split('/').all(goes_on) {
        return Ok(());
    }
    Err(ApiError::invalid(format!(
        "`{}` cannot be the name of a file: it must be a relative path of at most {NAME} bytes, without control characters \
         and without empty parts, `.` and `..`",
        name.escape_debug()
    )))
}

/// Lists the files whose ids a table or a query's result has.
pub(super) async fn list(
    State(api): Shared,
    headers: HeaderMap,
    parameters: Parameters,
    target: Readable,
) -> Result<Response, ApiError> {
    target.require(Access::Data)?;
    if parameters.get("format") != Some("arrow") {
        return Err(ApiError::invalid("`format` must be `arrow`"));
    }
    // A table's name may mean another version by now, and that is a change as well.
    let modified = target.updated();
    if is_known(&headers, modified) {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    let id_variable = parameters.get("fileIdVariable").unwrap_or("file_id");
    let name_variable = parameters.get("fileNameVariable");
    let mut variables = VARIABLES;
    if let Some(name) = name_variable {
        variables[1].0 = name;
    }
    let schema = schema_of(variables);
    let segments: Vec<Segment> = match target.rows() {
        0 => Vec::new(),
        _ => {
            let mut wanted = vec![id_variable.to_owned()];
            wanted.extend(name_variable.map(str::to_owned));
            wanted.dedup();
            let selected = target.select(Some(&wanted)).map_err(|_| {
                ApiError::invalid(format!(
                    "The table does not have the variables `{}`; name those of the files by `fileIdVariable` and `fileNameVariable`",
                    wanted.join("`, `")
                ))
            })?;
            let uploads = target.uploads().iter();
            uploads
                .flat_map(|upload| all_rows(upload, &selected))
                .collect()
        }
    };
    let encoder = Encoder::new(Format::Arrow, schema, 0, false)
        .map_err(|error| ApiError::internal(&error))?;
    let names = name_variable.map(str::to_owned);
    let rows = Rows {
        scan: RowScan::new(segments, 0),
        shown: Some(files_of(api.raw_files.clone(), names)),
        encoder,
        format: Format::Arrow,
        offset: 0,
        stream: None,
    };
    let mut response = rows.respond().await?;
    let modified = HeaderValue::try_from(httpdate::fmt_http_date(modified));
    if let Ok(modified) = modified {
        response.headers_mut().insert(LAST_MODIFIED, modified);
    }
    Ok(response)
}

/// Whether nothing has changed since the client looked last. It tells the second in which it did.
fn is_known(headers: &HeaderMap, modified: SystemTime) -> bool {
    headers
        .get(IF_MODIFIED_SINCE)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| httpdate::parse_http_date(text).ok())
        .is_some_and(|since| modified <= since)
}

/// Makes rows of files of rows with their ids, and with names if a variable has these.
fn files_of(files: RawFiles, names: Option<String>) -> Shown {
    Box::new(move |batch| {
        let invalid = |reason: &dyn ToString| StorageError::invalid("files", reason.to_string());
        let text = |column: &ArrayRef| {
            arrow::compute::cast(column, &arrow::datatypes::DataType::Utf8)
                .map_err(|error| invalid(&error))
        };
        let ids = text(batch.column(0))?;
        let ids = ids.as_string::<i32>();
        let ids = (0..ids.len()).map(|row| ids.is_valid(row).then(|| ids.value(row)));
        let found = files.find_all(ids)?;
        let names = match &names {
            Some(name) => Some((name.as_str(), text(batch.column(batch.num_columns() - 1))?)),
            None => None,
        };
        let names = names.as_ref().map(|(name, column)| (*name, column));
        rows_of(&found, names).map_err(|error| invalid(&error))
    })
}

/// The bytes of a file.
async fn read(
    State(api): Shared,
    caller: Caller,
    names: PathNames,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let id = names.get("file").to_owned();
    let (file, content) = blocking(move || {
        let file = permitted(&api.catalog, &api.raw_files, &caller, &id)?;
        let content = std::fs::File::open(api.raw_files.path(&file));
        Ok((file, content.map_err(|error| ApiError::io(&error))?))
    })
    .await?;
    let mut response = file_body::respond(content, file.size, &headers).await?;
    let answer = response.headers_mut();
    insert(answer, CONTENT_DISPOSITION, disposition(&file.name))?;
    // The digests are those of the whole file, which is what clients compare a download with.
    let md5 = &file.md5;
    insert(answer, DIGEST, format!("md5={md5}"))?;
    insert(answer, STORAGE_HASH, format!("md5={md5}"))?;
    insert(answer, CONTENT_DIGEST, format!("md5=:{md5}:"))?;
    insert(answer, FILE_NAME, encoded(&file.name))?;
    Ok(response)
}

const DIGEST: HeaderName = HeaderName::from_static("digest");
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");
const STORAGE_HASH: HeaderName = HeaderName::from_static("x-goog-hash");
const FILE_NAME: HeaderName = HeaderName::from_static("x-redivis-filename");

fn insert(headers: &mut HeaderMap, name: HeaderName, value: String) -> Result<(), ApiError> {
    let value = HeaderValue::try_from(value).map_err(|error| ApiError::internal(&error))?;
    headers.insert(name, value);
    Ok(())
}

/// The file of this id, if the caller may read the rows of a version that lists it.
fn permitted(
    catalog: &Catalog,
    files: &RawFiles,
    caller: &Caller,
    id: &str,
) -> Result<RawFile, ApiError> {
    let unseen = || caller.unseen("file", id);
    let file = files.find(id)?.ok_or_else(unseen)?;
    let listing = catalog.listing(id)?;
    let best = listing
        .iter()
        .max_by_key(|dataset| caller.access_to(dataset))
        .filter(|dataset| caller.sees(dataset))
        .ok_or_else(unseen)?;
    caller.require(best, Access::Data)?;
    Ok(file)
}

/// A name as headers can carry it.
fn encoded(name: &str) -> String {
    utf8_percent_encode(name, NON_ALPHANUMERIC).to_string()
}

/// Names the download after the last part of the file's name (RFC 6266).
fn disposition(name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or(name);
    let plain: String = last
        .chars()
        .map(|c| match c {
            ' '..='~' if c != '"' && c != '\\' => c,
            _ => '_',
        })
        .collect();
    format!(
        "attachment; filename=\"{plain}\"; filename*=UTF-8''{}",
        encoded(last)
    )
}
