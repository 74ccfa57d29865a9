//! What nobody sends by mistake: names that lead elsewhere, bodies that are too much, bytes that are no requests.

use std::{collections::BTreeMap, path::Path, time::Duration};

use proptest::{prelude::*, test_runner::Config};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    life::{dataset, table},
    support::Local,
};

/// Names that mean something to a file system, a URL, a database, or to nobody.
fn names() -> Vec<String> {
    let mut names: Vec<String> = [
        "..",
        "../..",
        "../../etc/passwd",
        "..\\..\\x",
        "/etc/passwd",
        "%2e%2e",
        "%2e%2e%2f%2e%2e%2fsecret",
        "..%252f..%252fsecret",
        ".redivis",
        ".redivis/token",
        "a/../../secret",
        "a\0b",
        "%00",
        "\u{2024}\u{2024}\u{2215}secret",
        "\u{ff0e}\u{ff0e}\u{ff0f}secret",
        "…",
        "CON",
        "a'; DROP TABLE dataset; --",
        "~",
        "$(id)",
        "file:///etc/passwd",
        "\u{202e}txt",
        "a.b:c.d",
        "",
        " ",
        "%",
        "%zz",
        "\n",
        "next",
        "current",
    ]
    .map(str::to_owned)
    .to_vec();
    names.push("x".repeat(15_000));
    names.push("../".repeat(500) + "secret");
    names
}

/// All files below a folder with their content, but for what the server keeps.
fn outside(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.ends_with(".redivis") {
                continue;
            }
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    let bytes = std::fs::read(&path).unwrap();
                    found.insert(path.display().to_string(), bytes);
                }
            }
        }
    }
    found
}

fn escaped(name: &str) -> String {
    percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// A server whose data folder lies beside a secret.
async fn beside_a_secret() -> (tempfile::TempDir, Local) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret"), "s3cr3t").unwrap();
    let data = tempfile::tempdir_in(folder.path()).unwrap();
    let mut config = redivis_server::Config::directory(data.path());
    config.requests_per_minute = None;
    let server = redivis_server::Server::start(config).await.unwrap();
    (folder, Local::of(server, data))
}

#[tokio::test]
async fn no_name_leads_out_of_the_data_folder() {
    let (folder, local) = beside_a_secret().await;
    let uri = dataset(&local, "d").await;
    let t = table(&local, &uri, "t").await;
    let before = outside(folder.path());
    let entry = json!([{"size": 2, "resumable": false, "name": "../../x"}]);
    for name in names() {
        let mut answers = Vec::new();
        // As it is where HTTP allows it, and escaped.
        for name in [
            escaped(&name),
            escaped(&escaped(&name)),
            name.replace(['\0', '\n', ' '], "_"),
        ] {
            for path in [
                format!("/datasets/{name}"),
                format!("/datasets/local.{name}"),
                format!("/datasets/local.d:{name}"),
                format!("/tables/local.d.{name}"),
                format!("/tables/local.{name}.t/rows"),
                format!("{t}/uploads/{name}"),
                format!("/uploads/local.d.t.{name}"),
                format!("{t}/variables/{name}"),
                format!("/users/{name}/datasets"),
                format!("/organizations/{name}/datasets?maxResults=1&pageToken={name}"),
                format!("/users/local/datasets?pageToken={name}"),
                format!("/readStreams/{name}"),
                format!("/rawFiles/{name}"),
                format!("/queries/{name}"),
                format!("/exports/{name}/download?filePart=0"),
                format!("/workflows/{name}/tables/{name}"),
                format!("{t}/rows?selectedVariables={name}&format={name}"),
            ] {
                answers.push((path.clone(), local.send(Method::GET, &path, None).await));
            }
            for path in [
                format!("/tempUploads/{name}"),
                format!("/uploadSessions/{name}"),
            ] {
                answers.push((
                    path.clone(),
                    local.send(Method::PUT, &path, Some(json!({}))).await,
                ));
            }
            let path = format!("/organizations/{name}/datasets");
            let new = json!({"name": "x"});
            answers.push((
                path.clone(),
                local.send(Method::POST, &path, Some(new)).await,
            ));
        }
        for (path, body) in [
            ("/users/local/datasets".to_owned(), json!({"name": name})),
            (format!("{uri}/tables"), json!({"name": name})),
            (
                format!("{t}/uploads"),
                json!({"name": name, "type": "stream", "schema": [{"name": name, "type": "string"}]}),
            ),
            (
                format!("{t}/uploads"),
                json!({"name": "n", "tempUploadId": name}),
            ),
            (
                format!("{t}/rawFiles"),
                json!({"files": [{"name": name, "tempUploadId": name}]}),
            ),
            (format!("{t}/tempUploads"), json!({"tempUploads": entry})),
            (
                "/queries".to_owned(),
                json!({"query": format!("SELECT * FROM `{name}`"), "defaultDataset": name}),
            ),
            (
                "/queries".to_owned(),
                json!({"query": format!("SELECT * FROM '{name}'")}),
            ),
            (format!("{t}/exports"), json!({"format": name})),
        ] {
            answers.push((
                path.clone(),
                local.send(Method::POST, &path, Some(body)).await,
            ));
        }
        let simple = format!("{t}/uploads?name={}&type=delimited", escaped(&name));
        let sent = local
            .send_bytes(Method::POST, &simple, "text/csv", b"a\n1\n")
            .await;
        answers.push((simple, sent));
        for (path, answer) in answers {
            let status = answer.status();
            assert!(!status.is_server_error(), "{path}: {status}");
            let text = answer.text().await.unwrap();
            assert!(!text.contains("s3cr3t"), "{path}: {text}");
            assert!(!text.contains("root:"), "{path}: {text}");
        }
    }
    assert!(
        outside(folder.path()) == before,
        "files changed outside the state folder"
    );
}

