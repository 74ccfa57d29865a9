//! Joins a table on Redivis with a local Parquet file:
//!
//! ```text
//! cargo run --example join_local_parquet -- fleet.parquet
//! ```
//!
//! The file needs a column `tailnum`. Endpoint and token come from `REDIVIS_API_ENDPOINT` and `REDIVIS_API_TOKEN`.

use datafusion::prelude::{ParquetReadOptions, SessionContext};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("which Parquet file?")?;

    let ctx = SessionContext::new();
    let redivis = datafusion_redivis::register(&ctx, redivis::Client::from_env()?)?;
    ctx.register_parquet("fleet", path, ParquetReadOptions::default())
        .await?;

    let flown = redivis
        .sql(
            "SELECT tailnum, count(*) AS flights, sum(distance) AS miles
             FROM fleet JOIN redivis.'demo.nycflights13.flights' USING (tailnum)
             GROUP BY tailnum ORDER BY miles DESC, tailnum",
        )
        .await?;
    flown.show().await?;
    Ok(())
}
