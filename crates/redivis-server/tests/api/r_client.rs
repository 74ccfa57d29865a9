//! The official R client as it writes: requests that are what version 0.12.12 sends, byte for byte where it matters.
//!
//! R writes round numbers as `1e+05`, lists of one as the one, objects without members as `[]`, and some keys in its own
//! spelling; it leaves colons in paths as they are (redivis-api §2.3, §4, §6.3).

use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::support::{Local, decode, joined, numbers, parquet, stream_ids};

/// A request as R sends it, with a body of JSON in R's words.
async fn send(local: &Local, method: Method, path: &str, body: &str) -> Response {
    let url = format!("{}{path}", local.server.endpoint());
    let mut request = Client::new()
        .request(method, url)
        .header(
            "user-agent",
            "redivis-r/0.12.12 (x86_64-pc-linux-gnu; R/4.2.2)",
        )
        .bearer_auth(local.server.token().unwrap());
    if !body.is_empty() {
        request = request
            .header("content-type", "application/json")
            .body(body.to_owned());
    }
    request.send().await.unwrap()
}

async fn ask(local: &Local, method: Method, path: &str, body: &str) -> Value {
    let response = send(local, method, path, body).await;
    let status = response.status();
    let text = response.text().await.unwrap();
    assert!(status.is_success(), "{path}: {status} {text}");
    serde_json::from_str(&text).unwrap()
}

/// The answer to what must be refused.
async fn refused(local: &Local, method: Method, path: &str, body: &str) -> (StatusCode, String) {
    let response = send(local, method, path, body).await;
    let status = response.status();
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["status"], status.as_u16());
    (
        status,
        body["error_description"].as_str().unwrap().to_owned(),
    )
}

/// A draft with an empty table; the table's path.
async fn drafting(local: &Local) -> String {
    let new = r#"{"name":"From R","publicAccessLevel":"none"}"#;
    let dataset = ask(local, Method::POST, "/users/local/datasets", new).await;
    let uri = dataset["uri"].as_str().unwrap();
    let new = r#"{"name":"A table","uploadMergeStrategy":"append","isFileIndex":false}"#;
    let table = ask(local, Method::POST, &format!("{uri}/tables"), new).await;
    table["uri"].as_str().unwrap().to_owned()
}

/// The upload as it is when it is done.
async fn finished(local: &Local, uri: &str) -> Value {
    loop {
        let upload = ask(local, Method::GET, uri, "").await;
        match upload["status"].as_str().unwrap() {
            "queued" | "running" => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
            _ => return upload,
        }
    }
}

#[tokio::test]
async fn a_dataset_from_its_creation_to_its_end() {
    let local = Local::serving(&[]).await;

    // Whether the owner is an organization: R sees the status of a HEAD, and reads the error from a header.
    let probe = "/organizations/local/datasets?maxResults=1";
    let answer = send(&local, Method::HEAD, probe, "").await;
    assert_eq!(answer.status(), 404);
    let payload = answer.headers()["x-redivis-error-payload"]
        .to_str()
        .unwrap();
    let payload = percent_encoding::percent_decode_str(payload);
    let payload: Value = serde_json::from_str(&payload.decode_utf8().unwrap()).unwrap();
    assert_eq!(payload["status"], 404);

    let table = drafting(&local).await;
    let dataset = "/datasets/local.From%20R";
    let changed = ask(
        &local,
        Method::PATCH,
        dataset,
        r#"{"public_access_level":"overview"}"#,
    )
    .await;
    assert_eq!(changed["publicAccessLevel"], "overview");
    // Nothing is to be changed.
    let same = ask(&local, Method::PATCH, dataset, "[]").await;
    assert_eq!(same["publicAccessLevel"], "overview");

    let stream = r#"{"name":"s","type":"stream","schema":[{"name":"id","type":"integer"},{"name":"day","type":"date"}],
        "metadata":null,"hasHeaderRow":true,"skipBadRecords":false,"hasQuotedNewlines":null,"allowJaggedRows":false,
        "quoteCharacter":null,"escapeCharacter":null,"nullMarkers":null,"delimiter":null,"tempUploadId":null,
        "transferSpecification":null}"#;
    let stream = ask(&local, Method::POST, &format!("{table}/uploads"), stream).await;
    // A data frame; missing values are null.
    let rows = r#"{"rows":[{"id":1e+05,"day":"2020-02-29"},{"id":2,"day":null}]}"#;
    let rows_path = format!("{}/rows", stream["uri"].as_str().unwrap());
    ask(&local, Method::POST, &rows_path, rows).await;
    let labels = r#"{"label":"Number","value_labels":[{"value":"2","label":"two"}]}"#;
    let variable = ask(
        &local,
        Method::PATCH,
        &format!("{table}/variables/id"),
        labels,
    )
    .await;
    assert_eq!(
        variable["valueLabels"],
        json!([{"value": "2", "label": "two"}])
    );

    let release = format!("{dataset}/versions/next/release");
    let released = ask(
        &local,
        Method::POST,
        &release,
        r#"{"release_notes":"First"}"#,
    )
    .await;
    assert_eq!(released["releaseNotes"], "First");
    let released = ask(
        &local,
        Method::GET,
        released["datasetUri"].as_str().unwrap(),
        "",
    )
    .await;
    assert_eq!(released["version"]["tag"], "v1.0");
    assert_eq!(released["nextVersion"], Value::Null);

    // The version as R then knows it, and the paths that it makes of it.
    for path in [
        "/datasets/local.From%20R:v1.0",
        "/datasets/local.From%20R%3Av1.0",
    ] {
        let found = ask(&local, Method::GET, path, "").await;
        assert_eq!(found["id"], released["id"]);
    }
    let found = ask(
        &local,
        Method::GET,
        "/tables/local.From%20R:v1.0.A%20table",
        "",
    )
    .await;
    assert_eq!(found["numRows"], 2);
    let listed = ask(
        &local,
        Method::GET,
        "/tables/local.From%20R.A%20table/variables?maxResults=100",
        "",
    )
    .await;
    assert_eq!(listed["results"].as_array().unwrap().len(), 2);

    // R takes a release back with the words of releasing, which is no release of a draft.
    let (status, words) = refused(
        &local,
        Method::POST,
        &format!("{dataset}/versions/current/release"),
        "",
    )
    .await;
    assert_eq!(status, 400);
    assert!(words.contains("`next`"), "{words}");
    assert_eq!(
        ask(&local, Method::GET, dataset, "").await["version"]["tag"],
        "v1.0"
    );

    let next = ask(&local, Method::POST, &format!("{dataset}/versions"), "").await;
    assert_eq!(next["tag"], "next");
    let again = ask(&local, Method::POST, &release, r#"{"release_notes":null}"#).await;
    assert_eq!(again["releaseNotes"], Value::Null);

    let deleted = send(&local, Method::DELETE, dataset, "").await;
    assert_eq!(deleted.text().await.unwrap(), "OK");
    assert_eq!(send(&local, Method::HEAD, dataset, "").await.status(), 404);
}

