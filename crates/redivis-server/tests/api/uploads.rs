//! Uploads: the forms they are created in, what becomes of them, and rows inserted into streams.

use redivis_server::{Config, Server};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    life::{dataset, table},
    support::{Local, numbers, parquet, stream_ids},
};

/// The upload once it is completed or failed.
pub(crate) async fn finished(local: &Local, uri: &str) -> Value {
    loop {
        let upload = local.json(uri).await;
        match upload["status"].as_str().unwrap() {
            "queued" | "running" => tokio::task::yield_now().await,
            _ => return upload,
        }
    }
}

/// Creates an upload from bytes in the request, which must be taken; how it ended.
pub(crate) async fn ended(local: &Local, table: &str, query: &str, bytes: &[u8]) -> Value {
    let path = format!("{table}/uploads?{query}");
    let created = local
        .send_bytes(Method::POST, &path, "application/octet-stream", bytes)
        .await;
    let status = created.status();
    let created: Value = created.json().await.unwrap();
    assert_eq!(status, StatusCode::CREATED, "{created}");
    finished(local, created["uri"].as_str().unwrap()).await
}

/// Uploads bytes, which must become rows.
pub(crate) async fn upload(
    local: &Local,
    table: &str,
    name: &str,
    kind: &str,
    bytes: &[u8],
) -> Value {
    let kind = if kind == "csv" { "delimited" } else { kind };
    let upload = ended(local, table, &format!("name={name}&type={kind}"), bytes).await;
    assert_eq!(upload["status"], "completed", "{upload}");
    upload
}

async fn new_table(local: &Local) -> String {
    let draft = dataset(local, "d").await;
    table(local, &draft, "t").await
}

