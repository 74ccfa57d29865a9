//! One table as a DataFusion table provider, without catalog and registration:
//!
//! ```text
//! cargo run --example table_provider -- demo.nycflights13.airports
//! ```
//!
//! Endpoint and token come from `REDIVIS_API_ENDPOINT` and `REDIVIS_API_TOKEN`.

use std::sync::Arc;

use datafusion::prelude::SessionContext;
use datafusion_redivis::RedivisTable;
use redivis::TableReference;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let reference = std::env::args().nth(1).ok_or("which table?")?;
    let reference: TableReference = reference.parse()?;
    let client = redivis::Client::from_env()?;

    let table = RedivisTable::fetch(&client, &reference).await?;
    for variable in table.variables() {
        println!("{}: {}", variable.name, variable.variable_type);
    }

    // Any name will do; columns, limits and statistics are pushed down as from the catalog.
    let ctx = SessionContext::new();
    ctx.register_table("remote", Arc::new(table))?;
    let rows = ctx.sql("SELECT count(*) AS rows FROM remote").await?;
    rows.show().await?;
    Ok(())
}
