//! Raw files: added to file index tables, listed, read in parts, and kept by the versions that list them.

use std::path::Path;

use arrow::array::{AsArray, RecordBatch};
use base64::{Engine, prelude::BASE64_STANDARD};
use md5::{Digest, Md5};
use redivis_server::{Config, Server};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::support::{Local, decode, joined, put};

const TABLE: &str = "/tables/local.d:next.files";

/// A server with an empty file index table in a draft.
async fn indexing() -> Local {
    let local = Local::serving(&[]).await;
    let new = json!({"name": "d", "publicAccessLevel": "none", "description": null});
    let (status, body) = local.post("/users/local/datasets", new).await;
    assert!(status.is_success(), "{body}");
    let new = json!({"name": "files", "uploadMergeStrategy": "append", "isFileIndex": true});
    let (status, body) = local.post("/datasets/local.d:next/tables", new).await;
    assert!(status.is_success(), "{body}");
    assert_eq!(body["isFileIndex"], true);
    local
}

/// Sends bytes to temp uploads of their own; returns their ids.
async fn sent(local: &Local, contents: &[&[u8]]) -> Vec<String> {
    let entries: Vec<Value> = contents.iter().map(|c| json!({"size": c.len()})).collect();
    let request = json!({"tempUploads": entries});
    let (status, body) = local.post(&format!("{TABLE}/tempUploads"), request).await;
    assert!(status.is_success(), "{body}");
    let mut ids = Vec::new();
    for (result, content) in body["results"].as_array().unwrap().iter().zip(contents) {
        let url = result["url"].as_str().unwrap();
        let response = Client::new().put(url).body(content.to_vec()).send().await;
        assert_eq!(response.unwrap().status(), 200);
        ids.push(result["id"].as_str().unwrap().to_owned());
    }
    ids
}

/// Adds files; returns what the server says of them.
async fn added(local: &Local, files: &[(&str, &[u8])]) -> Vec<Value> {
    let contents: Vec<&[u8]> = files.iter().map(|(_, content)| *content).collect();
    let ids = sent(local, &contents).await;
    let files: Vec<Value> = files
        .iter()
        .zip(ids)
        .map(|((name, _), id)| json!({"name": name, "tempUploadId": id}))
        .collect();
    let request = json!({"files": files});
    let (status, body) = local.post(&format!("{TABLE}/rawFiles"), request).await;
    assert_eq!(status, 201, "{body}");
    assert_eq!(body["kind"], "rawFileList");
    body["results"].as_array().unwrap().clone()
}

