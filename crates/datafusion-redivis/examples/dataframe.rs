//! The DataFrame API alone, without a line of SQL:
//!
//! ```text
//! cargo run --example dataframe
//! ```
//!
//! Endpoint and token come from `REDIVIS_API_ENDPOINT` and `REDIVIS_API_TOKEN`.

use datafusion::common::TableReference;
use datafusion::functions_aggregate::expr_fn::{avg, count};
use datafusion::prelude::{SessionContext, col, lit};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let ctx = SessionContext::new();
    datafusion_redivis::register(&ctx, redivis::Client::from_env()?)?;

    // The schema `redivis`, and a reference as the table's name.
    let flights = TableReference::partial("redivis", "demo.nycflights13:v1_0.flights");
    let late = ctx
        .table(flights)
        .await?
        .filter(col("dep_delay").gt(lit(60)))?
        .aggregate(
            vec![col("origin")],
            vec![
                count(lit(1)).alias("late"),
                avg(col("distance")).alias("miles"),
            ],
        )?
        .sort(vec![col("origin").sort(true, false)])?;
    late.show().await?;
    Ok(())
}
