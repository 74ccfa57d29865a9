//! The REST API: one file per resource, and what they share.
//!
//! Every request passes `gate` first, which knows who asks and counts requests; every handler says what access it needs.

mod body;
mod byte_range;
mod datasets;
mod error;
mod exports;
mod file_body;
mod gate;
mod json;
mod new_upload;
mod oauth;
mod owners;
mod page;
mod parameters;
mod patience;
mod queries;
mod rate;
mod raw_files;
mod read_sessions;
mod read_streams;
mod readable;
mod routes;
mod rows;
mod serve;
mod tables;
mod target;
mod temp_uploads;
mod uploads;
mod variables;
mod versions;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    handler::Handler,
    http::{HeaderMap, header::HOST, uri::Authority},
    middleware,
    routing::{get, post},
};

pub(crate) use rate::RateLimit;
pub(crate) use serve::serve;

use crate::{
    catalog::Catalog, export::Exports, ingestion::Ingestion, login::Logins, query::Queries,
    raw_file::RawFiles, session::ReadSessions, temporary::TempUploads, token::Tokens,
};
use error::{ApiError, Missing};
use routes::Routes;

/// What paths of the API start with.
const BASE: &str = "/api/v1";

/// Bytes that a request's body may have at most: requests carry selections, not data.
const BODY_BYTES: usize = 1 << 20;

/// What handlers work with.
#[derive(Debug)]
pub(crate) struct Api {
    /// Scheme, host and port, as in `http://127.0.0.1:49152`.
    pub(crate) origin: String,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) sessions: ReadSessions,
    pub(crate) queries: Queries,
    pub(crate) exports: Exports,
    pub(crate) temporary: TempUploads,
    pub(crate) ingestion: Arc<Ingestion>,
    pub(crate) raw_files: RawFiles,
    pub(crate) tokens: Tokens,
    pub(crate) logins: Logins,
    pub(crate) rate: RateLimit,
}

type Shared = axum::extract::State<Arc<Api>>;

/// Scheme, host and port as the client knows them: behind a proxy, that is not where the server listens.
fn origin_for(api: &Api, headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.and_then(|host| host.parse::<Authority>().ok());
    // What stands before an `@` is no part of a host.
    match host.filter(|host| !host.as_str().contains('@')) {
        Some(host) => format!("http://{host}"),
        None => api.origin.clone(),
    }
}

/// What requests are answered by, and the paths that it answers.
pub(crate) fn service(api: Api) -> (Router, Vec<String>) {
    let api = Arc::new(api);
    let oauth = oauth::routes();
    let Routes { router, paths } = tables()
        .merge(uploads::routes())
        .merge(temp_uploads::routes())
        .merge(raw_files::routes())
        .merge(datasets::routes())
        .merge(versions::routes())
        .merge(owners::routes())
        .merge(queries::routes())
        .merge(exports::routes())
        .merge(elsewhere())
        .route("/readStreams/{id}", get(read_streams::read));
    let paths = paths.into_iter().map(|path| format!("{BASE}{path}"));
    let paths = paths.chain(oauth.paths).collect();
    let router = router
        .method_not_allowed_fallback(async || ApiError::method_not_allowed())
        .fallback(async || ApiError::unknown_route());
    let router = Router::new()
        .nest(BASE, router)
        .merge(oauth.router)
        .method_not_allowed_fallback(async || ApiError::method_not_allowed())
        .fallback(async || ApiError::unknown_route())
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(middleware::from_fn_with_state(Arc::clone(&api), gate::gate))
        .with_state(api);
    (router, paths)
}

/// Answers 501 and names what is missing.
fn missing(what: &'static str) -> impl Handler<((),), Arc<Api>> {
    move || std::future::ready(Missing(what))
}

/// What tables and uploads have in common below their own path.
fn readable(path: &str) -> Routes {
    let variable = get(variables::get).patch(variables::update);
    let variables = get(variables::list).patch(variables::update_all);
    Routes::new()
        .route(&format!("{path}/variables"), variables)
        .route(&format!("{path}/variables/{{variable}}"), variable)
        .route(
            &format!("{path}/variables/{{variable}}/statistics"),
            get(variables::statistics),
        )
        .route(&format!("{path}/readSessions"), post(read_sessions::create))
        .route(&format!("{path}/exports"), post(exports::create))
}

fn tables() -> Routes {
    readable("/tables/{table}")
        .route(
            "/tables/{table}",
            get(tables::get)
                .patch(tables::update)
                .delete(tables::delete),
        )
        .route("/tables/{table}/rows", get(rows::read))
        .route("/tables/{table}/script", get(missing("scripts")))
}

/// Parts of the service that are not here.
fn elsewhere() -> Routes {
    Routes::new()
        .route(
            "/transforms/{*rest}",
            axum::routing::any(missing("transforms")),
        )
        .route(
            "/notebooks/{*rest}",
            axum::routing::any(missing("notebooks")),
        )
        .route(
            "/notebookJobs/{*rest}",
            axum::routing::any(missing("notebooks")),
        )
}
