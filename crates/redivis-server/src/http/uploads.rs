//! Uploads: what a table is made of (redivis-api §3.4, §6.4).

use std::sync::Arc;

use axum::{Json, extract::State, routing::get};
use serde_json::{Value, json};

use super::{
    Api, Routes, Shared,
    error::ApiError,
    missing,
    page::Page,
    parameters::Parameters,
    readable, rows,
    tables::milliseconds,
    target::{Target, blocking},
};
use crate::{
    catalog::{Access, Table, Upload},
    reference::escape,
};

pub(super) fn routes() -> Routes {
    const OF_TABLE: &str = "/tables/{table}/uploads/{upload}";
    const ALONE: &str = "/uploads/{upload}";
    let mut routes = Routes::new().route(
        "/tables/{table}/uploads",
        get(list).post(missing("creating uploads")),
    );
    for path in [OF_TABLE, ALONE] {
        routes = routes
            .merge(readable(path))
            .route(path, get(read).delete(delete))
            .route(
                &format!("{path}/rows"),
                get(rows::read).post(missing("inserting rows")),
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

fn upload_get(api: &Arc<Api>, table: &Table, upload: &Upload) -> Value {
    let mut body = upload_list(api, table, upload);
    for name in [
        "hasHeaderRow",
        "delimiter",
        "quoteCharacter",
        "escapeCharacter",
        "skipBadRecords",
        "hasQuotedNewlines",
        "allowJaggedRows",
        "nullMarkers",
    ] {
        body[name] = upload.options.get(name).cloned().unwrap_or(Value::Null);
    }
    body["type"] = upload.kind.as_str().into();
    body["badRecordsCount"] = upload.bad_records.into();
    body["errorMessage"] = upload.error_message.as_deref().into();
    body
}
