//! A DataFusion session that speaks Redivis, in the test's own process.

use datafusion::execution::context::SessionContext;
use datafusion::prelude::SessionConfig;
use datafusion_redivis::Redivis;
use redivis::{Client, Token};

/// A session against `endpoint`, signed in if there is a token, with as many partitions on every machine.
pub(crate) fn session(endpoint: &str, token: Option<&str>) -> (SessionContext, Redivis) {
    let mut client = Client::builder().endpoint(endpoint);
    if let Some(token) = token {
        client = client.token(Token::new(token));
    }
    let context = SessionContext::new_with_config(
        SessionConfig::new()
            .with_target_partitions(4)
            .with_information_schema(true),
    );
    let redivis = datafusion_redivis::register(&context, client.build().unwrap()).unwrap();
    (context, redivis)
}