#[tokio::test]
async fn an_upload_is_created_in_three_forms() {
    let local = Local::serving(&[]).await;
    let t = new_table(&local).await;
    let simple = ended(
        &local,
        &t,
        "name=a.csv&delimiter=%3B&nullMarkers=NA,-",
        b"n;s\n1;NA\n-;x\n",
    )
    .await;
    assert_eq!(simple["status"], "completed", "{simple}");
    assert_eq!(simple["type"], "delimited");
    assert_eq!(simple["delimiter"], ";");
    assert_eq!(simple["nullMarkers"], json!(["NA", "-"]));
    assert_eq!(simple["numRows"], 2);
    assert_eq!(simple["hash"].as_str().unwrap().len(), 32);
    assert_eq!(simple["uri"], format!("{t}/uploads/a_csv"));

    // The parts as the Python client writes them, and in the other order.
    for (number, order) in [["metadata", "data"], ["data", "metadata"]]
        .iter()
        .enumerate()
    {
        let name = format!("m{number}.csv");
        let mut body = String::new();
        for part in order {
            let (file, content) = match *part {
                "metadata" => (
                    "metadata",
                    json!({"name": name, "type": null, "hasHeaderRow": true}).to_string(),
                ),
                _ => ("local file", "n\r\n5\r\n".to_owned()),
            };
            body += &format!(
                "--xyz\r\nContent-Disposition: form-data; name=\"{part}\"; filename=\"{file}\"\r\n\r\n{content}\r\n"
            );
        }
        body += "--xyz--\r\n";
        let kind = "multipart/form-data; boundary=xyz";
        let created = local
            .send_bytes(Method::POST, &format!("{t}/uploads"), kind, body.as_bytes())
            .await;
        assert_eq!(created.status(), StatusCode::CREATED);
        let created: Value = created.json().await.unwrap();
        let upload = finished(&local, created["uri"].as_str().unwrap()).await;
        assert_eq!(upload["numRows"], 1, "{upload}");
    }

    let bytes = parquet(&numbers(100));
    let request = json!({"tempUploads": [{"size": bytes.len(), "name": "p", "resumable": false}]});
    let (_, temporary) = local.post(&format!("{t}/tempUploads"), request).await;
    let temporary = &temporary["results"][0];
    let url = temporary["url"].as_str().unwrap();
    let sent = reqwest::Client::new()
        .put(url)
        .body(bytes)
        .send()
        .await
        .unwrap();
    assert!(sent.status().is_success());
    let body = json!({"name": "p.parquet", "type": null, "tempUploadId": temporary["id"], "schema": null,
        "metadata": {"n": {"label": "Number", "valueLabels": {"0": "none"}}}});
    let (status, created) = local.post(&format!("{t}/uploads"), body.clone()).await;
    assert_eq!(status, StatusCode::CREATED, "{created}");
    let upload = finished(&local, created["uri"].as_str().unwrap()).await;
    assert_eq!(
        (&upload["type"], &upload["numRows"]),
        (&json!("parquet"), &json!(100))
    );
    let variable = local.json(&format!("{t}/variables/N")).await;
    assert_eq!(variable["label"], "Number");
    assert_eq!(
        variable["valueLabels"],
        json!([{"value": "0", "label": "none"}])
    );
    // The bytes were used.
    assert_eq!(
        local.post(&format!("{t}/uploads"), body).await.0,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(local.json(&t).await["numRows"], 104);
}

#[tokio::test]
async fn names_are_made_unique_and_found_as_clients_write_them() {
    let local = Local::serving(&[]).await;
    let t = new_table(&local).await;
    let one = upload(&local, &t, "a.csv", "csv", b"n\n1\n").await;
    let two = upload(&local, &t, "a.csv", "csv", b"n\n2\n").await;
    assert_eq!(
        (&one["name"], &two["name"]),
        (&json!("a.csv"), &json!("a (2).csv"))
    );
    assert_eq!(
        local
            .send(Method::HEAD, &format!("{t}/uploads/a_csv"), None)
            .await
            .status(),
        StatusCode::OK
    );
    assert_eq!(
        local
            .send(Method::HEAD, &format!("{t}/uploads/b_csv"), None)
            .await
            .status(),
        StatusCode::NOT_FOUND
    );
    let deleted = local
        .send(Method::DELETE, two["uri"].as_str().unwrap(), None)
        .await;
    assert_eq!(deleted.text().await.unwrap(), "OK");
    assert_eq!(local.json(&t).await["numRows"], 1);
    assert_eq!(
        local.get(two["uri"].as_str().unwrap()).await.0,
        StatusCode::NOT_FOUND
    );
    // An upload can be read on its own.
    assert_eq!(
        local
            .text(&format!("{}/rows?format=csv", one["uri"].as_str().unwrap()))
            .await,
        "n\n1\n"
    );
}

#[tokio::test]
async fn a_broken_file_fails_with_its_row_and_changes_nothing() {
    let local = Local::serving(&[]).await;
    let t = new_table(&local).await;
    upload(&local, &t, "good", "csv", b"n,s\n1,a\n").await;
    let before = local.json(&t).await;
    let failed = ended(&local, &t, "name=bad&type=delimited", b"n,s\n1,a\n2\n").await;
    assert_eq!(failed["status"], "failed");
    assert!(
        failed["errorMessage"].as_str().unwrap().contains("row 2"),
        "{failed}"
    );
    assert_eq!(failed["numRows"], 0);
    let after = local.json(&t).await;
    for same in ["numRows", "numBytes", "variableCount"] {
        assert_eq!(after[same], before[same]);
    }
    // What has failed is not released silently.
    let (status, refused) = local
        .post("/datasets/local.d/versions/next/release", json!({}))
        .await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(
        refused["error_description"]
            .as_str()
            .unwrap()
            .contains("`bad`"),
        "{refused}"
    );
    let skipped = ended(
        &local,
        &t,
        "name=most&type=delimited&skipBadRecords=true",
        b"n,s\n1,a\n2\n",
    )
    .await;
    assert_eq!(skipped["status"], "completed", "{skipped}");
    assert_eq!(
        (&skipped["numRows"], &skipped["badRecordsCount"]),
        (&json!(1), &json!(1))
    );
    // Neither rows nor bytes of it are left.
    let left = |folder: &str| {
        std::fs::read_dir(local.folder.path().join(".redivis").join(folder))
            .unwrap()
            .count()
    };
    while left("temporary") > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(left("rows"), 2);
}

#[tokio::test]
async fn requests_that_make_no_sense_are_refused() {
    let local = Local::serving(&[]).await;
    let t = new_table(&local).await;
    let uploads = format!("{t}/uploads");
    for (body, status) in [
        (json!({"name": "x", "type": "delimited"}), 400),
        (
            json!({"name": "..", "type": "stream", "schema": [{"name": "x", "type": "integer"}]}),
            400,
        ),
        (
            json!({"name": "x", "type": "nonsense", "tempUploadId": "x"}),
            400,
        ),
        (
            json!({"name": "x", "type": "xlsx", "tempUploadId": "x"}),
            501,
        ),
        (json!({"name": "x", "tempUploadId": "unknown"}), 400),
        (json!({"name": "x", "type": "stream"}), 400),
        (
            json!({"name": "x", "type": "stream", "schema": [{"name": "a", "type": "int"}]}),
            400,
        ),
        (
            json!({"name": "x", "type": "stream", "schema": [{"name": "a b", "type": "date"}, {"name": "A_B", "type": "date"}]}),
            400,
        ),
        // No URL could name these.
        (
            json!({"name": "!!!", "type": "stream", "schema": [{"name": "a", "type": "date"}]}),
            400,
        ),
        (
            json!({"name": "a\u{0}b", "type": "stream", "schema": [{"name": "a", "type": "date"}]}),
            400,
        ),
        (
            json!({"name": "x".repeat(256), "type": "stream", "schema": [{"name": "a", "type": "date"}]}),
            400,
        ),
        (
            json!({"name": "x", "metadata": [], "tempUploadId": "x"}),
            400,
        ),
        (
            json!({"name": "x", "hasHeaderRow": "maybe", "tempUploadId": "x"}),
            400,
        ),
        (
            json!({"name": "x", "transferSpecification": {"sourceType": "gcs"}}),
            501,
        ),
    ] {
        let (found, refused) = local.post(&uploads, body.clone()).await;
        assert_eq!(found, status, "{body} {refused}");
    }
    for body in [
        "",
        "--xyz--\r\n",
        "--xyz\r\nContent-Disposition: form-data; name=\"data\"\r\n\r\nx\r\n--xyz--\r\n",
        "--xyz\r\nCont",
    ] {
        let refused = local
            .send_bytes(
                Method::POST,
                &uploads,
                "multipart/form-data; boundary=xyz",
                body.as_bytes(),
            )
            .await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{body}");
    }
    assert_eq!(local.json(&uploads).await["results"], json!([]));
}

#[tokio::test]
async fn variables_of_streams_get_valid_names_and_keep_their_rows() {
    let local = Local::serving(&[]).await;
    let t = new_table(&local).await;
    let schema = json!([{"name": "A b", "type": "integer"}, {"name": "1st", "type": "integer"}]);
    let body = json!({"name": "s", "type": "stream", "schema": schema});
    let (_, created) = local.post(&format!("{t}/uploads"), body).await;
    let rows = format!("{}/rows", created["uri"].as_str().unwrap());
    for row in [json!({"A b": 1, "1st": 2}), json!({"a_b": 3, "_1ST": 4})] {
        let (status, answer) = local.post(&rows, json!({"rows": [row]})).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }
    let twice = json!({"rows": [{"A b": 1, "a_b": 2}]});
    assert_eq!(local.post(&rows, twice).await.0, StatusCode::BAD_REQUEST);
    let text = local.text(&format!("{t}/rows?format=csv")).await;
    assert_eq!(text, "A_b,_1st\n1,2\n3,4\n");
}

#[tokio::test]
async fn rows_are_inserted_into_streams() {
    let local = Local::serving(&[]).await;
    let t = new_table(&local).await;
    let schema = json!([{"name": "i", "type": "integer"}, {"name": "f", "type": "float"}, {"name": "s", "type": "string"},
        {"name": "b", "type": "boolean"}, {"name": "d", "type": "date"}, {"name": "dt", "type": "dateTime"},
        {"name": "tm", "type": "time"}, {"name": "g", "type": "geography"}]);
    let (status, created) = local
        .post(
            &format!("{t}/uploads"),
            json!({"name": "s", "type": "stream", "schema": schema}),
        )
        .await;
    assert_eq!(status, StatusCode::CREATED, "{created}");
    assert_eq!(created["status"], "completed");
    let rows = format!("{}/rows", created["uri"].as_str().unwrap());
    let all = json!({"i": 1, "f": 1.5, "s": "é", "b": true, "d": "2020-01-02", "dt": "1970-01-01T00:00:00.000",
        "tm": "01:02:03", "g": "POINT(1 2)"});
    let (status, answer) = local
        .post(&rows, json!({"rows": [all, {"I": 2}, {}]}))
        .await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(
        local.post(&rows, json!({"rows": [{"i": 4}]})).await.0,
        StatusCode::OK
    );
    for wrong in [
        json!({"rows": [{"i": 5}, {"i": "five"}]}),
        json!({"rows": [{"nope": 1}]}),
        json!({"rows": [{"i": [1]}]}),
        json!({"rows": [1]}),
        json!({}),
    ] {
        let (status, refused) = local.post(&rows, wrong.clone()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong} {refused}");
    }
    let text = local.text(&format!("{t}/rows?format=csv")).await;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 5, "{text}");
    assert!(
        lines[1].starts_with("1,1.5,é,true,2020-01-02,1970-01-01 00:00:00,01:02:03,"),
        "{text}"
    );
    assert_eq!(lines[4], "4,,,,,,,");
    assert_eq!(local.json(&t).await["numRows"], 4);
}

