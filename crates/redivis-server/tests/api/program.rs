//! The binary: its first line, its narration and its end.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Command, Stdio},
};

#[tokio::test]
async fn the_first_line_is_the_endpoint_and_the_secret_is_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Command::new(env!("CARGO_BIN_EXE_redivis-server"))
        .arg(folder.path())
        .args([
            "--sample",
            "--listen",
            "127.0.0.1:0",
            "--session-ttl",
            "90s",
            "--requests-per-minute",
            "off",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(server.stdout.take().unwrap());
    let mut endpoint = String::new();
    out.read_line(&mut endpoint).unwrap();
    let endpoint = endpoint.trim_end();
    assert!(
        endpoint.starts_with("http://127.0.0.1:") && endpoint.ends_with("/api/v1"),
        "{endpoint}"
    );

    let secret = std::fs::read_to_string(folder.path().join(".redivis/token")).unwrap();
    let secret = secret.trim();
    let client = reqwest::Client::new();
    let me = client
        .get(format!("{endpoint}/users/me"))
        .bearer_auth(secret)
        .send()
        .await
        .unwrap();
    assert_eq!(me.status(), 200);
    assert!(!me.headers().contains_key("x-ratelimit-limit"));

    let killed = Command::new("kill")
        .arg(server.id().to_string())
        .status()
        .unwrap();
    assert!(killed.success());
    assert!(server.wait().unwrap().success());
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
    let mut narration = String::new();
    server
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut narration)
        .unwrap();
    assert!(
        narration.contains("REDIVIS_API_ENDPOINT") && narration.contains("/users/me"),
        "{narration}"
    );
    assert!(!narration.contains(secret));
}

#[test]
fn wrong_arguments_are_refused() {
    for arguments in [
        &[][..],
        &["--sample", "--session-ttl", "soon"],
        &["--sample", "--requests-per-minute", "0"],
        &["/does/not/exist"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_redivis-server"))
            .args(arguments)
            .args(["--listen", "127.0.0.1:0"])
            .output()
            .unwrap();
        assert!(!output.status.success(), "{arguments:?}");
        assert!(output.stdout.is_empty());
    }
}
