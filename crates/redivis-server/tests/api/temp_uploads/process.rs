//! A server in a process of its own, for what happens to processes.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

use super::TABLE;
use crate::support::{numbers, parquet, put};

/// The server, killed when dropped.
pub(super) struct Process {
    process: Child,
    endpoint: String,
}

impl Process {
    /// Serves a draft from a folder; started by another program, if one is named.
    pub(super) fn start(folder: &Path, starter: &[&str]) -> Self {
        put(folder, "o/d/next/t/u.parquet", &parquet(&numbers(3)));
        let server = env!("CARGO_BIN_EXE_redivis-server");
        let (program, starter) = match starter {
            [] => (server, Vec::new()),
            [program, rest @ ..] => (*program, [rest, &[server]].concat()),
        };
        let mut process = Command::new(program)
            .args(starter)
            .arg(folder)
            .args(["--listen", "127.0.0.1:0", "--requests-per-minute", "off"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut endpoint = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut endpoint)
            .unwrap();
        Process {
            process,
            endpoint: endpoint.trim_end().to_owned(),
        }
    }

    /// Announces a resumable temp upload; returns its URL.
    pub(super) async fn announced(&self, folder: &Path, size: usize) -> String {
        let token = std::fs::read_to_string(folder.join(".redivis/token")).unwrap();
        let request = reqwest::Client::new()
            .post(format!("{}{TABLE}/tempUploads", self.endpoint))
            .bearer_auth(token.trim())
            .json(&json!({"tempUploads": [{"size": size, "resumable": true}]}));
        let body: Value = request.send().await.unwrap().json().await.unwrap();
        body["results"][0]["url"].as_str().unwrap().to_owned()
    }

    /// A URL of an earlier server, at this one.
    pub(super) fn here(&self, url: &str) -> String {
        format!("{}{}", self.endpoint, url.split_once("/api/v1").unwrap().1)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}
