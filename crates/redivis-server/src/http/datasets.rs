//! Datasets: `GET /datasets/:d` (redivis-api §3.5, §4).

use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{
    Api, Shared,
    error::ApiError,
    gate::Caller,
    owners::user_base,
    tables::milliseconds,
    target::{DatasetTarget, blocking},
    versions::{version_base, version_of},
};
use crate::catalog::{Dataset, Version};

pub(super) async fn get(
    State(api): Shared,
    target: DatasetTarget,
) -> Result<Json<Value>, ApiError> {
    blocking(move || {
        let dataset = &target.dataset;
        let mut body = dataset_list(&api, &target.caller, dataset);
        let sibling = |version| version_of(&api, dataset, version);
        let (previous, next) = match dataset.version {
            Version::Released => (None, sibling(Version::Next)),
            Version::Next => (sibling(Version::Released), None),
        };
        body["version"] = version_base(&api, dataset);
        body["previousVersion"] = previous.into();
        body["nextVersion"] = next.into();
        Ok(Json(body))
    })
    .await
}

pub(super) fn dataset_base(api: &Arc<Api>, dataset: &Dataset) -> Value {
    json!({
        "kind": "dataset",
        "id": dataset.id(),
        "name": dataset.name,
        "referenceId": dataset.reference_id(),
        "qualifiedReference": dataset.qualified_reference(),
        "scopedReference": dataset.scoped_reference(),
        "uri": dataset.uri(),
        "url": format!("{}/datasets/{}", api.origin, dataset.id()),
        "doi": null,
        "owner": user_base(api, &dataset.owner),
    })
}

/// A dataset as lists show it. Looks into its tables' files, so it blocks.
pub(super) fn dataset_list(api: &Arc<Api>, caller: &Caller, dataset: &Dataset) -> Value {
    let tables = api.catalog.tables(dataset);
    let count = tables.len();
    // A table that cannot be read adds nothing.
    let bytes: u64 = tables
        .into_iter()
        .filter_map(|entry| api.catalog.open(entry).ok())
        .map(|table| table.bytes)
        .sum();
    let mut body = dataset_base(api, dataset);
    body["description"] = dataset.description.as_deref().into();
    body["labels"] = json!([]);
    body["accessLevel"] = caller.access_to(dataset).name().into();
    body["publicAccessLevel"] = dataset.public.name().into();
    body["createdAt"] = milliseconds(dataset.created).into();
    body["updatedAt"] = milliseconds(dataset.updated).into();
    body["tableCount"] = count.into();
    body["numBytes"] = bytes.into();
    body["totalNumBytes"] = bytes.into();
    body
}