#[tokio::test]
async fn what_is_too_much_is_refused() {
    let (_folder, local) = beside_a_secret().await;
    let uri = dataset(&local, "d").await;
    let t = table(&local, &uri, "t").await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let kind = "application/json";
    for (path, body, expected) in [
        (
            "/users/local/datasets".to_owned(),
            format!("{{\"name\": {deep}}}"),
            400,
        ),
        ("/users/local/datasets".to_owned(), "x".repeat(2 << 20), 413),
        ("/users/local/datasets".to_owned(), "[]".to_owned(), 400),
        (
            "/users/local/datasets".to_owned(),
            "{\"name\"".to_owned(),
            400,
        ),
        (
            "/queries".to_owned(),
            json!({"query": "é".repeat(300_000)}).to_string(),
            400,
        ),
        (
            format!("{t}/tempUploads"),
            json!({"tempUploads": vec![json!({"size": 1}); 1001]}).to_string(),
            400,
        ),
        (
            format!("{t}/tempUploads"),
            json!({"tempUploads": []}).to_string(),
            400,
        ),
        (
            format!("{t}/rawFiles"),
            json!({"files": vec![json!({}); 1001]}).to_string(),
            400,
        ),
        (
            format!("{t}/readSessions"),
            json!({"requestedStreamCount": -1}).to_string(),
            400,
        ),
        (
            format!("{t}/readSessions"),
            json!({"maxResults": 1e300}).to_string(),
            400,
        ),
    ] {
        let answer = local
            .send_bytes(Method::POST, &path, kind, body.as_bytes())
            .await;
        assert_eq!(
            answer.status(),
            expected,
            "{path} {}",
            &body[..body.len().min(60)]
        );
    }
    for page in ["0", "-1", "1e99", "NaN", "1000000000", "x"] {
        let path = format!("/users/local/datasets?maxResults={page}");
        let (status, body) = local.get(&path).await;
        assert!(status == 200 || status == 400, "{path}: {body}");
    }
    for head in [
        format!(
            "GET /api/v1/tables/{} HTTP/1.1\r\n\r\n",
            "x".repeat(300_000)
        ),
        format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(300_000)),
        format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(1000)),
    ] {
        let statuses = answers(local.server.address(), head.as_bytes()).await;
        assert!(
            statuses == [414] || statuses == [431] || statuses.is_empty(),
            "{statuses:?}"
        );
    }
}

/// Sends bytes, and returns the status lines that come back.
async fn answers(address: std::net::SocketAddr, bytes: &[u8]) -> Vec<u16> {
    let mut connection = TcpStream::connect(address).await.unwrap();
    // The server may have heard enough before the end.
    let _ = connection.write_all(bytes).await;
    let _ = connection.shutdown().await;
    let mut answer = Vec::new();
    let read = connection.read_to_end(&mut answer);
    let _ = tokio::time::timeout(Duration::from_secs(10), read)
        .await
        .expect("no end of the answer");
    let text = String::from_utf8_lossy(&answer);
    let statuses = text.split("HTTP/1.1 ").skip(1);
    statuses
        .filter_map(|rest| rest.get(..3)?.parse().ok())
        .collect()
}

