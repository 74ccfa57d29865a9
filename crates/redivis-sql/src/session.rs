//! The session that statements run in: DataFusion with Redivis and local files in it.
//!
//! Everything a statement can reach is set up here, from the environment and the options, before the first one runs.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use datafusion::catalog::CatalogProvider;
use datafusion::error::DataFusionError;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_redivis::{DefaultParent, Redivis, RedivisBuilder, RedivisOptions};
use redivis::{Client, ReferenceError};
use redivis_server::Server;
use tokio::runtime::Handle;

use crate::args::{Cache, Local, Options, Registration};
use crate::attached::Attached;
use crate::bigquery;
use crate::config::Config;
use crate::connect::{Connection, Identity, connect};
use crate::directory::Directory;
use crate::failure::{Failure, external};
use crate::files;
use crate::guard::Guard;
use crate::known_labels::KnownLabels;
use crate::memory::{self, FairPool};
use crate::pauses::Pauses;
use crate::pins::Pins;
use crate::recent::Recent;
use crate::report::{narrate, note};
use crate::script::Source;
use crate::stats::Stats;
use crate::variables::Variables;

/// How long an interrupted write may take to be taken back: the person is waiting.
const SETTLES_WITHIN: Duration = Duration::from_secs(10);

/// A session, cheap to clone.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) context: SessionContext,
    /// The session's own schemas, which can be added to and taken from.
    pub(crate) schemas: Arc<dyn CatalogProvider>,
    pub(crate) attached: Attached,
    pub(crate) redivis: Redivis,
    pub(crate) memory: FairPool,
    pub(crate) directory: Directory,
    pub(crate) known_labels: KnownLabels,
    pub(crate) variables: Variables,
    pub(crate) recent: Recent,
    pub(crate) pins: Pins,
    pub(crate) stats: Option<Stats>,
    pub(crate) guard: Guard,
    pub(crate) config: Arc<Config>,
    /// Where the token comes from.
    pub(crate) identity: Arc<Identity>,
    /// Statements are not run: what they would read is told.
    pub(crate) dry_run: bool,
    /// Serves `--local`; it stops with the last session.
    server: Option<Arc<Server>>,
}

impl Session {
    /// Connects, as the options and the environment say. Sends no request but those that `-r` needs.
    pub(crate) async fn start(options: &Options, config: Config) -> Result<Self, Failure> {
        let (client, identity, server) = match &options.local {
            Some(local) => {
                let server = serve(local).await?;
                let client = local_client(&server)?;
                (client, Identity::Anonymous, Some(Arc::new(server)))
            }
            None => {
                let Connection { client, identity } = connect().await?;
                (client, identity, None)
            }
        };
        let client = if options.offline {
            client.offline()
        } else {
            client
        };
        let limit = options.memory_limit;
        let memory = FairPool::new(limit.unwrap_or_else(memory::share_of_machine));
        let from_stdin = options.sources.is_empty() || options.sources.contains(&Source::Stdin);
        let stats = options.stats.then(Stats::default);
        let context = context(memory.clone(), stats.clone())?;
        let schemas = default_catalog(&context)?;
        let context = files::enable(context, !from_stdin)?;
        bigquery::functions()
            .into_iter()
            .for_each(|function| context.register_udf(function));
        let redivis = RedivisBuilder::new(client)
            .options(settings(options))
            .register(&context)?;
        redivis.set_default_parent(default_parent(&config)?);
        let directory = Directory::new(redivis.clone(), Handle::current());
        let session = Self {
            context,
            schemas,
            attached: Attached::default(),
            directory,
            redivis,
            memory,
            known_labels: KnownLabels::default(),
            variables: Variables::default(),
            recent: Recent::default(),
            pins: Pins::new(options.require_pinned),
            stats,
            guard: Guard::new(options.ask_above.filter(|_| options.asks)),
            config: Arc::new(config),
            identity: Arc::new(identity),
            dry_run: options.dry_run,
            server,
        };
        for (name, value) in &options.variables {
            session.variables.set(name, value);
        }
        for registration in &options.registrations {
            session.register(registration).await?;
        }
        Ok(session)
    }

    /// The dataset or workflow that bare table names are looked up in, as people read it.
    pub(crate) fn default_parent(&self) -> Option<String> {
        Some(match self.redivis.metadata().default_parent()? {
            DefaultParent::Dataset(dataset) => dataset.without_id().to_string(),
            DefaultParent::Workflow(workflow) => {
                format!("{}.{}", workflow.owner(), workflow.name())
            }
        })
    }

    /// Whether it speaks to a server of its own.
    pub(crate) fn is_local(&self) -> bool {
        self.server.is_some()
    }

