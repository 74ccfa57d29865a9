//! Local files as tables: `FROM 'rows.tsv'`, `FROM '~/rows.csv'`, `FROM '/dev/stdin'`.
//!
//! DataFusion makes tables of files by their names. What it does not know is put in its words here: names that other programs
//! give to formats that it reads, the home, separators other than a comma, and what can be read only once.

mod dialect;
mod folder;
mod format;
mod once;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{DynamicFileCatalog, TableProvider, UrlTableFactory};
use datafusion::common::{Result, plan_err};
use datafusion::datasource::dynamic_file::DynamicListTableFactory;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::datasource::listing::{
    ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl,
};
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::prelude::SessionContext;

use self::dialect::Dialect;
pub(crate) use self::folder::{Folder, is_table, table_name};
use self::once::Once;
use crate::blocking::blocking;
use crate::state;

/// Makes files tables of a session. `stdin` says whether standard input is data and not statements.
pub(crate) fn enable(context: SessionContext, stdin: bool) -> Result<SessionContext> {
    for factory in format::others() {
        context
            .state_ref()
            .write()
            .register_file_format(factory, false)?;
    }
    let others = DynamicListTableFactory::default();
    let factory = Arc::new(Files {
        others,
        once: Once::new(stdin),
    });
    let list = Arc::clone(context.state().catalog_list());
    let list = DynamicFileCatalog::new(list, Arc::clone(&factory) as Arc<dyn UrlTableFactory>);
    let session_id = context.session_id();
    let context: SessionContext = context
        .into_state_builder()
        .with_session_id(session_id)
        .with_catalog_list(Arc::new(list))
        .build()
        .into();
    let session = context.state_weak_ref();
    factory.others.session_store().with_state(session);
    Ok(context)
}

/// Makes a table of a name that is a file's.
#[derive(Debug)]
struct Files {
    others: DynamicListTableFactory,
    once: Once,
}

#[async_trait]
impl UrlTableFactory for Files {
    async fn try_new(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let path = state::at_home(name);
        let here = path.clone();
        let path = match blocking(move || Ok::<_, DataFusionError>(once::is_once(&here))).await? {
            true => self.once.file(&path).await?,
            false => path,
        };
        let here = path.clone();
        let dialect = blocking(move || Ok::<_, DataFusionError>(dialect::of(&here))).await?;
        match (dialect, path.to_str()) {
            (Some(dialect), _) => self.table(&path, dialect).await.map(Some),
            (None, Some(path)) => self.others.try_new(path).await,
            (None, None) => Ok(None),
        }
    }
}

impl Files {
    /// A file of text that is not as others of its name.
    async fn table(&self, path: &Path, dialect: Dialect) -> Result<Arc<dyn TableProvider>> {
        let state = self.others.session_store().get_session().upgrade();
        let state = state.and_then(|session| {
            let session = session.read();
            session.as_any().downcast_ref::<SessionState>().cloned()
        });
        let Some(state) = state else {
            return plan_err!("the session has ended");
        };
        let options = state.default_table_options();
        let format: Arc<dyn FileFormat> = match dialect {
            Dialect::Separator(separator) => Arc::new(
                CsvFormat::default()
                    .with_options(options.csv)
                    .with_delimiter(separator),
            ),
            Dialect::Array => Arc::new(
                JsonFormat::default()
                    .with_options(options.json)
                    .with_newline_delimited(false),
            ),
        };
        let config = ListingTableConfig::new(url(path)?)
            .with_listing_options(ListingOptions::new(format))
            .infer_schema(&state)
            .await?;
        Ok(Arc::new(ListingTable::try_new(config)?))
    }
}

fn url(path: &Path) -> Result<ListingTableUrl> {
    let url = std::path::absolute(path).ok();
    match url.and_then(|path| url::Url::from_file_path(path).ok()) {
        Some(url) => ListingTableUrl::parse(url),
        None => plan_err!("{} can't be read", path.display()),
    }
}
