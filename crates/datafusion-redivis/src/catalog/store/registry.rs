//! Finds the store of any `redivis://` URL, for every owner, dataset and table.
//!
//! DataFusion's registry knows stores that somebody registered; there are too many tables for that, and a store costs nothing
//! until it is used. All other schemes are the session's, as before.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::common::Result;
use datafusion::execution::SpillFile;
use datafusion::execution::object_store::ObjectStoreRegistry;
use object_store::ObjectStore;
use url::Url;

use super::RedivisStore;
use super::parts::NewSpool;
use super::url::{SCHEME, decoded};
use crate::catalog::metadata::MetadataCache;

/// A session's registry, with Redivis before it.
pub struct RedivisObjectStoreRegistry {
    others: Arc<dyn ObjectStoreRegistry>,
    metadata: Arc<MetadataCache>,
    spool: NewSpool,
    /// By the URL's authority.
    stores: Mutex<HashMap<String, Arc<RedivisStore>>>,
}

impl RedivisObjectStoreRegistry {
    /// The stores of `others`, and those of the tables on the endpoint of a cache.
    ///
    /// `spool` makes the temporary files that parts of a file are put together in before they are sent.
    pub fn new(
        others: Arc<dyn ObjectStoreRegistry>,
        metadata: Arc<MetadataCache>,
        spool: impl Fn() -> Result<Arc<dyn SpillFile>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            others,
            metadata,
            spool: Arc::new(spool),
            stores: Mutex::default(),
        }
    }
}

impl fmt::Debug for RedivisObjectStoreRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedivisObjectStoreRegistry")
            .field("others", &self.others)
            .finish_non_exhaustive()
    }
}

impl ObjectStoreRegistry for RedivisObjectStoreRegistry {
    fn register_store(
        &self,
        url: &Url,
        store: Arc<dyn ObjectStore>,
    ) -> Option<Arc<dyn ObjectStore>> {
        self.others.register_store(url, store)
    }

    fn deregister_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        self.others.deregister_store(url)
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        if url.scheme() != SCHEME {
            return self.others.get_store(url);
        }
        let authority = url.host_str().unwrap_or_default();
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = stores.get(authority) {
            return Ok(Arc::clone(store) as Arc<dyn ObjectStore>);
        }
        let store = Arc::new(RedivisStore::new(
            Arc::clone(self.metadata.connection()),
            decoded(authority)?,
            Arc::clone(self.metadata.writes()),
            Arc::clone(&self.spool),
        ));
        stores.insert(authority.to_owned(), Arc::clone(&store));
        Ok(store)
    }
}
