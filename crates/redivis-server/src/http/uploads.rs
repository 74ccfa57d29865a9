//! Uploads: what a table is made of (redivis-api §3.4, §6.4).

use std::sync::Arc;

use axum::{
    Json,
    extract::{DefaultBodyLimit, FromRequest, Request, State},
    routing::get,
};
use serde_json::{Map, Value, json};

use super::{
    Api, Routes, Shared,
    error::ApiError,
    json::{JsonBody, unexpected},
    new_upload,
    page::Page,
    parameters::Parameters,
    readable, rows,
    tables::milliseconds,
    target::{Target, blocking},
};
use crate::{
    catalog::{Access, MERGED_FILES, Table, Upload},
    reference::escape,
    storage::ingest_records,
};

/// Bytes that a request which inserts rows may have (redivis-api §6.4).
const INSERTED_BYTES: usize = 100_000_000;

pub(super) fn routes() -> Routes {
    const OF_TABLE: &str = "/tables/{table}/uploads/{upload}";
    const ALONE: &str = "/uploads/{upload}";
    let mut routes = Routes::new().route(
        "/tables/{table}/uploads",
        get(list)
            .post(new_upload::create)
            .layer(DefaultBodyLimit::disable()),
    );
    for path in [OF_TABLE, ALONE] {
        routes = routes
            .merge(readable(path))
            .route(path, get(read).delete(delete))
            .route(
                &format!("{path}/rows"),
                get(rows::read)
                    .post(insert)
                    .layer(DefaultBodyLimit::max(INSERTED_BYTES)),
            );
    }
    routes
}

async fn list(
    State(api): Shared,
    parameters: Parameters,
    target: Target,
) -> Result<Json<Value>, ApiError> {
    target.caller.require(target.dataset(), Access::Metadata)?;
    let page = Page::of(&parameters)?;
    let uploads = target.table.uploads.iter();
    let own: Vec<&Upload> = uploads.filter(|upload| !upload.is_inherited).collect();
    Ok(Json(page.list("upload", &own, |_, upload| {
        upload_list(&api, &target.table, upload)
    })))
}

async fn read(State(api): Shared, target: Target) -> Result<Json<Value>, ApiError> {
    target.caller.require(target.dataset(), Access::Metadata)?;
    Ok(Json(upload_get(&api, &target.table, target.upload()?)))
}

async fn delete(State(api): Shared, target: Target) -> Result<&'static str, ApiError> {
    target.caller.require(target.dataset(), Access::Edit)?;
    let name = target.upload()?.name.clone();
    blocking(move || Ok(api.catalog.delete_upload(&target.table.entry, &name)?)).await?;
    Ok("OK")
}

/// Adds rows to an upload of type stream: `{"rows": [{…}]}`.
async fn insert(
    State(api): Shared,
    target: Target,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    target.caller.require(target.dataset(), Access::Edit)?;
    // A body of this size is read only for those who may send one.
    let JsonBody(mut body) = JsonBody::from_request(request, &()).await?;
    let Some(Value::Array(rows)) = body.remove("rows") else {
        return Err(ApiError::invalid("`rows` must be a list of objects"));
    };
    let records = rows.into_iter().map(|row| match row {
        Value::Object(row) => Ok(row),
        other => Err(unexpected("rows", "a list of objects", &other)),
    });
    let records: Vec<Map<String, Value>> = records.collect::<Result<_, _>>()?;
    blocking(move || {
        let upload = target.upload()?;
        if upload.kind != "stream" {
            return Err(ApiError::invalid(format!(
                "Rows can be inserted into uploads of type `stream` only, and `{}` is of type `{}`",
                upload.name, upload.kind
            )));
        }
        let variables = upload.variables.iter();
        let schema: Vec<_> = variables.map(|v| (v.name.clone(), v.kind)).collect();
        let entry = &target.table.entry;
        if !records.is_empty() {
            let ingested = ingest_records(&records, &schema, api.catalog.rows_folder())?;
            if api.catalog.insert_rows(entry, upload, &ingested)? >= MERGED_FILES {
                api.ingestion.arrived();
            }
        }
        let table = api.catalog.open(api.catalog.changed(entry)?)?;
        let gone = || ApiError::not_found("upload", &upload.name);
        let upload = table.upload(&upload.name).ok_or_else(gone)?;
        Ok(Json(upload_get(&api, &table, upload)))
    })
    .await
}

/// Where an upload is found; its name as the clients write it.
pub(super) fn uri(table: &Table, upload: &Upload) -> String {
    format!("{}/uploads/{}", table.entry.uri(), escape(&upload.name))
}

fn upload_list(api: &Arc<Api>, table: &Table, upload: &Upload) -> Value {
    let entry = &table.entry;
    json!({
        "kind": "upload",
        "name": upload.name,
        "uri": uri(table, upload),
        "url": format!("{}/datasets/{}/tables/{}", api.origin, entry.dataset.id, entry.id),
        "status": upload.status.name(),
        "createdAt": milliseconds(upload.created),
        "hash": upload.hash,
        "size": upload.size,
        "numRows": upload.rows(),
        "numBytes": upload.bytes(),
    })
}

pub(super) fn upload_get(api: &Arc<Api>, table: &Table, upload: &Upload) -> Value {
    let mut body = upload_list(api, table, upload);
    for name in new_upload::OPTIONS {
        body[name] = upload.options.get(name).cloned().unwrap_or(Value::Null);
    }
    body["type"] = upload.kind.as_str().into();
    body["badRecordsCount"] = upload.bad_records.into();
    body["errorMessage"] = upload.error_message.as_deref().into();
    body
}
