//! What a request's path means: a dataset, a table or an upload, if the caller may know of it.
//!
//! Looking into the data folder blocks, so it happens off the runtime's threads.

use std::{collections::HashMap, sync::Arc};

use axum::{
    RequestPartsExt,
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use tokio::task::spawn_blocking;

use super::{Api, error::ApiError, gate::Caller};
use crate::{
    catalog::{Access, Catalog, Dataset, Table, TableEntry, Upload, Variable, Version},
    reference::{DatasetReference, TableReference, UploadReference, VersionTag},
};

/// The parameters of the path, decoded.
pub(super) struct PathNames(HashMap<String, String>);

impl<S: Send + Sync> FromRequestParts<S> for PathNames {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let path = parts.extract::<Path<HashMap<String, String>>>().await;
        path.map(|Path(names)| PathNames(names))
            .map_err(|error| ApiError::invalid(error.body_text()))
    }
}

impl PathNames {
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

/// Runs what blocks on the disk.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    spawn_blocking(work)
        .await
        .map_err(|error| ApiError::internal(&error))?
}

/// Looks up what a path names, for whoever asks.
async fn look_up<T: Send + 'static>(
    parts: &mut Parts,
    api: &Arc<Api>,
    find: fn(&Catalog, &Caller, &PathNames) -> Result<T, ApiError>,
) -> Result<(Caller, PathNames, T), ApiError> {
    let caller = parts.extract::<Caller>().await?;
    let names = parts.extract::<PathNames>().await?;
    let catalog = Arc::clone(&api.catalog);
    blocking(move || {
        let found = find(&catalog, &caller, &names)?;
        Ok((caller, names, found))
    })
    .await
}

/// The dataset of a path, in the version it names, and who asks for it.
pub(super) struct DatasetTarget {
    pub(super) caller: Caller,
    pub(super) dataset: Dataset,
}

impl FromRequestParts<Arc<Api>> for DatasetTarget {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        api: &Arc<Api>,
    ) -> Result<Self, Self::Rejection> {
        let (caller, _, dataset) = look_up(parts, api, |catalog, caller, names| {
            let reference = DatasetReference::parse(names.get("dataset"))?;
            find_dataset(catalog, caller, names, &reference)
        })
        .await?;
        Ok(DatasetTarget { caller, dataset })
    }
}

fn find_dataset(
    catalog: &Catalog,
    caller: &Caller,
    names: &PathNames,
    reference: &DatasetReference,
) -> Result<Dataset, ApiError> {
    let unseen = || caller.unseen("dataset", names.get("dataset"));
    seen_dataset(catalog, caller, reference)?.ok_or_else(unseen)
}

fn seen_dataset(
    catalog: &Catalog,
    caller: &Caller,
    reference: &DatasetReference,
) -> Result<Option<Dataset>, ApiError> {
    let dataset = catalog.dataset(reference)?;
    Ok(dataset.filter(|dataset| caller.sees(dataset)))
}

impl DatasetTarget {
    /// Refuses callers who may not change the dataset.
    pub(super) fn require_edit(&self) -> Result<(), ApiError> {
        self.caller.require(&self.dataset, Access::Edit)
    }
}

/// The dataset of a path whatever version the dataset's part names, and the version named behind it.
pub(super) struct AnyVersion {
    pub(super) caller: Caller,
    /// In its default version.
    pub(super) dataset: Dataset,
    pub(super) names: PathNames,
}

impl FromRequestParts<Arc<Api>> for AnyVersion {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        api: &Arc<Api>,
    ) -> Result<Self, Self::Rejection> {
        let (caller, names, dataset) = look_up(parts, api, |catalog, caller, names| {
            let mut reference = DatasetReference::parse(names.get("dataset"))?;
            reference.version = None;
            find_dataset(catalog, caller, names, &reference)
        })
        .await?;
        Ok(AnyVersion {
            caller,
            dataset,
            names,
        })
    }
}

impl AnyVersion {
    /// Refuses callers who may not change the dataset.
    pub(super) fn require_edit(&self) -> Result<(), ApiError> {
        self.caller.require(&self.dataset, Access::Edit)
    }

    /// Whether the caller may know of a version.
    pub(super) fn sees(&self, version: Version) -> bool {
        let dataset = self.dataset.clone().at(version);
        dataset.is_some_and(|dataset| self.caller.sees(&dataset))
    }

