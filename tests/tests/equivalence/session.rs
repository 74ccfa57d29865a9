//! Clients and sessions in the test's own process, which try again at once so that a broken connection costs no time.

use std::time::Duration;

use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_redivis::Redivis;
use redivis::{Client, RetryPolicy, Token};

/// A client of `endpoint` that gives up when 30 attempts in a row bring no row.
pub(crate) fn client(endpoint: &str, token: Option<&str>) -> Client {
    let mut client = Client::builder()
        .endpoint(endpoint)
        .read_timeout(Duration::from_secs(20))
        .retry(RetryPolicy {
            max_attempts: 30,
            initial_backoff: Duration::from_millis(1),
            max_backoff: Duration::from_millis(2),
            ..RetryPolicy::default()
        });
    if let Some(token) = token {
        client = client.token(Token::new(token));
    }
    client.build().unwrap()
}

/// A session of `client` with so many partitions, and no bound on streams but theirs.
pub(crate) async fn session(client: Client, partitions: usize) -> (SessionContext, Redivis) {
    let config = SessionConfig::new().with_target_partitions(partitions);
    let context = SessionContext::new_with_config(config);
    let redivis = datafusion_redivis::register(&context, client).unwrap();
    let set = format!("SET redivis.max_streams = {partitions}");
    redivis.sql(&set).await.unwrap().collect().await.unwrap();
    (context, redivis)
}