    /// Waits until what an interrupted statement had sent is taken back, and says what may be left of it.
    pub(crate) async fn settle(&self) {
        match tokio::time::timeout(SETTLES_WITHIN, self.redivis.settle()).await {
            Ok(left) => left.iter().for_each(narrate),
            Err(_) => narrate(
                "Redivis does not answer: rows that were on their way may still arrive. Look at the table's uploads before the \
                 statement is run again",
            ),
        }
    }

    /// Notes that so many rows of a statement were printed or written.
    pub(crate) fn delivered(&self, rows: u64) {
        if let Some(stats) = &self.stats {
            stats.rows(rows);
        }
    }

    /// Gives a Redivis table a local name, in lower case unless it is quoted: as statements will look for it.
    pub(crate) async fn register(&self, registration: &Registration) -> Result<(), Failure> {
        let table = self.redivis.table(&registration.reference).await?;
        let name = datafusion::common::TableReference::from(registration.name.as_str());
        self.context.register_table(name, table)?;
        Ok(())
    }
}

/// The settings that the command line makes.
fn settings(options: &Options) -> RedivisOptions {
    let mut settings = RedivisOptions::default();
    settings.cache = options.cache.is_some();
    settings.cache_dir = match &options.cache {
        Some(Cache::Directory(directory)) => Some(directory.clone()),
        Some(Cache::Default) | None => None,
    };
    settings
}

fn context(memory: FairPool, stats: Option<Stats>) -> Result<SessionContext, Failure> {
    let config = SessionConfig::new().with_information_schema(true);
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(memory))
        .build_arc()?;
    let mut state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_default_features()
        .with_physical_optimizer_rule(Arc::new(Pauses));
    if let Some(stats) = stats {
        state = state.with_physical_optimizer_rule(Arc::new(stats));
    }
    Ok(SessionContext::new_with_state(state.build()))
}

/// The catalog below all others: what stands above it adds names and takes none away.
fn default_catalog(context: &SessionContext) -> Result<Arc<dyn CatalogProvider>, Failure> {
    let state = context.state();
    let name = &state.config_options().catalog.default_catalog;
    let missing = || DataFusionError::Internal(format!("no catalog {name}"));
    Ok(state.catalog_list().catalog(name).ok_or_else(missing)?)
}

async fn serve(local: &Local) -> Result<Server, Failure> {
    let config = match local {
        Local::Sample => redivis_server::Config::sample(),
        Local::Directory(directory) if directory.is_dir() => {
            redivis_server::Config::directory(directory)
        }
        Local::Directory(directory) => return Err(not_a_folder(directory)),
    };
    let config = redivis_server::Config {
        requests_per_minute: None,
        ..config
    };
    let server = Server::start(config)
        .await
        .map_err(|error| Failure::Usage(format!("can't serve the local data: {error}")))?;
    match local {
        Local::Sample => note("serving the sample data demo.nycflights13 from a temporary folder"),
        Local::Directory(directory) => note(format_args!("serving {}", directory.display())),
    }
    Ok(server)
}

fn not_a_folder(directory: &Path) -> Failure {
    Failure::Usage(format!(
        "--local {}: no such folder (SQL goes after -c)",
        directory.display()
    ))
}

fn local_client(server: &Server) -> Result<Client, Failure> {
    let mut builder = Client::builder().endpoint(server.endpoint());
    if let Some(token) = server.token() {
        builder = builder.token(redivis::Token::new(token));
    }
    builder.build().map_err(external)
}

/// Where plain table names are looked up: what is nearer to the person wins, and then a workflow over a dataset, as in the
/// official clients.
fn default_parent(config: &Config) -> Result<Option<DefaultParent>, Failure> {
    let workflow = config
        .get("workflow")
        .map(|text| (config.origin("workflow"), text));
    let dataset = config
        .get("dataset")
        .map(|text| (config.origin("dataset"), text));
    let is_nearer = match (&workflow, &dataset) {
        (Some((workflow, _)), Some((dataset, _))) => workflow.rank() >= dataset.rank(),
        (workflow, _) => workflow.is_some(),
    };
    let refused = |key: &str, error: ReferenceError| {
        Failure::Usage(format!("{}: {error}", config.origin_text(key)))
    };
    match (workflow, dataset) {
        (Some((_, text)), _) if is_nearer => {
            let workflow = text.parse().map_err(|error| refused("workflow", error))?;
            Ok(Some(DefaultParent::Workflow(workflow)))
        }
        (_, Some((_, text))) => {
            let dataset = text.parse().map_err(|error| refused("dataset", error))?;
            Ok(Some(DefaultParent::Dataset(dataset)))
        }
        _ => Ok(None),
    }
}
