//! Whether a table's rows are on disk already, and else whether they may be kept there.

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::Session;
use datafusion::common::runtime::{JoinSet, SpawnedTask};
use datafusion::common::{DataFusionError, Result, exec_err, plan_datafusion_err, plan_err};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::{ExecutionPlan, execute_stream_partitioned};
use futures::TryStreamExt;
use redivis::TableReference;

use super::RedivisTable;
use crate::cache::{self, Cache, Entry, Keep, Remembered, TableKey};
use crate::connection::Connection;
use crate::error::CacheError;
use crate::options::RedivisOptions;
use crate::scan::RedivisScanExec;

/// Whole tables above this size are exported, as the official Python client does (redivis-api §5.4).
const EXPORTED_BYTES: u64 = 1_000_000_000;

/// What the cache has to do with a scan.
pub(super) enum Kept {
    /// The rows are there: the plan that reads them.
    Here(Arc<dyn ExecutionPlan>),
    /// They are not there, and may be kept when they were read.
    Not(Option<Arc<Keep>>),
}

impl RedivisTable {
    /// Finds the variables of a scan in the cache, if it is on and the table never changes.
    pub(super) async fn kept(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        limit: Option<usize>,
    ) -> Result<Kept> {
        let options = RedivisOptions::of(state.config_options());
        let offline = self.source.connection.client().is_offline();
        if !options.cache && !offline {
            return Ok(Kept::Not(None));
        }
        let Some(keep) = self.keep(&options).await? else {
            return Ok(Kept::Not(None));
        };
        let schema = &self.source.schema;
        let wanted = match projection {
            Some(projection) => Arc::new(schema.project(projection)?),
            None => Arc::clone(schema),
        };
        let (keep, entry) = open(keep, Arc::clone(&wanted), offline).await?;
        let Some(entry) = entry else {
            return match offline {
                true => Err(CacheError::missing(&keep.key.name, &wanted).into()),
                false => Ok(Kept::Not(Some(keep))),
            };
        };
        let connection = &self.source.connection;
        let plan = cache::plan(
            entry,
            &wanted,
            limit,
            &keep.key,
            &self.table,
            connection,
            state,
        )?;
        Ok(Kept::Here(plan))
    }

    /// Whether some of its variables, all of them for `None`, would be read from the cache.
    pub(crate) async fn is_kept(
        &self,
        options: &RedivisOptions,
        variables: Option<&[usize]>,
    ) -> Result<bool> {
        if !options.cache {
            return Ok(false);
        }
        let Some(keep) = self.keep(options).await? else {
            return Ok(false);
        };
        let schema = &self.source.schema;
        let wanted = match variables {
            Some(variables) => Arc::new(schema.project(variables)?),
            None => Arc::clone(schema),
        };
        let (_, entry) = open(keep, wanted, false).await?;
        Ok(entry.is_some())
    }

    /// What may be kept of the table, and for whom; `None` where nothing may.
    pub(super) async fn keep(&self, options: &RedivisOptions) -> Result<Option<Arc<Keep>>> {
        if !self.is_immutable() {
            return Ok(None);
        }
        let connection = &self.source.connection;
        let access = connection.access();
        let Some(account) = access.account(connection.io()).await else {
            return Ok(None);
        };
        let (endpoint, name) = (access.client().endpoint(), &self.source.name);
        let schema = Arc::clone(&self.source.schema);
        let key = TableKey::new(endpoint, account, name, &self.table, schema);
        let cache = Cache::of(options)?;
        Ok(key.map(|key| {
            Arc::new(Keep {
                cache,
                key,
                reference: self.reference.clone(),
                table: self.table.clone(),
                variables: self.variables.clone(),
            })
        }))
    }
}

