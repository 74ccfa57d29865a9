//! Tables: `/tables/:t`, `/datasets/:d/tables` (redivis-api §3.1, §4).

use std::{sync::Arc, time::SystemTime};

use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Map, Value, json};

use super::{
    Api, Shared,
    datasets::dataset_base,
    error::ApiError,
    gate::Caller,
    json::{JsonBody, flag, required, text},
    page::Page,
    parameters::Parameters,
    target::{DatasetTarget, TableTarget, Target, blocking},
};
use crate::catalog::{Access, NewTable, Table, TableChange, TableEntry};

pub(super) async fn get(State(api): Shared, target: Target) -> Result<Json<Value>, ApiError> {
    Ok(table_get(&api, &target.caller, &target.table))
}

pub(super) async fn list(
    State(api): Shared,
    parameters: Parameters,
    target: DatasetTarget,
) -> Result<Json<Value>, ApiError> {
    let page = Page::of(&parameters)?;
    blocking(move || {
        let tables = api.catalog.tables(&target.dataset)?;
        Ok(Json(page.list("table", &tables, |_, entry| {
            match api.catalog.open(entry.clone()) {
                Ok(table) => table_list(&api, &table),
                // One broken file must not hide the others. What is not known of it is null.
                Err(_) => {
                    let mut body = table_base(&api, entry);
                    for unknown in ["numRows", "numBytes", "variableCount"] {
                        body[unknown] = Value::Null;
                    }
                    body
                }
            }
        })))
    })
    .await
}

pub(super) async fn create(
    State(api): Shared,
    target: DatasetTarget,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    target.require_edit()?;
    let new = NewTable {
        name: required(&body, "name")?.to_owned(),
        description: text(&body, "description")?.flatten().map(str::to_owned),
        replaces: replaces(&body)?.unwrap_or(false),
        is_file_index: flag(&body, "isFileIndex")?.unwrap_or(false),
    };
    blocking(move || {
        let entry = api.catalog.create_table(&target.dataset, &new)?;
        let table = api.catalog.open(entry)?;
        Ok((StatusCode::CREATED, table_get(&api, &target.caller, &table)))
    })
    .await
}

pub(super) async fn update(
    State(api): Shared,
    target: TableTarget,
    JsonBody(body): JsonBody,
) -> Result<Json<Value>, ApiError> {
    target.require_edit()?;
    let wanted = TableChange {
        name: text(&body, "name")?.flatten().map(str::to_owned),
        description: text(&body, "description")?.map(|text| text.map(str::to_owned)),
        replaces: replaces(&body)?,
    };
    blocking(move || {
        let entry = api.catalog.update_table(&target.entry, &wanted)?;
        let table = api.catalog.open(entry)?;
        Ok(table_get(&api, &target.caller, &table))
    })
    .await
}

pub(super) async fn delete(
    State(api): Shared,
    target: TableTarget,
) -> Result<&'static str, ApiError> {
    target.require_edit()?;
    blocking(move || Ok(api.catalog.delete_table(&target.entry)?)).await?;
    Ok("OK")
}

/// Whether `uploadMergeStrategy` is to replace.
fn replaces(body: &Map<String, Value>) -> Result<Option<bool>, ApiError> {
    match text(body, "uploadMergeStrategy")?.flatten() {
        None => Ok(None),
        Some("append") => Ok(Some(false)),
        Some("replace") => Ok(Some(true)),
        Some(other) => Err(ApiError::invalid(format!(
            "`uploadMergeStrategy` must be append or replace, and is `{other}`"
        ))),
    }
}

fn table_base(api: &Arc<Api>, entry: &TableEntry) -> Value {
    json!({
        "kind": "table",
        "id": entry.id,
        "name": entry.name,
        "referenceId": entry.reference_id(),
        "qualifiedReference": entry.qualified_reference(),
        "scopedReference": entry.scoped_reference(),
        "uri": entry.uri(),
        "url": format!("{}/datasets/{}/tables/{}", api.origin, entry.dataset.id, entry.id),
        "isSample": entry.dataset.is_sample,
        "isFileIndex": entry.is_file_index,
    })
}

fn table_list(api: &Arc<Api>, table: &Table) -> Value {
    let entry = &table.entry;
    let strategy = if entry.replaces { "replace" } else { "append" };
    let mut body = table_base(api, entry);
    body["hash"] = table.hash.as_str().into();
    body["createdAt"] = milliseconds(table.created).into();
    body["updatedAt"] = milliseconds(table.updated).into();
    body["description"] = table.description.as_deref().into();
    body["numRows"] = table.rows.into();
    body["numBytes"] = table.bytes.into();
    body["variableCount"] = table.variables.len().into();
    let is_draft = !entry.dataset.version.is_released();
    body["uploadMergeStrategy"] = is_draft.then_some(strategy).into();
    body
}

fn table_get(api: &Arc<Api>, caller: &Caller, table: &Table) -> Json<Value> {
    let dataset = &table.entry.dataset;
    let access = caller.access_to(dataset);
    let mut body = table_list(api, table);
    body["container"] = dataset_base(api, dataset);
    body["canDownload"] = (access >= Access::Data).into();
    body["accessLevel"] = access.name().into();
    body["publicAccessLevel"] = dataset.public.name().into();
    Json(body)
}

/// Milliseconds since 1970, as all times in resources are.
pub(super) fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0))
}
