//! Owners: users and organizations, and their datasets (redivis-api §3.5, §4).
//!
//! An organization is there from its first dataset on. Clients that do not know the kind of an owner ask for the
//! organization first, and take 404 for a user (redivis-api §2.1).

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode, routing::get};
use serde_json::{Value, json};

use super::{
    Api, Routes, Shared,
    datasets::{self, dataset_list},
    error::ApiError,
    gate::Caller,
    json::JsonBody,
    page::Page,
    parameters::Parameters,
    target::{PathNames, blocking},
};
use crate::{
    catalog::{Access, Dataset, Owner},
    reference::slug,
};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/users/me", get(me))
        .route("/users/{user}/datasets", get(of_user).post(create_for_user))
        .route("/users/{user}/workflows", get(workflows))
        .route(
            "/organizations/{organization}/datasets",
            get(of_organization).post(create_for_organization),
        )
        .route("/organizations/{organization}/workflows", get(workflows))
        .route("/workflows/{workflow}", get(workflow))
        .route("/workflows/{workflow}/{*rest}", get(workflow))
}

async fn me(State(api): Shared, caller: Caller) -> Result<Json<Value>, ApiError> {
    let user = caller.user.ok_or_else(ApiError::no_credentials)?;
    Ok(Json(owner_base(&api, &user, false)))
}

async fn of_user(
    State(api): Shared,
    caller: Caller,
    parameters: Parameters,
    names: PathNames,
) -> Result<Json<Value>, ApiError> {
    let page = Page::of(&parameters)?;
    blocking(move || {
        let owner = names.get("user");
        let oneself = caller
            .user
            .as_deref()
            .is_some_and(|user| slug(user) == slug(owner));
        let seen = seen(&api, &caller, owner, false)?;
        if seen.is_empty() && !oneself {
            return Err(caller.unseen("user", owner));
        }
        listed(&api, &caller, page, &seen)
    })
    .await
}

async fn of_organization(
    State(api): Shared,
    caller: Caller,
    parameters: Parameters,
    names: PathNames,
) -> Result<Json<Value>, ApiError> {
    let page = Page::of(&parameters)?;
    let labels = parameters.names("labels").unwrap_or_default();
    blocking(move || {
        let owner = names.get("organization");
        if api.catalog.organization(owner)?.is_none() {
            return Err(caller.unseen("organization", owner));
        }
        let mut seen = seen(&api, &caller, owner, true)?;
        seen.retain(|dataset| labels.iter().all(|label| dataset.labels.contains(label)));
        listed(&api, &caller, page, &seen)
    })
    .await
}

async fn create_for_user(
    State(api): Shared,
    caller: Caller,
    names: PathNames,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let owner = names.get("user").to_owned();
    caller.require_scope(Access::Edit)?;
    let asked = Arc::clone(&api);
    let name = owner.clone();
    let taken = blocking(move || Ok(asked.catalog.organization(&name)?.is_some())).await?;
    if taken {
        return Err(ApiError::not_found("user", &owner));
    }
    let owner = Owner {
        name: owner,
        is_organization: false,
    };
    datasets::create(api, caller, owner, body).await
}

async fn create_for_organization(
    State(api): Shared,
    caller: Caller,
    names: PathNames,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let owner = names.get("organization").to_owned();
    caller.require_scope(Access::Edit)?;
    let asked = Arc::clone(&api);
    let name = owner.clone();
    let is_user = caller
        .user
        .as_deref()
        .is_some_and(|user| slug(user) == slug(&owner))
        || blocking(move || Ok(asked.catalog.is_user(&name)?)).await?;
    if is_user {
        return Err(ApiError::not_found("organization", &owner));
    }
    let owner = Owner {
        name: owner,
        is_organization: true,
    };
    datasets::create(api, caller, owner, body).await
}

/// There are none here.
async fn workflows(
    State(api): Shared,
    caller: Caller,
    parameters: Parameters,
    names: PathNames,
) -> Result<Json<Value>, ApiError> {
    let page = Page::of(&parameters)?;
    blocking(move || {
        let (user, organization) = (names.get("user"), names.get("organization"));
        let owner = if user.is_empty() { organization } else { user };
        let oneself = caller
            .user
            .as_deref()
            .is_some_and(|user| slug(user) == slug(owner));
        if !oneself && seen(&api, &caller, owner, user.is_empty())?.is_empty() {
            return Err(caller.unseen("owner", owner));
        }
        Ok(Json(page.list::<()>("workflow", &[], |_, ()| Value::Null)))
    })
    .await
}

async fn workflow(names: PathNames) -> ApiError {
    ApiError::not_found("workflow", names.get("workflow"))
}

/// The datasets of an owner that the caller may know of.
fn seen(
    api: &Arc<Api>,
    caller: &Caller,
    owner: &str,
    is_organization: bool,
) -> Result<Vec<Dataset>, ApiError> {
    let mut datasets = api.catalog.datasets(owner)?;
    datasets.retain(|dataset| dataset.is_organization == is_organization && caller.sees(dataset));
    Ok(datasets)
}

fn listed(
    api: &Arc<Api>,
    caller: &Caller,
    page: Page,
    datasets: &[Dataset],
) -> Result<Json<Value>, ApiError> {
    page.try_list("dataset", datasets, |_, dataset| {
        dataset_list(api, caller, dataset)
    })
    .map(Json)
}

/// A user or an organization.
pub(super) fn owner_base(api: &Arc<Api>, name: &str, is_organization: bool) -> Value {
    let (kind, path) = match is_organization {
        true => ("organization", "organizations"),
        false => ("user", "users"),
    };
    json!({
        "kind": kind,
        "name": name,
        "uri": format!("/{path}/{name}"),
        "url": format!("{}/{path}/{name}", api.origin),
    })
}
