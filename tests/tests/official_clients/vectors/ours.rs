//! The tasks of `python/vectors.py`, done by our client.

use std::path::Path;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use futures::TryStreamExt;
use redivis::read::{ArrowStream, ReadSessionRequest, RowsRequest, variables_schema};
use redivis::resource::{AccessLevel, NewDataset, NewTable, QueryRequest};
use redivis::write::{Content, UploadRequest};
use redivis::{Client, Token};

use super::USER;
use super::recording::Recorder;

async fn count(stream: ArrowStream) -> usize {
    let batches: Vec<RecordBatch> = stream.try_collect().await.unwrap();
    batches.iter().map(RecordBatch::num_rows).sum()
}

pub(super) async fn run(recorder: &Recorder, folder: &Path) {
    let (endpoint, token) = recorder.place();
    let task = async |name: &str| {
        reqwest::get(format!("{endpoint}/task/{name}"))
            .await
            .unwrap();
    };
    let client = Client::builder()
        .endpoint(&endpoint)
        .token(Token::new(token));
    let client = client.build().unwrap();
    let airlines = "demo.nycflights13.airlines".parse().unwrap();

    task("read").await;
    let table = client.table(&airlines).await.unwrap();
    let schema = variables_schema(&client.variables(&table.uri).await.unwrap());
    let read = client.read_rows(&table, &RowsRequest::default(), schema.clone());
    assert_eq!(count(read).await, 16);

    task("read_part").await;
    let table = client.table(&airlines).await.unwrap();
    let part = RowsRequest {
        max_results: Some(3),
        selected_variables: Some(vec!["name".to_owned(), "carrier".to_owned()]),
    };
    let columns = Arc::new(schema.project(&[1, 0]).unwrap());
    assert_eq!(count(client.read_rows(&table, &part, columns)).await, 3);

    task("read_session").await;
    let table = client.table(&airlines).await.unwrap();
    let request = ReadSessionRequest {
        requested_stream_count: Some(1),
        ..ReadSessionRequest::default()
    };
    let session = client
        .create_read_session(&table.uri, &request)
        .await
        .unwrap();
    assert_eq!(
        count(client.read_arrow(&session.streams[0], schema)).await,
        16
    );

    task("query").await;
    let request = QueryRequest {
        query: "SELECT COUNT(*) AS n FROM `demo.nycflights13.airlines`".to_owned(),
        default_dataset: None,
        default_workflow: None,
    };
    let query = client.query(&request).await.unwrap();
    let schema = variables_schema(&client.variables(&query.uri).await.unwrap());
    let request = ReadSessionRequest::default();
    let session = client
        .create_read_session(&query.uri, &request)
        .await
        .unwrap();
    assert_eq!(
        count(client.read_arrow(&session.streams[0], schema)).await,
        1
    );

    task("create").await;
    let new = NewDataset {
        name: "Stations".to_owned(),
        public_access_level: AccessLevel::Overview,
        ..NewDataset::default()
    };
    let dataset = client.create_dataset(USER, &new).await.unwrap();
    let new = NewTable {
        name: "Heights".to_owned(),
        ..NewTable::default()
    };
    let table = client.create_table(&dataset.uri, &new).await.unwrap();

    for (name, file) in [("upload", "small.csv"), ("upload_large", "large.csv")] {
        task(name).await;
        let request = UploadRequest {
            name: file.to_owned(),
            upload_type: Some("delimited".to_owned()),
            ..UploadRequest::default()
        };
        let content = Content::file(folder.join(file)).await.unwrap();
        let progress = Arc::default();
        let sent = client.upload(&table.uri, &request, &content, &progress);
        sent.await.unwrap();
    }

    task("release").await;
    let release = client.release(&dataset.uri, Some("The first"));
    let dataset = release.await.unwrap();
    task("next_version").await;
    client.create_version(&dataset.uri).await.unwrap();
}
