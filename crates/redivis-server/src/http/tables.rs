//! Tables: `GET /tables/:t`, `GET /datasets/:d/tables` (redivis-api §3.1, §4).

use std::{sync::Arc, time::SystemTime};

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{
    Api, Shared,
    datasets::dataset_base,
    error::ApiError,
    page::Page,
    parameters::Parameters,
    target::{DatasetTarget, Target, blocking},
};
use crate::catalog::{Access, Table, TableEntry, Version};

pub(super) async fn get(State(api): Shared, target: Target) -> Result<Json<Value>, ApiError> {
    let dataset = target.dataset();
    let access = target.caller.access_to(dataset);
    let mut body = table_list(&api, &target.table);
    body["container"] = dataset_base(&api, dataset);
    body["canDownload"] = (access >= Access::Data).into();
    body["accessLevel"] = access.name().into();
    body["publicAccessLevel"] = dataset.public.name().into();
    Ok(Json(body))
}

pub(super) async fn list(
    State(api): Shared,
    parameters: Parameters,
    target: DatasetTarget,
) -> Result<Json<Value>, ApiError> {
    let page = Page::of(&parameters)?;
    blocking(move || {
        let tables = api.catalog.tables(&target.dataset);
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

fn table_base(api: &Arc<Api>, entry: &TableEntry) -> Value {
    json!({
        "kind": "table",
        "id": entry.id(),
        "name": entry.name,
        "referenceId": entry.reference_id(),
        "qualifiedReference": entry.qualified_reference(),
        "scopedReference": entry.scoped_reference(),
        "uri": entry.uri(),
        "url": format!("{}/datasets/{}/tables/{}", api.origin, entry.dataset.id(), entry.id()),
        "isSample": false,
        "isFileIndex": false,
    })
}

fn table_list(api: &Arc<Api>, table: &Table) -> Value {
    let draft = table.entry.dataset.version == Version::Next;
    let mut body = table_base(api, &table.entry);
    body["hash"] = table.hash.as_str().into();
    body["createdAt"] = milliseconds(table.created).into();
    body["updatedAt"] = milliseconds(table.updated).into();
    body["description"] = table.description.as_deref().into();
    body["numRows"] = table.rows.into();
    body["numBytes"] = table.bytes.into();
    body["variableCount"] = table.variables.len().into();
    body["uploadMergeStrategy"] = draft.then_some("append").into();
    body
}

/// Milliseconds since 1970, as all times in resources are.
pub(super) fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0))
}