#[tokio::test]
async fn small_files_come_with_their_metadata_as_a_file() {
    let local = Local::serving(&[]).await;
    let table = drafting(&local).await;
    // R looks under the name with its periods replaced.
    let upload = format!("{table}/uploads/a_b_csv");
    assert_eq!(send(&local, Method::HEAD, &upload, "").await.status(), 404);

    // The part `data` is a file, or bytes without a name.
    for (name, file) in [
        ("a.b.csv", "; filename=\"b.csv\"\r\nContent-Type: text/csv"),
        ("c", ""),
    ] {
        // A list of one marker is the marker.
        let metadata = format!(
            r#"{{"name":"{name}","type":null,"schema":null,"metadata":{{"n":{{"label":"N","valueLabels":{{"1":"one"}}}}}},"hasHeaderRow":true,"skipBadRecords":false,"hasQuotedNewlines":null,"allowJaggedRows":false,"quoteCharacter":null,"escapeCharacter":null,"nullMarkers":"NA","delimiter":null,"tempUploadId":null,"transferSpecification":null}}"#
        );
        let body = format!(
            "--B\r\nContent-Disposition: form-data; name=\"metadata\"; filename=\"file1f2e\"\r\n\
             Content-Type: application/json\r\n\r\n{metadata}\n\r\n\
             --B\r\nContent-Disposition: form-data; name=\"data\"{file}\r\n\r\nn,s\n1,NA\nNA,x\n\r\n--B--\r\n"
        );
        let path = format!("{table}/uploads");
        let kind = "multipart/form-data; boundary=B";
        let answer = local
            .send_bytes(Method::POST, &path, kind, body.as_bytes())
            .await;
        let created: Value = answer.json().await.unwrap();
        let done = finished(&local, created["uri"].as_str().unwrap()).await;
        assert_eq!(done["status"], "completed", "{done}");
        assert_eq!(done["numRows"], 2);
        assert_eq!(done["nullMarkers"], json!(["NA"]));
    }
    assert_eq!(send(&local, Method::HEAD, &upload, "").await.status(), 200);
    let variable = ask(&local, Method::GET, &format!("{table}/variables/n"), "").await;
    assert_eq!(variable["label"], "N");
}

