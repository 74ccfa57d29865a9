//! How long answers may take.

use std::time::Duration;

use redivis::read::{ReadSessionRequest, RowsRequest};
use redivis::{Client, ErrorKind, RetryPolicy};

use crate::metadata::{TABLE, reference};
use crate::script::{Answer, Script, response};
use crate::streams::{cut, info, ipc, numbers, ok, schema};

/// As long as a body may be silent.
const SILENCE: Duration = Duration::from_millis(100);

fn client(script: &Script) -> Client {
    Client::builder()
        .endpoint(format!("http://{}", script.address))
        .read_timeout(SILENCE)
        .retry(RetryPolicy::never())
        .build()
        .unwrap()
}

#[tokio::test]
async fn headers_may_take_longer_than_a_body_may_be_silent() {
    let late = |bytes: Vec<u8>| Answer::Late(3 * SILENCE, bytes);
    let json = |body: &str| late(response("200 OK", "", body.as_bytes()));
    let script = Script::play(vec![
        json(TABLE),
        json(r#"{"numRows":10,"streams":[{"id":"s1"}]}"#),
        late(ok(&ipc(0, 10, true))),
        late(ok(&ipc(0, 3, true))),
        Answer::Stall(cut(&ipc(0, 10, true), 300)),
    ])
    .await;
    let client = client(&script);
    let table = client.table(&reference()).await.unwrap();
    let request = ReadSessionRequest::default();
    let session = client
        .create_read_session(&table.uri, &request)
        .await
        .unwrap();
    let rows = client.read_arrow(&session.streams[0], schema());
    assert_eq!(numbers(rows).await.unwrap().len(), 10);
    let rows = client.read_rows(&table, &RowsRequest::default(), schema());
    assert_eq!(numbers(rows).await.unwrap().len(), 3);
    let rows = client.read_arrow(&info("s1"), schema());
    let error = numbers(rows).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(
        error.to_string().contains("nothing arrived for 0.1 s"),
        "{error}"
    );
}

#[test]
fn headers_may_take_as_long_as_for_the_official_client() {
    let client = Client::builder().build().unwrap();
    assert_eq!(client.response_timeout(), Duration::from_secs(125));
    assert_eq!(client.read_timeout(), Duration::from_secs(60));
}

#[tokio::test]
async fn a_session_that_was_not_answered_is_made_again() {
    let script = Script::play(vec![
        Answer::Stall(Vec::new()),
        Answer::Bytes(response("201 Created", "", br#"{"streams":[]}"#)),
    ])
    .await;
    let request = ReadSessionRequest::default();
    let client = script.client();
    let session = client.create_read_session("/tables/o.d.t", &request);
    assert!(session.await.unwrap().streams.is_empty());
    assert_eq!(script.requests().len(), 2);
}