/// The ids and names that a table lists, in their order.
async fn listed(local: &Local, table: &str) -> Vec<(String, String)> {
    let listing = joined(
        &local
            .batches(&format!("{table}/rawFiles?format=arrow"))
            .await,
    );
    let column = |name: &str| {
        let column = listing.column_by_name(name).unwrap().as_string::<i32>();
        column
            .iter()
            .map(|value| value.unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    column("file_id")
        .into_iter()
        .zip(column("file_name"))
        .collect()
}

fn names(files: &[(String, String)]) -> Vec<&str> {
    files.iter().map(|(_, name)| name.as_str()).collect()
}

fn file(local: &Local, method: Method, id: &str) -> RequestBuilder {
    let url = format!("{}/rawFiles/{id}", local.server.endpoint());
    let request = Client::new().request(method, url);
    request.bearer_auth(local.server.token().unwrap())
}

async fn content(local: &Local, id: &str) -> Vec<u8> {
    let response = file(local, Method::GET, id).send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.bytes().await.unwrap().to_vec()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers()[name].to_str().unwrap()
}

/// Files on the disk.
fn kept(folder: &Path) -> usize {
    std::fs::read_dir(folder.join(".redivis/files"))
        .unwrap()
        .count()
}

#[tokio::test]
async fn a_file_is_what_was_sent() {
    let local = indexing().await;
    let bytes: Vec<u8> = (0..600_000u32).map(|n| (n % 251) as u8).collect();
    let files = added(&local, &[("2019/é \"x\".bin", &bytes), ("empty", b"")]).await;
    let md5 = BASE64_STANDARD.encode(Md5::digest(&bytes));
    assert_eq!(files[0]["name"], "2019/é \"x\".bin");
    assert_eq!(files[0]["size"], 600_000);
    assert_eq!(files[0]["md5Hash"], md5);
    let id = files[0]["id"].as_str().unwrap();
    assert_eq!(files[0]["uri"], format!("/rawFiles/{id}"));

    for method in [Method::GET, Method::HEAD] {
        let response = file(&local, method.clone(), id).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(header(&response, "content-length"), "600000");
        assert_eq!(header(&response, "accept-ranges"), "bytes");
        assert_eq!(header(&response, "content-digest"), format!("md5=:{md5}:"));
        assert_eq!(header(&response, "x-goog-hash"), format!("md5={md5}"));
        assert_eq!(header(&response, "digest"), format!("md5={md5}"));
        let disposition = header(&response, "content-disposition");
        assert!(
            disposition.ends_with("filename*=UTF-8''%C3%A9%20%22x%22%2Ebin"),
            "{disposition}"
        );
        let expected = if method == Method::GET {
            &bytes[..]
        } else {
            b""
        };
        assert!(response.bytes().await.unwrap() == expected);
    }
    for (range, expected) in [
        ("bytes=0-9", 0..10),
        ("bytes=599990-", 599_990..600_000),
        ("bytes=-5", 599_995..600_000),
        ("bytes=300000-400000", 300_000..400_001),
    ] {
        let response = file(&local, Method::GET, id)
            .header("range", range)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 206, "{range}");
        let told = format!("bytes {}-{}/600000", expected.start, expected.end - 1);
        assert_eq!(header(&response, "content-range"), told);
        assert!(
            response.bytes().await.unwrap() == bytes[expected],
            "{range}"
        );
    }
    let outside = file(&local, Method::GET, id)
        .header("range", "bytes=600000-")
        .send();
    let outside = outside.await.unwrap();
    assert_eq!(outside.status(), 416);
    assert_eq!(header(&outside, "content-range"), "bytes */600000");
    let empty = files[1]["id"].as_str().unwrap();
    assert_eq!(content(&local, empty).await, b"");
}

#[tokio::test]
async fn the_table_and_its_listing_have_a_row_per_file() {
    let local = indexing().await;
    let listing = async |path: String| {
        let bytes = local.bytes(&path).await;
        decode(&bytes)
    };
    // Before there are any: the variables are there all the same.
    let table = local.json(TABLE).await;
    assert_eq!(
        (&table["numRows"], &table["variableCount"]),
        (&json!(0), &json!(5))
    );
    let variables = local.json(&format!("{TABLE}/variables")).await;
    let ids = |variable: &Value| variable["isFileId"] == true;
    let results = variables["results"].as_array().unwrap();
    assert_eq!(results.iter().filter(|v| ids(v)).count(), 1);
    assert_eq!(
        (&results[0]["name"], ids(&results[0])),
        (&json!("file_id"), true)
    );
    assert_eq!(
        listing(format!("{TABLE}/rawFiles?format=arrow"))
            .await
            .len(),
        0
    );

    let files = added(&local, &[("b/two", b"22"), ("a", b"1"), ("c", b"333")]).await;
    let of = |name: &str| files.iter().find(|file| file["name"] == name).unwrap();
    let check = |batch: &RecordBatch| {
        let columns: Vec<&str> = batch
            .schema_ref()
            .fields()
            .iter()
            .map(|f| f.name().as_str())
            .collect();
        assert_eq!(
            columns,
            ["file_id", "file_name", "size", "md5_hash", "added_at"]
        );
        for (row, name) in ["a", "b/two", "c"].into_iter().enumerate() {
            let text = |column: usize| batch.column(column).as_string::<i32>().value(row);
            let sizes = batch
                .column(2)
                .as_primitive::<arrow::datatypes::Int64Type>();
            assert_eq!((text(0), text(1)), (of(name)["id"].as_str().unwrap(), name));
            assert_eq!(of(name)["size"], sizes.value(row));
            assert_eq!(of(name)["md5Hash"], text(3));
            assert!(batch.column(4).is_valid(row));
        }
    };
    check(&joined(
        &listing(format!("{TABLE}/rawFiles?format=arrow")).await,
    ));
    check(&joined(
        &listing(format!("{TABLE}/rows?format=arrow")).await,
    ));
    let table = local.json(TABLE).await;
    assert_eq!(
        (&table["numRows"], &table["variableCount"]),
        (&json!(3), &json!(5))
    );

    // Names from another variable.
    let path =
        format!("{TABLE}/rawFiles?format=arrow&fileIdVariable=file_id&fileNameVariable=md5_hash");
    let other = joined(&listing(path).await);
    assert_eq!(other.schema_ref().field(1).name(), "md5_hash");
    assert_eq!(
        other.column(1).as_string::<i32>().value(0),
        of("a")["md5Hash"]
    );
    let (status, error) = local
        .get(&format!(
            "{TABLE}/rawFiles?format=arrow&fileIdVariable=nothing"
        ))
        .await;
    assert!(
        status == 400
            && error["error_description"]
                .as_str()
                .unwrap()
                .contains("nothing")
    );
    assert_eq!(local.get(&format!("{TABLE}/rawFiles")).await.0, 400);
}

#[tokio::test]
async fn versions_keep_their_files() {
    let local = indexing().await;
    let folder = local.folder.path();
    let first = added(&local, &[("a", b"first a"), ("b", b"first b")]).await;
    // Within the draft, the former is gone.
    let second = added(&local, &[("a", b"second a")]).await;
    assert_eq!(kept(folder), 2);
    let gone = file(&local, Method::GET, first[0]["id"].as_str().unwrap()).send();
    assert_eq!(gone.await.unwrap().status(), 404);
    let release = "/datasets/local.d/versions/next/release";
    assert!(local.post(release, json!({})).await.0.is_success());
    let (status, error) = local
        .post(
            &format!("{}/rawFiles", TABLE.replace(":next", "")),
            json!({
                "files": [{"name": "c", "tempUploadId": "x"}]
            }),
        )
        .await;
    assert!(
        status == 400
            && error["error_description"]
                .as_str()
                .unwrap()
                .contains(":next"),
        "{error}"
    );

    assert!(
        local
            .post("/datasets/local.d/versions", json!({}))
            .await
            .0
            .is_success()
    );
    assert_eq!(names(&listed(&local, TABLE).await), ["a", "b"]);
    let third = added(&local, &[("a", b"third a"), ("c", b"third c")]).await;
    assert_eq!(kept(folder), 4);
    let released = listed(&local, "/tables/local.d:v1_0.files").await;
    assert_eq!(names(&released), ["a", "b"]);
    assert_eq!(content(&local, &released[0].0).await, b"second a");
    assert_eq!(released[0].0, second[0]["id"].as_str().unwrap());
    let draft = listed(&local, TABLE).await;
    assert_eq!(names(&draft), ["a", "b", "c"]);
    assert_eq!(draft[1], released[1]);
    assert_eq!(
        content(&local, third[0]["id"].as_str().unwrap()).await,
        b"third a"
    );

    // A draft that is deleted takes its files along, at the next start at the latest; the release keeps its own.
    let deleted = local.send(Method::DELETE, "/datasets/local.d/versions/next", None);
    assert!(deleted.await.status().is_success());
    let Local { server, folder, .. } = local;
    server.stop().await;
    put(folder.path(), ".redivis/files/left-by-a-crash", b"x");
    let server = Server::start(Config::directory(folder.path()))
        .await
        .unwrap();
    assert_eq!(kept(folder.path()), 2);
    let url = format!("{}/rawFiles/{}", server.endpoint(), released[0].0);
    let response = Client::new()
        .get(url)
        .bearer_auth(server.token().unwrap())
        .send();
    assert_eq!(response.await.unwrap().bytes().await.unwrap(), "second a");
}

#[tokio::test]
async fn a_listing_is_asked_for_again_only_after_a_change() {
    let local = indexing().await;
    added(&local, &[("a", b"1")]).await;
    let asked = async |since: &str| {
        let url = format!("{}{TABLE}/rawFiles?format=arrow", local.server.endpoint());
        let request = Client::new()
            .get(url)
            .bearer_auth(local.server.token().unwrap());
        let response = request
            .header("if-modified-since", since)
            .send()
            .await
            .unwrap();
        response.status().as_u16()
    };
    let ahead = |seconds: u64| {
        let time = std::time::SystemTime::now() + std::time::Duration::from_secs(seconds);
        httpdate::fmt_http_date(time)
    };
    assert_eq!(asked("Thu, 01 Jan 2026 00:00:00 GMT").await, 200);
    assert_eq!(asked("nonsense").await, 200);
    assert_eq!(asked(&ahead(2)).await, 304);
    added(&local, &[("b", b"2")]).await;
    assert_eq!(asked("Thu, 01 Jan 2026 00:00:00 GMT").await, 200);
}

#[tokio::test]
async fn what_cannot_be_added_changes_nothing() {
    let local = indexing().await;
    added(&local, &[("a", b"1")]).await;
    let unfinished = json!({"tempUploads": [{"size": 5}]});
    let (_, body) = local
        .post(&format!("{TABLE}/tempUploads"), unfinished)
        .await;
    let unfinished = body["results"][0]["id"].as_str().unwrap().to_owned();
    let ids = sent(&local, &[b"one", b"two"]).await;
    let entry = |name: &str, id: &str| json!({"name": name, "tempUploadId": id});
    let good = entry("good", &ids[0]);
    for (files, words) in [
        (json!([]), "1 to 1000"),
        (json!(vec![good.clone(); 1001]), "1 to 1000"),
        (json!([1]), "must be {name"),
        (json!([{"name": "x"}]), "`tempUploadId`"),
        (json!([{"tempUploadId": ids[0]}]), "`name`"),
        (json!([good, entry("good", &ids[1])]), "twice"),
        (json!([good, entry("other", &ids[0])]), "used already"),
        (json!([good, entry("other", &unfinished)]), "0 of 5 bytes"),
        (json!([good, entry("other", "unknown")]), "does not exist"),
        (json!([good, entry("../x", &ids[1])]), "relative path"),
        (
            json!([good, entry("/etc/passwd", &ids[1])]),
            "relative path",
        ),
        (json!([good, entry("a//b", &ids[1])]), "relative path"),
        (json!([good, entry("a\nb", &ids[1])]), "relative path"),
        (json!([good, entry("", &ids[1])]), "relative path"),
        (
            json!([good, entry(&"n".repeat(2000), &ids[1])]),
            "relative path",
        ),
    ] {
        let (status, error) = local
            .post(&format!("{TABLE}/rawFiles"), json!({"files": files}))
            .await;
        let told = error["error_description"].as_str().unwrap();
        assert!(status == 400 && told.contains(words), "{files}: {told}");
        assert!(!told.contains(&ids[0]), "{told}");
    }
    assert_eq!(names(&listed(&local, TABLE).await), ["a"]);
    assert_eq!(kept(local.folder.path()), 1);
    // The bytes are there still.
    let request = json!({"files": [good, entry("other", &ids[1])]});
    let (status, _) = local.post(&format!("{TABLE}/rawFiles"), request).await;
    assert_eq!(status, 201);
    assert_eq!(names(&listed(&local, TABLE).await), ["a", "good", "other"]);

    // Other tables list no files, and this one takes no uploads.
    let new = json!({"name": "plain"});
    assert!(
        local
            .post("/datasets/local.d:next/tables", new)
            .await
            .0
            .is_success()
    );
    let path = "/tables/local.d:next.plain/rawFiles";
    let (status, error) = local.post(path, json!({"files": [good]})).await;
    assert!(
        status == 400
            && error["error_description"]
                .as_str()
                .unwrap()
                .contains("isFileIndex")
    );
}

#[tokio::test]
async fn files_are_for_those_who_may_read_a_version_that_lists_them() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens.json");
    std::fs::write(
        &tokens,
        r#"[{"token": "edit", "user": "local", "scopes": ["data.edit"]},
            {"token": "data", "user": "d", "scopes": ["data.data"]},
            {"token": "overview", "user": "o", "scopes": ["data.overview"]},
            {"token": "none", "user": "n", "scopes": ["public"]}]"#,
    )
    .unwrap();
    let mut local = Local::with(&[], |config| config.tokens = Some(tokens)).await;
    local.set_token(Some("edit"));
    let new = json!({"name": "d", "publicAccessLevel": "none"});
    assert!(
        local
            .post("/users/local/datasets", new)
            .await
            .0
            .is_success()
    );
    let new = json!({"name": "files", "isFileIndex": true});
    assert!(
        local
            .post("/datasets/local.d:next/tables", new)
            .await
            .0
            .is_success()
    );
    let files = added(&local, &[("a", b"1")]).await;
    let path = format!("/rawFiles/{}", files[0]["id"].as_str().unwrap());
    let listing = format!("{}/rawFiles?format=arrow", TABLE.replace(":next", ""));
    let status = async |local: &Local, path: &str| {
        local.send(Method::GET, path, None).await.status().as_u16()
    };
    for (public, expected) in [
        (None, [[401, 401], [404, 404], [403, 403], [200, 200]]),
        (
            Some("data"),
            [[200, 200], [200, 200], [200, 200], [200, 200]],
        ),
    ] {
        match public {
            None => {
                let release = "/datasets/local.d/versions/next/release";
                assert!(local.post(release, json!({})).await.0.is_success());
            }
            Some(level) => {
                let change = json!({"publicAccessLevel": level});
                let changed = local.send(Method::PATCH, "/datasets/local.d", Some(change));
                assert!(changed.await.status().is_success());
            }
        }
        let tokens = [None, Some("none"), Some("overview"), Some("data")];
        for (token, expected) in tokens.into_iter().zip(expected) {
            local.set_token(token);
            let got = [status(&local, &path).await, status(&local, &listing).await];
            assert_eq!(got, expected, "{token:?} {public:?}");
        }
        local.set_token(Some("edit"));
    }
    // Who cannot edit cannot add.
    local.set_token(Some("data"));
    let path = TABLE.replace(":next", "");
    let (status, _) = local
        .post(&format!("{path}/rawFiles"), json!({"files": []}))
        .await;
    assert_eq!(status, 403);
}

