//! What a scan asks the service for.

use redivis_tests::proxy::Proxy;
use redivis_tests::server::Server;
use serde_json::{Value, json};

use crate::session::session;

const AIRLINES: &str = "redivis.'demo.nycflights13.airlines'";

/// The variables that reading `columns` names, if it names any; without a token as they stand in the query.
async fn named(proxy: &Proxy, token: Option<&str>, columns: &str) -> Option<Value> {
    let before = proxy.requests().len();
    let (_, redivis) = session(&proxy.endpoint(), token);
    let sql = format!("SELECT {columns} FROM {AIRLINES}");
    let batches = redivis.sql(&sql).await.unwrap().collect().await.unwrap();
    assert_eq!(
        batches.iter().map(|batch| batch.num_rows()).sum::<usize>(),
        16
    );
    for request in &proxy.requests()[before..] {
        if request.target.ends_with("/readSessions") {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            return body.get("selectedVariables").cloned();
        }
        if request.path().ends_with("/rows") {
            let (_, query) = request.target.split_once('?').unwrap();
            let mut fields = query.split('&').filter_map(|field| field.split_once('='));
            return fields
                .find(|(name, _)| *name == "selectedVariables")
                .map(|(_, value)| value.into());
        }
    }
    panic!("{columns}: no rows were asked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_are_named_only_where_not_all_are_read_in_order() {
    let server = tokio::task::spawn_blocking(Server::sample).await.unwrap();
    let proxy = Proxy::start(server.endpoint()).await;
    let token = server.token();
    for all in ["*", "carrier, name"] {
        assert_eq!(named(&proxy, token, all).await, None);
        assert_eq!(named(&proxy, None, all).await, None);
    }
    let name = named(&proxy, token, "name, name AS again").await;
    assert_eq!(name, Some(json!(["name"])));
    assert_eq!(
        named(&proxy, None, "upper(name)").await,
        Some(json!("name"))
    );
    let turned = named(&proxy, token, "name, carrier").await;
    assert!(turned.is_none() || turned == Some(json!(["name", "carrier"])));
}