#[tokio::test]
async fn large_files_are_sent_in_round_numbers() {
    let local = Local::serving(&[]).await;
    let table = drafting(&local).await;
    let file = [
        "n\n".to_owned(),
        "1234567\n".repeat(24_999),
        "12345\n".to_owned(),
    ]
    .concat();
    assert_eq!(file.len(), 200_000);

    let announced = r#"{"tempUploads":[{"size":2e+05,"name":"large.csv","resumable":true}]}"#;
    let announced = ask(
        &local,
        Method::POST,
        &format!("{table}/tempUploads"),
        announced,
    )
    .await;
    let temporary = &announced["results"][0];
    let start = Client::new()
        .post(temporary["url"].as_str().unwrap())
        .header("x-upload-content-length", "2e+05")
        .header("x-goog-resumable", "start")
        .header("content-length", "0");
    let started = start.send().await.unwrap();
    assert!(started.status().is_success());
    let session = started.headers()["location"].to_str().unwrap().to_owned();

    // The connection breaks after half of it.
    let (_, rest) = session.split_once("://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut broken = TcpStream::connect(host).await.unwrap();
    let head = format!(
        "PUT /{path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 200000\r\ncontent-range: bytes 0-199999/2e+05\r\n\r\n"
    );
    broken.write_all(head.as_bytes()).await.unwrap();
    broken.write_all(&file.as_bytes()[..100_000]).await.unwrap();
    broken.shutdown().await.unwrap();
    drop(broken);

    let put = |range: String, body: &str| {
        let request = Client::new().put(&session).header("content-range", range);
        request.body(body.to_owned()).send()
    };
    // What was on its way arrives some time.
    let there = loop {
        let probe = put("bytes */2e+05".to_owned(), "").await.unwrap();
        assert_eq!(probe.status(), 308);
        match probe.headers().get("range") {
            Some(range) if range == "bytes=0-99999" => break 100_000,
            _ => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
        }
    };
    let rest = put("bytes 1e+05-199999/2e+05".to_owned(), &file[there..]).await;
    assert!(rest.unwrap().status().is_success());

    let create = format!(
        r#"{{"name":"large.csv","type":null,"tempUploadId":"{}"}}"#,
        temporary["id"].as_str().unwrap()
    );
    let created = ask(&local, Method::POST, &format!("{table}/uploads"), &create).await;
    let done = finished(&local, created["uri"].as_str().unwrap()).await;
    assert_eq!(done["status"], "completed", "{done}");
    assert_eq!(done["numRows"], 25_000);
}

#[tokio::test]
async fn rows_are_resumed_at_round_numbers() {
    let file = parquet(&numbers(120_000));
    let local = Local::serving(&[("o/d/t.parquet", &file)]).await;
    let table = "/tables/o.d:v1_0.t";
    for (body, rows) in [
        (r#"{"requestedStreamCount":1,"format":"arrow"}"#, 120_000),
        (
            r#"{"requestedStreamCount":1,"format":"arrow","maxResults":1e+05,"selectedVariables":"N"}"#,
            100_000,
        ),
        (
            r#"{"requestedStreamCount":1,"format":"arrow","selectedVariables":["Text","n"]}"#,
            120_000,
        ),
    ] {
        let session = ask(&local, Method::POST, &format!("{table}/readSessions"), body).await;
        assert_eq!(session["numRows"], rows);
        let [id] = stream_ids(&session).try_into().unwrap();
        // First all, then again from where R says that it came to.
        for (offset, start) in [("0", 0), ("1e+05", 100_000)] {
            let path = format!("/readStreams/{id}?offset={offset}&eosSentinel=true");
            let read = send(&local, Method::GET, &path, "").await;
            let batches = decode(&read.bytes().await.unwrap());
            assert_eq!(batches.last().unwrap().num_rows(), 0);
            assert_eq!(joined(&batches).num_rows(), rows - start);
        }
    }
}

#[tokio::test]
async fn queries_and_exports() {
    let file = parquet(&numbers(5));
    let local = Local::serving(&[("o/d/t.parquet", &file)]).await;
    let wait = async |path: &str| {
        loop {
            let job = ask(&local, Method::GET, path, "").await;
            match job["status"].as_str().unwrap() {
                "queued" | "running" => {
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await
                }
                _ => return job,
            }
        }
    };

    // R takes every end for a success, and is told of a failure by the request after it.
    let failing = r#"{"query":"SELECT nothing FROM `o.d.t`"}"#;
    let failing = ask(&local, Method::POST, "/queries", failing).await;
    let path = format!("/queries/{}", failing["id"].as_str().unwrap());
    assert_eq!(wait(&path).await["status"], "failed");
    let (status, words) = refused(
        &local,
        Method::GET,
        &format!("{path}/variables?maxResults=1000"),
        "",
    )
    .await;
    assert_eq!(status, 400);
    assert!(words.contains("nothing"), "{words}");

    let query = r#"{"query":"SELECT n FROM t WHERE n > 2","defaultDataset":"o.d"}"#;
    let query = ask(&local, Method::POST, "/queries", query).await;
    let path = format!("/queries/{}", query["id"].as_str().unwrap());
    assert_eq!(wait(&path).await["outputNumRows"], 2);
    let body = r#"{"requestedStreamCount":8,"format":"arrow"}"#;
    let session = ask(&local, Method::POST, &format!("{path}/readSessions"), body).await;
    assert_eq!(session["numRows"], 2);

    let export = ask(
        &local,
        Method::POST,
        "/tables/o.d.t/exports",
        r#"{"format":"csv"}"#,
    )
    .await;
    let uri = export["uri"].as_str().unwrap();
    let export = wait(uri).await;
    assert_eq!(
        (&export["status"], &export["fileCount"]),
        (&json!("completed"), &json!(1))
    );
    assert_eq!(export["table"]["name"], "t");
    let text = local.text(&format!("{uri}/download?filePart=0")).await;
    assert_eq!(text.lines().next(), Some("n,half,Text"));
    assert_eq!(export["size"], text.len());
}
