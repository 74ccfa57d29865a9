//! Sessions in which plans run on Redivis, or here.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_redivis::{DefaultParent, Redivis, RedivisQueryExec};
use redivis::{Client, Token};
use redivis_tests::server::Server;

use crate::answer::Answer;

/// A session of one mode of `redivis.pushdown`.
#[derive(Clone)]
pub(crate) struct Mode {
    context: SessionContext,
    redivis: Redivis,
}

/// What a statement gave, and how.
pub(crate) struct Outcome {
    pub(crate) answer: Answer,
    pub(crate) plan: Plan,
}

/// How a statement is run.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// The statements that are sent.
    pub(crate) sent: Vec<String>,
    /// The scans of tables, as `EXPLAIN` shows them.
    pub(crate) scans: Vec<String>,
    /// The operators that run here, without those that only change columns or partitions.
    pub(crate) operators: Vec<String>,
}

impl Mode {
    /// A session with the tables of `dataset` as names of one part.
    pub(crate) async fn new(server: &Server, dataset: &str, pushdown: &str) -> Mode {
        let mut client = Client::builder().endpoint(server.endpoint());
        if let Some(token) = server.token() {
            client = client.token(Token::new(token));
        }
        let config = SessionConfig::new().with_target_partitions(2);
        let context = SessionContext::new_with_config(config);
        let redivis = datafusion_redivis::register(&context, client.build().unwrap()).unwrap();
        redivis.set_default_parent(Some(DefaultParent::Dataset(dataset.parse().unwrap())));
        let set = format!("SET redivis.pushdown = '{pushdown}'");
        redivis.sql(&set).await.unwrap().collect().await.unwrap();
        Mode { context, redivis }
    }

    /// The plan of a statement.
    pub(crate) async fn plan(&self, sql: &str) -> Result<Arc<dyn ExecutionPlan>> {
        self.redivis.sql(sql).await?.create_physical_plan().await
    }

    /// Runs a statement.
    pub(crate) async fn run(&self, sql: &str) -> Result<Outcome> {
        let physical = self.plan(sql).await?;
        let mut plan = Plan::default();
        plan.add(&physical);
        let schema = physical.schema();
        let batches = collect(physical, self.context.task_ctx()).await?;
        Ok(Outcome {
            answer: Answer::of(&schema, &batches),
            plan,
        })
    }
}

impl Plan {
    pub(crate) fn add(&mut self, node: &Arc<dyn ExecutionPlan>) {
        const SILENT: [&str; 5] = [
            "ProjectionExec",
            "CoalescePartitionsExec",
            "RepartitionExec",
            "CooperativeExec",
            "BufferExec",
        ];
        match node.downcast_ref::<RedivisQueryExec>() {
            Some(query) => self.sent.push(query.sql().to_owned()),
            None if node.name() == "RedivisScanExec" => {
                let shown = datafusion::physical_plan::displayable(node.as_ref());
                self.scans.push(shown.one_line().to_string());
            }
            None if !SILENT.contains(&node.name()) => self.operators.push(node.name().to_owned()),
            None => {}
        }
        for child in node.children() {
            self.add(child);
        }
    }
}
