//! The behaviour of SQL over Redivis tables, written down in `slt/*.slt`: names, limits, counts, views, errors.
//!
//! Every file runs in its own session against one server binary with the sample data.

use async_trait::async_trait;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::error::DataFusionError;
use datafusion_redivis::Redivis;
use redivis_tests::server::Server;
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner};

use crate::session::session;

#[tokio::test(flavor = "multi_thread")]
async fn names() {
    run("names").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn joins() {
    run("joins").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits() {
    run("limits").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn counts() {
    run("counts").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statements() {
    run("statements").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors() {
    run("errors").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writes() {
    run("writes").await;
}

async fn run(name: &str) {
    let server = tokio::task::spawn_blocking(Server::sample).await.unwrap();
    let connect = || async { Ok(Session(session(server.endpoint(), server.token()).1)) };
    let mut runner = Runner::new(connect);
    let file = format!("{}/slt/{name}.slt", env!("CARGO_MANIFEST_DIR"));
    if let Err(error) = runner.run_file_async(file).await {
        panic!("{}", error.display(false));
    }
}

struct Session(Redivis);

#[async_trait]
impl AsyncDB for Session {
    type Error = DataFusionError;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, DataFusionError> {
        let frame = self.0.sql(sql).await?;
        let types: Vec<_> = frame
            .schema()
            .fields()
            .iter()
            .map(|field| column_type(field.data_type()))
            .collect();
        let batches = frame.collect().await?;
        if types.is_empty() {
            return Ok(DBOutput::StatementComplete(0));
        }
        let options = FormatOptions::default().with_null("NULL");
        let mut rows = Vec::new();
        for batch in &batches {
            let columns = batch.columns().iter();
            let columns = columns
                .map(|column| ArrayFormatter::try_new(column, &options))
                .collect::<Result<Vec<_>, _>>()?;
            rows.extend(
                (0..batch.num_rows())
                    .map(|row| columns.iter().map(|column| text(column, row)).collect()),
            );
        }
        Ok(DBOutput::Rows { types, rows })
    }

    async fn shutdown(&mut self) {}

    fn engine_name(&self) -> &str {
        "redivis"
    }
}

fn column_type(data_type: &DataType) -> DefaultColumnType {
    if data_type.is_integer() {
        DefaultColumnType::Integer
    } else if data_type.is_floating() {
        DefaultColumnType::FloatingPoint
    } else {
        DefaultColumnType::Text
    }
}

/// A cell, in which an empty text can be seen.
fn text(column: &ArrayFormatter<'_>, row: usize) -> String {
    match column.value(row).to_string() {
        empty if empty.is_empty() => "(empty)".to_owned(),
        text => text,
    }
}