impl RedivisTable {
    /// The table that a reference led to when the service was asked last.
    pub(crate) async fn remembered(
        connection: &Arc<Connection>,
        cache: Cache,
        reference: &TableReference,
    ) -> Result<Self> {
        let access = connection.access();
        let account = access
            .account(connection.io())
            .await
            .unwrap_or_default()
            .to_owned();
        let endpoint = access.client().endpoint().to_owned();
        let asked = reference.clone();
        let find =
            SpawnedTask::spawn_blocking(move || cache.remembered(&endpoint, &account, &asked));
        let found = find
            .join_unwind()
            .await
            .map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))?;
        let Remembered {
            table,
            variables,
            resolved,
        } = found.map_err(|versions| CacheError::NoTable {
            reference: reference.to_string(),
            versions,
        })?;
        let table = Self::new(Arc::clone(connection), reference.clone(), table, variables);
        if let Some(resolved) = resolved {
            let day = resolved.format("%Y-%m-%d %H:%M UTC");
            tracing::warn!(
                "offline: {reference} is taken for {}, as it was on {day}",
                table.source.name
            );
        }
        Ok(table)
    }

    /// Reads variables of the table, all of them for `None`, into the cache; the number of rows. Nothing is read of what is there
    /// already.
    pub(crate) async fn fill(
        &self,
        variables: Option<&[String]>,
        context: &Arc<TaskContext>,
    ) -> Result<u64> {
        let config = context.session_config().options();
        let name = &self.source.name;
        let Some(keep) = self.keep(&RedivisOptions::of(config)).await? else {
            return plan_err!(
                "{name} cannot be kept in the cache: only released versions that you may read whole never change"
            );
        };
        let projection = variables
            .map(|variables| self.places(variables))
            .transpose()?;
        let (source, client) = (Arc::clone(&self.source), self.source.connection.client());
        let scan = RedivisScanExec::try_new(source, projection.as_ref(), None, config)?;
        let wanted = scan.schema();
        let (keep, entry) = open(keep, Arc::clone(&wanted), client.is_offline()).await?;
        let rows = keep.key.rows();
        if entry.is_some() {
            return Ok(rows);
        }
        if variables.is_none()
            && self
                .table
                .num_bytes
                .is_some_and(|bytes| bytes > EXPORTED_BYTES)
        {
            let connection = &self.source.connection;
            match cache::export(&keep, &wanted, connection, context).await {
                Ok(()) => {}
                Err(error) => tracing::warn!(
                    "{name} is read from its streams, since its export failed: {error}"
                ),
            }
            if let (_, Some(_)) = open(Arc::clone(&keep), Arc::clone(&wanted), false).await? {
                return Ok(rows);
            }
        }
        let scan = scan.keeping(Some(Arc::clone(&keep)));
        let mut reads = JoinSet::new();
        for mut partition in execute_stream_partitioned(Arc::new(scan), Arc::clone(context))? {
            reads.spawn(async move {
                while partition.try_next().await?.is_some() {}
                Ok::<_, DataFusionError>(())
            });
        }
        while let Some(read) = reads.join_next().await {
            read.map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))??;
        }
        match open(keep, wanted, false).await? {
            (_, Some(_)) => Ok(rows),
            _ => exec_err!("{name} was read, and could not be kept in the cache; the log says why"),
        }
    }

    /// The places of variables, which are named without regard to case.
    fn places(&self, names: &[String]) -> Result<Vec<usize>> {
        let fields = self.source.schema.fields();
        let place = |name: &String| {
            let place = fields
                .iter()
                .position(|field| field.name().eq_ignore_ascii_case(name));
            place.ok_or_else(|| plan_datafusion_err!("{} has no variable {name}", self.source.name))
        };
        names.iter().map(place).collect()
    }
}

/// Opens what the cache has of these variables, off the runtime's threads.
async fn open(
    keep: Arc<Keep>,
    wanted: SchemaRef,
    offline: bool,
) -> Result<(Arc<Keep>, Option<Entry>)> {
    let open = SpawnedTask::spawn_blocking(move || {
        let entry = keep.cache.open(&keep.key, &wanted);
        // What a name led to is news only where the service was asked.
        if entry.is_some() && !offline {
            keep.note();
        }
        (keep, entry)
    });
    open.join_unwind()
        .await
        .map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))
}
