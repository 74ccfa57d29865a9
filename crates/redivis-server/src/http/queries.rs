//! Queries: `POST /queries`, `GET /queries/:id` and what is read of their results (redivis-api §3.3, §7).

use std::time::Duration;

use axum::{
    Json,
    extract::{DefaultBodyLimit, State},
    http::StatusCode,
    routing::{get, post},
};
use serde_json::{Map, Value, json};

use super::{
    Api, Routes, Shared, error::ApiError, exports, gate::Caller, json::JsonBody, missing,
    parameters::count_of_json, raw_files, read_sessions, readable::OwnQuery, rows,
    target::blocking, variables,
};
use crate::{
    query::{Asked, CHARACTERS, Query, Status},
    reference::DatasetReference,
};

/// How long the request waits for the result when it says nothing, and at most, in milliseconds.
const WAIT: u64 = 30_000;
const LONGEST_WAIT: u64 = 60_000;

/// Bytes of the request at most: a character of the text may take 12 in JSON.
const BODY_BYTES: usize = CHARACTERS * 12 + 4096;

pub(super) fn routes() -> Routes {
    let create = post(create).layer(DefaultBodyLimit::max(BODY_BYTES));
    Routes::new()
        .route("/queries", create)
        .route("/queries/{query}", get(read))
        .route("/queries/{query}/variables", get(variables::list))
        .route("/queries/{query}/variables/{variable}", get(variables::get))
        .route(
            "/queries/{query}/variables/{variable}/statistics",
            get(variables::statistics),
        )
        .route("/queries/{query}/rows", get(rows::read))
        .route("/queries/{query}/readSessions", post(read_sessions::create))
        .route("/queries/{query}/exports", post(exports::create))
        .route("/queries/{query}/rawFiles", get(raw_files::list))
        .route("/queries/{query}/script", get(missing("scripts")))
}

async fn create(
    State(api): Shared,
    caller: Caller,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let user = caller.user.clone().ok_or_else(ApiError::no_credentials)?;
    let wait = count_of_json("timeoutMs", body.get("timeoutMs"))?.unwrap_or(WAIT);
    if wait > LONGEST_WAIT {
        return Err(ApiError::invalid(format!(
            "`timeoutMs` is {wait}, and may be {LONGEST_WAIT} at most"
        )));
    }
    let text = text_of(&body, "query")?.ok_or_else(|| ApiError::invalid("`query` is missing"))?;
    if text.chars().count() > CHARACTERS {
        return Err(ApiError::invalid(format!(
            "`query` has more than {CHARACTERS} characters"
        )));
    }
    // The JavaScript client still says project.
    for key in ["defaultWorkflow", "defaultProject"] {
        if let Some(name) = text_of(&body, key)? {
            return Err(ApiError::not_found("workflow", &name));
        }
    }
    let default_dataset = text_of(&body, "defaultDataset")?;
    if let Some(dataset) = &default_dataset {
        DatasetReference::parse(dataset)?;
    }
    let asked = Asked {
        user: user.clone(),
        text,
        default_dataset,
        access: caller.scopes(),
    };
    let queries = api.queries.clone();
    let query = blocking(move || Ok(queries.ask(asked)?)).await?;
    let id = query.id.clone();
    api.queries.wait(&id, Duration::from_millis(wait)).await;
    let body = blocking(move || {
        let query = api.queries.find(&id, &user)?.unwrap_or(query);
        to_json(&api, query)
    })
    .await?;
    Ok((StatusCode::CREATED, Json(body)))
}

/// A member of the body that is a text, if it is there.
fn text_of(body: &Map<String, Value>, key: &str) -> Result<Option<String>, ApiError> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(ApiError::invalid(format!("`{key}` must be a string"))),
    }
}

async fn read(State(api): Shared, asked: OwnQuery) -> Result<Json<Value>, ApiError> {
    blocking(move || to_json(&api, asked.query).map(Json)).await
}

pub(super) fn uri(query: &Query) -> String {
    format!("/queries/{}", query.id)
}

/// The resource. What is not known before the query is completed is null until then.
fn to_json(api: &Api, query: Query) -> Result<Value, ApiError> {
    let mut body = json!({
        "kind": "query",
        "id": query.id,
        "uri": uri(&query),
        "url": format!("{}{}", api.origin, uri(&query)),
        "status": query.status.name(),
        "errorMessage": query.error,
        "createdAt": query.created_at,
        "finishedAt": query.finished_at,
        "outputNumRows": null,
        "outputNumBytes": null,
        "outputSchema": null,
    });
    if query.status == Status::Completed {
        let result = api.queries.result(query)?;
        let schema: Vec<Value> = result
            .query
            .schema
            .iter()
            .map(|(name, kind)| json!({"name": name, "type": kind.name()}))
            .collect();
        body["outputNumRows"] = result.upload.rows().into();
        body["outputNumBytes"] = result.upload.bytes().into();
        body["outputSchema"] = schema.into();
    }
    Ok(body)
}