#[tokio::test]
async fn many_small_inserts_make_few_files_and_disturb_no_reader() {
    let local = Local::serving(&[]).await;
    let t = new_table(&local).await;
    let stream =
        json!({"name": "s", "type": "stream", "schema": [{"name": "n", "type": "integer"}]});
    let (status, _) = local.post(&format!("{t}/uploads"), stream).await;
    assert_eq!(status, StatusCode::CREATED);
    let rows = format!("{t}/uploads/s/rows");
    let mut sessions = Vec::new();
    for n in 0..120 {
        let (status, upload) = local.post(&rows, json!({"rows": [{"n": n}]})).await;
        assert_eq!(status, StatusCode::OK, "{upload}");
        assert_eq!(upload["numRows"], n + 1);
        if n % 10 == 0 {
            let session = local.session(&t, json!({"format": "jsonl"})).await;
            sessions.push((n + 1, stream_ids(&session).remove(0)));
        }
    }
    let expected = |count: i64| {
        (0..count)
            .map(|n| format!("{{\"n\":{n}}}\n"))
            .collect::<String>()
    };
    // Those who read files that were merged keep them.
    for (count, stream) in sessions {
        assert_eq!(
            local.text(&format!("/readStreams/{stream}")).await,
            expected(count)
        );
    }
    assert_eq!(local.text(&format!("{t}/rows")).await, expected(120));
    let folder = stopped(local).await;
    let local = Local::of(
        Server::start(Config::directory(folder.path()))
            .await
            .unwrap(),
        folder,
    );
    assert_eq!(local.text(&format!("{t}/rows")).await, expected(120));
    let files = std::fs::read_dir(local.folder.path().join(".redivis/rows"))
        .unwrap()
        .count();
    assert!(files < 70, "{files} files");
}

/// Ends a server; its folder.
async fn stopped(local: Local) -> tempfile::TempDir {
    let Local { server, folder, .. } = local;
    server.stop().await;
    folder
}
