//! Complete tables on disk: what was read once of a released version need not be read again.
//!
//! In: the rows of a scan on their way to the query, and later the same variables of the same table. Out: a plan that reads
//! them with DataFusion's own Parquet source. Uses `access`, `connection`, `options` and `error`; knows nothing of scans and table providers.
//!
//! What may be kept is decided above: tables that never change, read to their end. `key` is what rows are kept by, `folder`
//! where, `sealed` how small things are written, `blocks` how damage is found; `entry` is one set of variables of a table that is
//! complete, `fill` writes one, `export` has it written from an export, and `read` is the plan over one, `selective` whether it filters while it decodes; `evict` makes room, `list` says what there is and forgets it, and
//! `note` remembers what the service said for when it cannot be asked.

mod blocks;
mod entry;
mod evict;
mod export;
mod fill;
mod folder;
mod key;
mod list;
mod note;
mod read;
mod reader;
mod sealed;
mod selective;

use std::path::PathBuf;

use datafusion::common::{Result, config_datafusion_err};
use etcetera::BaseStrategy;

pub(crate) use self::entry::Entry;
pub(crate) use self::export::export;
pub(crate) use self::fill::{Fill, Keep, PartitionFill};
pub(crate) use self::key::TableKey;
pub use self::list::CachedTable;
pub(crate) use self::note::Remembered;
pub(crate) use self::read::plan;
use crate::options::RedivisOptions;

/// A folder of tables, and how large it may become. Cheap to clone; nothing is on disk before something is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cache {
    folder: PathBuf,
    limit: u64,
}

impl Cache {
    /// The folder that the options name, or else the platform's for what can be had again.
    pub(crate) fn of(options: &RedivisOptions) -> Result<Self> {
        let folder = match &options.cache_dir {
            Some(folder) => folder.clone(),
            None => etcetera::choose_base_strategy()
                .map_err(|_| {
                    config_datafusion_err!(
                        "there is no home folder to keep tables in; name another one with SET redivis.cache_dir"
                    )
                })?
                .cache_dir()
                .join("redivis"),
        };
        Ok(Self {
            folder,
            limit: options.cache_size,
        })
    }
}
