//! Two services in one session, each behind a schema name: is what is on one on the other as well?
//!
//! ```text
//! OTHER_ENDPOINT=http://127.0.0.1:8080/api/v1 OTHER_TOKEN=… cargo run --example two_endpoints
//! ```
//!
//! The first endpoint and its token come from `REDIVIS_API_ENDPOINT` and `REDIVIS_API_TOKEN`.

use datafusion::prelude::SessionContext;
use datafusion_redivis::RedivisBuilder;
use redivis::{Client, Token};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let other = Client::builder()
        .endpoint(std::env::var("OTHER_ENDPOINT")?)
        .token(Token::new(std::env::var("OTHER_TOKEN")?))
        .build()?;

    let ctx = SessionContext::new();
    let redivis = RedivisBuilder::new(Client::from_env()?).register(&ctx)?;
    RedivisBuilder::new(other)
        .schema_name("other")
        .register(&ctx)?;

    let compared = redivis
        .sql(
            "SELECT carrier, one.name AS here, two.name AS there
             FROM redivis.'demo.nycflights13.airlines' one
             FULL JOIN other.'demo.nycflights13.airlines' two USING (carrier)
             ORDER BY carrier LIMIT 3",
        )
        .await?;
    compared.show().await?;
    Ok(())
}