#[tokio::test]
async fn a_querys_result_lists_the_files_whose_ids_it_has() {
    let local = indexing().await;
    added(&local, &[("a", b"1"), ("b", b"22"), ("c", b"333")]).await;
    let query = json!({
        "query": "SELECT file_id, upper(file_name) AS shout FROM `local.d:next.files` WHERE size > 1",
    });
    let (status, mut body) = local.post("/queries", query).await;
    assert!(status.is_success(), "{body}");
    let uri = body["uri"].as_str().unwrap().to_owned();
    while !["completed", "failed"].contains(&body["status"].as_str().unwrap()) {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        body = local.json(&uri).await;
    }
    assert_eq!(body["status"], "completed", "{body}");
    let mut files = listed(&local, &uri).await;
    files.sort_by(|one, other| one.1.cmp(&other.1));
    assert_eq!(names(&files), ["b", "c"]);
    assert_eq!(content(&local, &files[0].0).await, b"22");
    let path = format!("{uri}/rawFiles?format=arrow&fileNameVariable=shout");
    let shouted = joined(&local.batches(&path).await);
    let shouted = shouted.column_by_name("shout").unwrap().as_string::<i32>();
    let mut shouted: Vec<&str> = shouted.iter().flatten().collect();
    shouted.sort_unstable();
    assert_eq!(shouted, ["B", "C"]);
}
