//! Uploads: the files that a table is made of (redivis-api §3.4, §6.4).

use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{
    Api, Shared, error::ApiError, page::Page, parameters::Parameters, tables::milliseconds,
    target::Target,
};
use crate::{
    catalog::{Access, Table, Upload},
    reference::escape,
};

pub(super) async fn list(
    State(api): Shared,
    parameters: Parameters,
    target: Target,
) -> Result<Json<Value>, ApiError> {
    target.caller.require(target.dataset(), Access::Metadata)?;
    let page = Page::of(&parameters)?;
    Ok(Json(page.list(
        "upload",
        &target.table.uploads,
        |_, upload| upload_list(&api, &target.table, upload),
    )))
}

pub(super) async fn get(State(api): Shared, target: Target) -> Result<Json<Value>, ApiError> {
    target.caller.require(target.dataset(), Access::Metadata)?;
    let upload = target.upload()?;
    let mut body = upload_list(&api, &target.table, upload);
    body["type"] = match upload.format.as_str() {
        "csv" => "delimited",
        // Redivis takes Arrow as a stream of rows.
        "arrow" => "stream",
        other => other,
    }
    .into();
    body["errorMessage"] = Value::Null;
    Ok(Json(body))
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
        "url": format!("{}/datasets/{}/tables/{}", api.origin, entry.dataset.id(), entry.id()),
        "status": "completed",
        "createdAt": milliseconds(upload.created),
        "size": upload.size,
        "numRows": upload.stored.rows(),
        "numBytes": upload.stored.bytes(),
    })
}