    /// The dataset in the version that the path names.
    pub(super) fn named_version(&self) -> Result<Dataset, ApiError> {
        let tag = self.names.get("tag");
        let version = match VersionTag::parse(tag) {
            Some(VersionTag::Current) => self.dataset.current(),
            Some(VersionTag::Released(major, minor)) => Some(Version::Released(major, minor)),
            Some(VersionTag::Next) => Some(Version::Next),
            None => None,
        };
        version
            .and_then(|version| self.dataset.clone().at(version))
            .filter(|dataset| self.caller.sees(dataset))
            .ok_or_else(|| ApiError::not_found("version", tag))
    }
}

/// The table of a path, without a look at its rows, and who asks for it: what changes a table needs no more.
pub(super) struct TableTarget {
    pub(super) caller: Caller,
    pub(super) entry: TableEntry,
}

impl FromRequestParts<Arc<Api>> for TableTarget {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        api: &Arc<Api>,
    ) -> Result<Self, Self::Rejection> {
        let (caller, _, entry) = look_up(parts, api, |catalog, caller, names| {
            let text = names.get("table");
            find_table(catalog, caller, text, &TableReference::parse(text)?)
        })
        .await?;
        Ok(TableTarget { caller, entry })
    }
}

impl TableTarget {
    /// Refuses callers who may not change the table.
    pub(super) fn require_edit(&self) -> Result<(), ApiError> {
        self.caller.require(&self.entry.dataset, Access::Edit)
    }
}

fn find_table(
    catalog: &Catalog,
    caller: &Caller,
    text: &str,
    reference: &TableReference,
) -> Result<TableEntry, ApiError> {
    let dataset = seen_dataset(catalog, caller, &reference.dataset)?
        .ok_or_else(|| caller.unseen("table", text))?;
    catalog
        .table_of(&dataset, reference)?
        .ok_or_else(|| ApiError::not_found("table", text))
}

/// The table, or the upload of a table, of a path, and who asks for it.
pub(super) struct Target {
    pub(super) caller: Caller,
    pub(super) table: Arc<Table>,
    /// Which of the table's uploads is meant, if one is.
    upload: Option<Upload>,
    pub(super) names: PathNames,
}

impl FromRequestParts<Arc<Api>> for Target {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        api: &Arc<Api>,
    ) -> Result<Self, Self::Rejection> {
        let (caller, names, (table, upload)) = look_up(parts, api, find).await?;
        Ok(Target {
            caller,
            table,
            upload,
            names,
        })
    }
}

/// Finds `/tables/{table}`, `/tables/{table}/uploads/{upload}` or `/uploads/{upload}`.
fn find(
    catalog: &Catalog,
    caller: &Caller,
    names: &PathNames,
) -> Result<(Arc<Table>, Option<Upload>), ApiError> {
    let (table, upload) = (names.get("table"), names.get("upload"));
    let (text, reference, upload) = if table.is_empty() {
        let reference = UploadReference::parse(upload)?;
        (upload, reference.table, Some(reference.upload))
    } else {
        let upload = (!upload.is_empty()).then(|| upload.to_owned());
        (table, TableReference::parse(table)?, upload)
    };
    let entry = find_table(catalog, caller, text, &reference)?;
    let table = catalog.open(entry)?;
    let upload = match upload {
        None => None,
        Some(name) => match table.upload(&name) {
            Some(upload) => Some(upload.clone()),
            None => return Err(ApiError::not_found("upload", &name)),
        },
    };
    Ok((table, upload))
}

impl Target {
    pub(super) fn dataset(&self) -> &Dataset {
        &self.table.entry.dataset
    }

    /// The upload, where one is meant.
    pub(super) fn upload(&self) -> Result<&Upload, ApiError> {
        let missing = || ApiError::not_found("upload", self.names.get("upload"));
        self.upload.as_ref().ok_or_else(missing)
    }

    /// Where the table or upload is found.
    pub(super) fn uri(&self) -> String {
        match &self.upload {
            Some(upload) => super::uploads::uri(&self.table, upload),
            None => self.table.entry.uri(),
        }
    }

    pub(super) fn variables(&self) -> &[Variable] {
        match &self.upload {
            Some(upload) => &upload.variables,
            None => &self.table.variables,
        }
    }
}
