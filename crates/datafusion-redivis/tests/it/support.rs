//! A server with tables of known content, and sessions on it.

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::physical_plan::{ExecutionPlan, displayable};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_redivis::{Redivis, register};
use redivis::{Client, Token};
use redivis_server::{Config, Server};

/// A server, and a session that speaks to it.
pub(crate) struct Fixture {
    pub(crate) server: Server,
    pub(crate) ctx: SessionContext,
    pub(crate) redivis: Redivis,
    _data: tempfile::TempDir,
}

/// The sample data, and what `write_tables` writes.
pub(crate) async fn fixture() -> Fixture {
    let data = tempfile::tempdir().unwrap();
    write_tables(data.path());
    let config = Config {
        sample: true,
        requests_per_minute: None,
        ..Config::directory(data.path())
    };
    let server = Server::start(config).await.unwrap();
    let (ctx, redivis) = session(client(&server));
    Fixture {
        server,
        ctx,
        redivis,
        _data: data,
    }
}

/// `lab.weather:v1_0.Stations` with names in mixed case, and `lab.weather:next.readings` of two uploads that disagree.
fn write_tables(root: &Path) {
    let write = |path: &str, text: &str| {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(
        "lab/weather/Stations.csv",
        "StationID,Name,elev\n1,Ithaca,123\n2,Delphi,570\n3,Delos,\n",
    );
    write(
        "lab/weather/next/readings/one.csv",
        "StationID,Reading\n1,1.5\n2,2.5\n",
    );
    write(
        "lab/weather/next/readings/two.csv",
        "Reading,StationID\n3.5,3\n4.5,1\n5.5,2\n",
    );
}

pub(crate) fn client(server: &Server) -> Client {
    let token = Token::new(server.token().unwrap());
    Client::builder()
        .endpoint(server.endpoint())
        .token(token)
        .build()
        .unwrap()
}

/// A session with four partitions, whatever the machine.
pub(crate) fn session(client: Client) -> (SessionContext, Redivis) {
    let config = SessionConfig::new()
        .with_target_partitions(4)
        .with_information_schema(true);
    let ctx = SessionContext::new_with_config(config);
    let redivis = register(&ctx, client).unwrap();
    (ctx, redivis)
}

impl Fixture {
    pub(crate) async fn batches(&self, sql: &str) -> Vec<RecordBatch> {
        let frame = self.redivis.sql(sql).await;
        let frame = frame.unwrap_or_else(|error| panic!("{sql}: {error}"));
        frame
            .collect()
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// The result as a table of text.
    pub(crate) async fn rows(&self, sql: &str) -> String {
        let frame = self
            .redivis
            .sql(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        let schema = Arc::new(frame.schema().as_arrow().clone());
        let mut batches = vec![RecordBatch::new_empty(schema)];
        batches.extend(
            frame
                .collect()
                .await
                .unwrap_or_else(|error| panic!("{sql}: {error}")),
        );
        pretty_format_batches(&batches).unwrap().to_string()
    }

    /// The only value of the only row.
    pub(crate) async fn value(&self, sql: &str) -> String {
        let batches = self.batches(sql).await;
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        assert_eq!(rows, 1, "{sql}");
        let batch = batches.iter().find(|batch| batch.num_rows() == 1).unwrap();
        datafusion::arrow::util::display::array_value_to_string(batch.column(0), 0).unwrap()
    }

    /// The header of the result.
    pub(crate) async fn header(&self, sql: &str) -> Vec<String> {
        let frame = self
            .redivis
            .sql(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        frame
            .schema()
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect()
    }

    pub(crate) async fn error(&self, sql: &str) -> String {
        let failed = match self.redivis.sql(sql).await {
            Ok(frame) => frame.collect().await.map(|_| ()),
            Err(error) => Err(error),
        };
        match failed {
            Ok(()) => panic!("{sql}: no error"),
            Err(error) => error.to_string(),
        }
    }

    pub(crate) async fn plan(&self, sql: &str) -> Arc<dyn ExecutionPlan> {
        self.redivis
            .sql(sql)
            .await
            .unwrap()
            .create_physical_plan()
            .await
            .unwrap()
    }

    /// The physical plan as `EXPLAIN` shows it.
    pub(crate) async fn explain(&self, sql: &str) -> String {
        let plan = self.plan(sql).await;
        displayable(plan.as_ref()).indent(false).to_string()
    }
}
