//! Datasets: `/users/:u/datasets`, `/organizations/:o/datasets`, `/datasets/:d` (redivis-api §3.5, §4).

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    routing::{get, patch},
};
use serde_json::{Map, Value, json};

use super::{
    Api, Routes, Shared,
    error::ApiError,
    gate::Caller,
    json::{JsonBody, names, required, text},
    owners::owner_base,
    tables::{self, milliseconds},
    target::{DatasetTarget, blocking},
    variables,
    versions::version_base,
};
use crate::catalog::{Access, Dataset, DatasetChange, NewDataset, Owner};

pub(super) fn routes() -> Routes {
    let dataset = get(read).patch(update).post(update).delete(delete);
    Routes::new()
        .route("/datasets/{dataset}", dataset)
        .route(
            "/datasets/{dataset}/variables",
            patch(variables::update_in_all_tables),
        )
        .route(
            "/datasets/{dataset}/tables",
            get(tables::list).post(tables::create),
        )
}

async fn read(State(api): Shared, target: DatasetTarget) -> Result<Json<Value>, ApiError> {
    blocking(move || dataset_get(&api, &target.caller, &target.dataset)).await
}

/// Creates a dataset of an owner.
pub(super) async fn create(
    api: Arc<Api>,
    caller: Caller,
    owner: Owner,
    body: Map<String, Value>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let new = NewDataset {
        name: required(&body, "name")?.to_owned(),
        public: public_level(&body)?.unwrap_or(Access::None),
        description: text(&body, "description")?.flatten().map(str::to_owned),
    };
    blocking(move || {
        let dataset = api.catalog.create_dataset(&owner, &new)?;
        Ok((StatusCode::CREATED, dataset_get(&api, &caller, &dataset)?))
    })
    .await
}

async fn update(
    State(api): Shared,
    target: DatasetTarget,
    JsonBody(body): JsonBody,
) -> Result<Json<Value>, ApiError> {
    target.require_edit()?;
    let owned =
        |key| -> Result<_, ApiError> { Ok(text(&body, key)?.map(|text| text.map(str::to_owned))) };
    let name = text(&body, "name")?.flatten().map(str::to_owned);
    let wanted = DatasetChange {
        name,
        public: public_level(&body)?,
        description: owned("description")?,
        methodology_markdown: owned("methodologyMarkdown")?,
        usage_markdown: owned("usageMarkdown")?,
        labels: changed_names(&body, "labels", &target.dataset.labels)?,
        tags: changed_names(&body, "tags", &target.dataset.tags)?,
    };
    blocking(move || {
        let dataset = api.catalog.update_dataset(&target.dataset, &wanted)?;
        dataset_get(&api, &target.caller, &dataset)
    })
    .await
}

async fn delete(State(api): Shared, target: DatasetTarget) -> Result<&'static str, ApiError> {
    target.require_edit()?;
    blocking(move || Ok(api.catalog.delete_dataset(&target.dataset)?)).await?;
    Ok("OK")
}

/// `publicAccessLevel`, which R spells `public_access_level`.
fn public_level(body: &Map<String, Value>) -> Result<Option<Access>, ApiError> {
    let level = match text(body, "publicAccessLevel")?.flatten() {
        Some(level) => Some(level),
        None => text(body, "public_access_level")?.flatten(),
    };
    level
        .map(|level| {
            Access::of_public_level(level).ok_or_else(|| {
                ApiError::invalid(format!(
                    "`publicAccessLevel` must be none, overview, metadata, sample or data, and is `{level}`"
                ))
            })
        })
        .transpose()
}

/// A list of names after `<key>`, `<key>ToAdd` and `<key>ToRemove`; `None` if none of them is given.
fn changed_names(
    body: &Map<String, Value>,
    key: &str,
    present: &[String],
) -> Result<Option<Vec<String>>, ApiError> {
    let all = names(body, key)?;
    let added = names(body, &format!("{key}ToAdd"))?;
    let removed = names(body, &format!("{key}ToRemove"))?;
    if all.is_none() && added.is_none() && removed.is_none() {
        return Ok(None);
    }
    let mut changed = all.unwrap_or_else(|| present.to_vec());
    for name in added.unwrap_or_default() {
        if !changed.contains(&name) {
            changed.push(name);
        }
    }
    let removed = removed.unwrap_or_default();
    changed.retain(|name| !removed.contains(name));
    Ok(Some(changed))
}

pub(super) fn dataset_base(api: &Arc<Api>, dataset: &Dataset) -> Value {
    json!({
        "kind": "dataset",
        "id": dataset.id,
        "name": dataset.name,
        "referenceId": dataset.reference_id(),
        "qualifiedReference": dataset.qualified_reference(),
        "scopedReference": dataset.scoped_reference(),
        "uri": dataset.uri(),
        "url": format!("{}/datasets/{}", api.origin, dataset.id),
        "doi": null,
        "owner": owner_base(api, &dataset.owner, dataset.is_organization),
    })
}

/// A dataset as lists show it. Looks into its tables, so it blocks.
pub(super) fn dataset_list(
    api: &Arc<Api>,
    caller: &Caller,
    dataset: &Dataset,
) -> Result<Value, ApiError> {
    let tables = api.catalog.tables(dataset)?;
    let count = tables.len();
    // A table that cannot be read adds nothing.
    let bytes: u64 = tables
        .into_iter()
        .filter_map(|entry| api.catalog.open(entry).ok())
        .map(|table| table.bytes)
        .sum();
    let mut body = dataset_base(api, dataset);
    body["description"] = dataset.description.as_deref().into();
    body["labels"] = json!(dataset.labels);
    body["tags"] = json!(dataset.tags);
    body["accessLevel"] = caller.access_to(dataset).name().into();
    body["publicAccessLevel"] = dataset.public.name().into();
    body["createdAt"] = milliseconds(dataset.created).into();
    body["updatedAt"] = milliseconds(dataset.updated).into();
    body["tableCount"] = count.into();
    body["numBytes"] = bytes.into();
    body["totalNumBytes"] = bytes.into();
    Ok(body)
}

/// A dataset as it is when it is asked for itself. Blocks.
fn dataset_get(
    api: &Arc<Api>,
    caller: &Caller,
    dataset: &Dataset,
) -> Result<Json<Value>, ApiError> {
    let mut body = dataset_list(api, caller, dataset)?;
    let (previous, next) = dataset.neighbours();
    let base = |record| version_base(api, dataset, record);
    body["methodologyMarkdown"] = dataset.methodology_markdown.as_deref().into();
    body["usageMarkdown"] = dataset.usage_markdown.as_deref().into();
    body["version"] = dataset.record().map(base).into();
    body["previousVersion"] = previous.map(base).into();
    body["nextVersion"] = next.map(base).into();
    Ok(Json(body))
}
