//! Variables of tables, uploads and query results, and their statistics (redivis-api §3.2, §4).

use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{
    Api, Shared,
    error::ApiError,
    json::JsonBody,
    page::Page,
    parameters::Parameters,
    readable::{Readable, all_rows},
    target::{PathNames, Target, blocking},
};
use crate::{
    catalog::{Access, Variable, VariableChange},
    raw_file,
    storage::statistics_of,
};

pub(super) async fn list(
    parameters: Parameters,
    target: Readable,
) -> Result<Json<Value>, ApiError> {
    target.require(Access::Metadata)?;
    let page = Page::of(&parameters)?;
    let parent = target.uri();
    let kind = parameters.get("type");
    let all: Vec<(usize, &Variable)> = target
        .variables()
        .iter()
        .enumerate()
        .filter(|(_, variable)| kind.is_none_or(|kind| variable.kind.name() == kind))
        .collect();
    let to_json = |_, (index, variable): &(usize, &Variable)| {
        let mut body = variable_list(&parent, *index, variable);
        body["isFileId"] = is_file_id(&target, variable).into();
        body
    };
    Ok(Json(page.list("variable", &all, to_json)))
}

pub(super) async fn get(target: Readable) -> Result<Json<Value>, ApiError> {
    target.require(Access::Metadata)?;
    let (index, variable) = find(target.variables(), &target.names)?;
    let mut body = variable_get(&target.uri(), index, variable);
    body["isFileId"] = is_file_id(&target, variable).into();
    Ok(Json(body))
}

/// Changes what is said about a variable.
pub(super) async fn update(
    State(api): Shared,
    target: Target,
    JsonBody(body): JsonBody,
) -> Result<Json<Value>, ApiError> {
    let (_, variable) = find(target.variables(), &target.names)?;
    let wanted = change(&variable.name, Value::Object(body))?;
    change_all(api, target, vec![wanted]).await
}

/// Changes what is said about several variables: `{"variables": [{"name", …}]}`.
pub(super) async fn update_all(
    State(api): Shared,
    target: Target,
    JsonBody(mut body): JsonBody,
) -> Result<Json<Value>, ApiError> {
    let Some(Value::Array(items)) = body.remove("variables") else {
        return Err(ApiError::invalid("`variables` must be a list"));
    };
    let mut wanted = Vec::with_capacity(items.len());
    for item in items {
        let Some(name) = item.get("name").and_then(Value::as_str) else {
            return Err(ApiError::invalid("each of `variables` must have a `name`"));
        };
        let lower = name.to_lowercase();
        let known = |variable: &&Variable| variable.name.to_lowercase() == lower;
        let Some(variable) = target.variables().iter().find(known) else {
            return Err(ApiError::not_found("variable", name));
        };
        wanted.push(change(&variable.name, item)?);
    }
    change_all(api, target, wanted).await
}

fn change(name: &str, said: Value) -> Result<VariableChange, ApiError> {
    VariableChange::of_json(name, &said).map_err(ApiError::invalid)
}

/// Answers with the variable, or with the list of them.
async fn change_all(
    api: Arc<Api>,
    target: Target,
    wanted: Vec<VariableChange>,
) -> Result<Json<Value>, ApiError> {
    target.caller.require(target.dataset(), Access::Edit)?;
    let parent = target.uri();
    let names: Vec<String> = wanted.iter().map(|change| change.name.clone()).collect();
    let single = !target.names.get("variable").is_empty();
    blocking(move || {
        let entry = target.table.entry.clone();
        api.catalog.update_variables(&entry, &wanted)?;
        let table = api.catalog.open(api.catalog.changed(&entry)?)?;
        let changed = table.variables.iter().enumerate();
        let mut changed: Vec<Value> = changed
            .filter(|(_, variable)| names.contains(&variable.name))
            .map(|(index, variable)| variable_get(&parent, index, variable))
            .collect();
        Ok(Json(match changed.pop() {
            Some(variable) if single => variable,
            last => {
                changed.extend(last);
                json!({"kind": "variableList", "results": changed})
            }
        }))
    })
    .await
}

pub(super) async fn statistics(target: Readable) -> Result<Json<Value>, ApiError> {
    target.require(Access::Metadata)?;
    let (_, variable) = find(target.variables(), &target.names)?;
    let (name, kind) = (variable.name.clone(), variable.kind);
    let files: Vec<_> = target
        .uploads()
        .iter()
        .flat_map(|upload| all_rows(upload, &[variable]))
        .collect();
    blocking(move || Ok(Json(statistics_of(files, &name, kind)?))).await
}

fn find<'a>(
    variables: &'a [Variable],
    names: &PathNames,
) -> Result<(usize, &'a Variable), ApiError> {
    let name = names.get("variable");
    let lower = name.to_lowercase();
    variables
        .iter()
        .enumerate()
        .find(|(_, variable)| variable.name.to_lowercase() == lower)
        .ok_or_else(|| ApiError::not_found("variable", name))
}

/// Whether a variable has the ids of raw files.
fn is_file_id(target: &Readable, variable: &Variable) -> bool {
    target.is_file_index() && variable.name == raw_file::VARIABLES[0].0
}

fn variable_get(parent: &str, index: usize, variable: &Variable) -> Value {
    let mut body = variable_list(parent, index, variable);
    body["description"] = variable.description.as_deref().into();
    body["valueLabels"] = json!(variable.value_labels);
    body
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
