//! Versions of datasets: drafts, releases, and from the one to the other (redivis-api §3.5, §4).
//!
//! The version in the dataset's part of the path says nothing here: clients post the release of the draft to
//! `/datasets/o.d:current/versions/next/release`.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use serde_json::{Map, Value, json};

use super::{
    Api, Routes, Shared,
    error::ApiError,
    json::{JsonBody, text},
    page::Page,
    parameters::Parameters,
    tables::milliseconds,
    target::{AnyVersion, blocking},
};
use crate::{
    catalog::{Dataset, Version, VersionChange, VersionRecord},
    reference::VersionTag,
};

pub(super) fn routes() -> Routes {
    const VERSION: &str = "/datasets/{dataset}/versions/{tag}";
    Routes::new()
        .route("/datasets/{dataset}/versions", get(list).post(create))
        .route(VERSION, get(read).patch(update).delete(delete))
        .route(&format!("{VERSION}/release"), post(release))
        .route(&format!("{VERSION}/unrelease"), post(unrelease))
        .route(&format!("{VERSION}/undelete"), post(undelete))
}

async fn list(
    State(api): Shared,
    parameters: Parameters,
    target: AnyVersion,
) -> Result<Json<Value>, ApiError> {
    let page = Page::of(&parameters)?;
    let versions: Vec<&VersionRecord> = target
        .dataset
        .versions
        .iter()
        .rev()
        .filter(|record| target.sees(record.version))
        .collect();
    Ok(Json(page.list("version", &versions, |_, record| {
        version_list(&api, &target.dataset, record)
    })))
}

async fn read(State(api): Shared, target: AnyVersion) -> Result<Json<Value>, ApiError> {
    let dataset = target.named_version()?;
    version_get(&api, &dataset)
}

async fn create(
    State(api): Shared,
    target: AnyVersion,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    target.require_edit()?;
    blocking(move || {
        let dataset = api.catalog.create_version(&target.dataset)?;
        Ok((StatusCode::CREATED, version_get(&api, &dataset)?))
    })
    .await
}

async fn update(
    State(api): Shared,
    target: AnyVersion,
    JsonBody(body): JsonBody,
) -> Result<Json<Value>, ApiError> {
    target.require_edit()?;
    let dataset = target.named_version()?;
    let wanted = VersionChange {
        label: text(&body, "label")?.map(|text| text.map(str::to_owned)),
        release_notes: release_notes(&body)?,
    };
    blocking(move || version_get(&api, &api.catalog.update_version(&dataset, &wanted)?)).await
}

async fn release(
    State(api): Shared,
    target: AnyVersion,
    JsonBody(body): JsonBody,
) -> Result<Json<Value>, ApiError> {
    target.require_edit()?;
    let tag = target.names.get("tag");
    let notes = release_notes(&body)?.flatten();
    match VersionTag::parse(tag) {
        Some(VersionTag::Next) => {
            blocking(move || {
                let dataset = api.catalog.release(&target.dataset, notes.as_deref())?;
                version_get(&api, &dataset)
            })
            .await
        }
        _ => Err(ApiError::invalid(format!(
            "Only the version `next` can be released, not `{tag}`"
        ))),
    }
}

async fn unrelease(State(api): Shared, target: AnyVersion) -> Result<Json<Value>, ApiError> {
    target.require_edit()?;
    let named = target.named_version()?.version;
    if Some(named) != target.dataset.current() {
        return Err(ApiError::conflict(
            "Only the latest release can be unreleased",
        ));
    }
    blocking(move || version_get(&api, &api.catalog.unrelease(&target.dataset)?)).await
}

/// Answers with what was deleted, since Python reads its `uri`.
async fn delete(State(api): Shared, target: AnyVersion) -> Result<Json<Value>, ApiError> {
    target.require_edit()?;
    let dataset = target.named_version()?;
    blocking(move || {
        let Json(mut body) = version_get(&api, &dataset)?;
        api.catalog.delete_version(&dataset)?;
        body["isDeleted"] = true.into();
        Ok(Json(body))
    })
    .await
}

async fn undelete(State(api): Shared, target: AnyVersion) -> Result<Json<Value>, ApiError> {
    target.require_edit()?;
    let tag = target.names.get("tag").to_owned();
    let version = match VersionTag::parse(&tag) {
        Some(VersionTag::Released(major, minor)) => Version::Released(major, minor),
        _ => return Err(ApiError::not_found("version", &tag)),
    };
    blocking(move || {
        let dataset = api.catalog.undelete_version(&target.dataset, version)?;
        version_get(&api, &dataset)
    })
    .await
}

/// `releaseNotes`, which R spells `release_notes`.
fn release_notes(body: &Map<String, Value>) -> Result<Option<Option<String>>, ApiError> {
    let notes = match text(body, "releaseNotes")? {
        Some(notes) => Some(notes),
        None => text(body, "release_notes")?,
    };
    Ok(notes.map(|notes| notes.map(str::to_owned)))
}

pub(super) fn version_base(api: &Arc<Api>, dataset: &Dataset, record: &VersionRecord) -> Value {
    let tag = record.version.tag();
    let index = dataset
        .versions
        .iter()
        .position(|other| other.version == record.version);
    let at = Dataset {
        version: record.version,
        ..dataset.clone()
    };
    json!({
        "kind": "version",
        "tag": tag,
        "index": index,
        "label": record.label,
        "url": format!("{}/datasets/{}?v={tag}", api.origin, dataset.id),
        "uri": format!("{}/versions/{}", at.uri(), record.version.in_reference()),
        "datasetUri": at.uri(),
        "isReleased": record.version.is_released(),
        "isDeleted": record.is_deleted,
    })
}

fn version_list(api: &Arc<Api>, dataset: &Dataset, record: &VersionRecord) -> Value {
    let mut body = version_base(api, dataset, record);
    body["createdAt"] = milliseconds(record.created).into();
    body["updatedAt"] = milliseconds(dataset.updated).into();
    body["releasedAt"] = record.released.map(milliseconds).into();
    body
}

fn version_get(api: &Arc<Api>, dataset: &Dataset) -> Result<Json<Value>, ApiError> {
    let gone = || ApiError::not_found("version", &dataset.version.tag());
    let record = dataset.record().ok_or_else(gone)?;
    let (previous, next) = dataset.neighbours();
    let base = |record| version_base(api, dataset, record);
    let mut body = version_list(api, dataset, record);
    body["releaseNotes"] = record.release_notes.as_deref().into();
    body["canRelease"] = (!record.version.is_released()).into();
    body["status"] = record.version.is_released().then_some("completed").into();
    body["previousVersion"] = previous.map(base).into();
    body["nextVersion"] = next.map(base).into();
    Ok(Json(body))
}
