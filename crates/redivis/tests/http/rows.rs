//! Whole tables in one request.

use redivis::read::RowsRequest;
use redivis::resource::Table;
use redivis::{Client, ErrorKind, Result};

use crate::script::{Answer, Script};
use crate::streams::{cut, ipc, numbers, ok, schema};

fn table(rows: Option<u64>) -> Table {
    serde_json::from_value(serde_json::json!({
        "uri": "/tables/o.d:v1_0.t", "name": "t", "numRows": rows,
    }))
    .unwrap()
}

async fn read(script: &Script, rows: Option<u64>, max: Option<u64>) -> Result<Vec<i64>> {
    let request = RowsRequest {
        max_results: max,
        selected_variables: Some(vec!["n".to_owned()]),
    };
    let client: Client = script.client();
    numbers(client.read_rows(&table(rows), &request, schema())).await
}

#[tokio::test]
async fn all_rows_or_the_first_ones() {
    let script = Script::play(vec![Answer::Bytes(ok(&ipc(0, 10, false)))]).await;
    assert_eq!(
        read(&script, Some(10), None).await.unwrap(),
        (0..10).collect::<Vec<_>>()
    );
    assert_eq!(
        script.lines(),
        ["GET /api/v1/tables/o.d:v1_0.t/rows?format=arrow&selectedVariables=n"]
    );
    // More than asked for are cut.
    let script = Script::play(vec![Answer::Bytes(ok(&ipc(0, 10, false)))]).await;
    assert_eq!(
        read(&script, Some(10), Some(5)).await.unwrap(),
        [0, 1, 2, 3, 4]
    );
    assert!(script.lines()[0].ends_with("&maxResults=5"));
    // None are not even asked for.
    let script = Script::play(vec![]).await;
    assert_eq!(
        read(&script, Some(10), Some(0)).await.unwrap(),
        Vec::<i64>::new()
    );
    assert!(script.requests().is_empty());
}

#[tokio::test]
async fn fewer_rows_than_there_are_is_an_error() {
    let script = Script::play(vec![Answer::Bytes(ok(&ipc(0, 9, false))); 9]).await;
    let error = read(&script, Some(10), None).await.unwrap_err();
    assert!(
        error.to_string().contains("ended after 9 of 10 rows"),
        "{error}"
    );
    assert_eq!(script.requests().len(), 1, "rows had been handed on");
    // Enough, if no more are wanted.
    let script = Script::play(vec![Answer::Bytes(ok(&ipc(0, 9, false)))]).await;
    assert_eq!(read(&script, Some(10), Some(9)).await.unwrap().len(), 9);
}

#[tokio::test]
async fn tried_again_only_before_the_first_row() {
    let whole = ipc(0, 10, false);
    let script = Script::play(vec![
        Answer::Hangup,
        Answer::Bytes(ok(&ipc(0, 0, false))),
        Answer::Bytes(cut(&whole, 40)),
        Answer::Bytes(ok(&whole)),
    ])
    .await;
    assert_eq!(read(&script, Some(10), None).await.unwrap().len(), 10);

    let script = Script::play(vec![
        Answer::Bytes(cut(&whole, whole.len() - 20)),
        Answer::Bytes(ok(&whole)),
    ])
    .await;
    let error = read(&script, Some(10), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(!error.is_retryable());
    assert_eq!(script.requests().len(), 1);
}

#[tokio::test]
async fn without_a_count_the_end_marker_decides() {
    let whole = ipc(0, 10, false);
    let script = Script::play(vec![Answer::Bytes(ok(&whole))]).await;
    assert_eq!(read(&script, None, None).await.unwrap().len(), 10);
    let script = Script::play(vec![Answer::Bytes(ok(&whole[..whole.len() - 8]))]).await;
    read(&script, None, None).await.unwrap_err();
}