/// Pieces that requests are made of, and bytes that they are not.
fn requests() -> impl Strategy<Value = Vec<u8>> {
    let method = prop::sample::select(vec!["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]);
    let path = prop::sample::select(vec![
        "/tables/TABLE/rows?",
        "/tables/TABLE/uploads",
        "/tables/TABLE/uploads?name=a.csv&",
        "/tables/TABLE/uploads/s/rows",
        "/tables/TABLE/readSessions",
        "/tables/TABLE/tempUploads",
        "/tables/TABLE/variables?",
        "/tables/TABLE/rawFiles",
        "/tables/TABLE/exports",
        "/datasets/DATASET",
        "/datasets/DATASET/versions/next",
        "/users/local/datasets?",
        "/queries",
        "/rawFiles/x?",
        "/tempUploads/x",
        "/uploadSessions/x",
        "/readStreams/x?offset=",
        "/tables/",
        "/uploads/",
    ]);
    let kind = prop::sample::select(vec![
        "application/json",
        "multipart/form-data; boundary=b",
        "multipart/form-data",
        "text/csv",
        "",
    ]);
    let header = prop::sample::select(vec![
        "content-range: bytes ",
        "range: bytes=",
        "x-upload-content-length: ",
        "if-modified-since: ",
        "x-goog-resumable: start",
        "authorization: Bearer ",
        "host: ",
        "transfer-encoding: ",
    ]);
    let noise = || prop::collection::vec(any::<u8>(), 0..60);
    let text = "[ -~]{0,40}";
    let body = prop_oneof![
        noise(),
        prop::collection::vec(prop::sample::select(b"{}[]\",:0123456789.-e\\u null true name type rows size tempUploads query".to_vec()), 0..120),
        (noise(), noise()).prop_map(|(one, two)| {
            [b"--b\r\nContent-Disposition: form-data; name=\"metadata\"\r\n\r\n".as_slice(), &one,
             b"\r\n--b\r\nContent-Disposition: form-data; name=\"data\"\r\n\r\n", &two, b"\r\n--b--\r\n"].concat()
        }),
        Just(br#"{"rows": [{"a": 1, "b": [1, {}]}], "query": "SELECT", "name": 1e999, "tempUploads": [{"size": "1e3"}]}"#.to_vec()),
    ];
    (method, path, text, kind, header, noise(), text, body, 0..4u8).prop_map(
        |(method, path, query, kind, header, noise, value, body, form)| {
            let length = body.len();
            let mut bytes = format!("{method} /api/v1{path}{query}").into_bytes();
            if form == 0 {
                bytes.extend_from_slice(&noise);
            }
            bytes.extend_from_slice(
                format!(" HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer TOKEN\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{header}{value}")
                    .as_bytes(),
            );
            if form == 1 {
                bytes.extend_from_slice(&noise);
            }
            bytes.extend_from_slice(b"\r\n\r\n");
            bytes.extend_from_slice(&body);
            bytes
        },
    )
}

#[test]
fn no_bytes_make_the_server_fail() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (_folder, local) = runtime.block_on(beside_a_secret());
    let (uri, t) = runtime.block_on(async {
        let uri = dataset(&local, "d").await;
        let t = table(&local, &uri, "t").await;
        let stream =
            json!({"name": "s", "type": "stream", "schema": [{"name": "a", "type": "integer"}]});
        assert_eq!(local.post(&format!("{t}/uploads"), stream).await.0, 201);
        (uri, t)
    });
    let address = local.server.address();
    let token = local.server.token().unwrap().to_owned();
    let (uri, t) = (
        uri.trim_start_matches("/datasets/"),
        t.trim_start_matches("/tables/"),
    );
    let fill = |bytes: Vec<u8>| {
        let mut filled = bytes;
        for (name, value) in [("TABLE", t), ("DATASET", uri), ("TOKEN", &token)] {
            while let Some(at) = filled
                .windows(name.len())
                .position(|piece| piece == name.as_bytes())
            {
                filled.splice(at..at + name.len(), value.bytes());
            }
        }
        filled
    };
    let config = Config {
        cases: 1500,
        failure_persistence: None,
        ..Config::default()
    };
    proptest!(config, |(bytes in prop_oneof![9 => requests(), 1 => prop::collection::vec(any::<u8>(), 0..300)])| {
        let statuses = runtime.block_on(answers(address, &fill(bytes)));
        prop_assert!(statuses.iter().all(|status| *status < 500 || *status == 501), "{statuses:?}");
    });
    let me: Value = runtime.block_on(local.json("/users/me"));
    assert_eq!(me["name"], "local");
}
