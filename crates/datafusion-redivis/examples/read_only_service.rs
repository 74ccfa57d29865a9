//! A web service that answers SQL from anybody: reading only, within limits on time, rows and memory.
//!
//! ```text
//! cargo run --example read_only_service -- 127.0.0.1:8080
//! curl --data "SELECT origin, count(*) AS n FROM redivis.'demo.nycflights13.flights' GROUP BY 1" http://127.0.0.1:8080/sql
//! ```
//!
//! Endpoint and token come from `REDIVIS_API_ENDPOINT` and `REDIVIS_API_TOKEN`. The port that was taken is printed.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use datafusion::arrow::json::ArrayWriter;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SQLOptions, SessionConfig, SessionContext};
use datafusion_redivis::{Redivis, RedivisBuilder};
use futures::StreamExt;

const TIME: Duration = Duration::from_secs(10);
const ROWS: usize = 1_000;
const MEMORY: usize = 256 << 20;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).ok_or("which address?")?;

    // A session that is built for it: what is not there cannot be reached. No local file is a table.
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(FairSpillPool::new(MEMORY)))
        .build_arc()?;
    let state = SessionStateBuilder::new_with_default_features()
        .with_config(SessionConfig::new())
        .with_runtime_env(runtime);
    let state = RedivisBuilder::new(redivis::Client::from_env()?).build_into(state)?;
    let ctx = SessionContext::new_with_state(state.build());
    let redivis = Redivis::of(&ctx).ok_or("the session speaks to no endpoint")?;

    let service = Router::new()
        .route("/sql", post(answer))
        .with_state(redivis);
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("http://{}/sql", listener.local_addr()?);
    axum::serve(listener, service).await?;
    Ok(())
}

async fn answer(
    State(redivis): State<Redivis>,
    sql: String,
) -> Result<Json<serde_json::Value>, (StatusCode, String)> {
    match tokio::time::timeout(TIME, rows(&redivis, &sql)).await {
        Ok(Ok(rows)) => Ok(Json(rows)),
        Ok(Err(error)) => Err((StatusCode::BAD_REQUEST, error.to_string())),
        // Dropping the query has closed its connections.
        Err(_) => Err((
            StatusCode::REQUEST_TIMEOUT,
            format!("the query took longer than {} s", TIME.as_secs()),
        )),
    }
}

async fn rows(
    redivis: &Redivis,
    sql: &str,
) -> Result<serde_json::Value, Box<dyn std::error::Error + Send + Sync>> {
    let read_only = SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false);
    let frame = redivis.sql_with_options(sql, read_only).await?;
    let mut batches = frame.limit(0, Some(ROWS + 1))?.execute_stream().await?;
    let mut writer = ArrayWriter::new(vec![]);
    let mut seen = 0;
    while let Some(batch) = batches.next().await.transpose()? {
        seen += batch.num_rows();
        if seen > ROWS {
            return Err(format!("the query has more than {ROWS} rows").into());
        }
        writer.write(&batch)?;
    }
    writer.finish()?;
    let json = writer.into_inner();
    // Arrow writes nothing at all where there are no rows.
    Ok(match json.is_empty() {
        true => serde_json::Value::Array(vec![]),
        false => serde_json::from_slice(&json)?,
    })
}
