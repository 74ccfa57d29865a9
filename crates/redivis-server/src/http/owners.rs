//! Owners: users and their datasets; there are no organizations and no workflows in a data folder.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{
    Api, Shared,
    datasets::dataset_list,
    error::ApiError,
    gate::Caller,
    page::Page,
    parameters::Parameters,
    target::{PathNames, blocking},
};
use crate::{catalog::Dataset, reference::slug};

pub(super) async fn me(State(api): Shared, caller: Caller) -> Result<Json<Value>, ApiError> {
    let user = caller.user.ok_or_else(ApiError::no_credentials)?;
    Ok(Json(user_base(&api, &user)))
}

pub(super) async fn datasets(
    State(api): Shared,
    caller: Caller,
    parameters: Parameters,
    names: PathNames,
) -> Result<Json<Value>, ApiError> {
    let page = Page::of(&parameters)?;
    blocking(move || {
        let datasets = seen(&api, &caller, names.get("user"))?;
        Ok(Json(page.list("dataset", &datasets, |_, dataset| {
            dataset_list(&api, &caller, dataset)
        })))
    })
    .await
}

pub(super) async fn workflows(
    State(api): Shared,
    caller: Caller,
    parameters: Parameters,
    names: PathNames,
) -> Result<Json<Value>, ApiError> {
    let page = Page::of(&parameters)?;
    blocking(move || {
        seen(&api, &caller, names.get("user"))?;
        Ok(Json(page.list::<()>("workflow", &[], |_, ()| Value::Null)))
    })
    .await
}

pub(super) async fn organization(names: PathNames) -> ApiError {
    ApiError::not_found("organization", names.get("organization"))
}

pub(super) async fn workflow(names: PathNames) -> ApiError {
    ApiError::not_found("workflow", names.get("workflow"))
}

/// The datasets of an owner that the caller may know of; an owner of none, and not the caller, is unknown.
fn seen(api: &Arc<Api>, caller: &Caller, owner: &str) -> Result<Vec<Dataset>, ApiError> {
    let datasets: Vec<Dataset> = api
        .catalog
        .datasets(owner)
        .into_iter()
        .filter(|dataset| caller.sees(dataset))
        .collect();
    let oneself = caller
        .user
        .as_deref()
        .is_some_and(|user| slug(user) == slug(owner));
    if datasets.is_empty() && !oneself {
        return Err(caller.unseen("user", owner));
    }
    Ok(datasets)
}

pub(super) fn user_base(api: &Arc<Api>, name: &str) -> Value {
    json!({
        "kind": "user",
        "name": name,
        "uri": format!("/users/{name}"),
        "url": format!("{}/users/{name}", api.origin),
    })
}
