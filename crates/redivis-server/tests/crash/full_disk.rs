//! A disk that takes no more: writers are told, readers go on, nothing is half there, and all goes on once there is room.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    left,
    model::Seen,
    observe::{Hashes, finished_uploads, observe},
    process::Process,
    rows, token,
    wire::{Wire, path_of},
};

const TABLE: &str = "/tables/local.d:next.t";

/// What is there, which must be readable at any time.
async fn seen(wire: &Wire) -> Seen {
    let mut random = fastrand::Rng::with_seed(0);
    let found = observe(wire, "d", &mut Hashes::new(), &mut random).await;
    found.unwrap().unwrap()
}

async fn created(wire: &Wire, path: &str, body: Value) -> Value {
    wire.post(path, &body).await.unwrap().json(path)
}

/// The status of an upload from bytes in the request.
async fn upload(wire: &Wire, name: &str, bytes: Vec<u8>) -> u16 {
    let path = format!("{TABLE}/uploads?name={name}&type=delimited");
    let request = wire.request(Method::POST, &path).body(bytes);
    wire.answer(request).await.unwrap().status
}

async fn insert(wire: &Wire, ids: std::ops::Range<i64>) -> u16 {
    let body = json!({"rows": rows::as_json(ids)});
    let path = format!("{TABLE}/uploads/s/rows");
    wire.post(&path, &body).await.unwrap().status
}

fn is_full(status: u16) -> bool {
    status == 507 || status == 500
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_half_there_when_the_disk_is_full() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let server = Process::start_small(folder.path(), 3000).await;
    let wire = Wire::to(&server, &token(folder.path()));
    created(&wire, "/users/local/datasets", json!({"name": "d"})).await;
    created(&wire, "/datasets/local.d:next/tables", json!({"name": "t"})).await;
    let schema = json!([{"name": "id", "type": "integer"}, {"name": "text", "type": "string"}]);
    let stream = json!({"name": "s", "type": "stream", "schema": schema});
    created(&wire, &format!("{TABLE}/uploads"), stream).await;
    assert_eq!(insert(&wire, 0..10).await, 200);
    assert_eq!(upload(&wire, "u1", rows::as_csv(20..30)).await, 201);
    let before = seen(&wire).await;

    // Bytes that do not fit, in each way in.
    let large = rows::as_csv(0..100_000);
    assert!(large.len() > 1_600_000);
    assert_eq!(upload(&wire, "u2", large.clone()).await, 507);
    let entry = json!({"tempUploads": [{"size": large.len(), "resumable": false}]});
    let sent = created(&wire, &format!("{TABLE}/tempUploads"), entry).await;
    let url = path_of(sent["results"][0]["url"].as_str().unwrap());
    let put = wire.request(Method::PUT, &url).body(large.clone());
    assert_eq!(wire.answer(put).await.unwrap().status, 507);
    let taking = json!({"name": "u2", "tempUploadId": sent["results"][0]["id"]});
    let refused = wire
        .post(&format!("{TABLE}/uploads"), &taking)
        .await
        .unwrap();
    assert_eq!(refused.status, 400);
    assert_eq!(seen(&wire).await, before);

    // Rows that do not fit although their bytes did.
    server.limit("unlimited").await;
    let entry = json!({"tempUploads": [{"size": large.len(), "resumable": false}]});
    let sent = created(&wire, &format!("{TABLE}/tempUploads"), entry).await;
    let url = path_of(sent["results"][0]["url"].as_str().unwrap());
    let put = wire.request(Method::PUT, &url).body(large);
    assert_eq!(wire.answer(put).await.unwrap().status, 200);
    // The catalog still grows, the rows do not fit.
    server.limit("1000000").await;
    let taking =
        json!({"name": "u3", "type": "delimited", "tempUploadId": sent["results"][0]["id"]});
    let taken = wire
        .post(&format!("{TABLE}/uploads"), &taking)
        .await
        .unwrap();
    assert_eq!(
        taken.status,
        201,
        "{}",
        String::from_utf8_lossy(&taken.body)
    );
    let uploads = finished_uploads(&wire, TABLE).await.unwrap();
    let failed = uploads
        .iter()
        .find(|upload| upload["name"] == "u3")
        .unwrap();
    assert_eq!(failed["status"], "failed");
    let deleted = wire.request(Method::DELETE, &format!("{TABLE}/uploads/u3"));
    wire.answer(deleted)
        .await
        .unwrap()
        .success("the deletion of u3");
    assert_eq!(seen(&wire).await, before);

    // The catalog itself does not fit.
    let mut said = None;
    let status = loop {
        let text = fastrand::u64(..).to_string();
        let path = "/datasets/local.d";
        let request = wire
            .request(Method::PATCH, path)
            .json(&json!({"description": text}));
        let status = wire.answer(request).await.unwrap().status;
        if status != 200 {
            break status;
        }
        said = Some(text);
    };
    assert!(is_full(status), "{status}");
    let before = Seen {
        description: said,
        ..before
    };
    assert_eq!(seen(&wire).await, before);
    for _ in 0..3 {
        assert!(is_full(insert(&wire, 10..20).await));
        assert!(is_full(upload(&wire, "u4", rows::as_csv(30..40)).await));
        let path = "/datasets/local.d:next/tables";
        let refused = wire
            .post(path, &json!({"name": "t2"}))
            .await
            .unwrap()
            .status;
        assert!(is_full(refused));
        assert_eq!(seen(&wire).await, before);
    }

    server.limit("unlimited").await;
    assert_eq!(insert(&wire, 10..20).await, 200);
    assert_eq!(upload(&wire, "u4", rows::as_csv(30..40)).await, 201);
    let after = seen(&wire).await;
    assert_eq!(after.description, before.description);
    let all = 0..40;
    assert_eq!(after.versions[0].1["t"].rows, std::slice::from_ref(&all));
    server.kill().await;
    let server = Process::start(folder.path()).await;
    let wire = Wire::to(&server, &token(folder.path()));
    assert_eq!(seen(&wire).await, after);
    left::nothing_but_what_is_named(&folder.path().join("data/.redivis")).await;
}
