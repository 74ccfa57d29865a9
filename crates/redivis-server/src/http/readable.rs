//! What rows can be read of: a table, an upload of one, or the result of a query, by the same handlers.
//!
//! A query and its result are its creator's alone, whatever others may do with the tables that it read.

use std::{sync::Arc, time::SystemTime};

use axum::{RequestPartsExt, extract::FromRequestParts, http::request::Parts};

use super::{
    Api,
    error::ApiError,
    gate::Caller,
    target::{PathNames, Target, blocking},
};
use crate::{
    catalog::{Access, Table, Upload, UploadStatus, Variable, Version},
    query::{Query, QueryResult, Status},
    storage::{Segment, Selection, Stored},
};

/// What a path names, and who asks for it.
pub(super) struct Readable {
    pub(super) caller: Caller,
    pub(super) names: PathNames,
    source: Source,
}

enum Source {
    Table(Arc<Table>),
    Upload(Arc<Table>, Upload),
    Query(QueryResult),
}

impl FromRequestParts<Arc<Api>> for Readable {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        api: &Arc<Api>,
    ) -> Result<Self, Self::Rejection> {
        let names = parts.extract::<PathNames>().await?;
        if names.get("query").is_empty() {
            let target = Target::from_request_parts(parts, api).await?;
            let source = match target.upload().ok().cloned() {
                Some(upload) => {
                    completed(&upload)?;
                    Source::Upload(target.table, upload)
                }
                None => Source::Table(target.table),
            };
            return Ok(Readable {
                caller: target.caller,
                names,
                source,
            });
        }
        let query = OwnQuery::from_request_parts(parts, api).await?;
        let queries = api.queries.clone();
        let result = blocking(move || match query.query.status {
            Status::Completed => Ok(queries.result(query.query)?),
            Status::Failed => Err(ApiError::invalid(format!(
                "The query failed: {}",
                query.query.error.unwrap_or_default()
            ))),
            Status::Queued | Status::Running => Err(ApiError::conflict(
                "The query is not completed yet; ask again when its `status` is `completed`",
            )),
        })
        .await?;
        Ok(Readable {
            caller: parts.extract::<Caller>().await?,
            names,
            source: Source::Query(result),
        })
    }
}

/// Refuses an upload that has no rows yet, or will never have any: it would look like an empty one.
fn completed(upload: &Upload) -> Result<(), ApiError> {
    match upload.status {
        UploadStatus::Completed => Ok(()),
        UploadStatus::Failed => Err(ApiError::invalid(format!(
            "The upload `{}` failed: {}",
            upload.name,
            upload.error_message.as_deref().unwrap_or_default()
        ))),
        UploadStatus::Queued | UploadStatus::Running => Err(ApiError::conflict(format!(
            "The upload `{}` is not completed yet; ask again when its `status` is `completed`",
            upload.name
        ))),
    }
}

/// The query of a path, which is the caller's own.
pub(super) struct OwnQuery {
    pub(super) query: Query,
}

impl FromRequestParts<Arc<Api>> for OwnQuery {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        api: &Arc<Api>,
    ) -> Result<Self, Self::Rejection> {
        let caller = parts.extract::<Caller>().await?;
        let names = parts.extract::<PathNames>().await?;
        let user = caller.user.ok_or_else(ApiError::no_credentials)?;
        let id = names.get("query").to_owned();
        let queries = api.queries.clone();
        let query = blocking(move || {
            let query = queries.find(&id, &user)?;
            query.ok_or_else(|| ApiError::not_found("query", &id))
        })
        .await?;
        Ok(OwnQuery { query })
    }
}

impl Readable {
    /// Refuses what needs more than the caller may do.
    pub(super) fn require(&self, needed: Access) -> Result<(), ApiError> {
        match &self.source {
            Source::Table(table) | Source::Upload(table, _) => {
                self.caller.require(&table.entry.dataset, needed)
            }
            Source::Query(result) => {
                if result.query.is_public || self.caller.scopes_allow(needed) {
                    Ok(())
                } else {
                    Err(ApiError::insufficient_scope(needed))
                }
            }
        }
    }

