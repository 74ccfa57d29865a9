//! Exports: `POST <table, upload or query>/exports`, `GET /exports/:id` and their files (redivis-api §3.6, §6.6).

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header::CONTENT_DISPOSITION},
    response::Response,
    routing::get,
};
use serde_json::{Value, json};

use super::{
    Api, Routes, Shared,
    error::ApiError,
    file_body,
    gate::Caller,
    json::JsonBody,
    parameters::Parameters,
    readable::Readable,
    target::{PathNames, blocking},
};
use crate::{
    catalog::Access,
    export::{Export, FileFormat, Wanted},
    query::Status,
};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/exports/{export}", get(read))
        .route("/exports/{export}/download", get(download))
}

pub(super) async fn create(
    State(api): Shared,
    target: Readable,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    target.require(Access::Data)?;
    let user = target.caller.user.clone();
    let user = user.ok_or_else(ApiError::no_credentials)?;
    let format = match body.get("format") {
        None | Some(Value::Null) => FileFormat::Csv,
        Some(Value::String(name)) => match FileFormat::of_name(&name.to_ascii_lowercase()) {
            Some(format) => format,
            None if ["avro", "dta", "sav"].contains(&name.as_str()) => {
                return Err(ApiError::not_implemented(&format!("exports as {name}")));
            }
            None => {
                return Err(ApiError::invalid(format!(
                    "`format` must be parquet, csv or ndjson, and is `{name}`"
                )));
            }
        },
        Some(_) => return Err(ApiError::invalid("`format` must be a string")),
    };
    let wanted = Wanted {
        user,
        parent: target.uri(),
        name: target.name().to_owned(),
        format,
        is_public: target.is_public(),
    };
    let body = blocking(move || {
        let export = api.exports.ask(wanted)?;
        Ok(to_json(&api, &export))
    })
    .await?;
    Ok((StatusCode::CREATED, Json(body)))
}

/// The export of a path, if it is the caller's, who may still read the rows.
async fn own(api: &Shared, caller: Caller, names: &PathNames) -> Result<Export, ApiError> {
    let user = caller.user.clone().ok_or_else(ApiError::no_credentials)?;
    let id = names.get("export").to_owned();
    let exports = api.exports.clone();
    let export = blocking(move || {
        let export = exports.find(&id, &user)?;
        export.ok_or_else(|| ApiError::not_found("export", &id))
    })
    .await?;
    if !export.is_public {
        caller.require_scope(Access::Data)?;
    }
    Ok(export)
}

async fn read(api: Shared, caller: Caller, names: PathNames) -> Result<Json<Value>, ApiError> {
    let export = own(&api, caller, &names).await?;
    Ok(Json(to_json(&api, &export)))
}

async fn download(
    api: Shared,
    caller: Caller,
    names: PathNames,
    parameters: Parameters,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let export = own(&api, caller, &names).await?;
    if export.status != Status::Completed {
        return Err(ApiError::conflict(
            "The export is not completed; its files can be had when its `status` is `completed`",
        ));
    }
    let part = parameters.count("filePart")?.unwrap_or(0);
    if part >= export.file_count.unwrap_or(0) {
        return Err(ApiError::not_found("file part", &part.to_string()));
    }
    let path = api.exports.file(&export, part);
    let (content, size) = blocking(move || {
        let open = || {
            let content = std::fs::File::open(path)?;
            let size = content.metadata()?.len();
            Ok((content, size))
        };
        open().map_err(|error: std::io::Error| ApiError::io(&error))
    })
    .await?;
    let mut response = file_body::respond(content, size, &headers).await?;
    let format = export.format.name();
    let name = crate::reference::escape(&export.name);
    let shown = format!("attachment; filename=\"{name}_{part}.{format}\"");
    // A name that no header can have is left out; clients have their own.
    if let Ok(shown) = HeaderValue::try_from(shown) {
        response.headers_mut().insert(CONTENT_DISPOSITION, shown);
    }
    Ok(response)
}

fn to_json(api: &Api, export: &Export) -> Value {
    let uri = format!("/exports/{}", export.id);
    json!({
        "kind": "export",
        "id": export.id,
        "uri": uri,
        "url": format!("{}/api/v1{uri}", api.origin),
        "createdAt": export.created_at,
        "finishedAt": export.finished_at,
        "status": export.status.name(),
        "errorMessage": export.error,
        "percentCompleted": api.exports.percent(export),
        "format": export.format.name(),
        "size": export.size,
        "fileCount": export.file_count,
        "table": {"kind": "table", "name": export.name, "uri": export.parent},
    })
}
