//! Variables of tables and uploads, and their statistics (redivis-api §3.2, §4).

use axum::Json;
use serde_json::{Value, json};

use super::{
    error::ApiError,
    page::Page,
    parameters::Parameters,
    target::{Target, all_rows, blocking},
};
use crate::{
    catalog::{Access, Variable},
    storage::{RowScan, Statistics},
};

pub(super) async fn list(parameters: Parameters, target: Target) -> Result<Json<Value>, ApiError> {
    target.caller.require(target.dataset(), Access::Metadata)?;
    let page = Page::of(&parameters)?;
    let parent = target.uri();
    let kind = parameters.get("type");
    let all: Vec<(usize, &Variable)> = target
        .variables()
        .iter()
        .enumerate()
        .filter(|(_, variable)| kind.is_none_or(|kind| variable.kind.name() == kind))
        .collect();
    let to_json =
        |_, (index, variable): &(usize, &Variable)| variable_list(&parent, *index, variable);
    Ok(Json(page.list("variable", &all, to_json)))
}

pub(super) async fn get(target: Target) -> Result<Json<Value>, ApiError> {
    target.caller.require(target.dataset(), Access::Metadata)?;
    let (index, variable) = find(&target)?;
    let mut body = variable_list(&target.uri(), index, variable);
    body["description"] = variable.description.as_deref().into();
    body["valueLabels"] = json!(variable.value_labels);
    Ok(Json(body))
}

pub(super) async fn statistics(target: Target) -> Result<Json<Value>, ApiError> {
    target.caller.require(target.dataset(), Access::Metadata)?;
    let (_, variable) = find(&target)?;
    let kind = variable.kind;
    let segments: Vec<_> = target
        .uploads()
        .iter()
        .map(|upload| all_rows(upload, &[variable]))
        .collect();
    blocking(move || {
        let mut scan = RowScan::new(segments, 0);
        let mut statistics = Statistics::new(kind);
        while let Some(batch) = scan.next_batch()? {
            if let Some(column) = batch.columns().first() {
                statistics.add(column);
            }
        }
        Ok(Json(statistics.to_json()))
    })
    .await
}

fn find(target: &Target) -> Result<(usize, &Variable), ApiError> {
    let name = target.names.get("variable");
    let lower = name.to_lowercase();
    target
        .variables()
        .iter()
        .enumerate()
        .find(|(_, variable)| variable.name.to_lowercase() == lower)
        .ok_or_else(|| ApiError::not_found("variable", name))
}

fn variable_list(parent: &str, index: usize, variable: &Variable) -> Value {
    json!({
        "kind": "variable",
        "name": variable.name,
        "type": variable.kind.name(),
        "uri": format!("{parent}/variables/{}", variable.name),
        "isFileId": false,
        "index": index,
        "label": variable.label,
    })
}
