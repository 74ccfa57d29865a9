//! Which endpoints a session speaks to, each behind a schema name.
//!
//! It travels in the session's configuration, so that registering twice finds what is there, and a statement finds the
//! endpoint that a name belongs to.

use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use datafusion::common::Result;
use datafusion::common::TableReference;
use datafusion::execution::SessionState;
use redivis::Version;

use super::default_schema::CurrentSession;
use super::local::LocalList;
use super::metadata::MetadataCache;
use crate::error::refused;

/// One endpoint in a session.
#[derive(Debug, Clone)]
pub(crate) struct Registration {
    /// The schema whose table names are references; also what its functions and procedures are called by.
    pub(crate) schema: String,
    pub(crate) metadata: Arc<MetadataCache>,
}

/// The endpoints of a session. The first one also has what names no schema: bare references, owners as catalogs, URLs.
pub(crate) struct Registrations {
    pub(crate) first: Registration,
    others: RwLock<Vec<Registration>>,
    /// The session's catalogs without Redivis.
    pub(crate) local: Arc<LocalList>,
    session: OnceLock<CurrentSession>,
}

impl fmt::Debug for Registrations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registrations")
            .field("first", &self.first)
            .field("others", &self.others)
            .finish_non_exhaustive()
    }
}

impl Registrations {
    pub(crate) fn new(first: Registration, local: LocalList) -> Self {
        Self {
            first,
            others: RwLock::default(),
            local: Arc::new(local),
            session: OnceLock::new(),
        }
    }

    /// Those of a session; `None` where it has none.
    ///
    /// A configuration may have been copied from another session, whose catalogs were not.
    pub(crate) fn of(state: &SessionState) -> Option<Arc<Self>> {
        let registrations = state.config().get_extension::<Self>()?;
        let catalog = &registrations.local.default_catalog;
        let schemas = state.catalog_list().catalog(catalog)?.schema_names();
        schemas
            .contains(&registrations.first.schema)
            .then_some(registrations)
    }

    pub(crate) fn add(&self, other: Registration) {
        self.others
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(other);
    }

    /// All of them, the first one first.
    pub(crate) fn all(&self) -> Vec<Registration> {
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        std::iter::once(&self.first)
            .chain(&*others)
            .cloned()
            .collect()
    }

    /// The one behind a schema name.
    pub(crate) fn get(&self, schema: &str) -> Option<Registration> {
        self.all().into_iter().find(|one| one.schema == schema)
    }

    /// Tells where the session is, once there is one.
    pub(crate) fn attach(
        &self,
        session: impl Fn() -> Option<SessionState> + Send + Sync + 'static,
    ) {
        // It is the session that has these registrations in its configuration, so whoever told first told the same.
        let _ = self.session.set(Box::new(session));
    }

    /// The session as it is now; `None` before it is told, and when it is gone.
    pub(crate) fn session(&self) -> Option<SessionState> {
        self.session.get()?()
    }

    /// The table on Redivis that a definition's name means: those of a schema of references, of catalogs that the session
    /// lacks, and whole references in quotes that say `:next`. All other names are the session's own, references or not.
    pub(crate) fn remote(
        &self,
        name: TableReference,
    ) -> Result<Option<(Registration, redivis::TableReference)>> {
        let local = &self.local;
        if let TableReference::Bare { table } = &name {
            let reference = table.parse::<redivis::TableReference>().ok();
            let is_next = |it: &redivis::TableReference| it.version() == Some(Version::Next);
            let reference = reference.filter(|it| is_next(it) && !local.local.table_exist(table));
            return Ok(reference.map(|reference| (self.first.clone(), reference)));
        }
        let name = name.resolve(&local.default_catalog, &local.default_schema);
        let (registration, reference) = if *name.catalog == *local.default_catalog {
            match self.get(&name.schema) {
                Some(registration) => (registration, name.table.to_string()),
                None => return Ok(None),
            }
        } else if local.list.catalog(&name.catalog).is_none() {
            let reference = format!("{}.{}.{}", name.catalog, name.schema, name.table);
            (self.first.clone(), reference)
        } else {
            return Ok(None);
        };
        let reference = reference.parse().map_err(refused)?;
        Ok(Some((registration, reference)))
    }
}
