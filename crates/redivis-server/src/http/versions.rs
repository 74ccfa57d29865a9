//! Versions of datasets: the release and the unreleased next one (redivis-api §3.5, §4).

use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{
    Api, Shared, error::ApiError, page::Page, parameters::Parameters, tables::milliseconds,
    target::DatasetTarget,
};
use crate::{
    catalog::{Dataset, Version},
    reference::VersionTag,
};

pub(super) async fn list(
    State(api): Shared,
    parameters: Parameters,
    target: DatasetTarget,
) -> Result<Json<Value>, ApiError> {
    let page = Page::of(&parameters)?;
    let versions: Vec<Dataset> = [Version::Next, Version::Released]
        .into_iter()
        .filter_map(|version| target.dataset.clone().at(version))
        .collect();
    Ok(Json(page.list("version", &versions, |_, version| {
        version_list(&api, version)
    })))
}

pub(super) async fn get(
    State(api): Shared,
    target: DatasetTarget,
) -> Result<Json<Value>, ApiError> {
    let tag = target.names.get("tag");
    let version = match VersionTag::parse(tag) {
        Some(VersionTag::Current | VersionTag::Released(1, 0)) => Some(Version::Released),
        Some(VersionTag::Next) => Some(Version::Next),
        _ => None,
    };
    let dataset = version
        .and_then(|version| target.dataset.clone().at(version))
        .ok_or_else(|| ApiError::not_found("version", tag))?;
    let mut body = version_list(&api, &dataset);
    let (previous, next) = match dataset.version {
        Version::Released => (None, version_of(&api, &dataset, Version::Next)),
        Version::Next => (version_of(&api, &dataset, Version::Released), None),
    };
    body["releaseNotes"] = Value::Null;
    body["canRelease"] = false.into();
    body["previousVersion"] = previous.into();
    body["nextVersion"] = next.into();
    Ok(Json(body))
}

/// Another version of the same dataset, if it has it.
pub(super) fn version_of(api: &Arc<Api>, dataset: &Dataset, version: Version) -> Option<Value> {
    let dataset = dataset.clone().at(version)?;
    Some(version_base(api, &dataset))
}

pub(super) fn version_base(api: &Arc<Api>, dataset: &Dataset) -> Value {
    let released = dataset.version == Version::Released;
    let tag = dataset.version.tag();
    json!({
        "kind": "version",
        "tag": tag,
        "index": u8::from(!released && dataset.has_release),
        "label": null,
        "url": format!("{}/datasets/{}?v={tag}", api.origin, dataset.id()),
        "uri": format!("{}/versions/{}", dataset.uri(), dataset.version.in_reference()),
        "datasetUri": dataset.uri(),
        "isReleased": released,
        "isDeleted": false,
    })
}

fn version_list(api: &Arc<Api>, dataset: &Dataset) -> Value {
    let released = dataset.version == Version::Released;
    let updated = milliseconds(dataset.updated);
    let mut body = version_base(api, dataset);
    body["createdAt"] = milliseconds(dataset.created).into();
    body["updatedAt"] = updated.into();
    body["releasedAt"] = released.then_some(updated).into();
    body
}
