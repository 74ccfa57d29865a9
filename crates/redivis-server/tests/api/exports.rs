//! Exports over HTTP: their files hold the rows exactly, in ranges too, for who asked alone.

use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use redivis_server::{Config, Server};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Local, joined, numbers, parquet, put};

/// The export, once it is finished.
async fn finished(local: &Local, parent: &str, format: &str) -> Value {
    let (status, export) = local
        .post(&format!("{parent}/exports"), json!({"format": format}))
        .await;
    assert_eq!(status, StatusCode::CREATED, "{export}");
    let uri = export["uri"].as_str().unwrap();
    loop {
        let export = local.json(uri).await;
        match export["status"].as_str().unwrap() {
            "queued" | "running" => {
                assert!(export["fileCount"].is_null());
                assert!(export["percentCompleted"].as_u64().unwrap() < 100);
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            _ => return export,
        }
    }
}

#[tokio::test]
async fn files_hold_the_rows_of_tables_uploads_and_queries() {
    let table = numbers(1000);
    let bytes = parquet(&table);
    let local = Local::serving(&[
        ("o/d/My table.parquet", &bytes),
        ("o/d/next/My table/more.parquet", &bytes),
    ])
    .await;
    let body = json!({"query": "SELECT * FROM `o.d.my_table` ORDER BY n"});
    let query = local.post("/queries", body).await.1;
    for (parent, rows) in [
        ("/tables/o.d.my_table", 1000),
        ("/tables/o.d:next.my_table", 2000),
        ("/tables/o.d:next.my_table/uploads/more", 1000),
        (query["uri"].as_str().unwrap(), 1000),
    ] {
        let export = finished(&local, parent, "parquet").await;
        assert_eq!(export["status"], "completed", "{export}");
        assert_eq!(export["fileCount"], 1);
        assert_eq!(export["percentCompleted"], 100);
        let download = format!("{}/download?filePart=0", export["uri"].as_str().unwrap());
        let file = Bytes::from(local.bytes(&download).await);
        assert_eq!(export["size"], file.len());
        let reader = ParquetRecordBatchReaderBuilder::try_new(file.clone()).unwrap();
        let batches: Vec<_> = reader.build().unwrap().map(Result::unwrap).collect();
        let read = joined(&batches);
        assert_eq!(read.num_rows(), rows, "{parent}");
        for column in 0..3 {
            assert_eq!(read.slice(0, 1000).column(column), table.column(column));
            assert_eq!(
                read.slice(rows - 1000, 1000).column(column),
                table.column(column)
            );
        }

        let url = format!("{}{download}", local.server.endpoint());
        let request = Client::new().get(url).header("range", "bytes=4-9");
        let answer = request
            .bearer_auth(local.server.token().unwrap())
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::PARTIAL_CONTENT);
        assert_eq!(
            answer.headers()["content-range"],
            format!("bytes 4-9/{}", file.len()).as_str()
        );
        assert_eq!(answer.bytes().await.unwrap(), file.slice(4..10));
    }
    for (format, lines) in [("csv", 1001), ("ndjson", 1000)] {
        let export = finished(&local, "/tables/o.d.my_table", format).await;
        let text = local
            .text(&format!("{}/download", export["uri"].as_str().unwrap()))
            .await;
        assert_eq!(text.lines().count(), lines, "{format}");
    }
    let export = finished(&local, "/tables/o.d.my_table", "csv").await;
    let uri = export["uri"].as_str().unwrap();
    assert_eq!(
        local.get(&format!("{uri}/download?filePart=1")).await.0,
        404
    );
    for (format, status) in [(json!("dta"), 501), (json!("pdf"), 400), (json!(1), 400)] {
        let answer = local
            .post("/tables/o.d.my_table/exports", json!({"format": format}))
            .await;
        assert_eq!(answer.0.as_u16(), status, "{}", answer.1);
    }
}

#[tokio::test]
async fn an_empty_table_has_a_file_of_its_columns() {
    let local = Local::serving(&[("o/d/t.parquet", &parquet(&numbers(0)))]).await;
    let export = finished(&local, "/tables/o.d.t", "parquet").await;
    let download = format!("{}/download", export["uri"].as_str().unwrap());
    let file = Bytes::from(local.bytes(&download).await);
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    assert_eq!(reader.schema().fields().len(), 3);
    let export = finished(&local, "/tables/o.d.t", "csv").await;
    let text = local
        .text(&format!("{}/download", export["uri"].as_str().unwrap()))
        .await;
    assert_eq!(text.trim(), "n,half,Text");
}

#[tokio::test]
async fn exports_are_their_creators() {
    let tokens = tempfile::NamedTempFile::new().unwrap();
    let known = json!([
        {"token": "a", "user": "anna", "scopes": ["data.data"]},
        {"token": "a2", "user": "anna", "scopes": ["data.metadata"]},
        {"token": "b", "user": "bert", "scopes": ["data.data"]},
    ]);
    std::fs::write(tokens.path(), known.to_string()).unwrap();
    let mut local = Local::with(&[("o/d/t.parquet", &parquet(&numbers(10)))], |config| {
        config.tokens = Some(tokens.path().to_path_buf());
    })
    .await;
    local.set_token(Some("a"));
    let export = finished(&local, "/tables/o.d.t", "csv").await;
    let download = format!("{}/download", export["uri"].as_str().unwrap());
    for (token, status) in [
        (Some("a"), 200),
        (Some("a2"), 403),
        (Some("b"), 404),
        (None, 401),
    ] {
        local.set_token(token);
        let answer = local.send(Method::GET, &download, None).await;
        assert_eq!(answer.status().as_u16(), status, "{token:?}");
    }
    local.set_token(Some("a2"));
    assert_eq!(
        local.post("/tables/o.d.t/exports", json!({})).await.0,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn exports_outlive_the_server_and_what_was_cut_short_is_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "o/d/t.parquet", &parquet(&numbers(100_000)));
    let config = Config::directory(folder.path());
    let server = Server::start(config.clone()).await.unwrap();
    let token = server.token().unwrap().to_owned();
    let client = Client::new();
    let mut uris = Vec::new();
    for _ in 0..6 {
        let request = client.post(format!("{}/tables/o.d.t/exports", server.endpoint()));
        let request = request
            .bearer_auth(&token)
            .json(&json!({"format": "ndjson"}));
        let export: Value = request.send().await.unwrap().json().await.unwrap();
        uris.push(export["uri"].as_str().unwrap().to_owned());
    }
    server.stop().await;
    let exports = folder.path().join(".redivis/exports");
    std::fs::create_dir(exports.join("unknown")).unwrap();

    let server = Server::start(config).await.unwrap();
    for uri in &uris {
        let url = format!("{}{uri}", server.endpoint());
        loop {
            let export: Value = client
                .get(&url)
                .bearer_auth(&token)
                .send()
                .await
                .unwrap()
                .json()
                .await
                .unwrap();
            match export["status"].as_str().unwrap() {
                "completed" => break,
                "failed" => panic!("{export}"),
                _ => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            }
        }
        let text = client
            .get(format!("{url}/download"))
            .bearer_auth(&token)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        assert_eq!(text.lines().count(), 100_000);
    }
    assert_eq!(std::fs::read_dir(&exports).unwrap().count(), 6);
    server.stop().await;
}