    /// Whether anybody may read the rows.
    pub(super) fn is_public(&self) -> bool {
        match &self.source {
            Source::Table(table) | Source::Upload(table, _) => table.entry.dataset.is_public(),
            Source::Query(result) => result.query.is_public,
        }
    }

    /// The unreleased table that its uploads make up together, each with its own types.
    pub(super) fn is_stacked(&self) -> bool {
        match &self.source {
            Source::Table(table) => table.entry.dataset.version == Version::Next,
            Source::Upload(..) | Source::Query(_) => false,
        }
    }

    /// Whether one stream is enough for the rows whatever was asked for: a query may have put them in order, which
    /// clients lose when they read several streams.
    pub(super) fn is_small_result(&self) -> bool {
        const SMALL: u64 = 10 << 20;
        matches!(self.source, Source::Query(_)) && self.bytes() <= SMALL
    }

    /// Whether the rows name raw files.
    pub(super) fn is_file_index(&self) -> bool {
        match &self.source {
            Source::Table(table) | Source::Upload(table, _) => table.entry.is_file_index,
            Source::Query(_) => false,
        }
    }

    /// Where it is found.
    pub(super) fn uri(&self) -> String {
        match &self.source {
            Source::Table(table) => table.entry.uri(),
            Source::Upload(table, upload) => super::uploads::uri(table, upload),
            Source::Query(result) => super::queries::uri(&result.query),
        }
    }

    pub(super) fn variables(&self) -> &[Variable] {
        match &self.source {
            Source::Table(table) => &table.variables,
            Source::Upload(_, upload) => &upload.variables,
            Source::Query(result) => &result.upload.variables,
        }
    }

    /// The uploads that hold the rows, in the rows' order.
    pub(super) fn uploads(&self) -> &[Upload] {
        match &self.source {
            Source::Table(table) => &table.uploads,
            Source::Upload(_, upload) => std::slice::from_ref(upload),
            Source::Query(result) => std::slice::from_ref(&result.upload),
        }
    }

    pub(super) fn rows(&self) -> u64 {
        self.uploads().iter().map(Upload::rows).sum()
    }

    /// When what the name means was last changed.
    pub(super) fn updated(&self) -> SystemTime {
        match &self.source {
            Source::Table(table) | Source::Upload(table, _) => {
                table.updated.max(table.entry.dataset.updated)
            }
            Source::Query(result) => result.upload.updated,
        }
    }

    /// Uncompressed bytes of the rows.
    pub(super) fn bytes(&self) -> u64 {
        self.uploads().iter().map(Upload::bytes).sum()
    }

    /// The name of the table or query.
    pub(super) fn name(&self) -> &str {
        match &self.source {
            Source::Table(table) | Source::Upload(table, _) => &table.entry.name,
            Source::Query(result) => &result.query.id,
        }
    }

    /// The variables that are meant: all, or the named ones in their order, without regard to case.
    pub(super) fn select(&self, names: Option<&[String]>) -> Result<Vec<&Variable>, ApiError> {
        let Some(names) = names else {
            return Ok(self.variables().iter().collect());
        };
        let mut selected: Vec<&Variable> = Vec::with_capacity(names.len());
        for name in names {
            let lower = name.to_lowercase();
            let variable = self
                .variables()
                .iter()
                .find(|variable| variable.name.to_lowercase() == lower)
                .ok_or_else(|| {
                    ApiError::invalid(format!(
                        "`selectedVariables` names `{name}`, which the table does not have"
                    ))
                })?;
            if selected.iter().any(|other| other.name == variable.name) {
                return Err(ApiError::invalid(format!(
                    "`selectedVariables` names `{name}` twice"
                )));
            }
            selected.push(variable);
        }
        Ok(selected)
    }
}

/// All rows of an upload with these variables and types; null where it does not have one.
pub(super) fn all_rows(upload: &Upload, variables: &[&Variable]) -> Vec<Segment> {
    let columns: Vec<_> = variables
        .iter()
        .map(|variable| (variable.name.as_str(), variable.kind))
        .collect();
    let segment = |stored: &Arc<Stored>| Segment {
        stored: Arc::clone(stored),
        selection: Arc::new(Selection::new(stored, &columns)),
        rows: 0..stored.rows(),
    };
    upload.parts.iter().map(segment).collect()
}
