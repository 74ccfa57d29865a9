//! Variables of tables, uploads and query results, and their statistics (redivis-api §3.2, §4).

use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::{Map, Value, json};

use super::{
    Api, Shared,
    error::ApiError,
    json::JsonBody,
    page::Page,
    parameters::Parameters,
    readable::{Readable, all_rows},
    target::{DatasetTarget, PathNames, Target, blocking},
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
    target.caller.require(target.dataset(), Access::Edit)?;
    let (_, variable) = find(target.variables(), &target.names)?;
    let wanted = change(&variable.name, &Value::Object(body))?;
    change_all(api, target, vec![wanted]).await
}

/// Changes what is said about several variables: `{"variables": [{"name", …}]}`.
pub(super) async fn update_all(
    State(api): Shared,
    target: Target,
    JsonBody(body): JsonBody,
) -> Result<Json<Value>, ApiError> {
    target.caller.require(target.dataset(), Access::Edit)?;
    let mut wanted = changes(body)?;
    for change in &mut wanted {
        let variable = named(target.variables(), &change.name);
        let variable = variable.ok_or_else(|| ApiError::not_found("variable", &change.name))?;
        change.name.clone_from(&variable.name);
    }
    change_all(api, target, wanted).await
}

/// Changes what is said about the variables of these names in all tables of a dataset.
pub(super) async fn update_in_all_tables(
    State(api): Shared,
    target: DatasetTarget,
    JsonBody(body): JsonBody,
) -> Result<&'static str, ApiError> {
    target.require_edit()?;
    let wanted = changes(body)?;
    blocking(move || {
        let mut tables = Vec::new();
        let mut unknown: Vec<&str> = wanted.iter().map(|change| change.name.as_str()).collect();
        for entry in api.catalog.tables(&target.dataset)? {
            let table = api.catalog.open(entry.clone())?;
            let has = |name: &str| named(&table.variables, name).is_some();
            let fitting = wanted.iter().filter(|change| has(&change.name));
            tables.push((entry, fitting.cloned().collect()));
            unknown.retain(|name| !has(name));
        }
        match unknown.first() {
            Some(name) => Err(ApiError::not_found("variable", name)),
            None => Ok(api.catalog.update_variables(&target.dataset, &tables)?),
        }
    })
    .await?;
    Ok("OK")
}

/// `{"variables": [{"name", …}]}`.
fn changes(mut body: Map<String, Value>) -> Result<Vec<VariableChange>, ApiError> {
    let Some(Value::Array(items)) = body.remove("variables") else {
        return Err(ApiError::invalid("`variables` must be a list"));
    };
    let read = |item: Value| match item.get("name").and_then(Value::as_str) {
        Some(name) => change(name, &item),
        None => Err(ApiError::invalid("each of `variables` must have a `name`")),
    };
    items.into_iter().map(read).collect()
}

fn named<'a>(variables: &'a [Variable], name: &str) -> Option<&'a Variable> {
    let lower = name.to_lowercase();
    variables
        .iter()
        .find(|variable| variable.name.to_lowercase() == lower)
}

fn change(name: &str, said: &Value) -> Result<VariableChange, ApiError> {
    VariableChange::of_json(name, said).map_err(ApiError::invalid)
}

/// Answers with the variable, or with the list of them.
async fn change_all(
    api: Arc<Api>,
    target: Target,
    wanted: Vec<VariableChange>,
) -> Result<Json<Value>, ApiError> {
    let parent = target.uri();
    let names: Vec<String> = wanted.iter().map(|change| change.name.clone()).collect();
    let single = !target.names.get("variable").is_empty();
    blocking(move || {
        let entry = target.table.entry.clone();
        let changed = [(entry.clone(), wanted)];
        api.catalog.update_variables(&entry.dataset, &changed)?;
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
